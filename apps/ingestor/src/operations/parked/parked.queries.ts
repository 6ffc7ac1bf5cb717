import type { ParkingReason } from '@tiltak/avtale';
import type { Pool, PoolClient } from 'pg';
import { unpackValue } from '../../ingest/parked-bytes.ts';
import { fingerprintOf } from '../../ingest/parse.ts';
import type { RawMessage } from '../../kafka/batch.ts';
import type { TopicPartition } from '../../kafka/positions.queries.ts';
import type { PartitionExtent } from '../../kafka/topic-admin.ts';
import { UNDECODABLE } from '../held/held.queries.ts';

export const PARKED_STATES = ['PARKERT', 'SPILT_AV', 'FORKASTET'] as const;

/** What somebody may discard a message for. No words of their own: they could hold what the message does. */
export const DISCARD_REASONS = ['TESTMELDING', 'FEIL_HOS_KILDEN', 'ERSTATTET', 'IKKE_EN_AVTALE', 'ANNET'] as const;
export type DiscardReason = (typeof DISCARD_REASONS)[number];

/** With what nobody chose: its avtale was deleted. */
export const ALL_DISCARD_REASONS = [...DISCARD_REASONS, 'AVTALE_SLETTET'] as const;

/** Why the bytes of a message are gone. */
export const REMOVAL_REASONS = ['SPILT_AV', 'FORKASTET', 'AVTALE_SLETTET', 'FRIST'] as const;

export interface ParkedFilter {
  kode?: string | undefined;
  felt?: string | undefined;
  tilstand?: (typeof PARKED_STATES)[number] | undefined;
  /** only those whose bytes are here */
  withBytes?: boolean | undefined;
}

/** A parked message without its bytes. */
export interface ParkedRow {
  id: string;
  topic: string;
  partisjon: number;
  offset: string;
  kode: string;
  felt: string | null;
  aarsak: string;
  tilstand: (typeof PARKED_STATES)[number];
  forsok: number;
  parkert: Date;
  behandlet: Date | null;
  behandletAv: string | null;
  begrunnelse: (typeof ALL_DISCARD_REASONS)[number] | null;
  innholdFjernet: Date | null;
  innholdFjernetAarsak: (typeof REMOVAL_REASONS)[number] | null;
  /** its bytes are on the topic only */
  utelatt: boolean;
}

export interface ParkedRowWithBytes extends ParkedRow {
  nokkel: Buffer | null;
  /** as it came; says nothing when it is left out */
  verdi: Buffer | null;
  /** of the topic that it lay on */
  epoke: number;
  /** The timestamp of its record. When it was parked, for those from before that was kept: it can't have been written later. */
  skrevet: Date;
  /** of a tombstone: the offset that it does not delete beyond */
  slettFoer: string | null;
  /** of the message as it came */
  avtrykk: Buffer;
}

const COLUMNS = `id, topic, partisjon, kafka_offset as "offset", kode, felt, aarsak, tilstand, forsok, parkert, behandlet,
  behandlet_av as "behandletAv", begrunnelse, innhold_fjernet as "innholdFjernet",
  innhold_fjernet_aarsak as "innholdFjernetAarsak", utelatt`;
const withValue = (value: string): string =>
  `${COLUMNS}, nokkel, ${value} as verdi, avtrykk, epoke, coalesce(skrevet, parkert) as skrevet, slett_foer as "slettFoer"`;
const WITH_BYTES = withValue('verdi');

const FILTER = `($1::text is null or kode = $1) and ($2::text is null or felt = $2) and ($3::text is null or tilstand = $3)`;

/** In the order they were parked, from after `after`. */
export async function listParked(
  db: Pool,
  { kode: code, felt: field, tilstand: state, withBytes = false }: ParkedFilter,
  after: string,
  count: number,
): Promise<ParkedRow[]> {
  const { rows } = await db.query<ParkedRow>(
    `select ${COLUMNS} from parkert_melding
     where ${FILTER} and id > $4 and ($6 = false or innhold_fjernet is null and not utelatt) order by id limit $5`,
    [code ?? null, field ?? null, state ?? null, after, count, withBytes],
  );
  return rows;
}

