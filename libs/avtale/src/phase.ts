import { UKJENT } from './code-values.ts';
import { addDays } from '@tiltak/resource';

/** `fase`: where in its life an avtale is on a day, by the source's own rule and not by the status it stored at night. */
export const FASER = [
  'UTKAST',
  'PLANLAGT',
  'PAAGAAR',
  'AVSLUTTET',
  'ANNULLERT',
  'IKKE_INNGAATT_PAA_NYTT',
  UKJENT,
] as const;
export type Fase = (typeof FASER)[number];

/** What the phase is decided by. Dates are days in Oslo, `YYYY-MM-DD`, whose text order is their order. */
export interface PhaseFacts {
  startDato: string | null;
  sluttDato: string | null;
  /** `avtaleInngaatt` is set now */
  entered: boolean;
  /** it was set in some version known at the moment that is asked about */
  everEntered: boolean;
  /** `annullertTidspunkt` is set, or the status is ANNULLERT or AVBRUTT */
  annulled: boolean;
  /** the day of `annullertTidspunkt`; null when unknown */
  annulledDay: string | null;
  /** the reason for the annulment says that it never began */
  neverBegan: boolean;
  /** by `opphav`, or by a flag of the approvals on behalf */
  fromArena: boolean;
}

type DecidedPhase = Exclude<Fase, typeof UKJENT>;

/** A row of the decision table: what documents say of it, and what the code does. */
export interface Decision {
  /** in words; D is the day */
  when: string;
  fase: DecidedPhase;
  annullertUnderveis?: true;
  /** whether the person is on the measure that day: nobody can say when it is UAVKLART */
  paaTiltak: 'JA' | 'NEI' | 'UAVKLART';
  /** of those for which no row before it holds */
  holds: (day: string, facts: PhaseFacts) => boolean;
}

const begun = (day: string, { startDato }: PhaseFacts): boolean => startDato !== null && startDato <= day;
const ended = (day: string, { sluttDato }: PhaseFacts): boolean => sluttDato !== null && sluttDato < day;

/**
 * What on a measure means: the first row that holds decides. The code runs it, and the published document, the catalogue
 * and docs/ are made from its words.
 */
export const DECISION_TABLE: readonly Decision[] = [
  {
    when: 'annulled, never entered',
    fase: 'ANNULLERT',
    paaTiltak: 'NEI',
    holds: (_, { annulled, everEntered }) => annulled && !everEntered,
  },
  {
    when: 'annulled, ever entered, and: startDato or the day of annulment unknown, or that day ≤ startDato, or the reason says that it never began',
    fase: 'ANNULLERT',
    paaTiltak: 'NEI',
    holds: (_, facts) => facts.annulled && !isAnnulledUnderway(facts),
  },
  {
    when: 'annulled, ever entered, D < startDato',
    fase: 'PLANLAGT',
    annullertUnderveis: true,
    paaTiltak: 'NEI',
    holds: (day, facts) => facts.annulled && !begun(day, facts),
  },
  {
    when: 'the same, startDato ≤ D ≤ the earlier of sluttDato and the day before the annulment',
    fase: 'PAAGAAR',
    annullertUnderveis: true,
    paaTiltak: 'UAVKLART',
    holds: (day, facts) => facts.annulled && day <= (lastDay(facts) ?? day),
  },
  {
    when: 'the same, later',
    fase: 'AVSLUTTET',
    annullertUnderveis: true,
    paaTiltak: 'NEI',
    holds: (_, { annulled }) => annulled,
  },
  {
    when: 'entered, sluttDato < D',
    fase: 'AVSLUTTET',
    paaTiltak: 'NEI',
    holds: (day, facts) => facts.entered && ended(day, facts),
  },
  {
    when: 'entered, startDato ≤ D',
    fase: 'PAAGAAR',
    paaTiltak: 'JA',
    holds: (day, facts) => facts.entered && begun(day, facts),
  },
  {
    when: 'entered (startDato later or unknown)',
    fase: 'PLANLAGT',
    paaTiltak: 'NEI',
    holds: (_, { entered }) => entered,
  },
  {
    when: 'not entered now, but ever entered or from Arena, both dates known, startDato ≤ D ≤ sluttDato: the approvals are being renewed',
    fase: 'IKKE_INNGAATT_PAA_NYTT',
    paaTiltak: 'UAVKLART',
    holds: (day, facts) =>
      (facts.everEntered || facts.fromArena) && begun(day, facts) && facts.sluttDato !== null && !ended(day, facts),
  },
  {
    when: 'ever entered, sluttDato < D',
    fase: 'AVSLUTTET',
    paaTiltak: 'NEI',
    holds: (day, facts) => facts.everEntered && ended(day, facts),
  },
  { when: 'else', fase: 'UTKAST', paaTiltak: 'NEI', holds: () => true },
];

