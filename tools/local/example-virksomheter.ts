/** Of these employers the sample data has avtaler; the last three are below one. */
const UNITS = [
  unit('910712217', 'MAURA OG KOLBU REGNSKAP', 'AS'),
  ...[
    ['910825518', 'MAURA OG KOLBU REGNSKAP'],
    ['910825526', 'GAMLE FREDRIKSTAD OG RAMNES REGNSKAP'],
    ['910825569', 'STORFOSNA OG FREDRIKSTAD REGNSKAP'],
  ].map(([number = '', name = '']) => unit(number, name, 'BEDR', '910712217')),
  unit('910712330', 'SALTRØD OG HØNEBY', 'BEDR', '910712241'),
];

/**
 * A company and its three establishments, where the examples of the published document look them up; and an establishment
 * whose company has not come.
 */
export const exampleVirksomheter = (): { key: string; value: string }[] =>
  UNITS.map((content) => ({ key: content.organisasjonsnummer, value: JSON.stringify(content) }));

function unit(
  organisasjonsnummer: string,
  name: string,
  organisasjonsform: string,
  overordnetEnhet: string | null = null,
) {
  const place = { naeringskode: '69.201', kommunenummer: '0301', slettetDato: null };
  return {
    ...{ organisasjonsnummer, navn: name, organisasjonsform, overordnetEnhet },
    ...place,
    sistEndret: '2026-01-10T10:00:00Z',
  };
}
