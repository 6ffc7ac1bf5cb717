import { TOLD_WITHOUT_NAMES } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import { OF_RESOURCES } from '../access/operations.ts';
import type { Archive } from './archive.ts';
import { monthsOf, requireStillThere } from './months.ts';
import { FIRST, type Place } from './place.ts';
import { rowsOf } from './rows.ts';
import { pagesWithNoneOf } from './ruled-out.ts';

/** How somebody came to know of a person. */
export const SEEN = {
  /** the person was asked for, or was in the answer */
  FIKK: 'was told',
  /** the person was asked for, and nothing was told */
  AVSLAG: 'was refused',
  /** an answer that names nobody (an export, changes, statistics), of what may have held avtaler of the person */
  KAN_HA_FATT: 'MAY HAVE BEEN told',
} as const;

/** One look-up, as `--json` prints it. */
export interface SeenDto {
  tidspunkt: Date;
  konsument: string;
  /** organisation numbers of who asked from outside of Nav: the consumer's, and the supplier's that asked on its behalf */
  organisasjoner: string[] | null;
  behandlingsgrunnlag: string | null;
  operasjon: string;
  felter: string[];
  hvordan: keyof typeof SEEN;
  /** of all avtaler; null when it was of persons */
  utvalg: Record<string, unknown> | null;
  /** place in the change feed */
  posisjon: string | null;
  antallTreff: number | null;
  callId: string;
}

/** Look-ups that are alike, of a day in Oslo or of all days; `tidspunkt` is the first of them. */
export interface SeenInSum extends Omit<SeenDto, 'utvalg' | 'posisjon' | 'antallTreff' | 'callId'> {
  siste: Date;
  antall: number;
}

export interface Selected {
  /** first day, UTC, included */
  fra: string;
  /** last day, included */
  til: string;
  konsument: string | null;
}

/** A line of the audit that may be of the person. */
export type Line = Omit<SeenDto, 'hvordan'> & { named: boolean; tillatt: boolean };

/** By what a person stands in the audit, and what of the person is stored now. */
export interface Known {
  /** opaque ids; `til`: until when one that has become another person's was this one's */
  idents: readonly { ident: string; til: Date | null }[];
  avtaleIder: readonly string[];
  /** since when the first of the avtaler has been here; undefined: nothing is known, so nothing can be ruled out */
  since: Date | undefined;
  /** the moment of the first line that the change feed still has; what was told before it can't be held against it */
  feedSince: Date | undefined;
}

/**
 * Who has seen this person, oldest first. What was told without names is left out only when it can be ruled out: it was
 * before the first avtale of the person that is still here, or a page of changes with none of the person's. What has been
 * erased since can't be made out any more, so of somebody unknown here nothing is ruled out.
 *
 * Lines are read a few thousand at a time, however many there are. Those of months that have left the database are read
 * from the archive, where one is given, before there is a transaction: it would be ended while files are read.
 *
 * @param person opaque id
 * @throws ArchiveError also when a month that is asked for has left the database and is not in the archive
 */
export function whoHasSeen(db: Pool, person: string, selected: Selected, archive?: Archive): AsyncGenerator<SeenDto> {
  return search(db, person, selected, archive, (found) =>
    inOrder(found.named(), found.nameless(NAMELESS_LINES, found.values)),
  );
}

/** The same, with what names nobody summed up by day: it is as much for everybody as was ever told to all. */
export function whoHasSeenByDay(
  db: Pool,
  person: string,
  selected: Selected,
  archive?: Archive,
): AsyncGenerator<SeenDto | SeenInSum> {
  return search(db, person, selected, archive, (found) =>
    withNamelessInSum(found, found.named(), { statement: NAMELESS_DAYS, newest: 0 }),
  );
}

/**
 * The same, all summed up but for the newest: so many of the look-ups that name the person, at least so many of what names
 * nobody, and the pages of changes that the feed could rule out.
 */
export function whoHasSeenInSum(
  db: Pool,
  person: string,
  selected: Selected,
  { newest, archive }: { newest: number; archive?: Archive | undefined },
): AsyncGenerator<SeenDto | SeenInSum> {
  return search(db, person, selected, archive, (found) =>
    withNamelessInSum(found, namedInSum(found, newest), { statement: NAMELESS_SUMS, newest }),
  );
}

