import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import streamArray from 'stream-json/streamers/stream-array.js';
import type { RegisterCopy, Pending } from './copy.ts';
import { RegisterError, UNIT_KINDS, type RegisterApi, type UnitKind } from './register-api.ts';
import { numberIn, UnitError, unitOf, virksomhetOf, type Virksomhet } from './virksomhet.ts';

/**
 * How long before it is there the making of a file may have begun. A file tells when it was done, not of which moment it
 * is: what it says is taken to be of this much before, and what the feed has told of since goes before it.
 */
const FILE_MARGIN_MS = 6 * 3_600_000;
/** Units that are read at once. */
const READERS = 8;
const AT_ONCE = 1_000;
const ROWS_OF_A_TRANSACTION = 1_000;
/** More than this many units that are gone without a word: it is the file that is not whole. */
const MAX_UNSEEN_SHARE = 0.2;
/** One unit that can't be read holds no other; so many after each other, and it is the register that does not answer. */
const MAX_FAILED_IN_A_ROW = 2 * READERS;
/** Each that can't be read in a file is asked for by itself; of so many, it is the file that has got another form. */
const MAX_UNREADABLE = 1_000;
/** Said of the units that can't be read: what is wrong with all of them is seen from a few. */
const MAX_TOLD = 5;

/** What could not be read of the register: it is read in the next run, and holds nothing else. */
export interface Unread {
  count: number;
  /** of the first of them: which, and why */
  told: string[];
}

/** Reads all that the feeds have had since the last time, and the units that they tell of. */
export async function followFeeds(api: RegisterApi, copy: RegisterCopy): Promise<Unread> {
  const begin = copy.note(BEGIN);
  if (begin === undefined) {
    throw new RegisterError('Nothing has been read of the register yet: begin with a full sync');
  }
  for (const kind of UNIT_KINDS) await takeFeed(api, copy, kind, begin);
  return readPending(api, copy);
}

/** From when a feed is read that has told of nothing yet. */
const BEGIN = 'feeder-fra';

async function takeFeed(api: RegisterApi, copy: RegisterCopy, kind: UnitKind, begin: string): Promise<void> {
  for (;;) {
    const position = copy.position(kind);
    const from = position === undefined ? { dato: begin } : { oppdateringsid: position };
    const updates = await api.updates(kind, from);
    const last = updates.at(-1);
    if (!last) return;
    copy.take(kind, updates, last.oppdateringsid + 1);
  }
}

/** What can't be read stays, and is read the next time; nothing waits for it. */
async function readPending(api: RegisterApi, copy: RegisterCopy): Promise<Unread> {
  const unread: Unread = { count: 0, told: [] };
  let failedInARow = 0;
  for (let after = ''; ;) {
    const batch = copy.pending(after, AT_ONCE);
    const last = batch.at(-1);
    if (!last) return unread;
    after = last.nr;
    const queue = [...batch];
    const reader = async (): Promise<void> => {
      for (let unit = queue.pop(); unit; unit = queue.pop()) {
        const error = await readOne(api, copy, unit);
        if (error instanceof RegisterError && ++failedInARow > MAX_FAILED_IN_A_ROW) throw error;
        if (!(error instanceof RegisterError)) failedInARow = 0;
        if (error) note(unread, `${unit.slag}/${unit.nr}: ${error.message}`);
      }
    };
    await Promise.all(Array.from({ length: READERS }, reader));
  }
}

function note(unread: Unread, what: string): void {
  unread.count++;
  if (unread.told.length < MAX_TOLD) unread.told.push(what);
}

/** @returns why it could not be read */
async function readOne(api: RegisterApi, copy: RegisterCopy, pending: Pending): Promise<Error | undefined> {
  try {
    const unit = await api.unit(pending.slag, pending.nr);
    // A number that it tells of and does not know is on its way, unless it was said to be gone.
    if (unit === undefined && pending.type !== 'Fjernet' && pending.type !== UNSEEN) {
      return new UnitError('the register tells of it and does not know it yet');
    }
    copy.transaction(() => {
      // Gone without a word: a full sync deletes it, which waits for somebody when they are many.
      if (unit === undefined || unit === 'REMOVED') {
        copy.remove(pending, { isTold: unit === 'REMOVED' || pending.type !== UNSEEN });
      } else copy.store(pending, virksomhetOf(unit, copy.known(pending.nr)?.innhold));
    });
    return undefined;
  } catch (error) {
    if (error instanceof UnitError || error instanceof RegisterError) return error;
    throw error;
  }
}

