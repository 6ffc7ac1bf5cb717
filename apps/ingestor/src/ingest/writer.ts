import { foldMessages, isSamePlace, type Avtale, type Change, type Fold } from '@tiltak/avtale';
import type { DeltakerId } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import type { RawMessage } from '../kafka/batch.ts';
import { lockPosition, lockPositions, type TopicPartition } from '../kafka/positions.queries.ts';
import {
  deleteHistory,
  deleteParkedBytes,
  formerIdentsToForget,
  insertChanges,
  insertNew,
  insertParked,
  insertVersions,
  lockWithFormerIdents,
  MAX_PARKED_WITH_BYTES,
  noteForgotten,
  noteFormerIdents,
  readNextAvtaler,
  readStates,
  readVisibility,
  repairDeviations,
  toldOtherwiseLater,
  updateFormerIdents,
  updateMemory,
  updateStored,
  type StoredAvtale,
} from './avtaler.queries.ts';
import { avtaleRow, changeRow, encodeContent, type EncodedContent } from './avtaler.rows.ts';
import { Effects } from './effects.ts';
import { ordinaryMessages } from './ordinary.ts';
import { joinPersons } from './persons.ts';
import { sharePersons } from './persons.queries.ts';
import { parseMessages, toParked, type ParkedMessage, type Source } from './parse.ts';
import { countHeld, Failures, Refusals } from './refused.ts';
import type { ResourceWriter } from './resource-writer.ts';
import { untold } from './told.ts';
import { updateRelations } from './update-relations.ts';
import { ConcurrentChangeError, inAttempts } from './try-again.ts';

/** What a write came to. */
export interface Written {
  /** what became of each avtale that the messages are about */
  folds: Fold<EncodedContent>[];
  /** the messages that could not be used */
  parked: ParkedMessage[];
  /** of `repair`: the avtaler that were not what their message says */
  repaired: Fold<EncodedContent>[];
}

/** Messages of the task's partition, each at its own place, and what the caller notes in the same transaction. */
export interface WriteSelection<T> {
  messages: readonly RawMessage[];
  record: (written: Written) => Promise<T>;
}

/** What a caller wants written of a partition. All of it may happen more than once: only the last is committed. */
export interface WriteTask<T> extends TopicPartition {
  /** Chooses once the position of the partition is locked; an `answer` when there is nothing to write. */
  select: (db: PoolClient, position: number | undefined) => Promise<WriteSelection<T> | { answer: T }>;
  /** false for messages that are parked already: `record` hears why they still can't be used */
  park?: boolean;
  /**
   * Also makes stored avtaler what the messages that decided them say today: the mapping may be another by now, or
   * somebody may have changed the row.
   */
  repair?: boolean;
}

/**
 * The one door to what avtaler say; whose they are, `PersonWriter` changes too. A write is one transaction: the partition's position is locked, the caller selects, each
 * message takes effect exactly once or is parked with a reason, the caller records, and the relations of those involved
 * follow. The locks come in this order everywhere: position, who is one person (shared), avtaler, participants.
 */
export class Writer {
  private readonly failures = new Failures();

  constructor(
    private readonly pool: Pool,
    private readonly deltakerId: DeltakerId,
    /** whether an ident that the source has corrected stays in the history */
    readonly keepsFormerIdents = false,
    /** of one reason; the topic has the others */
    readonly maxParkedWithBytes = MAX_PARKED_WITH_BYTES,
  ) {}

  /**
   * A row that the database itself refuses is found by halving, and only that message is parked. That costs savepoints,
   * so it is done when the whole was refused: at once when the database says that it is the data, and for any other
   * answer that doesn't pass by waiting when it has come time after time. What ordinary messages are refused for too is
   * a fault of ours, and parks nothing.
   *
   * @throws when the database can't be reached or is busy, or refuses so much that the fault can't be the messages', or
   * when others were first time after time: nothing has happened then, and the write may be tried again
   */
  async write<T>(task: WriteTask<T>): Promise<T> {
    const place = placeOfFailures(task);
    try {
      const answer = await this.attempt(task, this.failures.repeated(place));
      this.failures.clear(place);
      return answer;
    } catch (error) {
      this.failures.add(place, error);
      countHeld(error, this.failures.repeated(place));
      throw error;
    }
  }

  /** What comes next of the partition has been stored in another way: it is no longer refused time after time. */
  succeeded({ topic, partition }: Pick<TopicPartition, 'topic' | 'partition'>): void {
    this.failures.clear(placeOfFailures({ topic, partition }));
  }

  private async attempt<T>(task: WriteTask<T>, repeated: string | undefined): Promise<T> {
    try {
      return await inAttempts(this.pool, (db) =>
        this.perform(db, task, (_, messages) => this.playWhole(db, task, messages)),
      );
    } catch (error) {
      if (!new Refusals(nothing, repeated).reasonFor(error)) throw error;
    }
    return inAttempts(this.pool, (db) =>
      this.perform(db, task, (_, messages) =>
        this.playHalving(db, task, messages, new Refusals(() => this.tryOrdinary(db, task), repeated)),
      ),
    );
  }

