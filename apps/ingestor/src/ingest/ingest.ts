import { createHash } from 'node:crypto';
import {
  sameRelationAvtale,
  comparePositions,
  foldMessages,
  parseMessage,
  type Change,
  type Fold,
  type ParkingReason,
  type PositionedMessage,
} from '@tiltak/avtale';
import { type DeltakerId } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import type { MessageBatch, RawMessage } from '../kafka/batch.ts';
import { toldLater, insertLinkChanges, lockDeltakere } from '../relations/relations.queries.ts';
import { repairRelations } from '../relations/relations.ts';
import { inTransaction } from '../database/transaction.ts';
import { avtaleRow, changeRow, encodeContent, versionRow, type EncodedContent } from './avtaler.rows.ts';
import {
  lockPosition,
  insertChanges,
  insertVersions,
  readStates,
  updateStored,
  repairDeviations,
  insertParked,
  ConcurrentChangeError,
  insertNew,
  setPosition,
  deleteHistory,
  type StoredAvtale,
  type ParkedMessage,
} from './avtaler.queries.ts';
import { RefusalCounter, refusedReason } from './refused.ts';

/** What a batch came to, for the metrics. */
export interface IngestResult {
  /** where consumption of the partition goes on; not always after this batch, see `Meldingsbatch` */
  nextOffset: number;
  folds: Fold<EncodedContent>[];
  parked: ParkedMessage[];
  alreadyProcessed: number;
}

/** What became of avtaler, and what was known about them before. */
export interface WrittenPart {
  folds: Fold<EncodedContent>[];
  known: Map<string, StoredAvtale>;
}

/** Messages that were played: what they came to, and those that can't be used. */
export interface Written {
  parts: WrittenPart[];
  parked: ParkedMessage[];
}

/** The stored position does not fit the topic, which must be looked at before anything is consumed. */
export class UnknownPositionError extends Error {}

/** Reads batches from Kafka into Postgres, each in one transaction together with the position that follows it. */
export class Ingest {
  constructor(
    private readonly pool: Pool,
    private readonly deltakerId: DeltakerId,
  ) {}

  /**
   * Each message takes effect exactly once, or is parked with a reason. A row that the database itself refuses is
   * found by halving the batch, and only that message is parked.
   *
   * @throws when the database can't be reached or is busy, or refuses so much that the fault can't be the messages':
   * nothing has happened then, and the batch is to be tried again
   */
  async ingestBatch(batch: MessageBatch): Promise<IngestResult> {
    const whole = {
      ...batch,
      write: (db: PoolClient, fresh: readonly RawMessage[]) => this.write(db, batch.partition, fresh),
    };
    try {
      return await inTransaction(this.pool, (db) => ingestFromPosition(db, whole));
    } catch (error) {
      if (!refusedReason(error)) throw error;
      const refusals = new RefusalCounter();
      const write: Write = (db, fresh) => this.writeHalving(db, batch.partition, fresh, refusals);
      return inTransaction(this.pool, (db) => ingestFromPosition(db, { ...batch, write }));
    }
  }

  /**
   * Plays messages of a partition, each at its own place, in the caller's transaction, which holds the partition's
   * position (`lockPosition`). The caller parks what could not be read, and ends with `updateRelations`.
   */
  async write(db: PoolClient, partition: number, messages: readonly RawMessage[]): Promise<Written> {
    const { perAvtale, parkert: parked } = parseMessages(messages, partition);
    const known = await readStates(db, [...perAvtale.keys()]);
    const folds = [...perAvtale].map(([avtaleId, positioned]) =>
      foldMessages(avtaleId, known.get(avtaleId), positioned, (avtale) => encodeContent(avtale, this.deltakerId)),
    );
    await store(db, folds, known);
    return { parts: [{ folds, known }], parked };
  }

  /** As `skriv`; a message that the database refuses is among those to be parked. */
  writeOrPark(db: PoolClient, partition: number, messages: readonly RawMessage[]): Promise<Written> {
    return this.writeHalving(db, partition, messages, new RefusalCounter());
  }

