import type { Pool } from 'pg';
import { MESSAGES_IN_PIECE, type GiveWay } from '../../background/give-way.ts';
import { inTransaction } from '../../database/transaction.ts';
import type { PersonWriter } from '../../ingest/person-writer.ts';
import { lockPositions } from '../../kafka/positions.queries.ts';
import type { Topic } from '../../kafka/topic-reader.ts';
import { deleteRest } from './feed-check.queries.ts';
import { chooseOtherwise, nameUnseenPersons, readOtherwise, recordSaid } from './person-rebuild.queries.ts';
import type { Rebuildable } from './rebuildable.ts';
import {
  chooseUnseen,
  countRepairedKeys,
  deleteSeenKeys,
  readRepairedKeys,
  readResourceProgress,
  readUndecided,
  readUnseenKeys,
  setDecided,
  setNamed,
} from './resource-rebuild.queries.ts';

/** Keys at a time; nobody writes avtaler while persons are changed. */
const REMOVED_AT_ONCE = 100;
const WORK_LISTS = ['gjenoppbygging_person', 'gjenoppbygging_ressurs_talt'] as const;

/**
 * The person register, whose last message of a key holds all there is to say of it, and of whose messages no place is
 * kept: read one after the other they would bring back what was. So what the topic says last of each is noted first, and
 * held against what is stored when all is read; what the stream has told of meanwhile is left to it.
 */
export function rebuildPersons(
  pool: Pool,
  writer: PersonWriter,
  { topic, giveWay, maxPercent }: { topic: Topic; giveWay: GiveWay; maxPercent: number },
): Rebuildable {
  const pieces = giveWay.inPieces(MESSAGES_IN_PIECE);
  const repair = async (id: string, isRepaired: boolean): Promise<void> => {
    for (let last: string | undefined, isMore = true; isMore;) {
      const page = await pieces.take((most) => readOtherwise(pool, id, { after: last, count: most }));
      await pieces.each(page.differing, (keys) =>
        isRepaired
          ? writer.set(
              topic.name,
              (db) => chooseOtherwise(db, id, keys),
              (db, repaired) => countRepairedKeys(db, id, repaired),
            )
          : inTransaction(pool, (db) => countRepairedKeys(db, id, keys)),
      );
      last = page.last;
      isMore = last !== undefined;
    }
  };
  return {
    name: 'identer',
    topic,
    isAppliedLast: true,
    write: ({ select, ...place }) => writer.readAgain({ ...place, select }),
    prepare: (db) => lockPositions(db, topic.name),
    recordSeen: (db, id, { said }) => recordSaid(db, id, said ?? new Map()),
    recordRepaired: () => Promise.resolve(0),
    nameUnseen: (id, after, count) => nameUnseenPersons(pool, id, { after, count }),
    deleteSeen: async (count) => (await deleteSeenKeys(pool, count)) + (await deleteRest(pool, WORK_LISTS, count)),
    readProgress: () => readResourceProgress(pool, topic.name),
    readUnseen: (id, after, count) => readUnseenKeys(pool, id, after, count),
    feed: undefined,
    removal: {
      setNamed: (id) =>
        setNamed(pool, id, '(select count(distinct registernoekkel) as alle from registerident)', maxPercent),
      remove: async (id, count) => {
        const keys = await readUndecided(pool, id, Math.min(count, REMOVED_AT_ONCE));
        if (keys.length === 0) return false;
        await writer.set(
          topic.name,
          async (db) => {
            const chosen = await chooseUnseen(db, id, keys);
            return chosen && new Map([...chosen].map((key) => [key, []]));
          },
          (db, removed) => setDecided(db, id, keys, removed),
        );
        return true;
      },
      check: async (id, options) => {
        await repair(id, options.repair);
        // Each is counted where it is put right.
        return 0;
      },
      readRepaired: (id, after, count) => readRepairedKeys(pool, id, after, count),
    },
  };
}
