import { hash } from 'node:crypto';
import { resourceLock } from '@tiltak/database';
import {
  foldResource,
  parserOf,
  type ParseResourceMessage,
  type PositionedResourceMessage,
  type Resource,
  type ResourceFold,
  type ResourceValues,
} from '@tiltak/resource';
import type { Pool, PoolClient } from 'pg';
import type { GiveWay } from '../background/give-way.ts';
import type { RawMessage } from '../kafka/batch.ts';
import { lockPosition, type TopicPartition } from '../kafka/positions.queries.ts';
import { insertParked } from './avtaler.queries.ts';
import { toParked, type ParkedMessage, type Source } from './parse.ts';
import { refusedReason } from './refused.ts';
import { untold, type ToldType } from './told.ts';
import { removeRows, repairDeviations, type Follow } from './resource-repair.ts';
import { ResourceQueries, type EncodedResource } from './resource.queries.ts';
import { inAttempts } from './try-again.ts';

/** What the ingestor does with a resource; one folder of `resources/` for each. */
export interface ResourceIngest {
  resource: Resource;
  /** the setting that names its topic; without a value it is off */
  topicVariable: string;
  /** Told of the keys before these are written; what it answers with is done after that, in the same transaction. */
  follow?: Follow;
  /** Holds all that follows from its rows against these, and puts right what differs when told to. Answers with how many did. */
  check?: (pool: Pool, options: CheckOptions) => Promise<number>;
  /** what goes on for it in the background while it has a topic */
  jobs?: (parts: { pool: Pool; giveWay: GiveWay }) => ResourceJob[];
}

export interface CheckOptions {
  repair: boolean;
  /** in the transaction that puts them right, how many did differ: whoever asks again finds none of them */
  record?: (db: PoolClient, count: number) => Promise<void>;
}

interface ResourceJob {
  start: () => void;
  stop: () => Promise<void>;
}

/** What messages of a resource came to. */
export interface ResourceWritten {
  folds: ResourceFold<EncodedResource>[];
  parked: ParkedMessage[];
  /** of `repair`: keys of rows that were not what their messages say */
  repaired: string[];
}

/** As `WriteTask` of avtaler. */
export interface ResourceTask<T> extends TopicPartition {
  select: (
    db: PoolClient,
    position: number | undefined,
  ) => Promise<
    | {
        messages: readonly RawMessage[];
        record: (written: ResourceWritten) => Promise<T>;
        /** it is told what they would come to, and nothing else is stored than what `record` does */
        undo?: boolean;
      }
    | { answer: T }
  >;
  /** false for messages that are parked already */
  park?: boolean;
  /** As of avtaler: rows that do not say what the messages say that decided them are put right. */
  repair?: boolean;
}

/**
 * The one door to what a resource says, by its table of fields alone. A write is one transaction, as of avtaler: the
 * partition's position is locked, the caller selects, each message takes effect once or is parked with a reason, the
 * caller records, and what follows from it is brought up to date.
 *
 * Who writes a resource has a lock on all of it, from before the transaction has an id: the change feed is read in the order
 * of ids, and what one transaction says of a row that another has just changed must not come before it.
 */
export class ResourceWriter {
  private readonly queries: ResourceQueries;
  private readonly parse: ParseResourceMessage;

  constructor(
    private readonly pool: Pool,
    private readonly ingest: ResourceIngest,
  ) {
    this.queries = new ResourceQueries(ingest.resource);
    this.parse = parserOf(ingest.resource);
  }

  get name(): string {
    return this.ingest.resource.name;
  }

  /** Of which these told, also by a message that can't be used. */
  keysOf({ folds, parked }: ResourceWritten): string[] {
    const unusable = parked.flatMap(({ key }) => this.queries.asKey(key) ?? []);
    return [...new Set([...folds.map(({ key }) => key), ...unusable])];
  }

  /**
   * What the database refuses by what it says of the data is parked alone, found by writing message by message.
   *
   * @throws when the database can't be reached or is busy: nothing has happened then, and it may be tried again
   */
  async write<T>(task: ResourceTask<T>): Promise<T> {
    try {
      return await inAttempts(this.pool, (db) => this.perform(db, task, false));
    } catch (error) {
      if (!refusedReason(error)) throw error;
    }
    return inAttempts(this.pool, (db) => this.perform(db, task, true));
  }

  private async perform<T>(db: PoolClient, task: ResourceTask<T>, oneByOne: boolean): Promise<T> {
    await this.takeLock(db);
    const selected = await task.select(db, await lockPosition(db, task));
    if ('answer' in selected) return selected.answer;
    const { messages, record, undo = false } = selected;
    if (undo) await db.query('savepoint uendret');
    const written = await (oneByOne ? this.playEach(db, task, messages) : this.play(db, task, messages));
    // Where its topic is not read again, all bytes are kept.
    if (task.park !== false) await insertParked(db, task, written.parked, undefined);
    if (task.repair) {
      const changed = written.folds.filter(({ changes }) => changes.length > 0).map(({ key }) => key);
      written.repaired = [...new Set([...changed, ...(await this.repair(db, task, messages))])];
    }
    const deletions = written.folds.flatMap(({ key, erasedAt }) => erasedAt.map((position) => ({ key, position })));
    await this.queries.deleteParkedBytes(db, task.topic, deletions);
    if (undo) await db.query('rollback to savepoint uendret');
    return record(written);
  }

