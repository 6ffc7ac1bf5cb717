import { epoke } from './epoker.ts';
import type { Innhold } from './kildemelding.ts';
import { dagnummer, type Dag } from './klokke.ts';

/** What decides how an avtale about one kind of measure is filled in, approved and kept (source contract, 2.4 and 5.3). */
export interface Tiltakstype {
  kode: string;
  /** how many of them there are, relative to the others */
  vekt: number;
  /** first day on which the source makes them */
  fra: Dag;
  /** first day on which a beslutter must approve; Infinity: never */
  beslutterFra: Dag;
  /** days in which avtaler came from Arena */
  arena: readonly [fra: Dag, til: Dag] | undefined;
  /** days */
  varighet: readonly [minst: number, mest: number];
  stoenad: 'INGEN' | 'LOENN' | 'MENTOR' | 'INKLUDERING' | 'VTAO';
  /** lonnstilskuddProsent */
  prosenter: readonly [number, ...number[]];
  /** besides what every avtale needs before it can be approved */
  paakrevd: readonly (keyof Innhold)[];
}

const ALLTID = -Infinity;
const ALDRI = Infinity;
const STILLING = ['stillingstittel', 'stillingprosent', 'arbeidsoppgaver'] as const;
const LOENN = [...STILLING, 'manedslonn', 'arbeidsgiverKontonummer', 'lonnstilskuddProsent'] as const;
const felles = { fra: ALLTID, beslutterFra: ALLTID, arena: undefined, prosenter: [40, 60] } as const;
const loenn = { ...felles, stoenad: 'LOENN', paakrevd: LOENN } as const;

export const TILTAKSTYPER: readonly Tiltakstype[] = [
  {
    ...felles,
    kode: 'ARBEIDSTRENING',
    vekt: 24,
    beslutterFra: ALDRI,
    arena: [dagnummer('2024-11-01'), dagnummer('2025-02-28')],
    varighet: [28, 540],
    stoenad: 'INGEN',
    paakrevd: STILLING,
  },
  { ...loenn, kode: 'MIDLERTIDIG_LONNSTILSKUDD', vekt: 28, varighet: [60, 720] },
  { ...loenn, kode: 'VARIG_LONNSTILSKUDD', vekt: 12, varighet: [365, 1_800], prosenter: [30, 50, 67, 75] },
  {
    ...felles,
    kode: 'MENTOR',
    vekt: 14,
    beslutterFra: dagnummer('2026-01-28'),
    arena: [dagnummer('2026-01-01'), dagnummer('2026-01-31')],
    varighet: [60, 1_000],
    stoenad: 'MENTOR',
    paakrevd: ['mentorFornavn', 'mentorOppgaver', 'mentorAntallTimer', 'mentorTimelonn'],
  },
  {
    ...felles,
    kode: 'INKLUDERINGSTILSKUDD',
    vekt: 6,
    beslutterFra: ALDRI,
    varighet: [30, 360],
    stoenad: 'INKLUDERING',
    paakrevd: ['inkluderingstilskuddBegrunnelse'],
  },
  { ...loenn, kode: 'SOMMERJOBB', vekt: 6, varighet: [7, 27], prosenter: [50, 75] },
  {
    ...felles,
    kode: 'VTAO',
    vekt: 8,
    arena: [dagnummer('2025-05-01'), dagnummer('2025-06-30')],
    varighet: [365, 1_500],
    stoenad: 'VTAO',
    paakrevd: STILLING,
  },
  {
    ...loenn,
    kode: 'FIREARIG_LONNSTILSKUDD',
    vekt: 6,
    fra: dagnummer('2026-02-23'),
    varighet: [365, 1_460],
    prosenter: [70],
  },
  { ...loenn, kode: 'NYTT_TILTAK_2027', vekt: 5, fra: epoke.ukjent, varighet: [30, 365] },
];

/** Shown to consumers as UKJENT, with a field that is ignored. */
export const UKJENT_TILTAKSTYPE = 'NYTT_TILTAK_2027';