/** @param newest told one by one, beside what the feed could rule out */
async function* withNamelessInSum<T extends SeenDto | SeenInSum>(
  { session, known, values: asked, nameless }: Search,
  named: AsyncGenerator<T>,
  { statement, newest }: { statement: string; newest: number },
): AsyncGenerator<T | SeenDto | SeenInSum> {
  const values = [...asked, known.feedSince ?? 'infinity'];
  const { moment, id } = await placeOfNewest(session, values, newest);
  const apart = [...values, moment, id];
  const sums = rowsOf<SeenInSum>(session, statement, apart, { cursor: 'summer', plan: BY_INDEXES });
  yield* inOrder(inOrder(named, eachOf(sums)), nameless(NAMELESS_APART, apart));
}

/** A sum has the columns of a look-up too, all null. */
type LookupOrSum = { tillatt: boolean } & (
  (Omit<SeenDto, 'hvordan'> & { siste: null; antall: null }) | Omit<SeenInSum, 'hvordan'>
);

async function* namedInSum({ session, namedValues }: Search, newest: number): AsyncGenerator<SeenDto | SeenInSum> {
  const plan = { cursor: 'navngitte', plan: BY_BITMAPS };
  const found = rowsOf<LookupOrSum>(session, LOOKUPS_IN_SUM, [...namedValues, newest], plan);
  for await (const { tillatt: granted, ...row } of eachOf(found)) {
    const hvordan = granted ? 'FIKK' : 'AVSLAG';
    if (row.antall === null) {
      const { siste: _last, antall: _count, ...lookup } = row;
      yield { ...lookup, hvordan };
    } else yield { ...row, hvordan };
  }
}

/** From where on what names nobody is told one by one. */
async function placeOfNewest(session: PoolClient, values: readonly unknown[], newest: number): Promise<Place> {
  if (newest === 0) return { moment: 'infinity', id: '0' };
  await session.query(BY_INDEXES);
  const { rows } = await session.query<Place>(PLACE_OF_NEWEST, [...values, newest - 1]);
  return rows[0] ?? FIRST;
}

interface Search {
  session: PoolClient;
  known: Known;
  /** of the statements of what names nobody */
  values: readonly unknown[];
  /** of the statements of what names the person */
  namedValues: readonly unknown[];
  named: () => AsyncGenerator<SeenDto>;
  nameless: (statement: string, values: readonly unknown[]) => AsyncGenerator<SeenDto>;
}

async function* search<T>(
  db: Pool,
  person: string,
  selected: Selected,
  archive: Archive | undefined,
  read: (found: Search) => AsyncGenerator<T>,
): AsyncGenerator<SeenDto | T> {
  const session = await db.connect();
  try {
    const months = await monthsOf(session, selected, archive);
    const known = await readKnown(session, person);
    if (archive) {
      for await (const lines of archive.linesOf(months, known, selected)) yield* told(session, lines, known);
    }
    await session.query(BEGIN);
    // From here on no month can go.
    await session.query('lock table oppslagslinje in access share mode');
    await requireStillThere(session, months);
    const { fra, til, konsument } = selected;
    const idents = [known.idents.map(({ ident }) => ident), known.idents.map(({ til }) => til)];
    const namedValues = [fra, til, konsument, ...idents];
    yield* read({
      session,
      known,
      values: [fra, til, konsument, known.since ?? '-infinity', OF_RESOURCES],
      namedValues,
      named: () => linesOf(session, known, BY_BITMAPS, [LOOKUPS, namedValues], 'navngitte'),
      nameless: (statement, values) => linesOf(session, known, BY_INDEXES, [statement, values], 'uten_navn'),
    });
  } finally {
    await session.query('rollback').finally(() => session.release());
  }
}

async function* linesOf(
  session: PoolClient,
  known: Known,
  plan: string,
  [statement, values]: [string, readonly unknown[]],
  cursor: string,
): AsyncGenerator<SeenDto> {
  for await (const lines of rowsOf<Line>(session, statement, values, { cursor, plan }))
    yield* told(session, lines, known);
}

