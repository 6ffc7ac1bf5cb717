import type { RelationAvtale, AvtaleState, Change, Position } from '@tiltak/avtale';
import { copyRows } from '../database/copy.ts';
import type { Db } from '../database/db.ts';
import { demand } from '../database/demand.ts';
import type { Pipeline } from '../database/pipeline.ts';
import type { TopicPartition } from '../kafka/positions.queries.ts';
import {
  RELATION_AVTALE_COLUMNS,
  rowToRelationAvtale,
  type RelationAvtaleRow,
} from '../relations/relation-avtale.row.ts';
import { CONTENT_COLUMNS, KNOWN_COLUMNS, PHASE_COLUMNS, VERSION_COLUMNS, type VersionKeys } from './avtaler.rows.ts';
import { leaveOut, packBytes } from './parked-bytes.ts';
import type { ParkedMessage } from './parse.ts';
import { decodeMemory, encodeMemory, PLACE_COLUMNS, rowToPlace, type PlaceRow } from './place.ts';
import { ConcurrentChangeError } from './try-again.ts';

/** A stored avtale, as far as the ordering rule and the rules of relations are concerned. */
export interface StoredAvtale extends AvtaleState {
  /** the transaction that wrote the row, whatever it changed */
  rowVersion: string;
  /** undefined when it takes no part in relations */
  member: RelationAvtale | undefined;
  deltakerId: string | null;
  /** what its last version is found by; undefined when it has none, being deleted */
  keys: VersionKeys | undefined;
}

interface StateRow extends RelationAvtaleRow, PlaceRow {
  row_version: string;
  deltaker_fnr: string | null;
  sist_endret: string | null;
  kilde_minne: string | null;
  slettet: AvtaleState['deleted'];
  avtrykk: string | null;
  har_vaert_inngaatt: boolean;
  aldri_begynt: boolean | null;
  fra_arena: boolean | null;
}

/**
 * What is known about each of the avtaler; those not known are not in the map. A release from before `har_vaert_inngaatt`
 * leaves it false while both run: that the avtale is entered into now says as much.
 */
export async function readStates(db: Db, avtaleIder: string[]): Promise<Map<string, StoredAvtale>> {
  const { rows } = await db.query<StateRow>({
    name: 'les_tilstander',
    text: `select ${RELATION_AVTALE_COLUMNS}, deltaker_fnr, xmin::text as row_version, to_char(sist_endret at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as sist_endret,
                  ${PLACE_COLUMNS.join(', ')}, kilde_minne, slettet, avtrykk, aldri_begynt, fra_arena,
                  har_vaert_inngaatt or avtale_inngaatt is not null as har_vaert_inngaatt
           from avtale where avtale_id = any($1)`,
    values: [avtaleIder],
  });
  return new Map(rows.map((row) => [row.avtale_id, toStored(row)]));
}

/**
 * Fails when any of them is another row than the one that was read: somebody may have changed whose it is, or put it right,
 * and left its place as it is. To come after the positions are locked, and who is one person.
 */
export async function requireUnchanged(db: Db, known: ReadonlyMap<string, StoredAvtale>): Promise<void> {
  if (known.size === 0) return;
  await db.query({
    text: demand(
      `not exists (
        select from unnest($1::uuid[], $2::text[]) as lest(avtale_id, row_version)
        join avtale using (avtale_id) where avtale.xmin::text <> lest.row_version)`,
      'avtale',
    ),
    values: [[...known.keys()], Array.from(known.values(), ({ rowVersion }) => rowVersion)],
  });
}

function toStored(row: StateRow): StoredAvtale {
  return {
    rowVersion: row.row_version,
    member: rowToRelationAvtale(row),
    deltakerId: row.deltaker_id,
    keys:
      row.slettet === null
        ? { deltakerFnr: row.deltaker_fnr, deltakerId: row.deltaker_id, bedriftNr: row.bedrift_nr }
        : undefined,
    sistEndret: row.sist_endret,
    position: rowToPlace(row),
    memory: decodeMemory(row.kilde_minne),
    deleted: row.slettet,
    feilregistrert: row.feilregistrert,
    fingerprint: row.avtrykk,
    everEntered: row.har_vaert_inngaatt,
    marks: row.aldri_begynt === null ? null : { neverBegan: row.aldri_begynt, fromArena: row.fra_arena === true },
  };
}

const AVTALE_COLUMNS = [...CONTENT_COLUMNS, 'slettet', ...PLACE_COLUMNS, 'kilde_minne', 'avtrykk', ...PHASE_COLUMNS];

