import { isUuid } from '@tiltak/avtale';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { Pool } from 'pg';
import { MESSAGES_IN_PIECE, type GiveWay } from '../background/give-way.ts';
import type { Publisher } from '../kafka/publisher.ts';
import type { Writer } from '../ingest/writer.ts';
import { recordAction, type Actor } from '../operations/actions.queries.ts';
import type { MessageBatch } from '../kafka/batch.ts';
import { readTopicOnce, type Topic } from '../kafka/topic-reader.ts';
import { oneAtATime, showInMetrics } from './avstemming.ts';
import { readReport, type DifferenceType } from './avstemming.queries.ts';

/** Those of a type that can be healed; of NYERE only the source can say what is right. */
export const REPAIRABLE = ['FREMMED', 'MANGLER', 'UTDATERT'] as const satisfies DifferenceType[];
export type Repairable = (typeof REPAIRABLE)[number];

export interface RepairResult {
  rettet: number;
  /** those that remain: for the source to send again, or changed since the report */
  igjen: number;
}

const CHUNK = 5_000;

/** Heals what a reconciliation found. What is too fresh to count is left alone. */
export class AvstemmingRepair {
  constructor(
    private readonly pool: Pool,
    private readonly writer: Writer,
    private readonly publisher: Publisher,
    private readonly topic: Topic,
    private readonly giveWay: GiveWay,
  ) {}

  /**
   * Deletes the avtaler that the source does not have, by tombstones on the topic, so that every replay agrees. Each
   * deletes what the report saw and nothing after: an avtale that has changed since stays.
   *
   * @param confirm how many the one who asks means to delete
   * @throws Problem 404, 409 when there are another number of them, 503
   */
  deleteForeign(id: string, confirm: number, who: Actor): Promise<RepairResult> {
    return this.repair(id, 'FREMMED', who, async (count) => {
      if (confirm !== count) {
        throw new Problem(PROBLEMS.KONFLIKT, `There are ${String(count)} to delete, and bekreft says another number`);
      }
      const { partitions } = await this.publisher.describe();
      for (let after: string | undefined, chunk = CHUNK; chunk === CHUNK;) {
        const rows = await this.nextForeign(id, after);
        const unchanged = rows.filter((row) => row.unchanged);
        await this.publisher.publish(
          unchanged.map(({ avtaleId, partisjon: partition, offset }) => ({
            key: avtaleId,
            value: null,
            // Beside what it deletes. That lies nowhere any more when the topic was made anew, maybe with fewer.
            partition: partition % partitions.length,
            deleteBefore: Number(offset) + 1,
          })),
        );
        await this.markRepaired(
          id,
          unchanged.map(({ avtaleId }) => avtaleId),
        );
        after = rows.at(-1)?.avtaleId;
        chunk = rows.length;
      }
      await this.markGone(id);
    });
  }

  /**
   * Plays what the topic holds of the avtaler that are missing or outdated, by the ordering rule. What it does not hold
   * remains, for the source to send again.
   *
   * @throws Problem 404, 409, 503
   */
  readBack(id: string, type: Exclude<Repairable, 'FREMMED'>, who: Actor): Promise<RepairResult> {
    return this.repair(id, type, who, async () => {
      const pieces = this.giveWay.inPieces(MESSAGES_IN_PIECE);
      await readTopicOnce(this.topic, await this.topic.describe(), (batch) =>
        pieces.each(batch.messages, (messages) => this.replay(id, type, { ...batch, messages })),
      );
      await this.pool.query(
        `update avstemming_differanse d set rettet = now() from avtale a
         where d.avstemming = $1 and d.type = $2 and not d.fersk and d.rettet is null
           and a.avtale_id = d.avtale_id and a.slettet is null and a.sist_endret >= d.sist_endret_hos_kilden`,
        [id, type],
      );
    });
  }

  private repair(
    id: string,
    type: Repairable,
    who: Actor,
    work: (count: number) => Promise<void>,
  ): Promise<RepairResult> {
    return oneAtATime(this.pool, async () => {
      const before = await this.remaining(id, type);
      await recordAction(this.pool, who, { handling: `RETT_${type}`, gjelder: id, antall: before });
      if (before > 0 || type === 'FREMMED') await work(before);
      const report = await readReport(this.pool, id);
      if (report) showInMetrics(report);
      const remaining = await this.remaining(id, type);
      return { rettet: before - remaining, igjen: remaining };
    });
  }

  /** @throws Problem 404 */
  private async remaining(id: string, type: Repairable): Promise<number> {
    const counts = (await readReport(this.pool, id))?.differanser.find((difference) => difference.type === type);
    if (!counts) throw new Problem(PROBLEMS.FINNES_IKKE, 'There is no reconciliation with this id');
    return counts.antall - counts.rettet;
  }

  private async nextForeign(id: string, after: string | undefined): Promise<Foreign[]> {
    const { rows } = await this.pool.query<Foreign>(
      `select avtale_id as "avtaleId", d.partisjon, d.kafka_offset as "offset",
         a.slettet is null and a.kilde_epoke = d.epoke and a.kilde_partisjon = d.partisjon
           and a.kilde_offset = d.kafka_offset as unchanged
       from avstemming_differanse d join avtale a using (avtale_id)
       where d.avstemming = $1 and d.type = 'FREMMED' and not d.fersk and d.rettet is null
         and ($2::uuid is null or avtale_id > $2)
       order by avtale_id limit ${String(CHUNK)}`,
      [id, after ?? null],
    );
    return rows;
  }

  private async markRepaired(id: string, avtaleIder: string[]): Promise<void> {
    await this.pool.query(
      `update avstemming_differanse set rettet = now()
       where avstemming = $1 and type = 'FREMMED' and avtale_id = any($2::uuid[])`,
      [id, avtaleIder],
    );
  }

  /** Those that have been deleted: by who was killed before it could note what it had published, or by the source. */
  private async markGone(id: string): Promise<void> {
    await this.pool.query(
      `update avstemming_differanse d set rettet = now() from avtale a
       where d.avstemming = $1 and d.type = 'FREMMED' and not d.fersk and d.rettet is null
         and a.avtale_id = d.avtale_id and a.slettet is not null`,
      [id],
    );
  }

  /** The same reading, ordering rule and store as for the stream, at the messages' own places. */
  private async replay(id: string, type: Repairable, batch: MessageBatch): Promise<void> {
    const keys = batch.messages.map(({ key }) => key?.toString('latin1').toLowerCase() ?? '');
    const avtaleIder = keys.filter(isUuid);
    const { rows } = await this.pool.query<{ avtaleId: string }>(
      `select avtale_id as "avtaleId" from avstemming_differanse
       where avstemming = $1 and type = $2 and not fersk and rettet is null and avtale_id = any($3::uuid[])`,
      [id, type, avtaleIder],
    );
    const wanted = new Set(rows.map(({ avtaleId }) => avtaleId));
    const messages = batch.messages.filter((_, i) => wanted.has(keys[i] ?? ''));
    if (messages.length === 0) return;
    const { topic, epoch, partition } = batch;
    const record = (): Promise<void> => Promise.resolve();
    await this.writer.write({ topic, epoch, partition, select: () => Promise.resolve({ messages, record }) });
  }
}

interface Foreign {
  avtaleId: string;
  partisjon: number;
  offset: string;
  /** what is stored is what the report saw */
  unchanged: boolean;
}
