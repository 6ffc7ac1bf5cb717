import { PROBLEMS, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import type { EntityManager } from 'typeorm';

/**
 * The number of the topic that has this id, among those that have had the name; a new id is given the next. The first is
 * 0 where something was stored before ids were kept: that lies on it, as far as anybody can tell.
 */
export async function findEpoch(
  db: EntityManager,
  topic: string,
  topicId: string,
): Promise<{ epoch: number; isNew: boolean }> {
  const known = await db.query<{ epoke: number }[]>(EPOCH, [topic, topicId]);
  if (known[0]) return { epoch: known[0].epoke, isNew: false };
  const inserted = await db.query<{ epoke: number }[]>(
    `insert into topic_epoke (topic, topic_id, epoke)
     select $1, $2, case
       when not exists (select from topic_epoke where topic = $1)
         and (exists (select from konsum_offset where topic = $1) or not exists (select from konsum_offset)) then 0
       else coalesce((select max(epoke) + 1 from topic_epoke), 1) end
     on conflict (topic, topic_id) do nothing returning epoke`,
    [topic, topicId],
  );
  if (inserted[0]) return { epoch: inserted[0].epoke, isNew: true };
  // Another ingestor has noticed it at the same moment.
  const [other] = await db.query<{ epoke: number }[]>(EPOCH, [topic, topicId]);
  if (!other) throw new Error('The epoch of a topic is gone');
  return { epoch: other.epoke, isNew: false };
}

/** Whether the topic has had another id: one that is read for the first time, beside others, has not. */
export async function hasOtherEpochs(db: EntityManager, topic: string, topicId: string): Promise<boolean> {
  const others = 'select from topic_epoke where topic = $1 and topic_id <> $2 limit 1';
  return (await db.query<unknown[]>(others, [topic, topicId])).length > 0;
}

const EPOCH = 'select epoke from topic_epoke where topic = $1 and topic_id = $2';

/** @throws Problem 503 when the topic has never been read by the stream */
export async function readEpoch(db: Pool | PoolClient, topic: string, topicId: string): Promise<number> {
  const { rows } = await db.query<{ epoke: number }>(EPOCH, [topic, topicId]);
  if (!rows[0]) throw new Problem(PROBLEMS.UTILGJENGELIG, 'The topic has not been read yet', { retryAfter: 10 });
  return rows[0].epoke;
}