/** By an ident of the person, and by one that was the person's, until it was not. */
const NAMED = `exists (
  select from unnest($4::uuid[], $5::timestamptz[]) as sett(ident, til)
  where (l.person = sett.ident or l.personer @> array[sett.ident]) and (sett.til is null or l.tidspunkt <= sett.til))`;

const TIME = 'l.tidspunkt >= $1::date and l.tidspunkt < $2::date + 1';

const FORM = `coalesce(f.konsument, l.konsument) as konsument,
    coalesce(f.behandlingsgrunnlag, l.behandlingsgrunnlag) as behandlingsgrunnlag,
    coalesce(f.operasjon, l.operasjon) as operasjon, coalesce(f.felter, l.felter) as felter, l.organisasjoner`;

const LINE = `l.tidspunkt, ${FORM}, l.utvalg, l.posisjon, l.antall_treff as "antallTreff",
    coalesce(l.call_id, l.call_uuid::text) as "callId"`;

const IS_OF_KONSUMENT = '($3::text is null or coalesce(f.konsument, l.konsument) = $3)';

/**
 * Of the lines themselves, since each of the two ways has its index there: never all that was ever looked up. In each way
 * by itself, so that months that are not asked for are not even opened.
 */
const NAMED_LINES = `alle as (
    select l.* from oppslagslinje l where ${TIME} and l.person = any($4) and ${NAMED}
    union all
    select l.* from oppslagslinje l where ${TIME} and l.personer <> '{}' and l.personer && $4 and ${NAMED})`;

export const LOOKUPS = `
  with ${NAMED_LINES}
  select ${LINE}, true as named, l.tillatt
  from alle l left join oppslagsform f on f.nr = l.form where ${IS_OF_KONSUMENT} order by l.tidspunkt, l.id`;

/** What is the same of look-ups that are summed up, before it is said what their forms mean. */
const ALIKE = 'form, konsument, behandlingsgrunnlag, operasjon, felter, organisasjoner';
const SUM = 'min(tidspunkt) as tidspunkt, max(tidspunkt) as siste, count(*)::int as antall';

export const LOOKUPS_IN_SUM = `
  with ${NAMED_LINES}, spurt as materialized (
    select l.* from alle l left join oppslagsform f on f.nr = l.form where ${IS_OF_KONSUMENT}
  ), nyeste as (
    select * from spurt order by tidspunkt desc, id desc limit $6
  ), summer as (
    select ${ALIKE}, tillatt, ${SUM} from spurt
    where coalesce((tidspunkt, id) < (select tidspunkt, id from nyeste order by tidspunkt, id limit 1), true)
    group by ${ALIKE}, tillatt)
  select ${LINE}, l.tillatt, l.siste, l.antall from (
    select ${ALIKE}, tillatt, tidspunkt, id, utvalg, posisjon, antall_treff, call_id, call_uuid,
      null::timestamptz as siste, null::int as antall from nyeste
    union all
    select ${ALIKE}, tillatt, tidspunkt, 0, null, null, null, null, null, siste, antall from summer) l
  left join oppslagsform f on f.nr = l.form order by l.tidspunkt, l.id`;

/** What was told without names since the person's first avtale is here, of what can hold avtaler. */
const TOLD_SINCE = `(select * from oppslagslinje l where ${TIME} and l.tidspunkt >= $4 and ${TOLD_WITHOUT_NAMES}) l
  left join oppslagsform f on f.nr = l.form`;

const IS_ASKED = `${IS_OF_KONSUMENT} and coalesce(f.operasjon, l.operasjon) <> all ($5::text[])`;

/** Those that the feed may rule out. */
const MAY_BE_RULED_OUT = `(l.tidspunkt >= $6::timestamptz and coalesce(l.utvalg ? 'etter', false))`;

export const NAMELESS_LINES = `
  select ${LINE}, false as named, true as tillatt from ${TOLD_SINCE} where ${IS_ASKED} order by l.tidspunkt, l.id`;