  private async perform<T>(db: PoolClient, task: WriteTask<T>, play: Play): Promise<T> {
    const selected = await task.select(db, await lockPosition(db, task));
    if ('answer' in selected) return selected.answer;
    const { messages, record } = selected;
    await sharePersons(db);
    const { folds, effects, parked } = await play(db, messages);
    if (task.park !== false) await insertParked(db, task, parked, this.maxParkedWithBytes);
    const repaired = task.repair ? await this.repair(db, task, messages) : NOTHING;
    const all = [...effects, ...repaired.effects];
    await this.forget(db, task.topic, all);
    const answer = await record({ folds, parked, repaired: repaired.folds });
    await updateRelations(db, all);
    if (this.keepsFormerIdents && all.some(({ corrected }) => corrected.length > 0)) await noteFormerIdents(db);
    return answer;
  }

  /** What the messages have deleted or corrected, wherever else it is kept. */
  private async forget(db: PoolClient, topic: string, effects: readonly Effects[]): Promise<void> {
    await deleteParkedBytes(
      db,
      topic,
      effects.flatMap(({ deletions }) => deletions),
    );
    if (this.keepsFormerIdents) return;
    await updateFormerIdents(
      db,
      effects.flatMap(({ corrected }) => corrected),
    );
  }

  /**
   * Whether there may be former idents to forget, as what `forgotten` takes: there are none once all histories have been
   * gone through, until one is kept again.
   */
  formerIdents(): Promise<string | undefined> {
    if (this.keepsFormerIdents) return Promise.resolve(undefined);
    return formerIdentsToForget(this.pool);
  }

  /** All have been gone through that were there when `formerIdents` said so. */
  async forgotten(formerIdents: string): Promise<void> {
    await noteForgotten(this.pool, formerIdents);
  }

  /**
   * Of histories from before idents left them: those of the next so many avtaler after this one. All at once would take
   * longer than a statement may, once there are enough of them.
   *
   * @returns the last avtale that was looked at; undefined when there are no more
   */
  forgetFormerIdents(after: string, count: number): Promise<string | undefined> {
    if (this.keepsFormerIdents) return Promise.resolve(undefined);
    return inAttempts(this.pool, async (db) => {
      const next = await readNextAvtaler(db, after, count);
      await sharePersons(db);
      await updateFormerIdents(db, await lockWithFormerIdents(db, next));
      return next.at(-1);
    });
  }

  /** As `ResourceWriter.tell`, of avtaler. Nothing is stored of the topic meanwhile. */
  tell(topic: string, ...task: Tell): Promise<void> {
    return inAttempts(this.pool, (db) => tellOf(db, topic, ...task));
  }

  private async playWhole(db: PoolClient, source: Source, messages: readonly RawMessage[]): Promise<Played> {
    const { perAvtale, parked } = parseMessages(messages, source);
    const known = await readStates(db, [...perAvtale.keys()]);
    const played = [...perAvtale].map(([avtaleId, positioned]) =>
      foldMessages(avtaleId, known.get(avtaleId), positioned, this.encode),
    );
    const folds = await joinPersons(db, played);
    const effects = Effects.of(folds, known);
    await store(db, effects);
    return { folds, effects: [effects], parked };
  }

  /** Behind a savepoint; what the database refuses is halved until it is one message, which is to be parked. */
  private async playHalving(
    db: PoolClient,
    source: Source,
    messages: readonly RawMessage[],
    refusals: Refusals,
  ): Promise<Played> {
    await db.query('savepoint del');
    try {
      const played = await this.playWhole(db, source, messages);
      // What is not said of the data may come as late as this.
      if (refusals.repeated !== undefined) await updateRelations(db, played.effects);
      await db.query('release savepoint del');
      return played;
    } catch (error) {
      const reason = refusals.reasonFor(error);
      if (!reason) throw error;
      await db.query('rollback to savepoint del; release savepoint del');
      const [only, ...more] = messages;
      if (only && more.length === 0) {
        await refusals.add(error);
        return { ...NOTHING, parked: [toParked(only, source, reason)] };
      }
    }
    const middle = messages.length >> 1;
    const first = await this.playHalving(db, source, messages.slice(0, middle), refusals);
    const second = await this.playHalving(db, source, messages.slice(middle), refusals);
    return {
      folds: [...first.folds, ...second.folds],
      effects: [...first.effects, ...second.effects],
      parked: [...first.parked, ...second.parked],
    };
  }

  /** Writes ordinary messages and undoes it. @returns the error that they met */
  private async tryOrdinary(db: PoolClient, task: TopicPartition): Promise<unknown> {
    await db.query('savepoint proeve');
    try {
      for (const messages of ordinaryMessages()) {
        const { effects } = await this.playWhole(db, task, messages);
        await this.forget(db, task.topic, effects);
        await updateRelations(db, effects);
      }
      return undefined;
    } catch (error) {
      return error;
    } finally {
      await db.query('rollback to savepoint proeve; release savepoint proeve');
    }
  }

