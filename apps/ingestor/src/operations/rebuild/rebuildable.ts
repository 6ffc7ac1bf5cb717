import type { Pool, PoolClient } from 'pg';
import type { ParkedMessage } from '../../ingest/parse.ts';
import { columnsOf } from '../../ingest/resource-columns.ts';
import type { ResourceIngest, ResourceWriter } from '../../ingest/resource-writer.ts';
import type { Writer } from '../../ingest/writer.ts';
import type { RawMessage } from '../../kafka/batch.ts';
import type { TopicPartition } from '../../kafka/positions.queries.ts';
import type { Topic } from '../../kafka/topic-reader.ts';
import {
  deleteSeen,
  nameUnseen,
  readProgress,
  readUnseen,
  recordSeen,
  type RebuildProgress,
} from './rebuild.queries.ts';
import {
  chooseUnseen,
  deleteSeenKeys,
  lockPositions,
  nameUnseenKeys,
  readRepairedKeys,
  readResourceProgress,
  readUndecided,
  readUnseenKeys,
  recordRepairedKeys,
  recordSeenKeys,
  setDecided,
  setNamed,
} from './resource-rebuild.queries.ts';

/** What messages that were read again came to. */
export interface ReadAgain {
  /** of which the topic tells */
  keys: string[];
  parked: ParkedMessage[];
  /** of rows that were not what their messages say, and are by now, unless it is undone */
  repaired: string[];
}

export interface ReadAgainTask<T> extends TopicPartition {
  select: (
    db: PoolClient,
  ) => Promise<
    { messages: readonly RawMessage[]; record: (read: ReadAgain) => Promise<T>; undo: boolean } | { answer: T }
  >;
}

/** What can be built anew from its topic: avtaler, or a resource. */
export interface Rebuildable {
  /** as `ressurs` names it */
  name: string;
  topic: Topic;
  /** Stores messages at their own places, as the stream does, and puts right what does not say what they say. */
  write: <T>(task: ReadAgainTask<T>) => Promise<T>;
  /** before a plan is made, in the same transaction */
  prepare?: (db: PoolClient) => Promise<void>;
  recordSeen: (db: PoolClient, id: string, keys: readonly string[]) => Promise<void>;
  /** @returns how many of them had not been counted before */
  recordRepaired: (db: PoolClient, id: string, keys: readonly string[]) => Promise<number>;
  /** @returns the last that was looked at; undefined when there are no more */
  nameUnseen: (id: string, after: string | undefined, count: number) => Promise<string | undefined>;
  deleteSeen: (count: number) => Promise<number>;
  readProgress: () => Promise<RebuildProgress | undefined>;
  readUnseen: (id: string, after: string | null, count: number) => Promise<string[]>;
  /** undefined: what the topic does not tell of is named, and stays */
  removal: Removal | undefined;
}

/** Of what the topic does not tell of any more. */
export interface Removal {
  /** All is named. @returns whether it may go without anybody saying so; undefined when the rebuild is over */
  setNamed: (id: string) => Promise<{ isConfirmed: boolean } | undefined>;
  /** @returns whether there may be more */
  remove: (id: string, count: number) => Promise<boolean>;
  /** What follows from all rows is held against these. @returns how much of it was wrong, and is right by now */
  check: (options: { repair: boolean }) => Promise<number>;
  /** Keys of rows that were not what their messages say, as many as are named. */
  readRepaired: (id: string, after: string | null, count: number) => Promise<string[]>;
}

export function rebuildAvtaler(pool: Pool, writer: Writer, topic: Topic): Rebuildable {
  return {
    name: 'avtaler',
    topic,
    write: ({ select, ...place }) =>
      writer.write({
        ...place,
        repair: true,
        select: async (db) => {
          const selected = await select(db);
          if ('answer' in selected) return selected;
          const { messages, record } = selected;
          return {
            messages,
            record: ({ folds, parked, repaired }) =>
              record({
                keys: folds.map(({ avtaleId }) => avtaleId),
                parked,
                repaired: repaired.map(({ avtaleId }) => avtaleId),
              }),
          };
        },
      }),
    recordSeen,
    recordRepaired: (_db, _id, keys) => Promise.resolve(keys.length),
    nameUnseen: (id, after, count) => nameUnseen(pool, id, after, count),
    deleteSeen: (count) => deleteSeen(pool, count),
    readProgress: () => readProgress(pool, topic.name),
    readUnseen: (id, after, count) => readUnseen(pool, id, after, count),
    removal: undefined,
  };
}

/** @param maxPercent more than this share does not go before somebody says so */
export function rebuildResource(
  pool: Pool,
  ingest: ResourceIngest,
  { writer, topic, maxPercent }: { writer: ResourceWriter; topic: Topic; maxPercent: number },
): Rebuildable {
  const columns = columnsOf(ingest.resource);
  return {
    name: ingest.resource.name,
    topic,
    write: ({ select, ...place }) =>
      writer.write({
        ...place,
        repair: true,
        select: async (db) => {
          const selected = await select(db);
          if ('answer' in selected) return selected;
          const { messages, record, undo } = selected;
          return {
            messages,
            undo,
            record: (written) =>
              record({ keys: writer.keysOf(written), parked: written.parked, repaired: written.repaired }),
          };
        },
      }),
    prepare: (db) => lockPositions(db, topic.name),
    recordSeen: recordSeenKeys,
    recordRepaired: recordRepairedKeys,
    nameUnseen: (id, after, count) => nameUnseenKeys(pool, id, columns, { after, count }),
    deleteSeen: (count) => deleteSeenKeys(pool, count),
    readProgress: () => readResourceProgress(pool, topic.name),
    readUnseen: (id, after, count) => readUnseenKeys(pool, id, after, count),
    removal: {
      setNamed: (id) => setNamed(pool, id, columns, maxPercent),
      remove: async (id, count) => {
        const keys = await readUndecided(pool, id, count);
        if (keys.length === 0) return false;
        await writer.remove(
          keys,
          (db) => chooseUnseen(db, id, keys),
          (db, removed) => setDecided(db, id, keys, removed),
        );
        return true;
      },
      check: (options) => ingest.check?.(pool, options) ?? Promise.resolve(0),
      readRepaired: (id, after, count) => readRepairedKeys(pool, id, after, count),
    },
  };
}
