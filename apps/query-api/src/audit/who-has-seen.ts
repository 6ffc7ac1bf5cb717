import type { Pool, PoolClient } from 'pg';
import type { Operation } from '../access/operations.ts';
import { isAfter, readPosition, type FeedPosition } from '../changes/feed-position.ts';
import type { Archive } from './archive.ts';
import { monthsOf, requireStillThere } from './months.ts';
import { rowsOf } from './rows.ts';

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
export async function* whoHasSeen(
  db: Pool,
  person: string,
  selected: Selected,
  archive?: Archive,
): AsyncGenerator<SeenDto> {
  const session = await db.connect();
  try {
    const months = await monthsOf(session, selected, archive);
    const known = await readKnown(session, person);
    if (archive) {
      for await (const lines of archive.linesOf(months, known, selected)) yield* told(session, lines, known);
    }
    await session.query(BY_BITMAPS);
    // From here on no month can go.
    await session.query('lock table oppslagslinje in access share mode');
    await requireStillThere(session, months);
    const idents = [known.idents.map(({ ident }) => ident), known.idents.map(({ til }) => til)];
    const values = [selected.fra, selected.til, selected.konsument, ...idents, known.since ?? '-infinity'];
    for await (const lines of rowsOf<Line>(session, LOOKUPS, values)) yield* told(session, lines, known);
  } finally {
    await session.query('rollback').finally(() => session.release());
  }
}

/** What names nobody, also where the audit is from before it kept a position. */
export const NAMELESS = ['eksporterAvtaler', 'hentEndringer', 'hentStatistikk'] as const satisfies readonly Operation[];

/** By an ident of the person, and by one that was the person's, until it was not. */
const NAMED = `exists (
  select from unnest($4::uuid[], $5::timestamptz[]) as sett(ident, til)
  where (l.person = sett.ident or l.personer @> array[sett.ident]) and (sett.til is null or l.tidspunkt <= sett.til))`;

const TIME = 'l.tidspunkt >= $1::date and l.tidspunkt < $2::date + 1';

/**
 * Of the lines themselves, since each of the three ways has its index there: never all that was ever looked up. In each
 * way by itself, so that months that are not asked for are not even opened.
 */
export const LOOKUPS = `
  with alle as (
    select l.*, true as named from oppslagslinje l where ${TIME} and l.person = any($4) and ${NAMED}
    union all
    select l.*, true from oppslagslinje l where ${TIME} and l.personer <> '{}' and l.personer && $4 and ${NAMED}
    union all
    select l.*, false from oppslagslinje l
    where ${TIME} and (l.posisjon is not null or l.operasjon in (${NAMELESS.map((name) => `'${name}'`).join(', ')}))
      and l.tidspunkt >= $6 and l.tillatt and l.antall_treff > 0 and not ${NAMED}
      -- A page of a subscription names everybody that it tells of.
      and not coalesce(l.utvalg ?& array['abonnement', 'etter'], false))
  select l.tidspunkt, coalesce(f.konsument, l.konsument) as konsument,
    coalesce(f.behandlingsgrunnlag, l.behandlingsgrunnlag) as behandlingsgrunnlag,
    coalesce(f.operasjon, l.operasjon) as operasjon, coalesce(f.felter, l.felter) as felter, l.utvalg, l.posisjon,
    l.antall_treff as "antallTreff", coalesce(l.call_id, l.call_uuid::text) as "callId", l.organisasjoner, l.named, l.tillatt
  from alle l left join oppslagsform f on f.nr = l.form
  where $3::text is null or coalesce(f.konsument, l.konsument) = $3
  order by l.tidspunkt, l.id`;

/**
 * Of a Bloom filter the planner knows nothing but how the values lie in the table, which is anyhow: it believes that all of
 * it would be read by the index too.
 */
export const BY_BITMAPS = `begin; set local enable_seqscan = off; set local enable_indexscan = off;
  set local cursor_tuple_fraction = 1; set local work_mem = '64MB'; set local jit = off`;

