import type { Avtale } from './avtale.ts';

/** The names by which avtaler of one participant are linked, as consumers see them in `_links`. */
export const RELASJONER = ['forrige', 'neste', 'samtidige', 'mentor', 'mentorFor'] as const;

export type Relasjonsnavn = (typeof RELASJONER)[number];

/** `fra` has a link named `relasjon` to `til`; both are avtaleIder. */
export interface Relasjon {
  fra: string;
  relasjon: Relasjonsnavn;
  til: string;
}

/** What the rules know of an avtale that takes part in relations: it has a participant and a place in time. */
export interface Ledd {
  avtaleId: string;
  deltakerId: string;
  /** null for none; very old avtaler have an empty text at the source */
  bedriftNr: string | null;
  tiltakstype: string | null;
  startDato: string;
  /** included; null: goes on */
  sluttDato: string | null;
}

type Leddkilde = Pick<
  Avtale,
  | 'avtaleId'
  | 'bedriftNr'
  | 'tiltakstype'
  | 'avtaleStatus'
  | 'startDato'
  | 'sluttDato'
  | 'annullertTidspunkt'
  | 'feilregistrert'
>;

/**
 * Undefined for an avtale that takes no part: without participant or start, wrongly registered, annulled. So are those
 * that the source called AVBRUTT: it has since made them ANNULLERT without a message.
 */
export function ledd(avtale: Leddkilde, deltakerId: string | null): Ledd | undefined {
  const { avtaleId, bedriftNr, tiltakstype, avtaleStatus, startDato, sluttDato } = avtale;
  if (deltakerId === null || startDato === null) return undefined;
  if (avtale.feilregistrert || avtale.annullertTidspunkt !== null) return undefined;
  if (avtaleStatus === 'ANNULLERT' || avtaleStatus === 'AVBRUTT') return undefined;
  return { avtaleId, deltakerId, bedriftNr: bedriftNr || null, tiltakstype: tiltakstype || null, startDato, sluttDato };
}

/** Whether no rule can tell the two states of an avtale apart. */
export function likeLedd(a: Ledd | undefined, b: Ledd | undefined): boolean {
  if (!a || !b) return a === b;
  return (
    a.deltakerId === b.deltakerId &&
    a.bedriftNr === b.bedriftNr &&
    a.tiltakstype === b.tiltakstype &&
    a.startDato === b.startDato &&
    a.sluttDato === b.sluttDato
  );
}

type Par = readonly [foerst: Ledd, sist: Ledd];

/** A rule finds pairs; the first of a pair is linked to the last as `frem`, the last to the first as `tilbake`. */
interface Regel {
  frem: Relasjonsnavn;
  tilbake: Relasjonsnavn;
  /** @param avtaler of one participant, in the order of `iTid` */
  par: (avtaler: readonly Ledd[]) => Iterable<Par>;
}

/** A new rule is a row here, its name in `RELASJONER`, and its tests. */
const REGLER: readonly Regel[] = [
  { frem: 'neste', tilbake: 'forrige', par: etterHverandre },
  { frem: 'samtidige', tilbake: 'samtidige', par: overlappende },
  { frem: 'mentorFor', tilbake: 'mentor', par: mentorOgAndre },
];

/**
 * No person has so many avtaler. What has, an ident that a source uses for all its tests, gets no links: their number
 * grows with the square, and what everybody waits for must not.
 */
export const MAKS_AVTALER_MED_LENKER = 200;

/** Every link between these avtaler, all of one participant; in whatever order they are given, the same links. */
export function relasjonerFor(avtaler: readonly Ledd[]): Relasjon[] {
  if (avtaler.length < 2 || avtaler.length > MAKS_AVTALER_MED_LENKER) return [];
  const ordnet = [...avtaler].sort(iTid);
  return REGLER.flatMap(({ frem, tilbake, par }) =>
    Array.from(par(ordnet), ([foerst, sist]): Relasjon[] => [
      { fra: foerst.avtaleId, relasjon: frem, til: sist.avtaleId },
      { fra: sist.avtaleId, relasjon: tilbake, til: foerst.avtaleId },
    ]).flat(),
  );
}

/** By start, then end – one that goes on is last – then avtaleId: no two are equal. */
function iTid(a: Ledd, b: Ledd): number {
  return (
    sammenlign(a.startDato, b.startDato) ||
    sammenlign(a.sluttDato ?? ALDRI, b.sluttDato ?? ALDRI) ||
    sammenlign(a.avtaleId, b.avtaleId)
  );
}

/** After every date, as text. */
const ALDRI = '~';

function sammenlign(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Neighbours in the order of time with the same employer and kind of measure; they may overlap. */
function* etterHverandre(avtaler: readonly Ledd[]): Generator<Par> {
  const sist = new Map<string, Ledd>();
  for (const avtale of avtaler) {
    if (avtale.bedriftNr === null || avtale.tiltakstype === null) continue;
    const rekke = `${avtale.bedriftNr} ${avtale.tiltakstype}`;
    const forrige = sist.get(rekke);
    if (forrige) yield [forrige, avtale];
    sist.set(rekke, avtale);
  }
}

/** Those with a day in common. One that ends before it starts has no day. Looks at no more than the pairs it finds. */
function* overlappende(avtaler: readonly Ledd[]): Generator<Par> {
  const medDager = avtaler.filter(({ startDato, sluttDato }) => sluttDato === null || sluttDato >= startDato);
  for (const [i, foerst] of medDager.entries()) {
    for (let j = i + 1; j < medDager.length; j++) {
      const sist = medDager[j];
      if (!sist || (foerst.sluttDato !== null && sist.startDato > foerst.sluttDato)) break;
      yield [foerst, sist];
    }
  }
}

/** A MENTOR avtale, and one of another kind that it has a day in common with at the same employer. */
function* mentorOgAndre(avtaler: readonly Ledd[]): Generator<Par> {
  if (!avtaler.some(erMentor)) return;
  for (const [a, b] of overlappende(avtaler)) {
    if (a.bedriftNr === null || a.bedriftNr !== b.bedriftNr || erMentor(a) === erMentor(b)) continue;
    yield erMentor(a) ? [a, b] : [b, a];
  }
}

function erMentor({ tiltakstype }: Ledd): boolean {
  return tiltakstype === 'MENTOR';
}
