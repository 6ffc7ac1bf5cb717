import { UKJENT } from './code-values.ts';
import { addDays } from './time.ts';

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

/** The decision table of docs/fase.md, row by row: the first that holds decides. */
export function phaseOn(day: string, facts: PhaseFacts): Exclude<Fase, typeof UKJENT> {
  const { startDato, sluttDato, entered, everEntered, annulled, fromArena } = facts;
  const begun = startDato !== null && startDato <= day;
  const ended = sluttDato !== null && sluttDato < day;
  if (annulled) {
    if (!isAnnulledUnderway(facts)) return 'ANNULLERT';
    const last = lastDay(facts);
    return !begun ? 'PLANLAGT' : last === null || day <= last ? 'PAAGAAR' : 'AVSLUTTET';
  }
  if (entered) return ended ? 'AVSLUTTET' : begun ? 'PAAGAAR' : 'PLANLAGT';
  const covers = begun && sluttDato !== null && !ended;
  if ((everEntered || fromArena) && covers) return 'IKKE_INNGAATT_PAA_NYTT';
  return everEntered && ended ? 'AVSLUTTET' : 'UTKAST';
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