/** Rows as `avtaleRow` makes them. A row for an avtale that exists is a unique violation: someone else was first. */
export async function insertNew(db: Db, rows: string[]): Promise<void> {
  await copyRows(db, `avtale (${AVTALE_COLUMNS.join(', ')})`, rows);
}

/**
 * Rows as `avtaleRow` makes them, each followed by `KNOWN_COLUMNS` of the state it replaces.
 *
 * @throws ConcurrentChangeError
 */
export async function updateStored(db: Db, changed: string[]): Promise<void> {
  if (changed.length === 0) return;
  await prepareStaging(db);
  await copyRows(db, STAGING, changed);
  const { rowCount } = await db.query(UPDATE_FROM_STAGING);
  if (rowCount !== changed.length) throw new ConcurrentChangeError();
}

/** The same, where the answers are not looked at: it is the database that fails. `prepareStaging` must have been called. */
export async function requireUpdated(tx: Pipeline, changed: string[]): Promise<void> {
  if (changed.length === 0) return;
  const update = `with skrevet as (${UPDATE_FROM_STAGING} returning 1)`;
  const text = `${update} ${demand('count(*) = $1::int', 'avtale', 'from skrevet')}`;
  await Promise.all([copyRows(tx, STAGING, changed), tx.query({ text, values: [changed.length] })]);
}

/** The owner of the schema makes `pg_temp.inn`, once for the connection: this login can make no tables. */
export async function prepareStaging(db: Db): Promise<void> {
  await db.query('select klargjoer_innlasting()');
}

const STAGING = `pg_temp.inn (${[...AVTALE_COLUMNS, ...KNOWN_COLUMNS].join(', ')})`;

const IS_KNOWN = `avtale.avtale_id = inn.avtale_id and avtale.kilde_epoke = inn.kjent_epoke
    and avtale.kilde_partisjon = inn.kjent_partisjon and avtale.kilde_offset = inn.kjent_offset
    and avtale.kilde_minne is not distinct from inn.kjent_minne
    and avtale.sist_endret is not distinct from inn.kjent_sist_endret`;

const UPDATE_FROM_STAGING = `
  update avtale set ${AVTALE_COLUMNS.map((column) => `${column} = inn.${column}`).join(', ')},
    mottatt = case when avtale.avtrykk is distinct from inn.avtrykk then now() else avtale.mottatt end
  from pg_temp.inn
  where ${IS_KNOWN}`;

/** An avtale of which only what must be remembered has changed. */
export interface Remembered {
  avtaleId: string;
  stored: AvtaleState;
  now: AvtaleState;
}

/** @throws ConcurrentChangeError */
export async function updateMemory(db: Db, remembered: readonly Remembered[]): Promise<void> {
  if (remembered.length === 0) return;
  const { rowCount } = await db.query({
    name: 'husk',
    text: `update avtale set kilde_minne = inn.minne, sist_endret = inn.sist_endret
           from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::int[], $5::int[], $6::bigint[], $7::text[],
             $8::timestamptz[]) as inn(avtale_id, minne, sist_endret, kjent_epoke, kjent_partisjon, kjent_offset,
             kjent_minne, kjent_sist_endret)
           where ${IS_KNOWN}`,
    values: [
      remembered.map(({ avtaleId }) => avtaleId),
      remembered.map(({ now }) => encodeMemory(now.memory)),
      remembered.map(({ now }) => now.sistEndret),
      remembered.map(({ stored }) => stored.position.epoch),
      remembered.map(({ stored }) => stored.position.partition),
      remembered.map(({ stored }) => stored.position.offset),
      remembered.map(({ stored }) => encodeMemory(stored.memory)),
      remembered.map(({ stored }) => stored.sistEndret),
    ],
  });
  if (rowCount !== remembered.length) throw new ConcurrentChangeError();
}

/**
 * Makes rows what they ought to be. Rows as for `updateStored`, of avtaler whose place is the message's own.
 *
 * @returns the avtaler that were not so
 */
export async function repairDeviations(db: Db, changed: string[]): Promise<Set<string>> {
  if (changed.length === 0) return new Set();
  await prepareStaging(db);
  await db.query('delete from pg_temp.inn');
  await copyRows(db, STAGING, changed);
  await db.query(FILL_IN_TIMES);
  await db.query(FILL_IN_MARKS);
  const { rows } = await db.query<{ avtale_id: string }>(REPAIR_FROM_STAGING);
  return new Set(rows.map((row) => row.avtale_id));
}

