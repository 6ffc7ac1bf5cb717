import type { AdapterstatusDto } from '../../adapter/contract.dto.ts';

export const STATES = ['BRA', 'OBS', 'FEIL'] as const;
export type State = (typeof STATES)[number];

export const UNITS = ['ANTALL', 'SEKUNDER'] as const;
export type Unit = (typeof UNITS)[number];

/** One thing that is looked at. */
export interface Check {
  /** as the alert is named that wakes somebody for it; its section of docs/operations.md has that name too */
  kode: string;
  tilstand: State;
  enhet: Unit;
  /** null: not known */
  verdi: number | null;
  /** from which on it is no longer as it should be */
  grense: number;
  /** since when, or when it was last found out */
  siden: string | null;
}

/** What the database tells. Ages are in seconds, null where there is none. */
export interface Findings {
  ageSeconds: number | null;
  updatedTo: Date | null;
  lag: number;
  parked: number;
  oldestParked: Date | null;
  held: number;
  oldestHeld: Date | null;
  gaps: number;
  oldestGap: Date | null;
  differences: number;
  reconciledAt: Date | null;
  reconciledAgeSeconds: number | null;
  /** rebuilds that somebody must confirm, and since when the first of them waits */
  rebuilds: number;
  oldestRebuild: Date | null;
  deviations: number;
  checkedAt: Date | null;
  now: Date;
}

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** Of the worst of them. */
export function worst(checks: readonly Pick<Check, 'tilstand'>[]): State {
  const states = checks.map(({ tilstand }) => tilstand);
  return states.includes('FEIL') ? 'FEIL' : states.includes('OBS') ? 'OBS' : 'BRA';
}

/** The limits of `FEIL` are those of the alerts; `OBS` is on the way there. */
export function judge(found: Findings, adapter: AdapterstatusDto | null): Check[] {
  const { ageSeconds, oldestParked, now } = found;
  const parkedSeconds = oldestParked === null ? 0 : (now.getTime() - oldestParked.getTime()) / 1_000;
  return [
    {
      kode: 'DataErGamle',
      enhet: 'SEKUNDER',
      verdi: ageSeconds,
      grense: 300,
      tilstand: ageSeconds === null ? 'OBS' : over(ageSeconds, 60, 300),
      siden: iso(found.updatedTo),
    },
    { kode: 'Etterslep', ...counted(found.lag, 10_000, over(found.lag, 1_000, 10_000)), siden: null },
    {
      kode: 'MeldingerParkert',
      ...counted(found.parked, 0, found.parked === 0 ? 'BRA' : parkedSeconds > 30 * DAY ? 'FEIL' : 'OBS'),
      siden: iso(oldestParked),
    },
    { kode: 'PartisjonStanset', ...counted(found.held, 0, none(found.held)), siden: iso(found.oldestHeld) },
    { kode: 'HullIMeldingene', ...counted(found.gaps, 0, none(found.gaps)), siden: iso(found.oldestGap) },
    {
      kode: 'Avstemmingsdifferanser',
      ...counted(found.differences, 0, found.differences > 0 ? 'OBS' : 'BRA'),
      siden: iso(found.reconciledAt),
    },
    {
      kode: 'AvstemmingErGammel',
      enhet: 'SEKUNDER',
      verdi: found.reconciledAgeSeconds,
      grense: 8 * DAY,
      tilstand: (found.reconciledAgeSeconds ?? 0) > 8 * DAY ? 'OBS' : 'BRA',
      siden: iso(found.reconciledAt),
    },
    { kode: 'Relasjonsavvik', ...counted(found.deviations, 0, none(found.deviations)), siden: iso(found.checkedAt) },
    {
      kode: 'GjenoppbyggingVenter',
      ...counted(found.rebuilds, 0, found.rebuilds > 0 ? 'OBS' : 'BRA'),
      siden: iso(found.oldestRebuild),
    },
    ...(adapter === null ? [] : ofAdapter(adapter, now)),
  ];
}

const HEARTBEATS: Record<string, State> = { OK: 'BRA', FORSINKET: 'OBS', STANSET: 'FEIL' };

function ofAdapter(
  { kontrakt, hjerteslag, sisteFullSynk, fullSynkForfalt, synker }: AdapterstatusDto,
  now: Date,
): Check[] {
  const since = hjerteslag.sist === null ? null : (now.getTime() - Date.parse(hjerteslag.sist)) / 1_000;
  const waiting = synker.filter(({ tilstand }) => tilstand === 'VENTER_PAA_BEKREFTELSE');
  const fullSync = sisteFullSynk === null ? null : (now.getTime() - Date.parse(sisteFullSynk)) / 1_000;
  return [
    {
      kode: 'AdapterStanset',
      enhet: 'SEKUNDER',
      verdi: since,
      grense: kontrakt.heartbeatIntervallMinutter * 120,
      tilstand: HEARTBEATS[hjerteslag.tilstand] ?? 'OBS',
      siden: hjerteslag.sist,
    },
    {
      kode: 'FullSynkForfalt',
      enhet: 'SEKUNDER',
      verdi: fullSync,
      grense: kontrakt.fullSynkIntervallDager * DAY,
      tilstand: fullSynkForfalt ? 'FEIL' : 'BRA',
      siden: sisteFullSynk,
    },
    {
      kode: 'SynkVenterPaaBekreftelse',
      ...counted(waiting.length, 0, waiting.length > 0 ? 'OBS' : 'BRA'),
      siden: waiting[0]?.startet ?? null,
    },
  ];
}

const iso = (time: Date | null): string | null => time?.toISOString() ?? null;
const none = (count: number): State => (count > 0 ? 'FEIL' : 'BRA');
const over = (value: number, warn: number, limit: number): State =>
  value > limit ? 'FEIL' : value > warn ? 'OBS' : 'BRA';
const counted = (count: number, limit: number, state: State): Omit<Check, 'kode' | 'siden'> => ({
  enhet: 'ANTALL',
  verdi: count,
  grense: limit,
  tilstand: state,
});
