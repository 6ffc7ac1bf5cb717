import { LOCKS } from '@tiltak/database';
import { copyField, copyRow, copyRows } from '../database/copy.ts';
import type { Db } from '../database/db.ts';
import { demand } from '../database/demand.ts';
import type { TopicPartition } from '../kafka/positions.queries.ts';

/** An ident of one of the register's keys, both as opaque ids. */
export interface RegisterIdent {
  key: string;
  ident: string;
}

/** Nobody changes who is one person until the transaction ends. */
export async function sharePersons(db: Db): Promise<void> {
  await db.query({ name: 'del_personer', text: `select pg_advisory_xact_lock_shared(${LOCKS.PERSONS})` });
}

/** Nobody else changes who is one person, or writes avtaler, until the transaction ends. */
export async function lockPersons(db: Db): Promise<void> {
  await db.query({ name: 'laas_personer', text: `select pg_advisory_xact_lock(${LOCKS.PERSONS})` });
}

/** Whose these idents are; one that is not in the map is its own person. All are opaque ids. */
export async function readPersons(db: Db, idents: readonly string[]): Promise<Map<string, string>> {
  if (idents.length === 0) return new Map();
  const { rows } = await db.query<PersonRow>({
    text: perIdent('select ident, deltaker_id from personident where ident = i.id'),
    values: [idents],
  });
  return new Map(rows.map((row) => [row.ident, row.deltaker_id]));
}

/**
 * Fails unless these persons are as they were read, see `readPersons`. `sharePersons` must hold.
 *
 * @param persons whose each ident is, null for its own; undefined: the register has said of nobody that there are several
 */
export async function requirePersons(db: Db, persons: ReadonlyMap<string, string | null> | undefined): Promise<void> {
  if (persons === undefined) {
    await db.query(demand('not exists (select from personident)', 'person'));
    return;
  }
  if (persons.size === 0) return;
  await db.query({
    text: demand(
      `not exists (
        select from unnest($1::uuid[], $2::uuid[]) as lest(ident, deltaker_id)
        where lest.deltaker_id is distinct from (select p.deltaker_id from personident p where p.ident = lest.ident))`,
      'person',
    ),
    values: [[...persons.keys()], [...persons.values()]],
  });
}

interface PersonRow {
  ident: string;
  deltaker_id: string;
}

/** Every ident of these persons. */
export async function readIdentsOf(db: Db, persons: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await db.query<PersonRow>({
    text: perIdent('select ident, deltaker_id from personident where deltaker_id = i.id'),
    values: [persons],
  });
  return new Map(rows.map((row) => [row.ident, row.deltaker_id]));
}

/** What the register last said of these keys. */
export function readByKey(db: Db, keys: readonly string[]): Promise<RegisterIdent[]> {
  return readRegister(db, 'registernoekkel', keys);
}

/** What the register last said of the keys that have one of these idents: those of the idents. */
export function readByIdent(db: Db, idents: readonly string[]): Promise<RegisterIdent[]> {
  return readRegister(db, 'ident', idents);
}

async function readRegister(
  db: Db,
  column: 'registernoekkel' | 'ident',
  values: readonly string[],
): Promise<RegisterIdent[]> {
  if (values.length === 0) return [];
  const { rows } = await db.query<RegisterIdent>({
    text: perIdent(`select registernoekkel as key, ident from registerident where ${column} = i.id`),
    values: [values],
  });
  return rows;
}

/** One look-up by index for each, whatever the statistics say: see `relations.queries.ts`. */
function perIdent(lookup: string): string {
  return `select rad.* from unnest($1::uuid[]) as i(id) cross join lateral (${lookup} offset 0) rad`;
}

/** Of these keys, the register says this now. */
export async function replaceRegister(
  db: Db,
  keys: readonly string[],
  idents: readonly RegisterIdent[],
): Promise<void> {
  await db.query('delete from registerident where registernoekkel = any($1)', [keys]);
  await copyRows(
    db,
    'registerident (registernoekkel, ident)',
    idents.map(({ key, ident }) => copyRow([key, ident])),
  );
}

/** An ident, and whose it was and is. */
export interface Move {
  ident: string;
  from: string;
  to: string;
}

/**
 * Whose these idents are. That one was somebody else's is kept: look-ups have been audited with it.
 *
 * @param joined those of persons with several idents; of the rest nothing is stored
 */
export async function replacePersons(
  db: Db,
  { idents, joined, moves }: { idents: readonly string[]; joined: readonly PersonIdent[]; moves: readonly Move[] },
): Promise<void> {
  await db.query('delete from personident where ident = any($1)', [idents]);
  await copyRows(
    db,
    'personident (ident, deltaker_id)',
    joined.map(({ ident, person }) => copyRow([ident, person])),
  );
  const former = moves.filter(({ ident, from }) => ident !== from);
  await copyRows(
    db,
    'personident_foer (ident, deltaker_id)',
    former.map(({ ident, from }) => copyRow([ident, from].map(copyField))),
  );
}

export interface PersonIdent {
  ident: string;
  person: string;
}

/** What bears one ident and the id of one person: a national ident, so only for as long as the transaction takes. */
export interface Bearer {
  fnr: string;
  deltakerId: string;
}

const VISIBLE = 'slettet is null and not feilregistrert';
const HIDDEN = 'slettet is null and feilregistrert';