async function readKnown(session: PoolClient, person: string): Promise<Known> {
  const { rows: idents } = await session.query<Known['idents'][number]>(
    'select ident, til from innsynsidenter($1::uuid)',
    [person],
  );
  const { rows } = await session.query<{ avtale_id: string; forst_laert: Date }>(
    'select avtale_id, forst_laert from innsyn_avtale where deltaker_id = any($1::uuid[]) order by forst_laert',
    [idents.filter(({ til }) => til === null).map(({ ident }) => ident)],
  );
  return { idents, avtaleIder: rows.map((row) => row.avtale_id), since: rows[0]?.forst_laert };
}

async function* told(session: PoolClient, lines: readonly Line[], known: Known): AsyncGenerator<SeenDto> {
  const ruledOut = await pagesWithNoneOf(session, lines, known);
  for (const line of lines) {
    if (ruledOut.has(line)) continue;
    const { named, tillatt: granted, ...row } = line;
    yield { ...row, hvordan: named ? (granted ? 'FIKK' : 'AVSLAG') : 'KAN_HA_FATT' };
  }
}

/** The pages of changes that are all still in the feed, without a line of the person's avtaler. */
async function pagesWithNoneOf(
  session: PoolClient,
  lines: readonly Line[],
  { avtaleIder, since }: Known,
): Promise<Set<Line>> {
  if (since === undefined) return new Set();
  const pages = lines.flatMap((line) => {
    const [from, to] = [readPosition(String(line.utvalg?.['etter'])), readPosition(line.posisjon ?? '')];
    return !line.named && from && to ? [{ line, from, to }] : [];
  });
  const upTo = await countUpTo(
    session,
    pages.flatMap(({ from, to }) => [from, to]),
    avtaleIder,
  );
  const between = (from: FeedPosition, to: FeedPosition, what: keyof Count): number =>
    (upTo.get(keyOf(to))?.[what] ?? 0) - (upTo.get(keyOf(from))?.[what] ?? 0);
  return new Set(
    pages
      // Lines that have left the feed can't be looked at.
      .filter(({ line, from, to }) => between(from, to, 'own') === 0 && between(from, to, 'lines') === line.antallTreff)
      .map(({ line }) => line),
  );
}

interface Count {
  lines: number;
  own: number;
}

const keyOf = ({ tx, sequenceNumber }: FeedPosition): string => `${String(tx)} ${String(sequenceNumber)}`;

/**
 * How many lines of the feed there are from the first of these places to each of them: one statement for all, which reads
 * no line twice, however many consumers have read it.
 */
async function countUpTo(
  session: PoolClient,
  places: readonly FeedPosition[],
  avtaleIder: readonly string[],
): Promise<Map<string, Count>> {
  const sorted = [...new Map(places.map((place) => [keyOf(place), place])).values()].sort((a, b) =>
    isAfter(a, b) ? 1 : -1,
  );
  if (sorted.length < 2) return new Map();
  const { rows } = await session.query<Count>(SEGMENTS, [
    sorted.map(({ tx }) => String(tx)),
    sorted.map(({ sequenceNumber }) => String(sequenceNumber)),
    avtaleIder,
  ]);
  const sum: Count = { lines: 0, own: 0 };
  return new Map(
    sorted.map((place, i) => {
      sum.lines += rows[i]?.lines ?? 0;
      sum.own += rows[i]?.own ?? 0;
      return [keyOf(place), { ...sum }];
    }),
  );
}

/** The lines after the place before it, up to each place; of the first, none. */
const SEGMENTS = `
  with sted as (
    select nr, tx, lopenr, lag(tx) over w as fra_tx, lag(lopenr) over w as fra_lopenr
    from unnest($1::text[]::xid8[], $2::bigint[]) with ordinality as s(tx, lopenr, nr) window w as (order by nr))
  select coalesce(telt.lines, 0)::int as lines, coalesce(telt.own, 0)::int as own
  from sted left join lateral (
    select count(*) as lines, count(*) filter (where e.avtale_id = any($3::uuid[])) as own from endring e
    where (e.tx, e.lopenr) > (sted.fra_tx, sted.fra_lopenr) and (e.tx, e.lopenr) <= (sted.tx, sted.lopenr) offset 0) telt
    on true
  order by nr`;
