import type { RelationAvtale, Relation, RelationName } from '@tiltak/avtale';
import { LOCKS } from '@tiltak/database';
import { copyField, copyRow, copyRows } from '../database/copy.ts';
import type { Db } from '../database/db.ts';
import { RELATION_AVTALE_COLUMNS, rowToRelationAvtale, type RelationAvtaleRow } from './relation-avtale.row.ts';

/** A relation as it is stored: with the participant that both avtaler belong to. */
export interface StoredRelation extends Relation {
  deltakerId: string;
}

/** Participants share this many locks: they are no more, however many participants a transaction has. */
const SHARED_LOCKS = 1_024;
/**
 * Participants with a lock of their own in a transaction, at most: the database's table of locks has 64 for each of its
 * connections, and all of an organisation's writers share it.
 */
export const MOST_OWN_LOCKS = 1_500;

/**
 * Locks what belongs to these participants until the transaction ends. Whoever reads after this sees what everyone
 * before has committed. Each has a lock of its own, so that transactions of other participants do not wait, however many
 * they are; and one that it shares with others, which is held shared beside that. A transaction with too many participants
 * holds only these, exclusively, as versions before this do with any number.
 *
 * The shared ones first, and of both kinds in ascending order, so that no two wait for each other.
 */
export async function lockDeltakere(db: Db, deltakerIder: readonly string[], mostOwn = MOST_OWN_LOCKS): Promise<void> {
  const shared = ascending(deltakerIder.map((id) => Number.parseInt(id.slice(0, 8), 16) % SHARED_LOCKS));
  if (deltakerIder.length > mostOwn) {
    await db.query({
      name: 'laas_deltakere',
      text: `select count(pg_advisory_xact_lock(${LOCKS.DELTAKERE}, laas)) from unnest($1::int[]) as laas`,
      values: [shared],
    });
    return;
  }
  // Sent together where they may be.
  await Promise.all([
    db.query({
      name: 'del_deltakere',
      text: `select count(pg_advisory_xact_lock_shared(${LOCKS.DELTAKERE}, laas)) from unnest($1::int[]) as laas`,
      values: [shared],
    }),
    db.query({
      name: 'laas_hver_deltaker',
      text: `select count(pg_advisory_xact_lock(${LOCKS.DELTAKER}, laas)) from unnest($1::int[]) as laas`,
      values: [ascending(deltakerIder.map((id) => Number.parseInt(id.slice(-8), 16) | 0))],
    }),
  ]);
}

function ascending(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** The avtaler of these participants that take part in relations. */
export async function readRelationAvtaler(db: Db, deltakerIder: readonly string[]): Promise<RelationAvtale[]> {
  const { rows } = await db.query<RelationAvtaleRow>({
    text: perDeltaker(`select ${RELATION_AVTALE_COLUMNS} from avtale
      where deltaker_id = d.id and slettet is null and not feilregistrert`),
    values: [deltakerIder],
  });
  return rows.flatMap((row) => rowToRelationAvtale(row) ?? []);
}

/** @param most of all of them together; null: no limit */
export async function readRelations(
  db: Db,
  deltakerIder: readonly string[],
  most: number | null = null,
): Promise<StoredRelation[]> {
  const { rows } = await db.query<StoredRelation & { relasjon: RelationName }>({
    text: `${perDeltaker(`select deltaker_id as "deltakerId", fra, relasjon, til from relasjon where deltaker_id = d.id`)}
      limit $2`,
    values: [deltakerIder, most],
  });
  return rows;
}

/**
 * One look-up by index for each: a table without statistics would otherwise be read whole. Those who use it are planned
 * anew each time, not prepared: a plan from when the table was empty would be kept while it grows.
 */
function perDeltaker(lookup: string): string {
  return `select rad.* from unnest($1::uuid[]) as d(id) cross join lateral (${lookup} offset 0) rad`;
}

export async function insertRelations(db: Db, relations: readonly StoredRelation[]): Promise<void> {
  await copyRows(
    db,
    'relasjon (deltaker_id, fra, relasjon, til)',
    relations.map(({ deltakerId, fra, relasjon, til }) => copyRow([deltakerId, fra, relasjon, til].map(copyField))),
  );
}

export async function deleteRelations(db: Db, relations: readonly StoredRelation[]): Promise<void> {
  if (relations.length === 0) return;
  await db.query({
    name: 'fjern_relasjoner',
    text: `delete from relasjon using unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) as bort (deltaker_id, fra, relasjon, til)
           where relasjon.deltaker_id = bort.deltaker_id and relasjon.fra = bort.fra
             and relasjon.relasjon = bort.relasjon and relasjon.til = bort.til`,
    values: [
      relations.map(({ deltakerId }) => deltakerId),
      relations.map(({ fra }) => fra),
      relations.map(({ relasjon }) => relasjon),
      relations.map(({ til }) => til),
    ],
  });
}

/** A line of the change feed for each of the avtaler that consumers may see. */
export async function insertLinkChanges(db: Db, avtaleIder: readonly string[]): Promise<void> {
  if (avtaleIder.length === 0) return;
  await db.query({
    name: 'fortell_om',
    text: `insert into endring (avtale_id, type)
           select avtale_id, 'ENDRET' from avtale
           where avtale_id = any($1) and slettet is null and not feilregistrert order by avtale_id`,
    values: [avtaleIder],
  });
}

/** The next participants, in the order of deltakerId, who have an avtale or a stored relation. */
export async function nextDeltakere(db: Db, after: string | null, count: number): Promise<string[]> {
  const part = (table: string, where: string): string => `(select distinct deltaker_id from ${table}
    where ${where} deltaker_id > coalesce($1, '${LOWEST}')::uuid order by deltaker_id limit $2)`;
  const { rows } = await db.query<{ deltaker_id: string }>(
    `${part('avtale', 'slettet is null and not feilregistrert and')} union ${part('relasjon', '')}
     order by deltaker_id limit $2`,
    [after, count],
  );
  return rows.map((row) => row.deltaker_id);
}

const LOWEST = '00000000-0000-0000-0000-000000000000';
/** How far the participants have been gone through, when it is all of them. */
export const ALL_DONE = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** How far relations have been computed of avtaler from before there were any; locked until the transaction ends. */
export async function lockBackfill(db: Db): Promise<string | null> {
  const { rows } = await db.query<{ til: string | null }>(
    'select relasjoner_bygget_til as til from instans for update',
  );
  return rows[0]?.til ?? null;
}

export async function setBackfill(db: Db, to: string): Promise<void> {
  await db.query('update instans set relasjoner_bygget_til = $1', [to]);
}