  /** See `WriteTask.repair`. Content with another fingerprint is a version of its own. */
  private async repair(db: PoolClient, source: Source, messages: readonly RawMessage[]): Promise<Played> {
    const { perAvtale } = parseMessages(messages, source);
    const known = await readStates(db, [...perAvtale.keys()]);
    const played = [...perAvtale].flatMap(([avtaleId, positioned]) => {
      const stored = known.get(avtaleId);
      const message = stored && positioned.find(({ position }) => isSamePlace(position, stored.position));
      return message ? [repairFold(stored, foldMessages(avtaleId, undefined, [message], this.encode))] : [];
    });
    const deciding = await joinPersons(db, played);
    const rows = deciding.flatMap(({ avtaleId, state, content }) =>
      state ? [avtaleRow(avtaleId, state, content, known.get(avtaleId))] : [],
    );
    const repaired = await repairDeviations(db, rows);
    const folds = deciding.filter(({ avtaleId }) => repaired.has(avtaleId));
    const versions = folds.filter(({ avtaleId, state }) => state?.fingerprint !== known.get(avtaleId)?.fingerprint);
    const effects = Effects.of(folds, known);
    // The row was not what its last version says: what a version is found by is told of it anew.
    await insertVersions(db, Effects.of(versions, new Map()).versions);
    await insertChanges(db, effects.changes);
    return { folds, effects: [effects], parked: [] };
  }

  readonly encode = (avtale: Avtale): EncodedContent => encodeContent(avtale, this.deltakerId);
}

/** A replay that succeeds says nothing of the stream, which stands at another message. */
function placeOfFailures({
  topic,
  partition,
  park,
  repair,
}: Pick<WriteTask<never>, 'topic' | 'partition' | 'park' | 'repair'>): string {
  return [topic, partition, park !== false, repair === true].join(' ');
}

const nothing = (): Promise<undefined> => Promise.resolve(undefined);

/** Messages that were played: what they came to, and those that can't be used. */
interface Played {
  folds: Fold<EncodedContent>[];
  effects: Effects[];
  parked: ParkedMessage[];
}

const NOTHING: Played = { folds: [], effects: [], parked: [] };

type Play = (db: PoolClient, messages: readonly RawMessage[]) => Promise<Played>;

/** Set-based: a handful of statements whatever the number of messages. */
async function store(db: PoolClient, effects: Effects): Promise<void> {
  await insertNew(db, effects.fresh);
  await updateStored(db, effects.changed);
  await updateMemory(db, effects.remembered);
  await deleteHistory(db, effects.erased);
  await insertVersions(db, effects.versions);
  await insertChanges(db, effects.changes);
}

/** What a message alone comes to, seen from a row that may say something else. */
function repairFold(stored: StoredAvtale, fold: Fold<EncodedContent>): Fold<EncodedContent> {
  const { avtaleId, state } = fold;
  if (!state) return fold;
  // A tombstone doesn't say when what it deleted was changed, nor a message what those before it said.
  const { memory } = stored;
  const repairedState =
    state.deleted === 'GRAVSTEIN'
      ? { ...state, memory, sistEndret: stored.sistEndret }
      : { ...state, memory, everEntered: state.everEntered || (state.deleted === null && stored.everEntered) };
  const removal: Change[] = [{ avtaleId, type: 'SLETTET', reason: state.deleted ? 'SLETTET' : 'FEILREGISTRERT' }];
  const wasVisible = stored.deleted === null && !stored.feilregistrert;
  const isVisible = state.deleted === null && !state.feilregistrert;
  return { ...fold, state: repairedState, changes: isVisible ? fold.changes : wasVisible ? removal : [] };
}

type Tell = Parameters<ResourceWriter['tell']>;

async function tellOf(db: PoolClient, topic: string, ...[avtaleIder, readTold, record]: Tell): Promise<void> {
  await lockPositions(db, topic);
  const { visible, misregistered } = await readVisibility(db, avtaleIder);
  const changes = untold(avtaleIder, await readTold(db), visible).map(({ key: avtaleId, type }): Change => {
    if (type === 'ENDRET') return { avtaleId, type, reason: null };
    return { avtaleId, type, reason: misregistered.has(avtaleId) ? 'FEILREGISTRERT' : 'SLETTET' };
  });
  await insertChanges(db, changes.map(changeRow));
  await deleteHistory(
    db,
    changes.filter(({ reason }) => reason === 'SLETTET').map(({ avtaleId }) => avtaleId),
  );
  await record(db, changes.length);
  const told = new Map(changes.map(({ avtaleId, type }) => [avtaleId, type]));
  // A later transaction has told of one of them.
  if (await toldOtherwiseLater(db, told)) throw new ConcurrentChangeError();
}
