import type { Outcome } from '@tiltak/avtale';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { MESSAGES_IN_PIECE, type GiveWay } from '../../background/give-way.ts';
import { inTransaction } from '../../database/transaction.ts';
import { fingerprintOf, type ParkedMessage } from '../../ingest/parse.ts';
import { readSince } from '../../ingest/persons.queries.ts';
import { refusedReason } from '../../ingest/refused.ts';
import type { PersonWriter } from '../../ingest/person-writer.ts';
import type { ResourceWriter } from '../../ingest/resource-writer.ts';
import type { Writer } from '../../ingest/writer.ts';
import type { RawMessage } from '../../kafka/batch.ts';
import { UndecodableError } from '../../kafka/codecs.ts';
import { readEpoch } from '../../kafka/epochs.queries.ts';
import type { TopicPartition } from '../../kafka/positions.queries.ts';
import { readBatch } from '../../kafka/record-set.ts';
import type { PartitionExtent, TopicDescription } from '../../kafka/topic-admin.ts';
import { readTopicOnce, type Topic } from '../../kafka/topic-reader.ts';
import { recordAction, setActionCount, type Actor } from '../actions.queries.ts';
import { UNDECODABLE } from '../held/held.queries.ts';
import {
  readParked,
  lockParked,
  listParked,
  isOfResource,
  markStillParked,
  markDiscarded,
  lockWaiting,
  markAllStillParked,
  markReplayed,
  readLeftOut,
  readLeftOutExtents,
  type DiscardReason,
  type ParkedFilter,
  type ParkedRow,
  type ParkedRowWithBytes,
  type ParkedState,
  type Selected,
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

/** What some messages came to, told in the transaction that they were played in: how many, and which of them can't be used. */
export type NoteReplayed = (
  db: PoolClient,
  came: { replayed: number; stillParked: readonly string[] },
) => Promise<unknown>;

const MAX_PER_CALL = 1_000;
const CHUNK = 100;

/** Parked messages: replayed at the place they had on the topic, or discarded. */
export class ParkedReplay {
  constructor(
    private readonly pool: Pool,
    private readonly writer: Writer,
    private readonly others: {
      /** of the person register; without a topic, nothing of it can be replayed */
      identer: { writer: PersonWriter; topic: string | undefined };
      /** of each resource that has a topic, by it */
      resources: ReadonlyMap<string, ResourceWriter>;
    },
    /** where the bytes are that are not here */
    private readonly topic: Topic,
    private readonly giveWay: GiveWay,
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

  /**
   * Some that wait and whose bytes are here, each partition's in a transaction of its own, in its order.
   *
   * @param note in each of these transactions, what of them it came to
   * @throws SystematicRefusalError, and when the database can't be reached
   */
  async replayChunk(rows: readonly ParkedRowWithBytes[], who: Actor, note: NoteReplayed): Promise<void> {
    const placeOf = (row: ParkedRowWithBytes): string =>
      [row.topic, row.epoke, row.partisjon, row.kode === UNDECODABLE].join(' ');
    for (const group of Map.groupBy(rows, placeOf).values()) {
      const [first] = group;
      if (!first) continue;
      const { topic, epoke: epoch, partisjon: partition } = first;
      const isAlone = topic === this.others.identer.topic || first.kode === UNDECODABLE;
      if (isAlone) for (const { id } of group) await this.replayAlone(id, who, note);
      // Of what nobody here reads nothing becomes.
      else if (await this.isRead(topic)) await this.replayTogether({ topic, epoch, partition }, group, who, note);
    }
  }

  /**
   * Those that wait and whose bytes are on the topic only, in the order of the topic. Of those that it doesn't have any
   * more nothing becomes.
   */
  async replayLeftOut(selected: Selected, who: Actor, note: NoteReplayed, signal: AbortSignal): Promise<void> {
    const { name: topic } = this.topic;
    const { description, epoch } = await this.describe();
    const wanted = await readLeftOutExtents(this.pool, selected, { topic, epoch });
    if (wanted.length === 0) return;
    const pieces = this.giveWay.inPieces({ ...MESSAGES_IN_PIECE, most: CHUNK });
    await readTopicOnce(
      this.topic,
      within(description, wanted),
      async ({ partition, messages }) => {
        const place = { topic, epoch, partition };
        const replaySome = async (part: readonly RawMessage[]): Promise<void> => {
          const offsets = part.map(({ offset }) => offset);
          const rows = await readLeftOut(this.pool, selected, place, offsets);
          const found = rows.flatMap((row) => withBytesOf(part, row) ?? []);
          if (found.length > 0) await this.replayTogether(place, found, who, note);
        };
        await pieces.each(messages, replaySome, signal);
      },
      { purpose: 'parkerte', signal },
    );
  }

  private async describe(): Promise<{ description: TopicDescription; epoch: number }> {
    const description = await this.topic.describe();
    return { description, epoch: await readEpoch(this.pool, this.topic.name, description.id) };
  }

  private async replayTogether(
    place: TopicPartition,
    rows: readonly ParkedRowWithBytes[],
    who: Actor,
    note: NoteReplayed,
  ): Promise<void> {
    try {
      await this.writerOf(place.topic).write<undefined>({
        ...place,
        park: false,
        select: async (db) => {
          const waiting = await lockWaiting(
            db,
            rows.map(({ id }) => id),
          );
          const chosen = rows.filter(({ id }) => waiting.has(id)).sort((a, b) => Number(a.offset) - Number(b.offset));
          if (chosen.length === 0) return { answer: undefined };
          return {
            messages: chosen.map(toRaw),
            record: async ({ parked }) => {
              await this.noteAll(db, chosen, parked, { who, note });
              return undefined;
            },
          };
        },
      });
    } catch (error) {
      // Refused at the very end: it is told of each alone.
      if (!refusedReason(error)) throw error;
      for (const { id } of rows) await this.replayAlone(id, who, note);
    }
  }

  private async noteAll(
    db: PoolClient,
    rows: readonly ParkedRowWithBytes[],
    parked: readonly ParkedMessage[],
    { who, note }: { who: Actor; note: NoteReplayed },
  ): Promise<void> {
    const keyOf = (offset: number, mark: Buffer): string => `${String(offset)} ${mark.toString('hex')}`;
    const reasons = new Map(parked.map((one) => [keyOf(one.position.offset, one.fingerprint), one]));
    const reasonOf = (row: ParkedRowWithBytes): ParkedMessage | undefined =>
      reasons.get(keyOf(Number(row.offset), row.avtrykk));
    const [unusable, used] = [rows.filter(reasonOf), rows.filter((row) => !reasonOf(row))];
    await markReplayed(
      db,
      used.map(({ id }) => id),
      who.hvem,
    );
    await markAllStillParked(
      db,
      unusable.flatMap((row) => {
        const { code, field, reason } = reasonOf(row) ?? {};
        return code === undefined || reason === undefined ? [] : [{ id: row.id, code, field: field ?? null, reason }];
      }),
      who.hvem,
    );
    await note(db, { replayed: used.length, stillParked: unusable.map(({ id }) => id) });
  }

  private async replayAlone(id: string, who: Actor, note: NoteReplayed): Promise<void> {
    try {
      await this.tryReplay(id, who, (db, outcome) =>
        note(db, outcome === 'PARKERT' ? { replayed: 0, stillParked: [id] } : { replayed: 1, stillParked: [] }),
      );
    } catch (error) {
      // Somebody else was first.
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** What the database refuses, also at the very end, stays parked for that reason. */
  private async tryReplay(
    id: string,
    who: Actor,
    noteAction: (db: PoolClient, outcome: 'PARKERT' | 'SPILT_AV') => Promise<unknown>,
  ): Promise<ReplayOutcome> {
    try {
      return await this.replayOnce(id, who, noteAction);
    } catch (error) {
      const reason = reasonToStay(error);
      if (!reason) throw error;
      await inTransaction(this.pool, async (db) => {
        // Somebody may have been first, since it was undone.
        requireParked(await lockParked(db, id));
        await markStillParked(db, id, who.hvem, reason);
        await noteAction(db, 'PARKERT');
      });
      return 'PARKERT';
    }
  }

  /** The same reading, ordering rule and store as for the stream, at the message's own place. */
  private async replayOnce(
    id: string,
    who: Actor,
    noteAction: (db: PoolClient, outcome: 'PARKERT' | 'SPILT_AV') => Promise<unknown>,
  ): Promise<ReplayOutcome> {
    const parked = requireParked(await readParked(this.pool, id));
    requireBytes(parked, parked, parked.topic === this.others.identer.topic);
    if (!(await this.isRead(parked.topic))) throw new Problem(PROBLEMS.KONFLIKT, notRead(parked.topic));
    if (parked.kode === UNDECODABLE) return this.replayBatch(parked, who, noteAction);
    const message = parked.utelatt ? await this.readFromTopic(parked) : parked;
    const { topic, epoke: epoch, partisjon: partition } = message;
    const messages = [toRaw(message)];
    const note = async (db: PoolClient, [reason]: ParkedMessage[]): Promise<void> => {
      if (reason) await markStillParked(db, id, who.hvem, reason);
      else await markReplayed(db, [id], who.hvem);
      await noteAction(db, reason ? 'PARKERT' : 'SPILT_AV');
    };
    const lock = async (db: PoolClient): Promise<void> =>
      requireBytes(requireParked(await lockParked(db, id)), message, topic === this.others.identer.topic);
    const task = { topic, epoch, partition, park: false };
    if (topic === this.others.identer.topic) return this.replayIdent(messages, task, lock, note);
    const writer = this.writerOf(topic);
    return writer.write<ReplayOutcome>({
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

  /** Of avtaler, or of the resource whose topic it is: both take messages at the place that they had. */
  private writerOf(topic: string): PlaceWriter {
    return this.others.resources.get(topic) ?? this.writer;
  }

  /** Not what is of a resource whose topic is off here: as an avtale it would be refused for what it is not. */
  private async isRead(topic: string): Promise<boolean> {
    return topic === this.topic.name || this.others.resources.has(topic) || !(await isOfResource(this.pool, topic));
  }

  /** A batch that could not be read when it came: its messages, each at its own place; those that can't be used are parked. */
  private replayBatch(
    parked: ParkedRowWithBytes,
    who: Actor,
    noteAction: (db: PoolClient, outcome: 'SPILT_AV') => Promise<unknown>,
  ): Promise<ReplayOutcome> {
    const { id, topic, epoke: epoch, partisjon: partition } = parked;
    const messages = readParkedBatch(parked);
    if (topic === this.others.identer.topic) return this.replayIdentBatch(parked, messages, who, noteAction);
    return this.writerOf(topic).write<ReplayOutcome>({
      topic,
      epoch,
      partition,
      select: async (db) => {
        requireBytes(requireParked(await lockParked(db, id)), parked, false);
        return {
          messages,
          record: async (written) => {
            await markReplayed(db, [id], who.hvem);
            await noteAction(db, 'SPILT_AV');
            return outcomeOf(written);
          },
        };
      },
    });
  }

  /** But for what the register has said of the same keys since. @throws Problem 409 when that was not noted */
  private replayIdentBatch(
    parked: ParkedRowWithBytes,
    messages: readonly RawMessage[],
    who: Actor,
    noteAction: (db: PoolClient, outcome: 'SPILT_AV') => Promise<unknown>,
  ): Promise<ReplayOutcome> {
    const { id, topic, epoke: epoch, partisjon: partition } = parked;
    return this.others.identer.writer.write<ReplayOutcome>({
      topic,
      epoch,
      partition,
      select: async (db) => {
        requireBytes(requireParked(await lockParked(db, id)), parked, true);
        const overtaken = await readSince(db, id);
        if (!overtaken) throw new Problem(PROBLEMS.KONFLIKT, OVERTAKEN);
        return {
          messages,
          overtaken,
          record: async ({ keys }) => {
            await markReplayed(db, [id], who.hvem);
            await noteAction(db, 'SPILT_AV');
            return keys.length > 0 ? 'TATT_INN' : 'FORELDET';
          },
        };
      },
    });
  }

  /** @throws Problem 409 when the topic doesn't have it any more, 503 when Kafka does not answer */
  private async readFromTopic(row: ParkedRowWithBytes): Promise<ParkedRowWithBytes> {
    const isIdent = row.topic !== this.topic.name;
    if (isIdent) throw gone(row, 'were not kept', true);
    const start = Number(row.offset);
    const { description, epoch } = await this.describe();
    let found: ParkedRowWithBytes | undefined;
    if (epoch === row.epoke) {
      const place = { partition: row.partisjon, start, end: start + 1 };
      const look = ({ messages }: { messages: readonly RawMessage[] }): Promise<void> => {
        found ??= withBytesOf(messages, row);
        return Promise.resolve();
      };
      await readTopicOnce(this.topic, within(description, [place]), look, { purpose: 'parkerte' });
    }
    if (!found) throw gone(row, 'were left on the topic, which does not have it any more', false);
    return found;
  }

  /** As long as it waits, nothing has come after it of the same key: see `discardOvertaken`. */
  private replayIdent(
    messages: readonly RawMessage[],
    task: TopicPartition & { park: boolean },
    lock: (db: PoolClient) => Promise<void>,
    note: (db: PoolClient, parked: ParkedMessage[]) => Promise<void>,
  ): Promise<ReplayOutcome> {
    return this.others.identer.writer.write<ReplayOutcome>({
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

/** What `Writer` and `ResourceWriter` have in common. */
interface PlaceWriter {
  write: <T>(
    task: TopicPartition & {
      park?: boolean;
      select: (
        db: PoolClient,
      ) => Promise<{ messages: readonly RawMessage[]; record: (written: Played) => Promise<T> } | { answer: T }>;
    },
  ) => Promise<T>;
}

interface Played {
  folds: readonly { outcomes: Record<Outcome, number> }[];
  parked: ParkedMessage[];
}

const notRead = (topic: string): string =>
  `The ingestor does not read ${topic} now. It can be replayed when it does, or be discarded`;

const OVERTAKEN =
  'The batch of the person register was parked by a version that did not note what came after it. Ask the register to send its persons again, then discard this';

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
function outcomeOf({ folds }: Pick<Played, 'folds'>): Outcome {
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
function requireBytes({ innholdFjernet: removed }: ParkedState, row: ParkedRow, isIdent: boolean): void {
  if (removed !== null) throw gone(row, 'are removed after a year', isIdent);
}

function gone({ topic, partisjon, offset }: ParkedRow, why: string, isIdent: boolean): Problem {
  const place = `${topic}, partition ${String(partisjon)}, offset ${offset}`;
  return new Problem(
    PROBLEMS.KONFLIKT,
    isIdent
      ? `The bytes of the message ${why}. It was of the person register, at ${place}: the next message of its key says all ` +
          'that there is, and a rebuild (POST /drift/v1/gjenoppbygging?ressurs=identer) reads the topic again. Discard this one'
      : `The bytes of the message ${why}. The topic has it, unless compaction has taken it, at ${place}: a rebuild ` +
          '(POST /drift/v1/gjenoppbygging) of what the topic is of reads it again, and resolves this one when it can be used. Else discard it',
  );
}

/** Of the topic, what is there of these places. */
function within(
  { id, partitions }: TopicDescription,
  wanted: readonly Pick<PartitionExtent, 'partition' | 'start' | 'end'>[],
): TopicDescription {
  const there = new Map(partitions.map((extent) => [extent.partition, extent]));
  const parts = wanted.flatMap(({ partition, start, end }) => {
    const extent = there.get(partition);
    if (!extent || extent.stableEnd <= start || extent.start >= end) return [];
    return [{ ...extent, start: Math.max(start, extent.start), stableEnd: Math.min(end, extent.stableEnd) }];
  });
  return { id, partitions: parts };
}

/** With what lies at its place, when that is the message that was parked. */
function withBytesOf(messages: readonly RawMessage[], row: ParkedRowWithBytes): ParkedRowWithBytes | undefined {
  const message = messages.find(({ offset }) => offset === Number(row.offset));
  if (!message || !fingerprintOf(message).equals(row.avtrykk)) return undefined;
  const { key, value, deleteBefore } = message;
  const limit = deleteBefore === undefined ? null : String(deleteBefore);
  // The batch's memory is used again when it has been looked at.
  const copy = (bytes: Buffer | null): Buffer | null => bytes && Buffer.from(bytes);
  return { ...row, nokkel: copy(key), verdi: copy(value), slettFoer: limit };
}

function toRaw({ offset, nokkel: key, verdi: value, skrevet, slettFoer }: ParkedRowWithBytes): RawMessage {
  const raw = { offset: Number(offset), key, value, writtenAt: skrevet.getTime() };
  return slettFoer === null ? raw : { ...raw, deleteBefore: Number(slettFoer) };
}
