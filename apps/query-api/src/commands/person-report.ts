import type { Pool } from 'pg';
import type { Operation } from '../access/operations.ts';
import { readPosition } from '../changes/feed-position.ts';

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

type Row = SeenDto & { id: string; named: boolean; tillatt: boolean };

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
  let after = '0';
  for (;;) {
    const { rows } = await db.query<Row>(LOOKUPS, [
      ...[selected.fra, selected.til, selected.konsument, person, after],
      NAMELESS,
    ]);
    for (const { id, named, tillatt: granted, ...row } of rows) {
      after = id;
      if (!named && !(await mayHaveHeld(db, row, known))) continue;
      yield { ...row, hvordan: named ? (granted ? 'FIKK' : 'AVSLAG') : 'KAN_HA_FATT' };
    }
    if (rows.length === 0) return;
  }
}

/** What names nobody, also where the audit is from before it kept a position. */
const NAMELESS: readonly Operation[] = ['eksporterAvtaler', 'hentEndringer', 'hentStatistikk'];

/** By every ident of the person, and by an id that was the person's, until it was not. */
const LOOKUPS = `
  with sett as materialized (select ident, til from innsynsidenter($4::uuid)),
  alle as (
    select o.*, exists (
      select from sett where o.personer @> array[sett.ident] and (sett.til is null or o.tidspunkt <= sett.til)) as named
    from oppslag o
    where tidspunkt >= $1::date and tidspunkt < $2::date + 1 and ($3::text is null or konsument = $3) and id > $5)
  select id, tidspunkt, konsument, behandlingsgrunnlag, operasjon, felter, utvalg, posisjon,
    antall_treff as "antallTreff", call_id as "callId", named, tillatt
  from alle
  where (named or (tillatt and (posisjon is not null or operasjon = any($6)) and antall_treff > 0))
  order by id limit 1000`;

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