  /**
   * Makes stored avtaler what these messages say today, where a message is the one that decided the state: the mapping
   * may be another by now, or somebody may have changed the row. Content with another fingerprint is a version of its own.
   *
   * @returns what was put right
   */
  async repairFromMessages(db: PoolClient, partition: number, messages: readonly RawMessage[]): Promise<WrittenPart> {
    const { perAvtale } = parseMessages(messages, partition);
    const known = await readStates(db, [...perAvtale.keys()]);
    const deciding = [...perAvtale].flatMap(([avtaleId, positioned]) => {
      const stored = known.get(avtaleId);
      const message = stored && positioned.find(({ position }) => comparePositions(position, stored.position) === 0);
      return message
        ? [
            repairFold(
              stored,
              foldMessages(avtaleId, undefined, [message], (a) => encodeContent(a, this.deltakerId)),
            ),
          ]
        : [];
    });
    const rows = deciding.flatMap(({ avtaleId, state, content }) =>
      state ? [avtaleRow(avtaleId, state, content, known.get(avtaleId))] : [],
    );
    const repaired = await repairDeviations(db, rows);
    const folds = deciding.filter(({ avtaleId }) => repaired.has(avtaleId));
    const versions = folds.filter(({ avtaleId, state }) => state?.fingerprint !== known.get(avtaleId)?.fingerprint);
    await insertVersions(
      db,
      versions.flatMap((fold) => fold.versions.map(({ content, position }) => versionRow(content, position))),
    );
    await insertChanges(
      db,
      folds.flatMap((fold) => fold.changes.map(changeRow)),
    );
    return { folds, known };
  }

  /** Behind a savepoint; what the database refuses is halved until it is one message, which is to be parked. */
  private async writeHalving(
    db: PoolClient,
    partition: number,
    messages: readonly RawMessage[],
    refusals: RefusalCounter,
  ): Promise<Written> {
    await db.query('savepoint del');
    try {
      const written = await this.write(db, partition, messages);
      await db.query('release savepoint del');
      return written;
    } catch (error) {
      const reason = refusedReason(error);
      if (!reason) throw error;
      await db.query('rollback to savepoint del; release savepoint del');
      const [only, ...more] = messages;
      if (only && more.length === 0) {
        refusals.count(error);
        return { parts: [], parked: [toParked(only, partition, reason)] };
      }
    }
    const middle = messages.length >> 1;
    const first = await this.writeHalving(db, partition, messages.slice(0, middle), refusals);
    const others = await this.writeHalving(db, partition, messages.slice(middle), refusals);
    return { parts: [...first.parts, ...others.parts], parked: [...first.parked, ...others.parked] };
  }
}

/** What a message alone comes to, seen from a row that may say something else. */
function repairFold(stored: StoredAvtale, fold: Fold<EncodedContent>): Fold<EncodedContent> {
  const { avtaleId, state } = fold;
  if (!state) return fold;
  // A tombstone doesn't say when what it deleted was changed.
  const right = state.deleted === 'GRAVSTEIN' ? { ...state, sistEndret: stored.sistEndret } : state;
  const away: Change[] = [{ avtaleId, type: 'SLETTET', reason: state.deleted ? 'SLETTET' : 'FEILREGISTRERT' }];
  const wasVisible = stored.deleted === null && !stored.feilregistrert;
  const isVisible = state.deleted === null && !state.feilregistrert;
  return { ...fold, state: right, changes: isVisible ? fold.changes : wasVisible ? away : [] };
}

type Write = (db: PoolClient, fresh: readonly RawMessage[]) => Promise<Written>;

/** Stores what of the batch is not stored yet, and the position after it. */
async function ingestFromPosition(db: PoolClient, batch: MessageBatch & { write: Write }): Promise<IngestResult> {
  const position = await lockPosition(db, batch);
  if (position === undefined || position > batch.endOffset) {
    throw new UnknownPositionError(`topic ${batch.topic}, partition ${batch.partition}`);
  }
  // The database is behind where Kafka was read from, for instance restored from a backup: go back to its position.
  if (position < batch.fetchedFrom) return { nextOffset: position, folds: [], parked: [], alreadyProcessed: 0 };

  const fresh = batch.messages.filter(({ offset }) => offset >= position);
  const { parts, parked } = await batch.write(db, fresh);
  await insertParked(db, batch, parked);
  const nextOffset = Math.max(position, batch.nextOffset);
  await setPosition(db, batch, nextOffset);
  await updateRelations(db, parts);
  const folds = parts.flatMap((part) => part.folds);
  return { nextOffset, folds, parked, alreadyProcessed: batch.messages.length - fresh.length };
}

