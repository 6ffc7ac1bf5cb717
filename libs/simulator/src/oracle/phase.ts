import type { ExpectedAvtale } from './message.ts';

/** What is remembered of an avtale beside its latest content. */
export interface ExpectedLife {
  /** it was entered into in some version that won, since it was last deleted */
  everEntered: boolean;
  /** of the latest content */
  neverBegan: boolean;
  fromArena: boolean;
}

export interface ExpectedPhase {
  fase: string;
  annullertUnderveis: boolean;
}

type Dates = Pick<ExpectedAvtale, 'startDato' | 'sluttDato' | 'avtaleInngaatt' | 'annullertTidspunkt' | 'avtaleStatus'>;

/**
 * The decision table of docs/fase.md, in its own words and order: each row is a condition and a phase, and dates are
 * numbers of days. An unknown date makes a comparison false.
 */
export function expectedPhase(avtale: Dates, life: ExpectedLife, date: string): ExpectedPhase {
  const day = dayNumber(date);
  const start = dayNumber(avtale.startDato);
  const end = dayNumber(avtale.sluttDato);
  const annulment = dayNumber(avtale.annullertTidspunkt && osloDay(avtale.annullertTidspunkt));
  const entered = avtale.avtaleInngaatt !== null;
  const { everEntered, neverBegan, fromArena } = life;
  const annulled = avtale.annullertTidspunkt !== null || ['ANNULLERT', 'AVBRUTT'].includes(String(avtale.avtaleStatus));
  const unknown = Number.isNaN(start) || Number.isNaN(annulment);
  const lastCertain = Math.min(Number.isNaN(end) ? Infinity : end, annulment - 1);
  const table: [holds: boolean, fase: string, marked?: true][] = [
    [annulled && !everEntered, 'ANNULLERT'],
    [annulled && (unknown || annulment <= start || neverBegan), 'ANNULLERT'],
    [annulled && day < start, 'PLANLAGT', true],
    [annulled && start <= day && day <= lastCertain, 'PAAGAAR', true],
    [annulled, 'AVSLUTTET', true],
    [entered && end < day, 'AVSLUTTET'],
    [entered && start <= day, 'PAAGAAR'],
    [entered, 'PLANLAGT'],
    [(everEntered || fromArena) && start <= day && day <= end, 'IKKE_INNGAATT_PAA_NYTT'],
    [everEntered && end < day, 'AVSLUTTET'],
    [true, 'UTKAST'],
  ];
  const [, fase = '', marked = false] = table.find(([holds]) => holds) ?? [];
  return { fase, annullertUnderveis: marked };
}

function dayNumber(date: string | null): number {
  return date === null ? NaN : Date.parse(date) / 86_400_000;
}

const calendar = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo', dateStyle: 'short' });

function osloDay(instant: string): string {
  return calendar.format(Date.parse(instant));
}
