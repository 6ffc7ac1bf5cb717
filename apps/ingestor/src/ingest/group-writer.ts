import { foldMessages, type Fold, type PositionedMessage } from '@tiltak/avtale';
import { logger } from '@tiltak/platform';
import { DatabaseError, type Pool, type PoolClient } from 'pg';
import { NOT_AS_EXPECTED } from '../database/demand.ts';
import { Pipeline } from '../database/pipeline.ts';
import type { MessageBatch, Outcome, RawMessage } from '../kafka/batch.ts';
import { UNKNOWN_POSITION } from '../kafka/batch-consumer.ts';
import { metrics } from '../metrics.ts';
import { insertLinkChanges, lockDeltakere } from '../relations/relations.queries.ts';
import { askForDeviations, linkedBy, putRight, repairRelations } from '../relations/relations.ts';
import {
  deleteHistory,
  deleteParkedBytes,
  insertChanges,
  insertNew,
  insertParked,
  insertVersions,
  prepareStaging,
  readStates,
  requireNotToldOtherwiseLater,
  requireUnchanged,
  requireUpdated,
  updateFormerIdents,
  updateMemory,
  type StoredAvtale,
} from './avtaler.queries.ts';
import type { EncodedContent } from './avtaler.rows.ts';
import { Counts, Effects } from './effects.ts';
import { movePositions, readStand, requirePositions, type Move, type Stand } from './group.queries.ts';
import { ingestBatch, notStored, UnknownPositionError, type IngestResult } from './ingest-batch.ts';
import { countBatch, countMessages } from './outcomes.ts';
import { parseMessages, type ParkedMessage } from './parse.ts';
import { identsIn, ofPersons } from './persons.ts';
import { readPersons, requirePersons, sharePersons } from './persons.queries.ts';
import type { Writer } from './writer.ts';

/** Of a batch: what is not stored yet, and what of that could not be used. */
interface Part {
  batch: MessageBatch;
  messages: readonly RawMessage[];
  move: Move;
  parked: ParkedMessage[];
}

/** By avtaleId, or what stands where one should be: in the order in which they are played. */
type PerKey = Map<string, [Part, RawMessage[]][]>;

/** What is to be written, and whose the idents in it were when it was read: undefined when everybody had one. */
interface Prepared {
  effects: Effects;
  persons: Map<string, string | null> | undefined;
}

/**
 * What is to be expected now and then: others were first, a lock was waited for, or a message is refused. Anything else would
 * be slow for ever if nobody heard of it.
 */
const MEANT = new RegExp(`^(${NOT_AS_EXPECTED}|40|55P03|57|08|22|23|54|P0001)`);

/** Batches that are stored each by itself. */
const AT_THE_SAME_TIME = 3;

/**
 * Stores what has gathered of several partitions in one transaction: nothing is decoded while a position is locked, and
 * what goes together is sent together. It stores what `Writer` would, batch by batch, and expects that all goes as it
 * mostly does: nobody else has written meanwhile, and the database refuses nothing. Else nothing of it is stored, and each
 * batch goes the way of `Writer`, to an outcome of its own (ADR 43).
 */
export class GroupWriter {
  private readonly prepared = new WeakSet<PoolClient>();

  constructor(
    /** whose sessions look up by key alone, see `KEYED_ONLY`; one connection for each group under way */
    private readonly pool: Pool,
    private readonly writer: Writer,
  ) {}

  /** @param batches of one topic, at most one of each partition; the outcomes are in their order. Never throws. */
  async write(batches: readonly MessageBatch[]): Promise<readonly Outcome[]> {
    try {
      const stop = metrics.batchSeconds.startTimer();
      const outcomes = await this.writeTogether(batches);
      for (const batch of batches) this.writer.succeeded(batch);
      stop();
      metrics.groups.inc({ maate: 'SAMLET' });
      return outcomes;
    } catch (error) {
      const isMeant = error instanceof DatabaseError && MEANT.test(error.code ?? '');
      logger[isMeant ? 'debug' : 'warn'](
        { err: error, partisjoner: batches.length },
        'A group of batches could not be stored as one; its batches are stored one by one',
      );
      metrics.groups.inc({ maate: 'HVER_FOR_SEG' });
      return this.writeEach(batches);
    }
  }

