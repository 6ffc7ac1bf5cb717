import type { Avtale } from './fields.ts';

/** The names by which avtaler of one participant are linked, as consumers see them in `_links`. */
export const RELATIONS = ['forrige', 'neste', 'samtidige', 'mentor', 'mentorFor'] as const;

export type RelationName = (typeof RELATIONS)[number];

/** `fra` has a link named `relasjon` to `til`; both are avtaleIder. */
export interface Relation {
  fra: string;
  relasjon: RelationName;
  til: string;
}

/** What the rules know of an avtale that takes part in relations: it has a participant and a place in time. */
export interface RelationAvtale {
  avtaleId: string;
  deltakerId: string;
  /** null for none; very old avtaler have an empty text at the source */
  bedriftNr: string | null;
  tiltakstype: string | null;
  startDato: string;
  /** included; null: goes on */
  sluttDato: string | null;
}

type RelationSource = Pick<
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
export function toRelationAvtale(avtale: RelationSource, deltakerId: string | null): RelationAvtale | undefined {
  const { avtaleId, bedriftNr, tiltakstype, avtaleStatus, startDato, sluttDato } = avtale;
  if (deltakerId === null || startDato === null) return undefined;
  if (avtale.feilregistrert || avtale.annullertTidspunkt !== null) return undefined;
  if (avtaleStatus === 'ANNULLERT' || avtaleStatus === 'AVBRUTT') return undefined;
  return { avtaleId, deltakerId, bedriftNr: bedriftNr || null, tiltakstype: tiltakstype || null, startDato, sluttDato };
}

/** Whether no rule can tell the two states of an avtale apart. */
export function sameRelationAvtale(a: RelationAvtale | undefined, b: RelationAvtale | undefined): boolean {
  if (!a || !b) return a === b;
  return (
    a.deltakerId === b.deltakerId &&
    a.bedriftNr === b.bedriftNr &&
    a.tiltakstype === b.tiltakstype &&
    a.startDato === b.startDato &&
    a.sluttDato === b.sluttDato
  );
}

type Pair = readonly [first: RelationAvtale, last: RelationAvtale];

/** A rule finds pairs; the first of a pair is linked to the last as `forward`, the last to the first as `back`. */
interface Rule {
  forward: RelationName;
  back: RelationName;
  /** @param avtaler of one participant, in the order of `byTime` */
  pairs: (avtaler: readonly RelationAvtale[]) => Iterable<Pair>;
}

/** A new rule is a row here, its name in `RELATIONS`, and its tests. */
const RULES: readonly Rule[] = [
  { forward: 'neste', back: 'forrige', pairs: afterEachOther },
  { forward: 'samtidige', back: 'samtidige', pairs: overlapping },
  { forward: 'mentorFor', back: 'mentor', pairs: mentorAndOthers },
];

/**
 * No person has so many avtaler. What has, an ident that a source uses for all its tests, gets no links: their number
 * grows with the square, and what everybody waits for must not.
 */
export const MAX_LINKED_AVTALER = 200;

/** Every link between these avtaler, all of one participant; in whatever order they are given, the same links. */
export function relationsFor(avtaler: readonly RelationAvtale[]): Relation[] {
  if (avtaler.length < 2 || avtaler.length > MAX_LINKED_AVTALER) return [];
  const ordered = [...avtaler].sort(byTime);
  return RULES.flatMap(({ forward, back, pairs }) =>
    Array.from(pairs(ordered), ([first, last]): Relation[] => [
      { fra: first.avtaleId, relasjon: forward, til: last.avtaleId },
      { fra: last.avtaleId, relasjon: back, til: first.avtaleId },
    ]).flat(),
  );
}

/** By start, then end – one that goes on is last – then avtaleId: no two are equal. */
function byTime(a: RelationAvtale, b: RelationAvtale): number {
  return (
    compare(a.startDato, b.startDato) ||
    compare(a.sluttDato ?? NEVER, b.sluttDato ?? NEVER) ||
    compare(a.avtaleId, b.avtaleId)
  );
}

/** After every date, as text. */
const NEVER = '~';

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Neighbours in the order of time with the same employer and kind of measure; they may overlap. */
function* afterEachOther(avtaler: readonly RelationAvtale[]): Generator<Pair> {
  const latest = new Map<string, RelationAvtale>();
  for (const avtale of avtaler) {
    if (avtale.bedriftNr === null || avtale.tiltakstype === null) continue;
    const series = `${avtale.bedriftNr} ${avtale.tiltakstype}`;
    const previous = latest.get(series);
    if (previous) yield [previous, avtale];
    latest.set(series, avtale);
  }
}

/** Those with a day in common. One that ends before it starts has no day. Looks at no more than the pairs it finds. */
function* overlapping(avtaler: readonly RelationAvtale[]): Generator<Pair> {
  const withDays = avtaler.filter(({ startDato, sluttDato }) => sluttDato === null || sluttDato >= startDato);
  for (const [i, first] of withDays.entries()) {
    for (let j = i + 1; j < withDays.length; j++) {
      const latest = withDays[j];
      if (!latest || (first.sluttDato !== null && latest.startDato > first.sluttDato)) break;
      yield [first, latest];
    }
  }
}

/** A MENTOR avtale, and one of another kind that it has a day in common with at the same employer. */
function* mentorAndOthers(avtaler: readonly RelationAvtale[]): Generator<Pair> {
  if (!avtaler.some(isMentor)) return;
  for (const [a, b] of overlapping(avtaler)) {
    if (a.bedriftNr === null || a.bedriftNr !== b.bedriftNr || isMentor(a) === isMentor(b)) continue;
    yield isMentor(a) ? [a, b] : [b, a];
  }
}

function isMentor({ tiltakstype }: RelationAvtale): boolean {
  return tiltakstype === 'MENTOR';
}
