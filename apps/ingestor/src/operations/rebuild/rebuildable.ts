import type { Pool, PoolClient } from 'pg';
import type { ParkedMessage } from '../../ingest/parse.ts';
import { columnsOf } from '../../ingest/resource-columns.ts';
import type { ResourceIngest, ResourceWriter } from '../../ingest/resource-writer.ts';
import type { Writer } from '../../ingest/writer.ts';
import type { RawMessage } from '../../kafka/batch.ts';
import { lockPositions, type TopicPartition } from '../../kafka/positions.queries.ts';
import type { Topic } from '../../kafka/topic-reader.ts';
import type { CheckedFeed } from './feed-check.ts';
import type { SaidOfPersons } from './person-rebuild.queries.ts';
import { deleteRest } from './feed-check.queries.ts';
import {
  addRepaired,
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
  /** of the person register: what they say last of each */
  said?: SaidOfPersons;
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
  /** what is read is noted, and takes effect when all is: what waits parked is not done with before that */
  isAppliedLast?: boolean;
  /** Stores messages at their own places, as the stream does, and puts right what does not say what they say. */
  write: <T>(task: ReadAgainTask<T>) => Promise<T>;
  /** before a plan is made, in the same transaction */
  prepare?: (db: PoolClient) => Promise<void>;
  recordSeen: (db: PoolClient, id: string, read: ReadAgain) => Promise<void>;
  /** @returns how many of them had not been counted before */
  recordRepaired: (db: PoolClient, id: string, keys: readonly string[]) => Promise<number>;
  /** @returns the last that was looked at; undefined when there are no more */
  nameUnseen: (id: string, after: string | undefined, count: number) => Promise<string | undefined>;
  deleteSeen: (count: number) => Promise<number>;
  readProgress: () => Promise<RebuildProgress | undefined>;
  readUnseen: (id: string, after: string | null, count: number) => Promise<string[]>;
  /** the change feed of what is built anew; undefined: it has none */
  feed: CheckedFeed | undefined;
  /** undefined: what the topic does not tell of is named, and stays */
  removal: Removal | undefined;
}

/** Of what the topic does not tell of any more. */
export interface Removal {
  /** All is named. @returns whether it may go without anybody saying so; undefined when the rebuild is over */
  setNamed: (id: string) => Promise<{ isConfirmed: boolean } | undefined>;
  /** @returns whether there may be more */
  remove: (id: string, count: number) => Promise<boolean>;
  /**
   * What follows from all rows is held against these. What is put right is counted with it: a process may be killed before
   * it has said so.
   *
   * @returns of a report, how much is wrong, and is counted when the report ends
   */
  check: (id: string, options: { repair: boolean }) => Promise<number>;
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
    recordSeen: (db, id, { keys }) => recordSeen(db, id, keys),
    recordRepaired: (_db, _id, keys) => Promise.resolve(keys.length),
    nameUnseen: (id, after, count) => nameUnseen(pool, id, after, count),
    deleteSeen: async (count) =>
      (await deleteSeen(pool, count)) + (await deleteRest(pool, ['gjenoppbygging_fortalt'], count)),
    readProgress: () => readProgress(pool, topic.name),
    readUnseen: (id, after, count) => readUnseen(pool, id, after, count),
    feed: {
      columns: {
        ...{ feed: 'endring', table: 'avtale', key: 'avtale_id', keyType: 'uuid' },
        isVisible: '(slettet is null and not feilregistrert)',
      },
      tell: (keys, readTold, record) => writer.tell(topic.name, keys, readTold, record),
    },
    removal: undefined,
  };
}

const WORK_LISTS = ['gjenoppbygging_fortalt', 'gjenoppbygging_ressurs_talt'] as const;

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
    recordSeen: (db, id, { keys }) => recordSeenKeys(db, id, keys),
    recordRepaired: recordRepairedKeys,
    nameUnseen: (id, after, count) => nameUnseenKeys(pool, id, columns, { after, count }),
    deleteSeen: async (count) => (await deleteSeenKeys(pool, count)) + (await deleteRest(pool, WORK_LISTS, count)),
    readProgress: () => readResourceProgress(pool, topic.name),
    readUnseen: (id, after, count) => readUnseenKeys(pool, id, after, count),
    feed: {
      columns: { ...columns, feed: `${columns.table}_endring`, isVisible: '(slettet is null)' },
      tell: (keys, readTold, record) => writer.tell(keys, readTold, record),
    },
    removal: {
      setNamed: (id) =>
        setNamed(pool, id, `(select count(*) as alle from ${columns.table} where slettet is null)`, maxPercent),
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
      check: async (id, { repair }) => {
        const record = (db: PoolClient, count: number): Promise<void> => addRepaired(db, id, count);
        const wrong = (await ingest.check?.(pool, { repair, record })) ?? 0;
        return repair ? 0 : wrong;
      },
      readRepaired: (id, after, count) => readRepairedKeys(pool, id, after, count),
    },
  };
}
