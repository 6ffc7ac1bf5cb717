import type { Outcome } from '@tiltak/avtale';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../database/transaction.ts';
import type { ParkedMessage } from '../../ingest/parse.ts';
import { refusedReason } from '../../ingest/refused.ts';
import type { PersonWriter } from '../../ingest/person-writer.ts';
import type { Writer, Written } from '../../ingest/writer.ts';
import type { RawMessage } from '../../kafka/batch.ts';
import { UndecodableError } from '../../kafka/codecs.ts';
import type { TopicPartition } from '../../kafka/positions.queries.ts';
import { readBatch } from '../../kafka/record-set.ts';
import { recordAction, setActionCount, type Actor } from '../actions.queries.ts';
import { UNDECODABLE } from '../held/held.queries.ts';
import {
  readParked,
  lockParked,
  listParked,
  markStillParked,
  markDiscarded,
  markReplayed,
  type DiscardReason,
  type ParkedFilter,
  type ParkedRow,
  type ParkedRowWithBytes,
  type ParkedState,
} from './parked.queries.ts';

/** What a replay came to: what the ordering rule made of the message, or PARKERT when it still can't be used. */
export type ReplayOutcome = Outcome | 'PARKERT';

export interface ReplayResult {
  forsoekt: number;
  spiltAv: number;
  fortsattParkert: number;
  /** where to go on, when there are more than one call takes */
  neste?: string;
}

const MAX_PER_CALL = 1_000;
const CHUNK = 100;

/** Parked messages: replayed at the place they had on the topic, or discarded. */
export class ParkedReplay {
  constructor(
    private readonly pool: Pool,
    private readonly writer: Writer,
    /** of the person register; without a topic, nothing of it can be replayed */
    private readonly identer: { writer: PersonWriter; topic: string | undefined },
  ) {}

  /** @throws Problem 404, or 409 when somebody is done with it already or its bytes are gone */
  async replay(id: string, who: Actor): Promise<ReplayOutcome> {
    return this.tryReplay(id, who, (db) => recordAction(db, who, { handling: 'SPILL_AV', gjelder: id, antall: 1 }));
  }

  /** Those that wait and whose bytes are still there, in the order they were parked, each in a transaction of its own. */
  async replayMany(filter: Omit<ParkedFilter, 'tilstand'>, after: string, who: Actor): Promise<ReplayResult> {
    const appliesTo = [filter.kode, filter.felt].filter((part) => part !== undefined).join(' ') || 'alle';
    const action = await recordAction(this.pool, who, { handling: 'SPILL_AV_FLERE', gjelder: appliesTo, antall: null });
    const result: ReplayResult = { forsoekt: 0, spiltAv: 0, fortsattParkert: 0 };
    let last = after;
    for (let chunk = CHUNK; chunk === CHUNK && result.forsoekt < MAX_PER_CALL;) {
      const rows = await listParked(this.pool, { ...filter, tilstand: 'PARKERT', withBytes: true }, last, CHUNK);
      for (const { id } of rows) await this.countReplay(id, who, result);
      last = rows.at(-1)?.id ?? last;
      chunk = rows.length;
    }
    await setActionCount(this.pool, action, result.spiltAv);
    return result.forsoekt < MAX_PER_CALL ? result : { ...result, neste: last };
  }

  /** @throws Problem 404, or 409 when somebody is done with it already */
  async discard(id: string, reason: DiscardReason, who: Actor): Promise<void> {
    await inTransaction(this.pool, async (db) => {
      requireParked(await lockParked(db, id));
      await markDiscarded(db, id, who.hvem, reason);
      await recordAction(db, who, { handling: 'FORKAST', gjelder: id, antall: 1 });
    });
  }

