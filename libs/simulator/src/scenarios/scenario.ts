/** What an avtale says, by the names that consumers know; what is left out is as it mostly is. */
export interface ScenarioContent {
  deltakerFnr?: string | null;
  bedriftNr?: string | null;
  bedriftNavn?: string | null;
  veilederNavIdent?: string | null;
  /** any text: one that nobody knows is shown as UKJENT */
  tiltakstype?: string | null;
  avtaleStatus?: string | null;
  stillingstype?: string | null;
  opphav?: string | null;
  startDato?: string | null;
  sluttDato?: string | null;
  avtaleInngaatt?: string | null;
  annullertTidspunkt?: string | null;
  feilregistrert?: boolean;
  /** the reason for its annulment is that nobody ever came */
  aldriBegynt?: boolean;
}

export interface ScenarioAvtale {
  /** what it has said, oldest first */
  versions: readonly ScenarioContent[];
  isDeleted?: boolean;
  /** on the day of the scenario; absent when consumers are not shown it */
  fase?: string;
  annullertUnderveis?: boolean;
}

/** Whom and what to plant. */
export interface Planted {
  /** of each, all idents, the current one first */
  persons: readonly (readonly string[])[];
  avtaler: readonly ScenarioAvtale[];
}

/** Where a scenario is planted: on a day in Oslo, among persons and companies that nobody else has. */
export interface ScenarioWorld {
  today: string;
  newPerson: (kind?: 'TESTNORGE' | 'NAV' | 'DNR') => string;
  newBedrift: () => string;
}

export interface Scenario {
  description: string;
  /** how many avtaler, where that can be chosen */
  count?: { default: number; max: number };
  plant: (world: ScenarioWorld, count: number) => Planted;
}

const DAY_MS = 86_400_000;

/** The day so many days after another, `YYYY-MM-DD`. */
export function daysAfter(day: string, count: number): string {
  return new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 10);
}

/** A moment in the middle of a day, which is the same day in Oslo. */
export const noonOf = (day: string): string => `${day}T10:00:00Z`;

/** One that has been entered into, and goes from one day to another, counted from today. */
export function entered(
  today: string,
  [first, last]: readonly [first: number, last: number],
  more: ScenarioContent = {},
): ScenarioContent {
  return {
    startDato: daysAfter(today, first),
    sluttDato: daysAfter(today, last),
    avtaleInngaatt: noonOf(daysAfter(today, Math.min(first, 0) - 10)),
    ...more,
  };
}