export async function readParked(db: Pool | PoolClient, id: string): Promise<ParkedRowWithBytes | undefined> {
  const { rows } = await db.query<ParkedRowWithBytes>(`select ${WITH_BYTES} from parkert_melding where id = $1`, [id]);
  return rows.map(unpacked)[0];
}

function unpacked(row: ParkedRowWithBytes): ParkedRowWithBytes {
  return { ...row, verdi: row.utelatt ? null : unpackValue(row.verdi) };
}

/** Which of those that wait an action is about. */
export interface Selected {
  kode?: string | undefined;
  felt?: string | undefined;
  /** none newer than this */
  until: string;
  /** the action on many, which has tried some of them by now */
  by?: string | undefined;
}

const SELECTED = `tilstand = 'PARKERT' and ($1::text is null or kode = $1) and ($2::text is null or felt = $2) and id <= $3`;

/** Not those that the action has tried in vain: it goes on in another process, or a part of its piece has failed. */
const untriedBy = (param: string): string => `(${param}::bigint is null or proevd_samlet is distinct from ${param})`;

/** A whole batch is read by itself when it is replayed: it is not to be here beside others. */
const VALUE_OF_MESSAGE = `case when kode <> '${UNDECODABLE}' then verdi end`;

/**
 * Those with their bytes here, in the order of their places, from after that of `after`; of a whole batch without them. In
 * that order, since a deletion takes the bytes of what waits and lies before it: that must have been played by then.
 *
 * @param after the id of one of them, or '0'
 * @param most how many, and how many bytes of them when they are unpacked; but one, whatever its size
 */
export async function readWaiting(
  db: Pool,
  { kode: code, felt: field, until, by }: Selected,
  after: string,
  most: { count: number; bytes: number },
): Promise<ParkedRowWithBytes[]> {
  const [place] = (
    await db.query<{ topic: string; epoke: number; partisjon: number; offset: string; avtrykk: Buffer }>(
      'select topic, epoke, partisjon, kafka_offset as "offset", avtrykk from parkert_melding where id = $1',
      [after],
    )
  ).rows;
  const from = place ?? { topic: '', epoke: -1, partisjon: -1, offset: '-1', avtrykk: Buffer.alloc(0) };
  const { rows } = await db.query<ParkedRowWithBytes>(
    `select ${withValue(VALUE_OF_MESSAGE)} from parkert_melding where id in (
       select id from (
         select id, row_number() over (order by ${PLACE}) as nr, sum(byte) over (order by ${PLACE}) as til_og_med from (
           select id, ${PLACE}, coalesce(octet_length(nokkel), 0)
             + coalesce(case when kode <> '${UNDECODABLE}' then coalesce(lengde, octet_length(verdi)) end, 0) as byte
           from parkert_melding where ${SELECTED} and innhold_fjernet is null and not utelatt
             and (${PLACE}) > ($6, $7::int, $8::int, $9::bigint, $10::bytea) and ${untriedBy('$11')}
           order by ${PLACE} limit $4) neste) maalt
       where nr = 1 or til_og_med <= $5)
     order by ${PLACE}`,
    [
      ...[code ?? null, field ?? null, until, most.count, most.bytes],
      ...[from.topic, from.epoke, from.partisjon, from.offset, from.avtrykk, by ?? null],
    ],
  );
  return rows.map(unpacked);
}

/** As the index has them. */
const PLACE = 'topic, epoke, partisjon, kafka_offset, avtrykk';

/** Where on the topic those lie whose bytes are only there. */
export async function readLeftOutExtents(
  db: Pool,
  { kode: code, felt: field, until, by }: Selected,
  { topic, epoch }: Omit<TopicPartition, 'partition'>,
): Promise<Pick<PartitionExtent, 'partition' | 'start' | 'end'>[]> {
  const { rows } = await db.query<{ partisjon: number; fra: string; til: string }>(
    `select partisjon, min(kafka_offset) as fra, max(kafka_offset) + 1 as til from parkert_melding
     where ${SELECTED} and topic = $4 and epoke = $5 and innhold_fjernet is null and utelatt and ${untriedBy('$6')}
     group by partisjon`,
    [code ?? null, field ?? null, until, topic, epoch, by ?? null],
  );
  return rows.map(({ partisjon: partition, fra: start, til: end }) => ({
    partition,
    start: Number(start),
    end: Number(end),
  }));
}