  /**
   * Removes what nobody tells of any more, as if it had never been told of: what comes later of it counts, however old.
   *
   * @param choose once they are locked, which of them are to go; undefined: all is off
   * @param record in the same transaction, what went
   */
  remove(
    keys: readonly string[],
    choose: (db: PoolClient) => Promise<ReadonlySet<string> | undefined>,
    record: (db: PoolClient, removed: readonly string[]) => Promise<void>,
  ): Promise<void> {
    return inAttempts(this.pool, async (db) => {
      await this.takeLock(db);
      const known = await this.queries.lockStates(db, keys);
      const chosen = await choose(db);
      if (!chosen) return;
      const going = new Map([...known].filter(([key, { deleted }]) => deleted === null && chosen.has(key)));
      await removeRows(db, this.queries, { going, follow: this.ingest.follow });
      await record(db, [...going.keys()]);
    });
  }

  /**
   * Of each of these of which the change feed says otherwise than what is stored, it tells.
   *
   * @param readTold once nobody else writes, what the feed says last of them
   * @param record in the same transaction, of how many it told
   */
  tell(
    keys: readonly string[],
    readTold: (db: PoolClient) => Promise<ReadonlyMap<string, ToldType>>,
    record: (db: PoolClient, count: number) => Promise<void>,
  ): Promise<void> {
    return inAttempts(this.pool, async (db) => {
      await this.takeLock(db);
      const known = await this.queries.lockStates(db, keys);
      const there = new Set([...known].flatMap(([key, { deleted }]) => (deleted === null ? [key] : [])));
      const changes = untold(keys, await readTold(db), there);
      await this.queries.deleteHistory(
        db,
        changes.filter(({ type }) => type === 'SLETTET').map(({ key }) => key),
      );
      await this.queries.insertChanges(db, changes);
      await record(db, changes.length);
    });
  }

  private async takeLock(db: PoolClient): Promise<void> {
    await db.query(`select pg_advisory_xact_lock(${resourceLock(this.ingest.resource.table)})`);
  }

  private async repair(db: PoolClient, source: Source, messages: readonly RawMessage[]): Promise<string[]> {
    const { perKey } = this.parseAll(messages, source);
    return repairDeviations(db, this.queries, { perKey, encode: this.encode, follow: this.ingest.follow });
  }

  private async play(db: PoolClient, source: Source, messages: readonly RawMessage[]): Promise<ResourceWritten> {
    const { perKey, parked } = this.parseAll(messages, source);
    const known = await this.queries.lockStates(db, [...perKey.keys()]);
    const folds = [...perKey].map(([key, positioned]) => foldResource(key, known.get(key), positioned, this.encode));
    const { queries } = this;
    // What was said once more has nothing that follows it.
    const changed = folds
      .filter(({ key, state }) => state && state.fingerprint !== known.get(key)?.fingerprint)
      .map(({ key }) => key);
    const follow = changed.length > 0 ? await this.ingest.follow?.(db, changed) : undefined;
    await queries.write(
      db,
      folds.flatMap(({ key, state, content }) => (state ? [{ key, state, content, known: known.get(key) }] : [])),
    );
    await queries.writeMemory(
      db,
      folds.flatMap(({ key, remembered }) => (remembered ? [{ key, state: remembered }] : [])),
    );
    // Also where no row is: somebody may have taken it away, and not what it was.
    const erased = folds.filter(({ eraseHistory }) => eraseHistory);
    await queries.deleteHistory(
      db,
      erased.map(({ key }) => key),
    );
    await queries.insertVersions(
      db,
      folds.flatMap(({ versions }) => versions),
    );
    await queries.insertChanges(
      db,
      folds.flatMap(({ key, changes }) => changes.map((type) => ({ key, type }))),
    );
    await follow?.();
    return { folds, parked, repaired: [] };
  }

  private async playEach(db: PoolClient, source: Source, messages: readonly RawMessage[]): Promise<ResourceWritten> {
    const all: ResourceWritten = { folds: [], parked: [], repaired: [] };
    for (const message of messages) {
      await db.query('savepoint en');
      try {
        const { folds, parked } = await this.play(db, source, [message]);
        all.folds.push(...folds);
        all.parked.push(...parked);
      } catch (error) {
        const reason = refusedReason(error);
        if (!reason) throw error;
        await db.query('rollback to savepoint en');
        all.parked.push(toParked(message, source, reason));
      }
      await db.query('release savepoint en');
    }
    return all;
  }

  private parseAll(
    messages: readonly RawMessage[],
    source: Source,
  ): { perKey: Map<string, PositionedResourceMessage[]>; parked: ParkedMessage[] } {
    const perKey = new Map<string, PositionedResourceMessage[]>();
    const parked: ParkedMessage[] = [];
    for (const raw of messages) {
      const parsed = this.parse(raw.key, raw.value, raw);
      if (!parsed.ok) {
        parked.push(toParked(raw, source, parsed.reason));
        continue;
      }
      const { message } = parsed;
      const { epoch, partition } = source;
      const positioned = { message, position: { epoch, partition, offset: raw.offset, writtenAt: raw.writtenAt } };
      const list = perKey.get(message.key);
      if (list) list.push(positioned);
      else perKey.set(message.key, [positioned]);
    }
    return { perKey, parked };
  }

  private readonly encode = (values: ResourceValues): EncodedResource => {
    const columns = Object.keys(this.ingest.resource.fields).map((field) => values[field] ?? null);
    const hex = hash('sha256', JSON.stringify(columns), 'hex').slice(0, 32);
    return { columns, fingerprint: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') };
  };
}
