import { epoch } from './epochs.ts';
import type { SourceContent } from './source-message.ts';
import { dayNumber, type Day } from './clock.ts';

/** What decides how an avtale about one kind of measure is filled in, approved and kept (source contract, 2.4 and 5.3). */
export interface TiltakstypeProfile {
  code: string;
  /** how many of them there are, relative to the others */
  weight: number;
  /** first day on which the source makes them */
  from: Day;
  /** first day on which a beslutter must approve; Infinity: never */
  beslutterFrom: Day;
  /** days in which avtaler came from Arena */
  arena: readonly [from: Day, to: Day] | undefined;
  /** days */
  duration: readonly [least: number, most: number];
  stoenad: 'INGEN' | 'LOENN' | 'MENTOR' | 'INKLUDERING' | 'VTAO';
  /** lonnstilskuddProsent */
  percents: readonly [number, ...number[]];
  /** besides what every avtale needs before it can be approved */
  required: readonly (keyof SourceContent)[];
}

const ALWAYS = -Infinity;
const NEVER = Infinity;
const STILLING = ['stillingstittel', 'stillingprosent', 'arbeidsoppgaver'] as const;
const LOENN = [...STILLING, 'manedslonn', 'arbeidsgiverKontonummer', 'lonnstilskuddProsent'] as const;
const common = { from: ALWAYS, beslutterFrom: ALWAYS, arena: undefined, percents: [40, 60] } as const;
const loenn = { ...common, stoenad: 'LOENN', required: LOENN } as const;

export const TILTAKSTYPE_PROFILES: readonly TiltakstypeProfile[] = [
  {
    ...common,
    code: 'ARBEIDSTRENING',
    weight: 24,
    beslutterFrom: NEVER,
    arena: [dayNumber('2024-11-01'), dayNumber('2025-02-28')],
    duration: [28, 540],
    stoenad: 'INGEN',
    required: STILLING,
  },
  { ...loenn, code: 'MIDLERTIDIG_LONNSTILSKUDD', weight: 28, duration: [60, 720] },
  { ...loenn, code: 'VARIG_LONNSTILSKUDD', weight: 12, duration: [365, 1_800], percents: [30, 50, 67, 75] },
  {
    ...common,
    code: 'MENTOR',
    weight: 14,
    beslutterFrom: dayNumber('2026-01-28'),
    arena: [dayNumber('2026-01-01'), dayNumber('2026-01-31')],
    duration: [60, 1_000],
    stoenad: 'MENTOR',
    required: ['mentorFornavn', 'mentorOppgaver', 'mentorAntallTimer', 'mentorTimelonn'],
  },
  {
    ...common,
    code: 'INKLUDERINGSTILSKUDD',
    weight: 6,
    beslutterFrom: NEVER,
    duration: [30, 360],
    stoenad: 'INKLUDERING',
    required: ['inkluderingstilskuddBegrunnelse'],
  },
  { ...loenn, code: 'SOMMERJOBB', weight: 6, duration: [7, 27], percents: [50, 75] },
  {
    ...common,
    code: 'VTAO',
    weight: 8,
    arena: [dayNumber('2025-05-01'), dayNumber('2025-06-30')],
    duration: [365, 1_500],
    stoenad: 'VTAO',
    required: STILLING,
  },
  {
    ...loenn,
    code: 'FIREARIG_LONNSTILSKUDD',
    weight: 6,
    from: dayNumber('2026-02-23'),
    duration: [365, 1_460],
    percents: [70],
  },
  { ...loenn, code: 'NYTT_TILTAK_2027', weight: 5, from: epoch.unknownValues, duration: [30, 365] },
];

/** Shown to consumers as UKJENT, with a field that is ignored. */
export const UNKNOWN_TILTAKSTYPE = 'NYTT_TILTAK_2027';
