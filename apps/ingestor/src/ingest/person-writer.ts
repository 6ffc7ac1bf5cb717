import type { DeltakerId } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import { parseIdentMessage } from '../identer/ident-message.ts';
import type { RawMessage } from '../kafka/batch.ts';
import { lockPosition, lockPositions, type TopicPartition } from '../kafka/positions.queries.ts';
import { insertLinkChanges, lockDeltakere } from '../relations/relations.queries.ts';
import { repairRelations } from '../relations/relations.ts';
import { insertParked } from './avtaler.queries.ts';
import { toParked, type ParkedMessage, type Source } from './parse.ts';
import { personsOf } from './persons.ts';
import {
  discardOvertaken,
  lockPersons,
  moveAvtaler,
  noteSince,
  readBearers,
  readByIdent,
  readByKey,
  readIdentsOf,
  readPersons,
  replacePersons,
  replaceRegister,
  type LastSaid,
  type Move,
  type PersonIdent,
  type RegisterIdent,
} from './persons.queries.ts';
import { inAttempts } from './try-again.ts';

/** What messages of the person register came to. */
export interface PersonsWritten {
  parked: ParkedMessage[];
  /** idents that have become another person's */
  moved: number;
  /** avtaler that followed, of those that consumers may see */
  avtaler: number;
  /** of which usable messages told, as opaque ids */
  keys: string[];
}

/** What messages say of each key last, as opaque ids: none of one that is gone, or has one ident only. */
export interface PersonsRead {
  keys: string[];
  said: ReadonlyMap<string, readonly string[]>;
  parked: ParkedMessage[];
  repaired: string[];
}

/** As `WriteTask` of avtaler. */
export interface PersonsTask<T> extends TopicPartition {
  select: (
    db: PoolClient,
    position: number | undefined,
  ) => Promise<
    | {
        messages: readonly RawMessage[];
        /** keys that have been told of since, as opaque ids: what the messages say of these counts no more */
        overtaken?: ReadonlySet<string>;
        record: (written: PersonsWritten) => Promise<T>;
      }
    | { answer: T }
  >;
  /** false for messages that are parked already */
  park?: boolean;
}

/**
 * The one door to who is one person. The last message of a key holds all that the register knows of it, so it replaces
 * what was known; what a partition says is taken in its order, under the lock of its position. Avtaler, versions,
 * relations and the change feed follow in the same transaction, while nobody writes avtaler.
 */
export class PersonWriter {
  constructor(
    private readonly pool: Pool,
    private readonly deltakerId: DeltakerId,
  ) {}

  /** @throws when the database can't be reached or is busy: nothing has happened then, and it may be tried again */
  write<T>(task: PersonsTask<T>): Promise<T> {
    return inAttempts(this.pool, async (db) => {
      const selected = await task.select(db, await lockPosition(db, task));
      if ('answer' in selected) return selected.answer;
      const { said, last, parked } = this.parse(selected.messages, task, selected.overtaken);
      if (task.park !== false) await insertParked(db, task, parked, undefined);
      await discardOvertaken(db, task, last);
      const keys = [...said.keys()];
      await noteSince(db, task, { keys, from: selected.messages[0]?.offset ?? 0 });
      return selected.record({ parked, keys, ...(await this.replace(db, said)) });
    });
  }

  /** What messages say, and nothing is changed by it. */
  readAgain<T>(
    task: TopicPartition & {
      select: (
        db: PoolClient,
      ) => Promise<{ messages: readonly RawMessage[]; record: (read: PersonsRead) => Promise<T> } | { answer: T }>;
    },
  ): Promise<T> {
    return inAttempts(this.pool, async (db) => {
      const selected = await task.select(db);
      if ('answer' in selected) return selected.answer;
      const { said, parked } = this.parse(selected.messages, task);
      const idents = [...said].map(([key, rows]) => [key, rows.map(({ ident }) => ident)] as const);
      return selected.record({ keys: [...said.keys()], said: new Map(idents), parked, repaired: [] });
    });
  }

  /**
   * Makes the register say this of some keys, while nothing of its topic is stored.
   *
   * @param choose what it says, of opaque ids; undefined: all is off
   */
  set(
    topic: string,
    choose: (db: PoolClient) => Promise<ReadonlyMap<string, readonly string[]> | undefined>,
    record: (db: PoolClient, keys: readonly string[]) => Promise<void>,
  ): Promise<void> {
    return inAttempts(this.pool, async (db) => {
      await lockPositions(db, topic);
      const chosen = await choose(db);
      if (!chosen) return;
      const said = [...chosen].map(([key, idents]) => [key, idents.map((ident) => ({ key, ident }))] as const);
      await this.replace(db, new Map(said));
      await record(db, [...chosen.keys()]);
    });
  }

