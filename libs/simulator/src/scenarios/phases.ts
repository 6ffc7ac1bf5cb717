import { daysAfter, entered, noonOf, type Scenario, type ScenarioContent } from './scenario.ts';

/** A row of the decision table of docs/fase.md; days are counted from today. */
interface Row {
  description: string;
  fase: string;
  annullertUnderveis?: boolean;
  /** what it has said, oldest first */
  versions: (today: string) => readonly ScenarioContent[];
}

const annulledOn = (today: string, day: number, more: ScenarioContent = {}): ScenarioContent => ({
  annullertTidspunkt: noonOf(daysAfter(today, day)),
  ...more,
});
const draft = (today: string, first: number, last: number): ScenarioContent => ({
  ...entered(today, [first, last]),
  avtaleInngaatt: null,
});

/** An avtale that was entered into, and then annulled. */
const enteredAndAnnulled =
  (days: readonly [number, number], annulled: number, more: ScenarioContent = {}) =>
  (today: string): readonly ScenarioContent[] => [
    entered(today, days),
    entered(today, days, annulledOn(today, annulled, more)),
  ];

/** Each row of the table, in its order; where a row has several reasons, each of them. */
const ROWS: Record<string, Row> = {
  'annullert-aldri-inngaatt': {
    description: 'Annulled before all had approved',
    fase: 'ANNULLERT',
    versions: (today) => [draft(today, -10, 60), { ...draft(today, -10, 60), ...annulledOn(today, -5) }],
  },
  'annullert-foer-start': {
    description: 'Entered into, and annulled before its first day',
    fase: 'ANNULLERT',
    versions: enteredAndAnnulled([-10, 60], -20),
  },
  'annullert-samme-dag': {
    description: 'Entered into, and annulled on its first day',
    fase: 'ANNULLERT',
    versions: enteredAndAnnulled([-10, 60], -10),
  },
  'annullert-aldri-begynt': {
    description: 'Annulled after its first day, because the participant never came',
    fase: 'ANNULLERT',
    versions: enteredAndAnnulled([-10, 60], -5, { aldriBegynt: true }),
  },
  'annullert-uten-startdato': {
    description: 'Entered into, annulled, and nobody knows when it began',
    fase: 'ANNULLERT',
    versions: enteredAndAnnulled([-10, 60], -5, { startDato: null }),
  },
  'annullert-uten-tidspunkt': {
    description: 'The status says that it was annulled, and nobody knows when',
    fase: 'ANNULLERT',
    versions: (today) => [entered(today, [-10, 60]), entered(today, [-10, 60], { avtaleStatus: 'ANNULLERT' })],
  },
  'annullert-underveis-planlagt': {
    description: 'Annulled from a day that lies after its first day, which is still to come',
    fase: 'PLANLAGT',
    annullertUnderveis: true,
    versions: enteredAndAnnulled([20, 90], 40),
  },
  'annullert-underveis-paagaar': {
    description: 'Annulled from a day that is still to come',
    fase: 'PAAGAAR',
    annullertUnderveis: true,
    versions: enteredAndAnnulled([-10, 60], 20),
  },
  'annullert-underveis-avsluttet': {
    description: 'Annulled some days ago, under way',
    fase: 'AVSLUTTET',
    annullertUnderveis: true,
    versions: enteredAndAnnulled([-60, 60], -10),
  },
  avsluttet: { description: 'Has ended', fase: 'AVSLUTTET', versions: (today) => [entered(today, [-90, -5])] },
  paagaar: { description: 'Under way', fase: 'PAAGAAR', versions: (today) => [entered(today, [-30, 60])] },
  'paagaar-foerste-dag': {
    description: 'Begins today',
    fase: 'PAAGAAR',
    versions: (today) => [entered(today, [0, 60])],
  },
  'paagaar-siste-dag': {
    description: 'Today is its last day',
    fase: 'PAAGAAR',
    versions: (today) => [entered(today, [-60, 0])],
  },
  'paagaar-uten-sluttdato': {
    description: 'Under way, and goes on',
    fase: 'PAAGAAR',
    versions: (today) => [entered(today, [-30, 60], { sluttDato: null })],
  },
  planlagt: { description: 'Begins later', fase: 'PLANLAGT', versions: (today) => [entered(today, [20, 90])] },
  'planlagt-uten-startdato': {
    description: 'Entered into, and nobody knows when it begins',
    fase: 'PLANLAGT',
    versions: (today) => [entered(today, [20, 90], { startDato: null })],
  },
  'inngaas-paa-nytt': {
    description: 'Was under way, and its approvals are being renewed',
    fase: 'IKKE_INNGAATT_PAA_NYTT',
    versions: (today) => [entered(today, [-30, 60]), draft(today, -30, 60)],
  },
  'inngaas-paa-nytt-fra-arena': {
    description: 'Was taken over from Arena, and has not been approved since',
    fase: 'IKKE_INNGAATT_PAA_NYTT',
    versions: (today) => [{ ...draft(today, -30, 60), opphav: 'ARENA' }],
  },
  'avsluttet-uten-fornyet-godkjenning': {
    description: 'Ended while its approvals were being renewed',
    fase: 'AVSLUTTET',
    versions: (today) => [entered(today, [-90, -5]), draft(today, -90, -5)],
  },
  utkast: { description: 'Not approved by all yet', fase: 'UTKAST', versions: (today) => [draft(today, 5, 60)] },
};

/** A person with one avtale, for each row. */
export const PHASE_SCENARIOS: Record<string, Scenario> = Object.fromEntries(
  Object.entries(ROWS).map(
    ([name, { description, fase, annullertUnderveis = false, versions }]): [string, Scenario] => [
      name,
      {
        description,
        plant: ({ today, newPerson, newBedrift }) => {
          const [deltakerFnr, bedriftNr] = [newPerson(), newBedrift()];
          const said = versions(today).map((content) => ({ deltakerFnr, bedriftNr, ...content }));
          return { persons: [[deltakerFnr]], avtaler: [{ versions: said, fase, annullertUnderveis }] };
        },
      },
    ],
  ),
);
