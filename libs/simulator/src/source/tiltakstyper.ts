import { epoch } from './epochs.ts';
import type { Content } from './source-message.ts';
import { dayNumber, type Day } from './clock.ts';

/** What decides how an avtale about one kind of measure is filled in, approved and kept (source contract, 2.4 and 5.3). */
export interface Tiltakstype {
  kode: string;
  /** how many of them there are, relative to the others */
  weight: number;
  /** first day on which the source makes them */
  fra: Day;
  /** first day on which a beslutter must approve; Infinity: never */
  beslutterFrom: Day;
  /** days in which avtaler came from Arena */
  arena: readonly [fra: Day, til: Day] | undefined;
  /** days */
  duration: readonly [minst: number, mest: number];
  stoenad: 'INGEN' | 'LOENN' | 'MENTOR' | 'INKLUDERING' | 'VTAO';
  /** lonnstilskuddProsent */
  percents: readonly [number, ...number[]];
  /** besides what every avtale needs before it can be approved */
  required: readonly (keyof Content)[];
}

const ALWAYS = -Infinity;
const NEVER = Infinity;
const STILLING = ['stillingstittel', 'stillingprosent', 'arbeidsoppgaver'] as const;
const LOENN = [...STILLING, 'manedslonn', 'arbeidsgiverKontonummer', 'lonnstilskuddProsent'] as const;
const common = { fra: ALWAYS, beslutterFrom: ALWAYS, arena: undefined, percents: [40, 60] } as const;
const loenn = { ...common, stoenad: 'LOENN', required: LOENN } as const;

export const TILTAKSTYPER: readonly Tiltakstype[] = [
  {
    ...common,
    kode: 'ARBEIDSTRENING',
    weight: 24,
    beslutterFrom: NEVER,
    arena: [dayNumber('2024-11-01'), dayNumber('2025-02-28')],
    duration: [28, 540],
    stoenad: 'INGEN',
    required: STILLING,
  },
  { ...loenn, kode: 'MIDLERTIDIG_LONNSTILSKUDD', weight: 28, duration: [60, 720] },
  { ...loenn, kode: 'VARIG_LONNSTILSKUDD', weight: 12, duration: [365, 1_800], percents: [30, 50, 67, 75] },
  {
    ...common,
    kode: 'MENTOR',
    weight: 14,
    beslutterFrom: dayNumber('2026-01-28'),
    arena: [dayNumber('2026-01-01'), dayNumber('2026-01-31')],
    duration: [60, 1_000],
    stoenad: 'MENTOR',
    required: ['mentorFornavn', 'mentorOppgaver', 'mentorAntallTimer', 'mentorTimelonn'],
  },
  {
    ...common,
    kode: 'INKLUDERINGSTILSKUDD',
    weight: 6,
    beslutterFrom: NEVER,
    duration: [30, 360],
    stoenad: 'INKLUDERING',
    required: ['inkluderingstilskuddBegrunnelse'],
  },
  { ...loenn, kode: 'SOMMERJOBB', weight: 6, duration: [7, 27], percents: [50, 75] },
  {
    ...common,
    kode: 'VTAO',
    weight: 8,
    arena: [dayNumber('2025-05-01'), dayNumber('2025-06-30')],
    duration: [365, 1_500],
    stoenad: 'VTAO',
    required: STILLING,
  },
  {
    ...loenn,
    kode: 'FIREARIG_LONNSTILSKUDD',
    weight: 6,
    fra: dayNumber('2026-02-23'),
    duration: [365, 1_460],
    percents: [70],
  },
  { ...loenn, kode: 'NYTT_TILTAK_2027', weight: 5, fra: epoch.ukjent, duration: [30, 365] },
];

/** Shown to consumers as UKJENT, with a field that is ignored. */
export const UNKNOWN_TILTAKSTYPE = 'NYTT_TILTAK_2027';
