import type { Db } from '../database/db.ts';
import { demand } from '../database/demand.ts';
import type { Pipeline } from '../database/pipeline.ts';

/** Where a partition is, and where a group of messages takes it. */
export interface Move {
  partition: number;
  epoch: number;
  from: number;
  to: number;
}

/** What is read before anything is locked. */
export interface Stand {
  /** by partition */
  positions: Map<number, { position: number; epoch: number }>;
  /** whether the person register has said of anybody that there are several idents */
  hasPersons: boolean;
}

export async function readStand(db: Db, topic: string, partitions: readonly number[]): Promise<Stand> {
  const { rows } = await db.query<{ partisjon: number; neste_offset: string; epoke: number; personer: boolean }>({
    name: 'les_stilling',
    text: `select partisjon, neste_offset, epoke, exists (select from personident) as personer
           from konsum_offset where topic = $1 and partisjon = any($2::int[])`,
    values: [topic, partitions],
  });
  return {
    positions: new Map(
      rows.map((row) => [row.partisjon, { position: Number(row.neste_offset), epoch: row.epoke }] as const),
    ),
    hasPersons: rows.some((row) => row.personer),
  };
}

/**
 * Locks the positions, in the order of partitions as everybody does, and fails unless they are where they were. The id of
 * the transaction, which the change feed is ordered by, is given when the first is locked.
 */
export async function requirePositions(tx: Pipeline, topic: string, moves: readonly Move[]): Promise<void> {
  await tx.query({
    text: demand(
      'count(*) = $2::int',
      'posisjon',
      `from (
         select from konsum_offset k
         join unnest($3::int[], $4::int[], $5::bigint[]) as lest(partisjon, epoke, neste_offset)
           on k.partisjon = lest.partisjon and k.epoke = lest.epoke and k.neste_offset = lest.neste_offset
         where k.topic = $1 order by k.partisjon for update of k) laast`,
    ),
    values: [
      topic,
      moves.length,
      moves.map(({ partition }) => partition),
      moves.map(({ epoch }) => epoch),
      moves.map(({ from }) => from),
    ],
  });
}

/** See `setPosition`. */
export async function movePositions(tx: Pipeline, topic: string, moves: readonly Move[]): Promise<void> {
  await tx.query({
    text: `update konsum_offset k set neste_offset = flyttet.til
           from unnest($2::int[], $3::bigint[]) as flyttet(partisjon, til)
           where k.topic = $1 and k.partisjon = flyttet.partisjon`,
    values: [topic, moves.map(({ partition }) => partition), moves.map(({ to }) => to)],
  });
}
