import { PHASE_SCENARIOS } from './phases.ts';
import { entered, noonOf, type Planted, type Scenario, type ScenarioAvtale, type ScenarioContent } from './scenario.ts';

/** As the source has had them: none, letters, too short, a number that no register would give. */
const ODD_BEDRIFT_NUMBERS = ['', '0', 'ukjent', '12345678', '000000000', '3100000000'];

const underway = (content: ScenarioContent, today: string): ScenarioAvtale => ({
  versions: [entered(today, [-30, 60], content)],
  fase: 'PAAGAAR',
});

const OTHERS: Record<string, Scenario> = {
  'ukjent-person': {
    description: 'A person whom nothing is known of',
    plant: ({ newPerson }) => ({ persons: [[newPerson()]], avtaler: [] }),
  },
  'uten-person': {
    description: 'An avtale that names no participant',
    plant: ({ today }) => ({ persons: [], avtaler: [underway({ deltakerFnr: null }, today)] }),
  },
  'flere-identer': {
    description: 'A person with a D number before the present ident, and an avtale under each',
    plant: ({ today, newPerson, newBedrift }) => {
      const [ident, dnr, bedriftNr] = [newPerson(), newPerson('DNR'), newBedrift()];
      const before = { deltakerFnr: dnr, bedriftNr };
      return {
        persons: [[ident, dnr]],
        avtaler: [
          underway({ deltakerFnr: ident, bedriftNr }, today),
          { versions: [entered(today, [-400, -200], before)], fase: 'AVSLUTTET' },
        ],
      };
    },
  },
  skjermet: {
    description:
      'A person of whom little is told, as of one with a protected address: no employer, no counsellor. Whether an address is protected is not known here, and not told',
    plant: ({ today, newPerson }) => {
      const deltakerFnr = newPerson('NAV');
      const nothing = { bedriftNr: null, bedriftNavn: null, veilederNavIdent: null };
      return { persons: [[deltakerFnr]], avtaler: [underway({ deltakerFnr, ...nothing }, today)] };
    },
  },
  'rare-bedriftsnumre': {
    description: 'Employers whose numbers are none: empty, letters, too short, too long',
    plant: ({ today, newPerson }) => {
      const deltakerFnr = newPerson();
      return {
        persons: [[deltakerFnr]],
        avtaler: ODD_BEDRIFT_NUMBERS.map((bedriftNr) => underway({ deltakerFnr, bedriftNr }, today)),
      };
    },
  },
  'mange-avtaler': {
    description: 'Many avtaler of one person: more than a page',
    count: { default: 250, max: 5_000 },
    plant: ({ today, newPerson, newBedrift }, count) => {
      const [deltakerFnr, bedriftNr] = [newPerson(), newBedrift()];
      const avtaler = Array.from({ length: count }, (_, i): ScenarioAvtale => {
        const last = -10 - i * 10;
        return { versions: [entered(today, [last - 5, last], { deltakerFnr, bedriftNr })], fase: 'AVSLUTTET' };
      });
      return { persons: [[deltakerFnr]], avtaler };
    },
  },
  'mange-personer': {
    description: 'Persons with an avtale each: enough for an export',
    count: { default: 100, max: 5_000 },
    plant: ({ today, newPerson, newBedrift }, count) => {
      const persons = Array.from({ length: count }, () => newPerson());
      const bedriftNr = newBedrift();
      return {
        persons: persons.map((ident) => [ident]),
        avtaler: persons.map((deltakerFnr) => underway({ deltakerFnr, bedriftNr }, today)),
      };
    },
  },
  lenker: {
    description:
      'Avtaler of one person that are linked: one after the other, at the same time, and a mentor at the same employer',
    plant: ({ today, newPerson, newBedrift }): Planted => {
      const [deltakerFnr, bedriftNr, elsewhere] = [newPerson(), newBedrift(), newBedrift()];
      const there = { deltakerFnr, bedriftNr };
      return {
        persons: [[deltakerFnr]],
        avtaler: [
          { versions: [entered(today, [-300, -120], there)], fase: 'AVSLUTTET' },
          underway(there, today),
          underway({ deltakerFnr, bedriftNr: elsewhere, tiltakstype: 'VARIG_LONNSTILSKUDD' }, today),
          underway({ ...there, tiltakstype: 'MENTOR' }, today),
        ],
      };
    },
  },
  'lang-historikk': {
    description: 'An avtale that was prolonged time after time',
    plant: ({ today, newPerson, newBedrift }) => {
      const who = { deltakerFnr: newPerson(), bedriftNr: newBedrift() };
      const versions = [-60, -30, 0, 30, 60].map((last) => entered(today, [-90, last], who));
      return { persons: [[who.deltakerFnr]], avtaler: [{ versions, fase: 'PAAGAAR' }] };
    },
  },
  'ukjente-koder': {
    description: 'Coded values that are new at the source, shown as UKJENT',
    plant: ({ today, newPerson, newBedrift }) => {
      const who = { deltakerFnr: newPerson(), bedriftNr: newBedrift() };
      const codes = { tiltakstype: 'HELT_NY_2031', avtaleStatus: 'HELT_NY', stillingstype: 'HELT_NY' };
      return {
        persons: [[who.deltakerFnr]],
        avtaler: [underway({ ...who, ...codes, opphav: 'HELT_NY' }, today)],
      };
    },
  },
  feilregistrert: {
    description: 'An avtale that was shown, and then turned out to be wrongly registered: it is not there',
    plant: ({ today, newPerson, newBedrift }) => {
      const who = { deltakerFnr: newPerson(), bedriftNr: newBedrift() };
      const annulled = { annullertTidspunkt: noonOf(today), feilregistrert: true };
      const versions = [entered(today, [-30, 60], who), entered(today, [-30, 60], { ...who, ...annulled })];
      return { persons: [[who.deltakerFnr]], avtaler: [{ versions }] };
    },
  },
  slettet: {
    description: 'An avtale that was shown, and then deleted',
    plant: ({ today, newPerson, newBedrift }) => {
      const who = { deltakerFnr: newPerson(), bedriftNr: newBedrift() };
      return {
        persons: [[who.deltakerFnr]],
        avtaler: [{ versions: [entered(today, [-30, 60], who)], isDeleted: true }],
      };
    },
  },
};

/** What the sandbox can plant, by name. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = { ...PHASE_SCENARIOS, ...OTHERS };
