const AVTALE_ID = 'e0000000-0000-4000-8000-000000000001';
const DAY_MS = 86_400_000;

/**
 * The avtale of the person in the examples of the published document, who is on a measure today: whoever tries an operation
 * as it stands is answered with something. The other avtaler that are named there are in the file of sample data.
 */
export function exampleAvtale(now: Date): { key: string; value: string } {
  const at = (days: number): string => new Date(now.getTime() + days * DAY_MS).toISOString();
  const agreed = '2026-01-10T10:00:00';
  const message = {
    ...{ avtaleId: AVTALE_ID, avtaleNr: 900_001, deltakerFnr: '0'.repeat(11), versjon: 1, opphav: 'VEILEDER' },
    ...{ bedriftNr: '910825518', bedriftNavn: 'MAURA OG KOLBU REGNSKAP', veilederNavIdent: 'Z992785' },
    ...{ tiltakstype: 'MIDLERTIDIG_LONNSTILSKUDD', avtaleStatus: 'GJENNOMFØRES', stillingstype: 'MIDLERTIDIG' },
    ...{ startDato: '2026-01-15', sluttDato: at(180).slice(0, 10), stillingprosent: 80, antallDagerPerUke: 4 },
    ...{ godkjentAvDeltaker: agreed, godkjentAvArbeidsgiver: agreed, godkjentAvVeileder: agreed },
    ...{ avtaleInngått: agreed, opprettetTidspunkt: agreed, sistEndret: at(-1), hendelseType: 'STATUSENDRING' },
    ...{ godkjentPaVegneAv: false, godkjentPaVegneAvArbeidsgiver: false, feilregistrert: false, slettemerket: false },
  };
  return { key: AVTALE_ID, value: JSON.stringify(message) };
}