/**
 * Reads the files of all units. The feeds come first, from before the files were begun: what is changed while they are
 * made, fetched and read is in the feed, and is never lost between the two.
 *
 * @param directory for the files, while they are read
 * @throws RegisterError when a file is not whole or not a list of units: what was read of it stays, and nothing is
 *   deleted by it
 */
export async function readAll(api: RegisterApi, copy: RegisterCopy, directory: string): Promise<Unread> {
  const times = await Promise.all(UNIT_KINDS.map((kind) => api.fileTime(kind)));
  const oldest = Math.min(...times.map((time) => time?.getTime() ?? Date.now() - DAY_MS));
  if (copy.note(BEGIN) === undefined) copy.setNote(BEGIN, new Date(oldest - FILE_MARGIN_MS).toISOString());
  await followFeeds(api, copy);
  // Noted first: what one that failed has seen was not seen by the next.
  const round = Number(copy.note('runde') ?? 0) + 1;
  copy.setNote('runde', String(round));
  const moments = [];
  for (const kind of UNIT_KINDS) {
    const file = join(directory, `${kind}.json.gz`);
    const { made = new Date(Date.now() - DAY_MS), type } = await api.download(kind, file);
    const moment = new Date(made.getTime() - FILE_MARGIN_MS).toISOString();
    moments.push(moment);
    try {
      await readFile(copy, { kind, file, type, moment, round });
    } finally {
      await rm(file);
    }
  }
  const moment = moments.sort()[0] ?? '';
  const { count, of } = copy.unseen(round, moment);
  if (count > of * MAX_UNSEEN_SHARE) {
    throw new RegisterError(
      `The files hold ${String(of - count)} of ${String(of)} units that are known: are they whole?`,
    );
  }
  copy.transaction(() => copy.waitForUnseen(round, moment, UNSEEN));
  return followFeeds(api, copy);
}

/** Of a unit that is in no file: what the register does not know either is gone. */
const UNSEEN = 'Usett';

const DAY_MS = 86_400_000;

interface UnitFile {
  kind: UnitKind;
  file: string;
  /** as the register calls it */
  type: string;
  /** what it says is of that moment */
  moment: string;
  round: number;
}

/** A list of units, however long: some of them at a time are in memory. One that can't be read is asked for by itself. */
async function readFile(copy: RegisterCopy, { kind, file, type, moment, round }: UnitFile): Promise<void> {
  let batch: (Virksomhet | Pending)[] = [];
  let read = 0;
  let unreadable = 0;
  // No more of it is kept than is stored: of a unit's members, that is a tenth.
  const readOf = (json: unknown): Virksomhet | Pending => {
    try {
      return virksomhetOf(unitOf(json));
    } catch (error) {
      const nr = numberIn(json);
      if (error instanceof UnitError && nr !== undefined && ++unreadable <= MAX_UNREADABLE) {
        return { nr, slag: kind, dato: moment, type: 'Ukjent' };
      }
      throw error instanceof UnitError ? new UnitError(`unit ${String(read + 1)}: ${error.message}`) : error;
    }
  };
  const store = (): void => {
    copy.transaction(() => {
      for (const one of batch) {
        if ('nr' in one) copy.wait(one);
        else copy.storeFromFile(one, moment, round);
      }
    });
    batch = [];
  };
  try {
    await pipeline(
      createReadStream(file),
      await unpackingOf(file, type),
      streamArray.withParserAsStream(),
      async (items: AsyncIterable<{ value: unknown }>) => {
        for await (const { value } of items) {
          batch.push(readOf(value));
          read++;
          if (batch.length === ROWS_OF_A_TRANSACTION) store();
        }
        store();
      },
    );
  } catch (error) {
    const { message } = error as Error;
    throw new RegisterError(`The file of ${kind} can not be read after ${String(read)} units: ${message}`, {
      cause: error,
    });
  }
}

/** By what is in it: what came packed for the way alone is unpacked already. */
async function unpackingOf(file: string, type: string): Promise<Transform> {
  const handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64).finally(() => handle.close());
  if (buffer.readUInt16BE(0) === GZIP) return createGunzip();
  if (buffer.toString('utf8', 0, bytesRead).trimStart().startsWith('[')) return new PassThrough();
  throw new RegisterError(`it is neither gzip nor a list; the register calls it ${type}`);
}

const GZIP = 0x1f8b;
