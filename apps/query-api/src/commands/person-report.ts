import type { Pool } from 'pg';
import type { Operation } from '../access/operations.ts';
import { readPosition } from '../changes/feed-position.ts';
import { FIRST, type Place } from './place.ts';

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

interface Selected {
  fra: string;
  til: string;
  konsument: string | null;
}

type Row = SeenDto & Place & { named: boolean; tillatt: boolean };

/** The avtaler of a person that are stored now, and since when the first of them has been. */
interface Known {
  avtaleIder: string[];
  since: Date | undefined;
}

/**
 * Who has seen this person, oldest first. What was told without names is left out only when it can be ruled out: it was
 * before the first avtale of the person that is still here, or a page of changes with none of the person's. What has been
 * erased since can't be made out any more, so of somebody unknown here nothing is ruled out.
 *
 * @param person opaque id
 */
export async function* whoHasSeen(db: Pool, person: string, selected: Selected): AsyncGenerator<SeenDto> {
  const known = await readKnown(db, person);
  const { rows: idents } = await db.query<{ ident: string; til: string | null }>(
    'select ident, til::text from innsynsidenter($1::uuid)',
    [person],
  );
  let after: Place = FIRST;
  for (;;) {
    const rows = await readLookups(db, [
      ...[selected.fra, selected.til, selected.konsument],
      ...[idents.map(({ ident }) => ident), idents.map(({ til }) => til)],
      ...[after.moment, after.id],
    ]);
    for (const { id, moment, named, tillatt: granted, ...row } of rows) {
      after = { id, moment };
      if (!named && !(await mayHaveHeld(db, row, known))) continue;
      yield { ...row, hvordan: named ? (granted ? 'FIKK' : 'AVSLAG') : 'KAN_HA_FATT' };
    }
    if (rows.length === 0) return;
  }
}

/** What names nobody, also where the audit is from before it kept a position. */
const NAMELESS = ['eksporterAvtaler', 'hentEndringer', 'hentStatistikk'] as const satisfies readonly Operation[];

/** By an ident of the person, and by one that was the person's, until it was not. */
const NAMED = `exists (
  select from unnest($4::uuid[], $5::timestamptz[]) as sett(ident, til)
  where (l.person = sett.ident or l.personer @> array[sett.ident]) and (sett.til is null or l.tidspunkt <= sett.til))`;

/** Of the lines themselves, since each of the three ways has its index there: never all that was ever looked up. */
export const LOOKUPS = `
  with alle as (
    select l.*, true as named from oppslagslinje l where l.person = any($4) and ${NAMED}
    union all
    select l.*, true from oppslagslinje l where l.personer <> '{}' and l.personer && $4 and ${NAMED}
    union all
    select l.*, false from oppslagslinje l
    where (l.posisjon is not null or l.operasjon in (${NAMELESS.map((name) => `'${name}'`).join(', ')}))
      and l.tillatt and l.antall_treff > 0 and not ${NAMED}
      -- A page of a subscription names everybody that it tells of.
      and not coalesce(l.utvalg ?& array['abonnement', 'etter'], false))
  select l.tidspunkt::text as moment, l.id, l.tidspunkt, coalesce(f.konsument, l.konsument) as konsument,
    coalesce(f.behandlingsgrunnlag, l.behandlingsgrunnlag) as behandlingsgrunnlag,
    coalesce(f.operasjon, l.operasjon) as operasjon, coalesce(f.felter, l.felter) as felter, l.utvalg, l.posisjon,
    l.antall_treff as "antallTreff", coalesce(l.call_id, l.call_uuid::text) as "callId", l.named, l.tillatt
  from alle l left join oppslagsform f on f.nr = l.form
  where l.tidspunkt >= $1::date and l.tidspunkt < $2::date + 1 and (l.tidspunkt, l.id) > ($6, $7)
    and ($3::text is null or coalesce(f.konsument, l.konsument) = $3)
  order by l.tidspunkt, l.id limit 1000`;

/**
 * Of a Bloom filter the planner knows nothing but how the values lie in the table, which is anyhow: it believes that all of
 * it would be read by the index too.
 */
export const BY_BITMAPS = 'begin; set local enable_seqscan = off; set local enable_indexscan = off';

async function readLookups(db: Pool, values: readonly unknown[]): Promise<Row[]> {
  const session = await db.connect();
  try {
    await session.query(BY_BITMAPS);
    const { rows } = await session.query<Row>(LOOKUPS, [...values]);
    return rows;
  } finally {
    await session.query('rollback').finally(() => session.release());
  }
}

async function readKnown(db: Pool, person: string): Promise<Known> {
  const { rows } = await db.query<{ avtale_id: string; forst_laert: Date }>(
    `select avtale_id, forst_laert from innsyn_avtale
     where deltaker_id in (select ident from innsynsidenter($1) where til is null) order by forst_laert`,
    [person],
  );
  return { avtaleIder: rows.map((row) => row.avtale_id), since: rows[0]?.forst_laert };
}

async function mayHaveHeld(
  db: Pool,
  { tidspunkt: moment, utvalg: subset, posisjon: position, antallTreff: count }: Omit<SeenDto, 'hvordan'>,
  { avtaleIder, since }: Known,
): Promise<boolean> {
  if (since === undefined) return true;
  if (since > moment) return false;
  const [from, to] = [readPosition(String(subset?.['etter'])), readPosition(position ?? '')];
  if (!from || !to) return true;
  const { rows } = await db.query<{ lines: number; own: number }>(
    `select count(*)::int as lines, (count(*) filter (where avtale_id = any($5::uuid[])))::int as own from endring
     where (tx, lopenr) > ($1::xid8, $2::bigint) and (tx, lopenr) <= ($3::xid8, $4::bigint)`,
    [...[from, to].flatMap(({ tx, sequenceNumber }) => [String(tx), String(sequenceNumber)]), avtaleIder],
  );
  const [page = { lines: 0, own: 0 }] = rows;
  // Lines that have left the feed can't be looked at.
  return page.own > 0 || page.lines !== count;
}