/** What was not kept before is filled in, and says nothing new of an avtale. */
const FILL_IN_TIMES = `
  update avtale set kilde_skrevet = inn.kilde_skrevet, kilde_slett_foer = inn.kilde_slett_foer from pg_temp.inn
  where avtale.avtale_id = inn.avtale_id and avtale.kilde_skrevet is null and avtale.kilde_slett_foer is null
    and (inn.kilde_skrevet is not null or inn.kilde_slett_foer is not null)
    and avtale.kilde_epoke = inn.kjent_epoke
    and avtale.kilde_partisjon = inn.kjent_partisjon and avtale.kilde_offset = inn.kjent_offset`;

/** So are marks, unless one is set that nobody knew of. */
const FILL_IN_MARKS = `
  with versjoner as (
    update avtale_versjon v set aldri_begynt = inn.aldri_begynt, fra_arena = inn.fra_arena from pg_temp.inn
    where v.avtale_id = inn.avtale_id and v.aldri_begynt is null
      and v.lopenr = (select max(lopenr) from avtale_versjon siste where siste.avtale_id = inn.avtale_id))
  update avtale set aldri_begynt = inn.aldri_begynt, fra_arena = inn.fra_arena from pg_temp.inn
  where avtale.avtale_id = inn.avtale_id and avtale.aldri_begynt is null
    and not inn.aldri_begynt and inn.fra_arena = coalesce(avtale.opphav = 'ARENA', false)`;

const REPAIR_FROM_STAGING = `
  update avtale set ${AVTALE_COLUMNS.map((column) => `${column} = inn.${column}`).join(', ')}, mottatt = now()
  from pg_temp.inn
  where avtale.avtale_id = inn.avtale_id and avtale.kilde_epoke = inn.kjent_epoke
    and avtale.kilde_partisjon = inn.kjent_partisjon and avtale.kilde_offset = inn.kjent_offset
    and (${AVTALE_COLUMNS.map((column) => `avtale.${column}`).join(', ')})
      is distinct from (${AVTALE_COLUMNS.map((column) => `inn.${column}`).join(', ')})
  returning avtale.avtale_id`;

export async function deleteHistory(db: Db, avtaleIder: string[]): Promise<void> {
  if (avtaleIder.length === 0) return;
  await db.query('delete from avtale_versjon where avtale_id = any($1)', [avtaleIder]);
}

/** Rows as `versionRow` makes them. */
export async function insertVersions(db: Db, rows: string[]): Promise<void> {
  await copyRows(db, `avtale_versjon (${VERSION_COLUMNS.join(', ')})`, rows);
}

/**
 * An ident that the source has corrected leaves the history: every version that bears one gets that of the newest that
 * does. So the outcome is the same whatever the batches.
 */
export async function updateFormerIdents(db: Db, avtaleIder: string[]): Promise<void> {
  if (avtaleIder.length === 0) return;
  await db.query({
    name: 'rett_tidligere_identer',
    text: `update avtale_versjon v set deltaker_fnr = ny.deltaker_fnr, deltaker_id = ny.deltaker_id, avtrykk = null
           from (
             select distinct on (avtale_id) avtale_id, deltaker_fnr, deltaker_id from avtale_versjon
             where avtale_id = any($1) and deltaker_fnr is not null order by avtale_id, lopenr desc
           ) ny
           where v.avtale_id = ny.avtale_id and v.deltaker_fnr <> ny.deltaker_fnr`,
    values: [avtaleIder],
  });
}

/** The next avtaler, in the order of avtaleId. */
export async function readNextAvtaler(db: Db, after: string, count: number): Promise<string[]> {
  const { rows } = await db.query<{ avtale_id: string }>(
    'select avtale_id from avtale where avtale_id > $1 order by avtale_id limit $2',
    [after, count],
  );
  return rows.map((row) => row.avtale_id);
}

/** Of these, those that consumers may see, and those that are stored and wrongly registered. */
export async function readVisibility(
  db: Db,
  avtaleIder: readonly string[],
): Promise<Record<'visible' | 'misregistered', Set<string>>> {
  const { rows } = await db.query<{ avtale_id: string; feilregistrert: boolean }>(
    'select avtale_id, feilregistrert from avtale where avtale_id = any($1::uuid[]) and slettet is null',
    [avtaleIder],
  );
  const having = (value: boolean): Set<string> =>
    new Set(rows.filter(({ feilregistrert }) => feilregistrert === value).map(({ avtale_id: id }) => id));
  return { visible: having(false), misregistered: having(true) };
}