  /** By key, what was said last. National idents go no further than this. */
  private parse(
    messages: readonly RawMessage[],
    source: Source,
    overtaken: ReadonlySet<string> = new Set(),
  ): { said: Map<string, RegisterIdent[]>; last: LastSaid[]; parked: ParkedMessage[] } {
    const said = new Map<string, RegisterIdent[]>();
    const last: LastSaid[] = [];
    const parked: ParkedMessage[] = [];
    for (const raw of messages) {
      const parsed = parseIdentMessage(raw.key, raw.value);
      if (!parsed.ok) {
        parked.push(toParked(raw, source, parsed.reason));
        continue;
      }
      const key = this.deltakerId(parsed.message.key);
      if (overtaken.has(key)) continue;
      const idents = parsed.message.idents.map(this.deltakerId);
      // Of somebody with one ident there is nothing to know.
      said.set(key, idents.length > 1 ? idents.map((ident) => ({ key, ident })) : []);
      if (raw.key) last.push({ key: raw.key, offset: raw.offset });
    }
    return { said, last, parked };
  }

  private async replace(
    db: PoolClient,
    said: ReadonlyMap<string, RegisterIdent[]>,
  ): Promise<Pick<PersonsWritten, 'moved' | 'avtaler'>> {
    // Of these keys nobody else says anything: the position is locked, or all are.
    const known = Map.groupBy(await readByKey(db, [...said.keys()]), ({ key }) => key);
    const changed = [...said.keys()].filter((key) => !sameIdents(known.get(key) ?? [], said.get(key) ?? []));
    if (changed.length === 0) return { moved: 0, avtaler: 0 };
    await lockPersons(db);
    const now = changed.flatMap((key) => said.get(key) ?? []);
    await replaceRegister(db, changed, now);
    const touched = [...changed.flatMap((key) => known.get(key) ?? []), ...now].map(({ ident }) => ident);
    const moves = await changePersons(db, [...new Set(touched)]);
    return { moved: moves.length, avtaler: await this.follow(db, moves) };
  }

  /** What bears the idents follows them: the id of its person, then the links, then a line for each that shows it. */
  private async follow(db: PoolClient, moves: readonly Move[]): Promise<number> {
    const targets = new Map(moves.map(({ ident, to }) => [ident, to]));
    const bearers = await readBearers(db, [...new Set(moves.map(({ from }) => from))]);
    const moving = bearers.flatMap((bearer) => {
      const to = targets.get(this.deltakerId(bearer.fnr));
      return to === undefined ? [] : [{ ...bearer, to }];
    });
    if (moving.length === 0) return 0;
    const avtaler = await moveAvtaler(db, moving);
    const deltakere = [...new Set(moving.flatMap(({ deltakerId, to }) => [deltakerId, to]))];
    await lockDeltakere(db, deltakere);
    const relinked = await repairRelations(db, deltakere);
    await insertLinkChanges(db, [...new Set([...avtaler, ...relinked])]);
    return avtaler.length;
  }
}

function sameIdents(a: readonly RegisterIdent[], b: readonly RegisterIdent[]): boolean {
  const idents = new Set(a.map(({ ident }) => ident));
  return a.length === b.length && b.every(({ ident }) => idents.has(ident));
}

/** Works out anew whose the idents are that these were, or are, one person with. */
async function changePersons(db: PoolClient, touched: readonly string[]): Promise<Move[]> {
  const persons = await readPersons(db, touched);
  const before = await readIdentsOf(db, [...new Set(persons.values())]);
  const idents = [...new Set([...touched, ...before.keys()])];
  const now = personsOf(await readByIdent(db, idents));
  const different = idents.filter((ident) => before.get(ident) !== now.get(ident));
  const joined = different.flatMap((ident): PersonIdent[] => {
    const person = now.get(ident);
    return person === undefined ? [] : [{ ident, person }];
  });
  const moves = different
    .map((ident): Move => ({ ident, from: before.get(ident) ?? ident, to: now.get(ident) ?? ident }))
    .filter(({ from, to }) => from !== to);
  await replacePersons(db, { idents: different, joined, moves });
  return moves;
}