/** The usable messages per avtale, in the order of the topic, and the others with the reason. */
export function parseMessages(
  messages: readonly RawMessage[],
  partition: number,
): { perAvtale: Map<string, PositionedMessage[]>; parkert: ParkedMessage[] } {
  const perAvtale = new Map<string, PositionedMessage[]>();
  const parked: ParkedMessage[] = [];
  for (const raw of messages) {
    const parsed = parseMessage(raw.key, raw.value, raw.deleteBefore);
    if (!parsed.ok) {
      parked.push(toParked(raw, partition, parsed.reason));
      continue;
    }
    const { message } = parsed;
    const avtaleId = message.type === 'AVTALE' ? message.avtale.avtaleId : message.avtaleId;
    const positioned = { message, position: { partition, offset: raw.offset } };
    const list = perAvtale.get(avtaleId);
    if (list) list.push(positioned);
    else perAvtale.set(avtaleId, [positioned]);
  }
  return { perAvtale, parkert: parked };
}

function toParked({ key, value, offset }: RawMessage, partition: number, reason: ParkingReason): ParkedMessage {
  const fingerprint = createHash('sha256')
    .update(key ?? '')
    .update('\0')
    .update(value ?? '')
    .digest();
  return { position: { partition, offset }, key, value, fingerprint, ...reason };
}

/** Set-based: a handful of statements whatever the size of the batch. */
async function store(db: PoolClient, folds: Fold<EncodedContent>[], known: Map<string, StoredAvtale>): Promise<void> {
  const fresh: string[] = [];
  const updated: string[] = [];
  for (const { avtaleId, state, content } of folds) {
    if (!state) continue;
    const stored = known.get(avtaleId);
    (stored ? updated : fresh).push(avtaleRow(avtaleId, state, content, stored));
  }
  await insertNew(db, fresh);
  await updateStored(db, updated);
  await deleteHistory(
    db,
    folds.filter((fold) => fold.eraseHistory && known.has(fold.avtaleId)).map((fold) => fold.avtaleId),
  );
  await insertVersions(
    db,
    folds.flatMap((fold) => fold.versions.map(({ content, position }) => versionRow(content, position))),
  );
  await insertChanges(
    db,
    folds.flatMap((fold) => fold.changes.map(changeRow)),
  );
}

/**
 * Last in the transaction, since others may wait for the locks, and since whoever holds them must not wait for anything
 * else: batches of other partitions change other avtaler of the same participants at the same time.
 *
 * @throws ConcurrentChangeError
 */
export async function updateRelations(db: PoolClient, parts: readonly WrittenPart[]): Promise<void> {
  const deltakere = [...new Set(parts.flatMap(affectedDeltakere))];
  if (deltakere.length === 0) return;
  await lockDeltakere(db, deltakere);
  // Another batch linked to it before this one could delete it, and readers of the feed would meet that last.
  if (await toldLater(db, deletedRelationAvtaler(parts))) throw new ConcurrentChangeError();
  const changed = await repairRelations(db, deltakere);
  for (const { avtaleId, changes } of parts.flatMap(({ folds }) => folds)) {
    if (changes.length > 0) changed.delete(avtaleId);
  }
  await insertLinkChanges(db, [...changed]);
}

/** The participants of the avtaler in which something changed that a rule can see. */
function affectedDeltakere({ folds, known }: WrittenPart): string[] {
  const deltakere = new Set<string>();
  for (const { avtaleId, state, content } of folds) {
    const [before, now] = [known.get(avtaleId)?.member, content?.member];
    if (!state || sameRelationAvtale(before, now)) continue;
    for (const avtale of [before, now]) if (avtale) deltakere.add(avtale.deltakerId);
  }
  return [...deltakere];
}

/** The avtaler that others could link to until now, and that consumers no longer see. */
function deletedRelationAvtaler(parts: readonly WrittenPart[]): string[] {
  const couldLinkTo = (avtaleId: string): boolean => parts.some(({ known }) => known.get(avtaleId)?.member);
  return parts
    .flatMap(({ folds }) => folds)
    .filter(({ avtaleId, changes }) => changes.some(({ type }) => type === 'SLETTET') && couldLinkTo(avtaleId))
    .map(({ avtaleId }) => avtaleId);
}