/** The idents of the avtaler and versions of these participants. */
export async function readBearers(db: Db, deltakerIder: readonly string[]): Promise<Bearer[]> {
  const part = (table: string, where: string): string =>
    `select deltaker_fnr, deltaker_id from ${table} where deltaker_id = i.id ${where}`;
  const { rows } = await db.query<{ deltaker_fnr: string; deltaker_id: string }>({
    text: `select distinct rad.* from unnest($1::uuid[]) as i(id) cross join lateral (
      (${part('avtale', `and ${VISIBLE}`)} offset 0) union all (${part('avtale', `and ${HIDDEN}`)} offset 0)
      union all (${part('avtale_versjon', 'and ny_deltaker')} offset 0)) rad`,
    values: [deltakerIder],
  });
  return rows.map((row) => ({ fnr: row.deltaker_fnr, deltakerId: row.deltaker_id }));
}

/**
 * Gives the avtaler and versions of these bearers to other persons.
 *
 * @returns the avtaler that consumers may see
 */
export async function moveAvtaler(db: Db, moves: readonly (Bearer & { to: string })[]): Promise<string[]> {
  const values = [moves.map(({ fnr }) => fnr), moves.map(({ deltakerId }) => deltakerId), moves.map(({ to }) => to)];
  const move = (table: string, where: string, more = ''): string => `update ${table} rad set deltaker_id = flytt.til
    from unnest($1::text[], $2::uuid[], $3::uuid[]) as flytt(fnr, fra, til) ${more}
    where rad.deltaker_id = flytt.fra and rad.deltaker_fnr = flytt.fnr and ${where}`;
  const { rows } = await db.query<{ avtale_id: string }>(`${move('avtale', VISIBLE)} returning rad.avtale_id`, values);
  await db.query(move('avtale', HIDDEN), values);
  await db.query(move('avtale_versjon', 'rad.avtale_id = bar.avtale_id', BEARING), values);
  return rows.map((row) => row.avtale_id);
}

/** Of versions only those that say another participant than the one before are in an index; all of the avtale follow. */
const BEARING = `cross join lateral (
  select distinct avtale_id from avtale_versjon v
  where v.ny_deltaker and v.deltaker_id = flytt.fra and v.deltaker_fnr = flytt.fnr offset 0) bar`;

/** A key of the register, as it stands on the topic, and the place of its last message. */
export interface LastSaid {
  key: Buffer;
  offset: number;
}

/** A message of the register says all there is to say of its key: one before it that waits can never be used again. */
export async function discardOvertaken(
  db: Db,
  { topic, epoch, partition }: TopicPartition,
  said: readonly LastSaid[],
): Promise<void> {
  await db.query({
    name: 'forbigaatt',
    text: `update parkert_melding p set tilstand = 'FORKASTET', behandlet = now(), begrunnelse = 'ERSTATTET',
             nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = 'FORKASTET'
           from unnest($3::bytea[], $4::bigint[]) as sist(nokkel, kafka_offset)
           where p.tilstand = 'PARKERT' and p.topic = $1 and p.nokkel = sist.nokkel
             and (p.epoke < $5 or (p.epoke = $5 and p.partisjon = $2 and p.kafka_offset < sist.kafka_offset))`,
    values: [topic, partition, said.map(({ key }) => key), said.map(({ offset }) => offset), epoch],
  });
}

/**
 * Of batches that could not be read, and wait: these keys have been told of since. There are none, mostly.
 *
 * @param from where what tells of them begins
 */
export async function noteSince(
  db: Db,
  { topic, epoch, partition }: TopicPartition,
  { keys, from }: { keys: readonly string[]; from: number },
): Promise<void> {
  if (keys.length === 0) return;
  await db.query({
    name: 'noter_siden_bunke',
    text: `insert into registernoekkel_siden
           select b.parkert, nokkel from registerbunke b cross join unnest($5::uuid[]) as nokkel
           where b.topic = $1 and (b.epoke < $2 or b.epoke = $2 and (b.partisjon <> $3 or b.kafka_offset < $4))
           order by b.parkert, nokkel on conflict do nothing`,
    values: [topic, epoch, partition, from, keys],
  });
}

/** Keys that the register has told of since the batch; undefined: nobody has noted them. */
export async function readSince(db: Db, parked: string): Promise<Set<string> | undefined> {
  const { rows } = await db.query<{ nokkel: string | null }>(
    'select s.nokkel from registerbunke b left join registernoekkel_siden s using (parkert) where b.parkert = $1',
    [parked],
  );
  if (rows.length === 0) return undefined;
  return new Set(rows.flatMap(({ nokkel }) => nokkel ?? []));
}

/** A batch waits from now on, with its position locked. */
export async function insertWaitingBatch(db: Db, parked: string): Promise<void> {
  await db.query(
    `insert into registerbunke select id, topic, epoke, partisjon, kafka_offset from parkert_melding where id = $1
     on conflict do nothing`,
    [parked],
  );
}

/** Of batches that nobody waits for any more nothing is noted. */
export async function forgetBatches(db: Db): Promise<void> {
  await db.query(
    `delete from registerbunke b where not exists (select from parkert_melding p where p.id = b.parkert and p.tilstand = 'PARKERT')`,
  );
}