/** The oldest of the newest of the others; none when there are fewer. */
export const PLACE_OF_NEWEST = `
  select l.tidspunkt::text as moment, l.id from ${TOLD_SINCE} where ${IS_ASKED} and not ${MAY_BE_RULED_OUT}
  order by l.tidspunkt desc, l.id desc offset $7 limit 1`;

const IS_APART = `(${MAY_BE_RULED_OUT} or (l.tidspunkt, l.id) >= ($7::timestamptz, $8::bigint))`;

export const NAMELESS_APART = `
  select ${LINE}, false as named, true as tillatt from ${TOLD_SINCE}
  where ${IS_ASKED} and l.tidspunkt >= least($6::timestamptz, $7::timestamptz) and ${IS_APART} order by l.tidspunkt, l.id`;

/** @param of what those of a sum have in common beside */
const namelessInSum = (of: string): string => `
  with summer as (
    select ${ALIKE}, ${SUM} from oppslagslinje l
    where ${TIME} and l.tidspunkt >= $4 and ${TOLD_WITHOUT_NAMES} and not ${IS_APART} group by ${ALIKE}${of})
  select l.tidspunkt, l.siste, l.antall, ${FORM}, 'KAN_HA_FATT' as hvordan
  from summer l left join oppslagsform f on f.nr = l.form where ${IS_ASKED} order by l.tidspunkt`;

export const NAMELESS_DAYS = namelessInSum(`, (tidspunkt at time zone 'Europe/Oslo')::date`);
export const NAMELESS_SUMS = namelessInSum('');

export const BEGIN = 'begin; set local cursor_tuple_fraction = 1; set local jit = off; set local enable_seqscan = off';

/**
 * Of a Bloom filter the planner knows nothing but how the values lie in the table, which is anyhow: it believes that all of
 * it would be read by the index too.
 */
export const BY_BITMAPS = `set local enable_bitmapscan = on; set local enable_indexscan = off; set local work_mem = '64MB'`;
/** What is read from the index alone is not read by a bitmap. */
export const BY_INDEXES = `set local enable_indexscan = on; set local enable_bitmapscan = off; set local work_mem = '64MB'`;

async function readKnown(session: PoolClient, person: string): Promise<Known> {
  const { rows: idents } = await session.query<Known['idents'][number]>(
    'select ident, til from innsynsidenter($1::uuid)',
    [person],
  );
  const { rows: first } = await session.query<{ tidspunkt: Date }>(
    'select tidspunkt from endring order by tx, lopenr limit 1',
  );
  const { rows } = await session.query<{ avtale_id: string; forst_laert: Date }>(
    'select avtale_id, forst_laert from innsyn_avtale where deltaker_id = any($1::uuid[]) order by forst_laert',
    [idents.filter(({ til }) => til === null).map(({ ident }) => ident)],
  );
  return {
    idents,
    avtaleIder: rows.map((row) => row.avtale_id),
    since: rows[0]?.forst_laert,
    feedSince: first[0]?.tidspunkt,
  };
}

async function* eachOf<Row>(pages: AsyncIterable<Row[]>): AsyncGenerator<Row> {
  for await (const rows of pages) yield* rows;
}

/** Both in the order of time, as each is. */
async function* inOrder<A extends { tidspunkt: Date }, B extends { tidspunkt: Date }>(
  one: AsyncGenerator<A>,
  other: AsyncGenerator<B>,
): AsyncGenerator<A | B> {
  let [a, b] = [await one.next(), await other.next()];
  while (!a.done || !b.done) {
    if (!a.done && (b.done || a.value.tidspunkt <= b.value.tidspunkt)) {
      yield a.value;
      a = await one.next();
    } else if (!b.done) {
      yield b.value;
      b = await other.next();
    }
  }
}

async function* told(session: PoolClient, lines: readonly Line[], known: Known): AsyncGenerator<SeenDto> {
  const ruledOut = await pagesWithNoneOf(session, lines, known);
  for (const line of lines) {
    if (ruledOut.has(line)) continue;
    const { named, tillatt: granted, ...row } = line;
    yield { ...row, hvordan: named ? (granted ? 'FIKK' : 'AVSLAG') : 'KAN_HA_FATT' };
  }
}