/** Of those whose bytes are only there: the ones at these places. */
export async function readLeftOut(
  db: Pool,
  { kode: code, felt: field, until, by }: Selected,
  { topic, epoch, partition }: TopicPartition,
  offsets: readonly number[],
): Promise<ParkedRowWithBytes[]> {
  const { rows } = await db.query<ParkedRowWithBytes>(
    `select ${WITH_BYTES} from parkert_melding
     where ${SELECTED} and topic = $4 and partisjon = $5 and kafka_offset = any($6) and innhold_fjernet is null
       and utelatt and epoke = $7 and ${untriedBy('$8')} order by kafka_offset`,
    [code ?? null, field ?? null, until, topic, partition, offsets, epoch, by ?? null],
  );
  return rows.map(unpacked);
}

/** Those of them that still wait, locked until the transaction ends. */
export async function lockWaiting(db: PoolClient, ids: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ id: string }>(
    `select id from parkert_melding where id = any($1) and tilstand = 'PARKERT' and innhold_fjernet is null
     order by id for update`,
    [ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Of these messages, those that wait; locked until the transaction ends. */
export async function lockWaitingAmong(
  db: PoolClient,
  { topic, epoch, partition }: TopicPartition,
  messages: readonly RawMessage[],
): Promise<string[]> {
  const { rows } = await db.query<{ id: string; offset: string; avtrykk: Buffer }>(
    `select id, kafka_offset as "offset", avtrykk from parkert_melding
     where topic = $1 and partisjon = $2 and epoke = $4 and kafka_offset = any($3) and tilstand = 'PARKERT'
     order by id for update`,
    [topic, partition, messages.map(({ offset }) => offset), epoch],
  );
  if (rows.length === 0) return [];
  const byOffset = new Map(messages.map((message) => [message.offset, message]));
  return rows.flatMap(({ id, offset, avtrykk }) => {
    const message = byOffset.get(Number(offset));
    return message && fingerprintOf(message).equals(avtrykk) ? [id] : [];
  });
}

/** As much of a parked message as tells whether it can be acted on. */
export type ParkedState = Pick<ParkedRow, 'tilstand' | 'innholdFjernet'>;

/** Its state, and a lock on it until the transaction ends. */
export async function lockParked(db: PoolClient, id: string): Promise<ParkedState | undefined> {
  const { rows } = await db.query<ParkedState>(
    'select tilstand, innhold_fjernet as "innholdFjernet" from parkert_melding where id = $1 for update',
    [id],
  );
  return rows[0];
}

export async function markReplayed(db: PoolClient, ids: readonly string[], who: string): Promise<void> {
  await db.query(
    `update parkert_melding set tilstand = 'SPILT_AV', forsok = forsok + 1, behandlet = now(), behandlet_av = $2,
       nokkel = null, verdi = null, innhold_fjernet = coalesce(innhold_fjernet, now()),
       innhold_fjernet_aarsak = coalesce(innhold_fjernet_aarsak, 'SPILT_AV')
     where id = any($1)`,
    [ids, who],
  );
}

/** Tried in vain, for the reason given. One that somebody else is done with by now stays so. */
export async function markStillParked(
  db: PoolClient,
  id: string,
  who: string,
  { code, field, reason }: Omit<ParkingReason, 'code'> & { code: string },
): Promise<void> {
  await db.query(
    `update parkert_melding set forsok = forsok + 1, behandlet = now(), behandlet_av = $2, kode = $3, felt = $4, aarsak = $5
     where id = $1 and tilstand = 'PARKERT'`,
    [id, who, code, field, reason],
  );
}

/** As `markStillParked`, of several. */
export async function markAllStillParked(
  db: PoolClient,
  parked: readonly { id: string; code: string; field: string | null; reason: string }[],
  who: string,
): Promise<void> {
  await db.query(
    `update parkert_melding p set forsok = forsok + 1, behandlet = now(), behandlet_av = $2, kode = n.kode, felt = n.felt,
       aarsak = n.aarsak
     from unnest($1::bigint[], $3::text[], $4::text[], $5::text[]) as n(id, kode, felt, aarsak)
     where p.id = n.id and p.tilstand = 'PARKERT'`,
    [
      parked.map(({ id }) => id),
      who,
      parked.map(({ code }) => code),
      parked.map(({ field }) => field),
      parked.map(({ reason }) => reason),
    ],
  );
}

/** @returns how many of them the action had not tried yet */
export async function markTriedBy(db: PoolClient, bulk: string, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const { rowCount } = await db.query(
    'update parkert_melding set proevd_samlet = $1 where id = any($2::bigint[]) and proevd_samlet is distinct from $1',
    [bulk, ids],
  );
  return rowCount ?? 0;
}

/** As `markDiscarded`, of the next of those that wait. @returns their ids, in order */
export async function discardNext(
  db: PoolClient,
  { kode: code, felt: field, until }: Selected,
  { after, count }: { after: string; count: number },
  { who, reason }: { who: string; reason: string },
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `with neste as (
       select id from parkert_melding where ${SELECTED} and id > $4 order by id limit $5 for update
     ), forkastet as (
       update parkert_melding p set tilstand = 'FORKASTET', behandlet = now(), behandlet_av = $6, begrunnelse = $7,
         nokkel = null, verdi = null, innhold_fjernet = coalesce(innhold_fjernet, now()),
         innhold_fjernet_aarsak = coalesce(innhold_fjernet_aarsak, 'FORKASTET')
       from neste where p.id = neste.id returning p.id
     )
     select id from forkastet order by id`,
    [code ?? null, field ?? null, until, after, count, who, reason],
  );
  return rows.map(({ id }) => id);
}

/** Its bytes go, unless they are gone already. */
export async function markDiscarded(db: PoolClient, id: string, who: string, reason: DiscardReason): Promise<void> {
  await db.query(
    `update parkert_melding set tilstand = 'FORKASTET', behandlet = now(), behandlet_av = $2, begrunnelse = $3,
       nokkel = null, verdi = null, innhold_fjernet = coalesce(innhold_fjernet, now()),
       innhold_fjernet_aarsak = coalesce(innhold_fjernet_aarsak, 'FORKASTET')
     where id = $1`,
    [id, who, reason],
  );
}

export interface ParkedCount {
  kode: string;
  felt: string | null;
  antall: number;
}

/** Those that wait, by reason. */
export async function countParked(db: Pool): Promise<ParkedCount[]> {
  const { rows } = await db.query<ParkedCount>(
    `select kode, felt, count(*)::int as antall from parkert_melding where tilstand = 'PARKERT'
     group by kode, felt order by antall desc, kode, felt`,
  );
  return rows;
}

/** What has been kept for long enough goes: see `rydd_parkerte` in the schema. */
export async function pruneParked(db: Pool): Promise<void> {
  await db.query('select rydd_parkerte()');
}

/** Of those that wait, how many have their bytes on the topic only. */
export async function countLeftOut(db: Pool): Promise<number> {
  const { rows } = await db.query<{ antall: number }>(
    `select count(*)::int as antall from parkert_melding where tilstand = 'PARKERT' and innhold_fjernet is null and utelatt`,
  );
  return rows[0]?.antall ?? 0;
}

/** Seconds since the oldest that nobody has resolved was parked; 0 when there is none. */
export async function readOldestAge(db: Pool): Promise<number> {
  const { rows } = await db.query<{ age: number }>(
    `select coalesce(extract(epoch from now() - min(parkert)), 0)::float8 as age from parkert_melding
     where tilstand = 'PARKERT'`,
  );
  return rows[0]?.age ?? 0;
}

/** Whether it is, or was, the topic of another resource than avtaler. */
export async function isOfResource(db: Pool, topic: string): Promise<boolean> {
  const { rowCount } = await db.query('select from ressurs_status where topic = $1 limit 1', [topic]);
  return rowCount !== 0;
}