  private async writeEach(batches: readonly MessageBatch[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const left = batches.entries();
    const work = async (): Promise<void> => {
      for (const [i, batch] of left) outcomes[i] = await this.writeAlone(batch);
    };
    // One that waits for a lock does not hold all others.
    await Promise.all(Array.from({ length: AT_THE_SAME_TIME }, work));
    return outcomes;
  }

  private async writeAlone(batch: MessageBatch): Promise<Outcome> {
    const stop = metrics.batchSeconds.startTimer();
    let result: IngestResult;
    try {
      result = await ingestBatch(this.writer, batch);
    } catch (error) {
      return error instanceof UnknownPositionError ? UNKNOWN_POSITION : { error };
    }
    stop();
    countBatch(batch.messages.length, result);
    countMessages(Counts.of(result.folds));
    return result.nextOffset;
  }

  private async writeTogether(batches: readonly MessageBatch[]): Promise<Outcome[]> {
    const db = await this.pool.connect();
    try {
      const outcomes = await this.perform(db, batches);
      db.release();
      return outcomes;
    } catch (error) {
      // What was sent behind what failed may still be on its way to it.
      db.release(true);
      throw error;
    }
  }

  private async perform(db: PoolClient, batches: readonly MessageBatch[]): Promise<Outcome[]> {
    const topic = batches[0]?.topic ?? '';
    if (!this.prepared.has(db)) {
      await prepareStaging(db);
      this.prepared.add(db);
    }
    const stand = await readStand(
      db,
      topic,
      batches.map(({ partition }) => partition),
    );
    const parts = batches.map((batch) => partOf(batch, stand));
    const known = parts.filter((part) => part !== undefined);
    if (known.length > 0) await this.store(db, topic, known, stand);
    return parts.map((part) => part?.move.to ?? UNKNOWN_POSITION);
  }

  private async store(db: PoolClient, topic: string, parts: readonly Part[], { hasPersons }: Stand): Promise<void> {
    const perKey = byKey(parts);
    const known = await readStates(db, [...perKey.keys()].filter(isAvtaleId));
    const folds = this.play(perKey, known);
    const prepared = hasPersons ? await withPersons(db, [...folds], known) : withoutPersons(folds, known);
    await this.send(db, topic, parts, { ...prepared, known });
    for (const { batch, messages, parked } of parts) {
      const alreadyProcessed = batch.messages.length - messages.length;
      countBatch(batch.messages.length, { parked, alreadyProcessed });
    }
    countMessages(prepared.effects.counts);
  }

  /** Avtale by avtale, so that what was decoded of one is let go before the next. */
  private *play(perKey: PerKey, known: ReadonlyMap<string, StoredAvtale>): Generator<Fold<EncodedContent>> {
    for (const [avtaleId, given] of perKey) {
      const positioned: PositionedMessage[] = [];
      for (const [part, messages] of given) {
        const { perAvtale, parked } = parseMessages(messages, part.batch);
        part.parked.push(...parked);
        for (const list of perAvtale.values()) positioned.push(...list);
      }
      if (positioned.length > 0) {
        yield foldMessages(avtaleId, known.get(avtaleId), positioned, this.writer.encode);
      }
    }
  }

  /** In the order of locks, and of what `Writer` does. */
  private async send(
    db: PoolClient,
    topic: string,
    parts: readonly Part[],
    { effects, persons, known }: Prepared & { known: ReadonlyMap<string, StoredAvtale> },
  ): Promise<void> {
    const tx = new Pipeline(db);
    const moves = parts.map(({ move }) => move);
    const asked: Promise<unknown>[] = [
      tx.query('begin'),
      requirePositions(tx, topic, moves),
      sharePersons(tx),
      requirePersons(tx, persons),
      requireUnchanged(tx, known),
      ...storeRows(tx, effects),
    ];
    if (effects.remembered.length > 0 || parts.some(({ parked }) => parked.length > 0)) {
      await tx.send(asked.splice(0));
      await updateMemory(db, effects.remembered);
      for (const { batch, parked } of parts) {
        await insertParked(db, batch, parked.sort(byOffset), this.writer.maxParkedWithBytes);
      }
    }
    asked.push(deleteParkedBytes(tx, topic, effects.deletions));
    if (!this.writer.keepsFormerIdents) asked.push(updateFormerIdents(tx, effects.corrected));
    asked.push(movePositions(tx, topic, moves));
    await finish(db, tx, asked, effects);
  }
}

/** As `updateRelations`, and the commit: in a send of its own when there are participants to ask about. */
async function finish(db: PoolClient, tx: Pipeline, asked: Promise<unknown>[], effects: Effects): Promise<void> {
  const { told } = effects;
  const deltakere = [...effects.deltakere];
  if (deltakere.length > 0) asked.push(lockDeltakere(tx, deltakere));
  asked.push(requireNotToldOtherwiseLater(tx, told));
  if (deltakere.length > 0) {
    const asking = askForDeviations(tx, deltakere);
    await tx.send([...asked.splice(0), asking]);
    const deviations = await asking;
    const changed = deviations ? linkedBy(deviations) : await repairRelations(db, deltakere);
    if (deviations) asked.push(putRight(tx, deviations));
    for (const avtaleId of told.keys()) changed.delete(avtaleId);
    asked.push(insertLinkChanges(tx, [...changed]));
  }
  asked.push(tx.query('commit'));
  await tx.send(asked);
}

/** Undefined when the position is unknown. */
function partOf(batch: MessageBatch, { positions }: Stand): Part | undefined {
  const { partition, epoch } = batch;
  const stored = positions.get(partition);
  if (stored?.epoch !== epoch) return undefined;
  try {
    const { messages, nextOffset } = notStored(batch, stored.position);
    return { batch, messages, move: { partition, epoch, from: stored.position, to: nextOffset }, parked: [] };
  } catch (error) {
    if (error instanceof UnknownPositionError) return undefined;
    throw error;
  }
}

function byKey(parts: readonly Part[]): PerKey {
  const perKey: PerKey = new Map();
  for (const part of parts) {
    for (const raw of part.messages) {
      const key = keyOf(raw);
      const given = perKey.get(key);
      const last = given?.at(-1);
      if (last?.[0] === part) last[1].push(raw);
      else if (given) given.push([part, [raw]]);
      else perKey.set(key, [[part, [raw]]]);
    }
  }
  return perKey;
}

/** A message whose key is no avtaleId is to be parked; which reason there is, parsing tells. */
function keyOf({ keyText, key }: RawMessage): string {
  const text = keyText === undefined ? (key?.toString('latin1') ?? '') : (keyText ?? '');
  return isAvtaleId(text) ? text : text.toLowerCase();
}

function isAvtaleId(text: string): boolean {
  return AVTALE_ID.test(text);
}

const AVTALE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function withoutPersons(folds: Iterable<Fold<EncodedContent>>, known: ReadonlyMap<string, StoredAvtale>): Prepared {
  const effects = new Effects();
  for (const fold of folds) effects.add(fold, known.get(fold.avtaleId));
  return { effects, persons: undefined };
}

async function withPersons(
  db: PoolClient,
  folds: Fold<EncodedContent>[],
  known: ReadonlyMap<string, StoredAvtale>,
): Promise<Prepared> {
  const idents = identsIn(folds);
  const persons = await readPersons(db, idents);
  const joined = folds.map((fold) => ofPersons(fold, persons));
  return {
    effects: Effects.of(joined, known),
    persons: new Map(idents.map((ident) => [ident, persons.get(ident) ?? null])),
  };
}

function storeRows(tx: Pipeline, { fresh, changed, erased, versions, changes }: Effects): Promise<void>[] {
  return [
    // In the order of avtaleId, with which a row begins: two processes can meet on one when partitions are added.
    insertNew(tx, fresh.sort()),
    requireUpdated(tx, changed.sort()),
    deleteHistory(tx, erased),
    insertVersions(tx, versions),
    insertChanges(tx, changes),
  ];
}

function byOffset(a: ParkedMessage, b: ParkedMessage): number {
  return a.position.offset - b.position.offset;
}