/** Those of these avtaler whose history bears more than one ident, locked against the writers that would change it. */
export async function lockWithFormerIdents(db: Db, avtaleIder: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ avtale_id: string }>(
    `select avtale_id from avtale where avtale_id in (
       select avtale_id from avtale_versjon where avtale_id = any($1) and ny_deltaker and deltaker_fnr is not null
       group by avtale_id having min(deltaker_fnr) <> max(deltaker_fnr))
     order by avtale_id for update`,
    [avtaleIder],
  );
  return rows.map((row) => row.avtale_id);
}

/** Last in its transaction: it waits for others that do the same, and those that look have seen it then. */
export async function noteFormerIdents(db: Db): Promise<void> {
  await db.query('update instans set tidligere_identer_kom = tidligere_identer_kom + 1');
}

/**
 * How often a history had got a former ident, when some may be there still: what is not told of here comes after, and is
 * told of then. It waits for those that have noted it and are not committed, who else would be missed.
 */
export async function formerIdentsToForget(db: Db): Promise<string | undefined> {
  const { rows } = await db.query<{ kom: string; gikk: string }>(
    'select tidligere_identer_kom as kom, tidligere_identer_gikk as gikk from instans for update',
  );
  const [row] = rows;
  return row && row.kom !== row.gikk ? row.kom : undefined;
}

/** All that had come by then are gone. */
export async function noteForgotten(db: Db, kom: string): Promise<void> {
  await db.query('update instans set tidligere_identer_gikk = greatest(tidligere_identer_gikk, $1)', [kom]);
}

/** An avtale, and the place of the message that deleted it. */
export interface Deletion {
  avtaleId: string;
  position: Position;
}

/** Also of what is no avtale: the reason is what the page calls it. */
export const BYTES_OF_DELETED = `nokkel = null, verdi = null, innhold_fjernet = now(),
  innhold_fjernet_aarsak = 'AVTALE_SLETTET', tilstand = 'FORKASTET', behandlet = now(), begrunnelse = 'AVTALE_SLETTET'`;

/**
 * The bytes of parked messages that name deleted avtaler go too, and nobody needs to look at them any more. One that lies
 * after the deletion tells of an avtale that may have come back. What lies before what, `er_foer_sletting` says in the
 * schema, as `comparePositions` does; where a time is unknown, the bytes go.
 */
export async function deleteParkedBytes(db: Db, topic: string, deletions: Deletion[]): Promise<void> {
  if (deletions.length === 0) return;
  await db.query({
    name: 'slett_parkert_innhold',
    text: `update parkert_melding p set ${BYTES_OF_DELETED}
           from unnest($2::uuid[], $3::int[], $4::bigint[], $5::int[], $6::bigint[],
             $7::bigint[]) as s(avtale_id, partisjon, kafka_offset, epoke, skrevet, slett_foer)
           where p.innhold_fjernet is null and p.avtaler @> array[s.avtale_id]
             and (p.topic <> $1 or er_foer_sletting(p.epoke, p.partisjon, p.kafka_offset, p.skrevet,
               s.epoke, s.partisjon, s.kafka_offset, s.skrevet, s.slett_foer))`,
    values: [
      topic,
      deletions.map(({ avtaleId }) => avtaleId),
      deletions.map(({ position }) => position.partition),
      deletions.map(({ position }) => position.offset),
      deletions.map(({ position }) => position.epoch),
      deletions.map(({ position }) => position.writtenAt ?? null),
      deletions.map(({ position }) => position.deletesBefore ?? null),
    ],
  });
}

/** Rows as `changeRow` makes them. */
export async function insertChanges(db: Db, rows: string[]): Promise<void> {
  await copyRows(db, 'endring (avtale_id, type, aarsak)', rows);
}

/** The last that a transaction tells of each avtale. */
export type LastTold = ReadonlyMap<string, Change['type']>;

/**
 * Whether a transaction that readers of the change feed meet after this one has said otherwise of any of the avtaler. There
 * are few lines of later transactions, if any: it costs a look at the end of the index. The upper bound keeps it so where
 * the table has no statistics yet: a range has a low guess, all that is above something a third. For that it is not
 * prepared either.
 */
export async function toldOtherwiseLater(db: Db, told: LastTold): Promise<boolean> {
  if (told.size === 0) return false;
  const { rowCount } = await db.query({
    text: `${TOLD_OTHERWISE_LATER} limit 1`,
    values: [[...told.keys()], [...told.values()]],
  });
  return rowCount !== 0;
}