/** The row that decides. */
export function decisionOn(day: string, facts: PhaseFacts): Decision {
  const decision = DECISION_TABLE.find(({ holds }) => holds(day, facts));
  if (!decision) throw new Error('The last row always holds');
  return decision;
}

export function phaseOn(day: string, facts: PhaseFacts): DecidedPhase {
  return decisionOn(day, facts).fase;
}

/**
 * `annullertUnderveis`: it was annulled after it had begun. The day of an annulment is when it was registered, not when
 * the person left, so nobody can say for certain how long the person was there. The same on every day.
 */
export function isAnnulledUnderway(facts: PhaseFacts): boolean {
  const { annulled, everEntered, startDato, annulledDay, neverBegan } = facts;
  return (
    annulled && everEntered && startDato !== null && annulledDay !== null && annulledDay > startDato && !neverBegan
  );
}

/** `sisteDag`: the last day on which it counts; null when it goes on. */
export function lastDay(facts: PhaseFacts): string | null {
  const { sluttDato, annulledDay } = facts;
  if (!isAnnulledUnderway(facts) || annulledDay === null) return sluttDato;
  const before = addDays(annulledDay, -1);
  return sluttDato !== null && sluttDato < before ? sluttDato : before;
}

/** Why days of an avtale are uncertain. */
export const GRUNNER = ['ANNULLERT_UNDERVEIS', 'IKKE_INNGAATT_PAA_NYTT'] as const;
export type Grunn = (typeof GRUNNER)[number];

/** Days, both ends included; without a last one it goes on. */
export interface Days {
  first: string;
  last: string | null;
}

/** The days on which a person may be on the measure: without a reason, certainly. */
export interface CountedDays extends Days {
  uncertain: Grunn | null;
}

/** Those on which the avtale is PAAGAAR or IKKE_INNGAATT_PAA_NYTT; undefined when there are none. */
export function countedDays(facts: PhaseFacts): CountedDays | undefined {
  const { startDato: first, entered, everEntered, fromArena, annulled } = facts;
  const last = lastDay(facts);
  if (first === null || (last !== null && last < first)) return undefined;
  if (annulled) return isAnnulledUnderway(facts) ? { first, last, uncertain: 'ANNULLERT_UNDERVEIS' } : undefined;
  if (entered) return { first, last, uncertain: null };
  const isRenewed = (everEntered || fromArena) && last !== null;
  return isRenewed ? { first, last, uncertain: 'IKKE_INNGAATT_PAA_NYTT' } : undefined;
}

/** What a message says that the phase needs and the reduced avtale does not hold: two answers, and not their reasons. */
export interface PhaseMarks {
  neverBegan: boolean;
  fromArena: boolean;
}

/** Reasons that the source gives when nobody ever came. Others may be health information, and are not looked at. */
export const NEVER_BEGAN: ReadonlySet<unknown> = new Set(['Ikke møtt', 'Avtalen finnes ikke i Arena']);

/** Where the source tells that an approval on behalf was made by the migration from Arena. */
export const ARENA_FLAGS = {
  godkjentPaVegneGrunn: 'arenaMigreringDeltaker',
  godkjentPaVegneAvArbeidsgiverGrunn: 'arenaMigreringArbeidsgiver',
} as const;
