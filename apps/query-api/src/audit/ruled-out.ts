import type { PoolClient } from 'pg';
import { isAfter, readPosition, type FeedPosition } from '../changes/feed-position.ts';
import type { Known, Line } from './who-has-seen.ts';

/** The pages of changes that are all still in the feed, without a line of the person's avtaler. */
export async function pagesWithNoneOf(
  session: PoolClient,
  lines: readonly Line[],
  { avtaleIder, since, feedSince }: Known,
): Promise<Set<Line>> {
  if (since === undefined || feedSince === undefined) return new Set();
  const pages = lines.flatMap((line) => {
    if (line.named || line.tidspunkt < feedSince) return [];
    const [from, to] = [readPosition(String(line.utvalg?.['etter'])), readPosition(line.posisjon ?? '')];
    return from && to && isAfter(to, from) ? [{ line, from, to }] : [];
  });
  const upTo = await countUpTo(session, pages, avtaleIder);
  const between = (from: FeedPosition, to: FeedPosition, what: keyof Count): number =>
    (upTo.get(keyOf(to))?.[what] ?? 0) - (upTo.get(keyOf(from))?.[what] ?? 0);
  return new Set(
    pages
      // Lines that have left the feed can't be looked at.
      .filter(({ line, from, to }) => between(from, to, 'own') === 0 && between(from, to, 'lines') === line.antallTreff)
      .map(({ line }) => line),
  );
}

interface Stretch {
  from: FeedPosition;
  to: FeedPosition;
}

interface Count {
  lines: number;
  own: number;
}

const keyOf = ({ tx, sequenceNumber }: FeedPosition): string => `${String(tx)} ${String(sequenceNumber)}`;

/**
 * How many lines of these stretches of the feed there are up to each place where one begins or ends: one statement for all,
 * which reads no line twice, however many consumers have read it, and none between them.
 */
async function countUpTo(
  session: PoolClient,
  stretches: readonly Stretch[],
  avtaleIder: readonly string[],
): Promise<Map<string, Count>> {
  const parts = partsOf(stretches);
  if (parts.length === 0) return new Map();
  const { rows } = await session.query<Count>(COUNT_PARTS, [
    parts.map(({ from }) => String(from.tx)),
    parts.map(({ from }) => String(from.sequenceNumber)),
    parts.map(({ to }) => String(to.tx)),
    parts.map(({ to }) => String(to.sequenceNumber)),
    avtaleIder,
  ]);
  const sum: Count = { lines: 0, own: 0 };
  const counts = new Map<string, Count>();
  for (const [i, { from, to }] of parts.entries()) {
    counts.set(keyOf(from), { ...sum });
    sum.lines += rows[i]?.lines ?? 0;
    sum.own += rows[i]?.own ?? 0;
    counts.set(keyOf(to), { ...sum });
  }
  return counts;
}

/** From each place where a stretch begins or ends to the next such place, where it is in any of them. */
function partsOf(stretches: readonly Stretch[]): Stretch[] {
  const places = new Map<string, { place: FeedPosition; begin: number }>();
  for (const { from, to } of stretches) {
    for (const [place, begins] of [[from, 1] as const, [to, -1] as const]) {
      const known = places.get(keyOf(place));
      if (known) known.begin += begins;
      else places.set(keyOf(place), { place, begin: begins });
    }
  }
  const sorted = [...places.values()].sort((a, b) => (isAfter(a.place, b.place) ? 1 : -1));
  const parts: Stretch[] = [];
  let open = 0;
  for (const [i, { place, begin }] of sorted.entries()) {
    open += begin;
    const next = sorted[i + 1];
    if (next && open > 0) parts.push({ from: place, to: next.place });
  }
  return parts;
}

/** The lines after the first place of each part, up to the other. */
const COUNT_PARTS = `
  select coalesce(telt.lines, 0)::int as lines, coalesce(telt.own, 0)::int as own
  from unnest($1::text[]::xid8[], $2::bigint[], $3::text[]::xid8[], $4::bigint[]) with ordinality
    as del(fra_tx, fra_lopenr, tx, lopenr, nr)
  left join lateral (
    select count(*) as lines, count(*) filter (where e.avtale_id = any($5::uuid[])) as own from endring e
    where (e.tx, e.lopenr) > (del.fra_tx, del.fra_lopenr) and (e.tx, e.lopenr) <= (del.tx, del.lopenr) offset 0) telt on true
  order by nr`;