/** The same, where the answer is not looked at: it is the database that fails. */
export async function requireNotToldOtherwiseLater(tx: Pipeline, told: LastTold): Promise<void> {
  if (told.size === 0) return;
  await tx.query({
    text: demand(`not exists (${TOLD_OTHERWISE_LATER})`, 'endring'),
    values: [[...told.keys()], [...told.values()]],
  });
}

const TOLD_OTHERWISE_LATER = `
  select from (
    select distinct on (avtale_id) avtale_id, type from endring
    where tx > pg_current_xact_id() and tx < pg_snapshot_xmax(pg_current_snapshot())
    order by avtale_id, tx desc, lopenr desc) siden
  join unnest($1::uuid[], $2::text[]) as fortalt(avtale_id, type) using (avtale_id)
  where siden.type <> fortalt.type`;

/** With one reason, unresolved and with their bytes; of what comes beyond these the bytes stay on the topic. */
export const MAX_PARKED_WITH_BYTES = 10_000;

/**
 * A message that is parked already stays as it is: a replay changes nothing. Of one that lies before the deletion of what it
 * names, on a partition that is read later, the bytes go at once.
 *
 * @param most with their bytes, of each reason; undefined where the topic is not read again, and all must be kept
 */
export async function insertParked(
  db: Db,
  { topic, epoch, partition }: TopicPartition,
  messages: readonly ParkedMessage[],
  most: number | undefined,
): Promise<void> {
  if (messages.length === 0) return;
  const room =
    most === undefined ? undefined : await readRoom(db, [...new Set(messages.map(({ code }) => code))], most);
  const rows = messages.map((message) => {
    const left = room?.get(message.code) ?? (room ? 0 : Infinity);
    room?.set(message.code, left - 1);
    const length = message.value?.length ?? null;
    return { ...message, length, ...(left > 0 ? packBytes(message, room !== undefined) : leaveOut(message)) };
  });
  await db.query({
    name: 'parker',
    text: `insert into parkert_melding
             (topic, partisjon, epoke, kafka_offset, nokkel, verdi, utelatt, avtrykk, kode, felt, aarsak, skrevet,
              lengde, slett_foer)
           select $1, $2, $12::int, * from unnest($3::bigint[], $4::bytea[], $5::bytea[], $6::boolean[], $7::bytea[], $8::text[],
             $9::text[], $10::text[], $11::timestamptz[], $13::int[], $14::bigint[])
           on conflict do nothing`,
    values: [
      topic,
      partition,
      rows.map(({ position }) => position.offset),
      rows.map(({ key }) => key),
      rows.map(({ value }) => value),
      rows.map(({ leftOut }) => leftOut),
      rows.map(({ fingerprint }) => fingerprint),
      rows.map(({ code }) => code),
      rows.map(({ field }) => field),
      rows.map(({ reason }) => reason),
      rows.map(({ writtenAt }) => (writtenAt === undefined ? null : new Date(writtenAt))),
      epoch,
      rows.map(({ length }) => length),
      rows.map(({ deleteBefore }) => deleteBefore ?? null),
    ],
  });
  await db.query({
    name: 'slett_parkert_av_slettede',
    text: `update parkert_melding p set ${BYTES_OF_DELETED}
           from avtale a
           where p.topic = $1 and p.partisjon = $2 and p.epoke = $3 and p.kafka_offset = any($4::bigint[])
             and p.innhold_fjernet is null and a.avtale_id = any(p.avtaler) and a.slettet is not null
             and er_foer_sletting(p.epoke, p.partisjon, p.kafka_offset, p.skrevet,
               a.kilde_epoke, a.kilde_partisjon, a.kilde_offset, a.kilde_skrevet, a.kilde_slett_foer)`,
    values: [topic, partition, epoch, rows.map(({ position }) => position.offset)],
  });
}

/** How many more of each reason may have their bytes here. */
async function readRoom(db: Db, codes: string[], most: number): Promise<Map<string, number>> {
  const { rows } = await db.query<{ kode: string; antall: number }>({
    name: 'plass_til_parkerte',
    text: `select k.kode, (select count(*)::int from (
             select from parkert_melding p where p.kode = k.kode and p.tilstand = 'PARKERT'
               and p.innhold_fjernet is null and not p.utelatt limit $2) med) as antall
           from unnest($1::text[]) as k(kode)`,
    values: [codes, most],
  });
  return new Map(rows.map(({ kode: code, antall: count }) => [code, most - count]));
}