  private async countReplay(id: string, who: Actor, result: ReplayResult): Promise<void> {
    try {
      const outcome = await this.tryReplay(id, who, () => Promise.resolve());
      result.forsoekt++;
      result[outcome === 'PARKERT' ? 'fortsattParkert' : 'spiltAv']++;
    } catch (error) {
      // Somebody else was first.
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** What the database refuses, also at the very end, stays parked for that reason. */
  private async tryReplay(
    id: string,
    who: Actor,
    noteAction: (db: PoolClient) => Promise<unknown>,
  ): Promise<ReplayOutcome> {
    try {
      return await this.replayOnce(id, who, noteAction);
    } catch (error) {
      const reason = reasonToStay(error);
      if (!reason) throw error;
      await inTransaction(this.pool, async (db) => {
        await markStillParked(db, id, who.hvem, reason);
        await noteAction(db);
      });
      return 'PARKERT';
    }
  }

  /** The same reading, ordering rule and store as for the stream, at the message's own place. */
  private async replayOnce(
    id: string,
    who: Actor,
    noteAction: (db: PoolClient) => Promise<unknown>,
  ): Promise<ReplayOutcome> {
    const message = requireParked(await readParked(this.pool, id));
    requireBytes(message, message);
    if (message.kode === UNDECODABLE) return this.replayBatch(message, who, noteAction);
    const { topic, partisjon: partition, epoke: epoch, nokkel: key, verdi: value, skrevet } = message;
    const messages = [{ offset: Number(message.offset), key, value, writtenAt: skrevet.getTime() }];
    const note = async (db: PoolClient, [reason]: ParkedMessage[]): Promise<void> => {
      if (reason) await markStillParked(db, id, who.hvem, reason);
      else await markReplayed(db, id, who.hvem);
      await noteAction(db);
    };
    const lock = async (db: PoolClient): Promise<void> =>
      requireBytes(requireParked(await lockParked(db, id)), message);
    const task = { topic, epoch, partition, park: false };
    if (topic === this.identer.topic) return this.replayIdent(messages, task, lock, note);
    return this.writer.write<ReplayOutcome>({
      ...task,
      select: async (db) => {
        await lock(db);
        return {
          messages,
          record: async (written) => {
            await note(db, written.parked);
            return written.parked.length > 0 ? 'PARKERT' : outcomeOf(written);
          },
        };
      },
    });
  }

  /** A batch that could not be read when it came: its messages, each at its own place; those that can't be used are parked. */
  private replayBatch(
    parked: ParkedRowWithBytes,
    who: Actor,
    noteAction: (db: PoolClient) => Promise<unknown>,
  ): Promise<ReplayOutcome> {
    const { id, topic, epoke: epoch, partisjon: partition } = parked;
    if (topic === this.identer.topic) throw new Problem(PROBLEMS.KONFLIKT, OVERTAKEN);
    const messages = readParkedBatch(parked);
    return this.writer.write<ReplayOutcome>({
      topic,
      epoch,
      partition,
      select: async (db) => {
        requireBytes(requireParked(await lockParked(db, id)), parked);
        return {
          messages,
          record: async (written) => {
            await markReplayed(db, id, who.hvem);
            await noteAction(db);
            return outcomeOf(written);
          },
        };
      },
    });
  }

  /** As long as it waits, nothing has come after it of the same key: see `discardOvertaken`. */
  private replayIdent(
    messages: readonly RawMessage[],
    task: TopicPartition & { park: boolean },
    lock: (db: PoolClient) => Promise<void>,
    note: (db: PoolClient, parked: ParkedMessage[]) => Promise<void>,
  ): Promise<ReplayOutcome> {
    return this.identer.writer.write<ReplayOutcome>({
      ...task,
      select: async (db) => {
        await lock(db);
        return {
          messages,
          record: async ({ parked }) => {
            await note(db, parked);
            return parked.length > 0 ? 'PARKERT' : 'TATT_INN';
          },
        };
      },
    });
  }
}

const OVERTAKEN =
  'A batch of the person register may have been overtaken by what came after it. Ask the register to send its persons again, then discard this';

function reasonToStay(error: unknown): { code: string; field: string | null; reason: string } | undefined {
  if (!(error instanceof UndecodableError)) return refusedReason(error);
  return { code: UNDECODABLE, field: null, reason: error.message };
}

/** @throws UndecodableError with what was said of it when it was parked, which tells of its offsets too */
function readParkedBatch({ verdi: content, offset, aarsak }: ParkedRowWithBytes): RawMessage[] {
  try {
    return readBatch(content ?? Buffer.alloc(0)).filter((message) => message.offset >= Number(offset));
  } catch {
    throw new UndecodableError(aarsak);
  }
}

/** Of one message, or the most that came of several. */
function outcomeOf({ folds }: Written): Outcome {
  const outcomes: Outcome[] = ['TATT_INN', 'FORELDET', 'SLETTET'];
  return outcomes.find((outcome) => folds.some((fold) => fold.outcomes[outcome] > 0)) ?? 'UENDRET';
}

/** @throws Problem 404, 409 */
function requireParked<T extends ParkedState>(row: T | undefined): T {
  if (row === undefined) throw new Problem(PROBLEMS.FINNES_IKKE, 'There is no parked message with this id');
  if (row.tilstand === 'PARKERT') return row;
  throw new Problem(PROBLEMS.KONFLIKT, `The message is not parked any more: ${row.tilstand}`);
}

/** @throws Problem 409 that tells where the message still is, and how it is read from there */
function requireBytes({ innholdFjernet: removed }: ParkedState, { topic, partisjon, offset }: ParkedRow): void {
  if (removed === null) return;
  throw new Problem(
    PROBLEMS.KONFLIKT,
    `The bytes of the message are removed after a year. The topic has it, unless compaction has taken it, at ` +
      `${topic}, partition ${String(partisjon)}, offset ${offset}: a rebuild (POST /drift/v1/gjenoppbygging) reads it ` +
      'again. Then discard this one',
  );
}
