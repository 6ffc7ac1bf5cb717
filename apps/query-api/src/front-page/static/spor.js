// @ts-check
// The questions that the front page shows, and what their answers say in words.

const DATE = { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'Europe/Oslo' };
const date = (text) => new Date(text).toLocaleDateString('nb-NO', DATE);
const number = (n) => n.toLocaleString('nb-NO');
const kind = (name) => {
  const text = name.toLowerCase().replaceAll('_', ' ').replace('lonn', 'lønn').replace('oe', 'ø');
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** Today, YYYY-MM-DD. */
export const today = () => new Date().toLocaleDateString('sv-SE', { timeZone: 'Europe/Oslo' });

/**
 * Each is asked of the service as it stands. `known` is what was found out beforehand: people and an employer that there
 * is something to say about.
 */
export const QUESTIONS = [
  {
    id: 'tiltaksstatus',
    title: 'Er personen på tiltak?',
    about: 'Opptil 1000 om gangen',
    operation: 'Personer/hentTiltaksstatus',
    request: (known) => ({
      method: 'POST',
      path: '/api/v1/personer/tiltaksstatus',
      body: { personidenter: known.persons },
    }),
    tell: ({ personer = [] }) => {
      const on = personer.filter(({ svar }) => svar === 'JA');
      const [first] = on;
      if (!first) return ['Nei, ikke i dag', 'Ett svar for hver person.'];
      const kinds = [...new Set(first.tiltak.map(({ tiltakstype }) => kind(tiltakstype)))];
      const until = first.til ? `, til ${date(first.til)}` : '';
      return [
        on.length === 1 ? 'Ja, i dag' : `Ja, ${number(on.length)} av ${number(personer.length)} er på tiltak i dag`,
        `${on.length === 1 ? '' : 'Den første: '}${kinds.join(' og ')}${until}.`,
      ];
    },
  },
  {
    id: 'sok',
    title: 'Hvilke avtaler har bedriften nå?',
    about: 'Bare feltene du ber om',
    operation: 'Avtaler/hentUtdrag',
    request: (known) => ({
      method: 'POST',
      path: '/api/v1/avtaler/utdrag',
      body: {
        felter: ['tiltakstype', 'startDato', 'sluttDato', 'stillingprosent'],
        bedriftsnumre: [known.bedriftNr],
        periode: { fra: known.today, til: known.today },
        antall: 3,
      },
    }),
    tell: ({ avtaler = [], neste }) => [
      `${number(avtaler.length)}${neste ? ' og flere' : ''} avtaler ${neste ? '' : 'i dag'}`.trim(),
      'Søk på person, bedrift, tiltakstype, status og periode, og bla gjennom alt.',
    ],
  },
  {
    id: 'endringer',
    title: 'Hva er nytt siden sist?',
    about: 'Hver endring, i rekkefølge',
    operation: 'Endringer/hentEndringer',
    request: () => ({ method: 'GET', path: '/api/v1/endringer?antall=3' }),
    tell: ({ endringer = [] }) => [
      `${number(endringer.length)} endringer, og hvor du fortsetter`,
      'Ta vare på posisjonen: ingen endring går tapt, ikke slettinger heller.',
    ],
  },
  {
    id: 'statistikk',
    title: 'Hvor mange er det?',
    about: 'Tall som ikke røper noen',
    operation: 'Data/hentStatistikk',
    request: () => ({ method: 'GET', path: '/api/v1/statistikk?per=TILTAKSTYPE' }),
    tell: ({ celler = [] }) => {
      const [largest] = celler;
      if (!largest) return ['Ingen tall ennå', 'De blir laget en gang i døgnet.'];
      return [
        `Flest: ${kind(largest.verdi)}, ${number(largest.antall)} avtaler`,
        'Grupper under fem er skjult, også mot utregning.',
      ];
    },
  },
  {
    id: 'ferskhet',
    title: 'Hvor gamle er dataene?',
    about: 'Og det står på hvert svar',
    operation: 'Data/hentFerskhet',
    request: () => ({ method: 'GET', path: '/api/v1/ferskhet' }),
    tell: ({ alderSekunder, partisjoner = [] }) => [
      alderSekunder === null || alderSekunder === undefined
        ? 'Første innlasting er ikke ferdig'
        : `${alderSekunder.toLocaleString('nb-NO', { maximumFractionDigits: 1 })} sekunder`,
      `Målt for hver av de ${number(partisjoner.length)} delene av strømmen; den eldste teller.`,
    ],
  },
];
