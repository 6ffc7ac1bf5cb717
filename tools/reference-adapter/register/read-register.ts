import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import streamArray from 'stream-json/streamers/stream-array.js';
import type { RegisterCopy, Pending } from './copy.ts';
import { RegisterError, UNIT_KINDS, type RegisterApi, type UnitKind } from './register-api.ts';
import { virksomhetOf, type Unit } from './virksomhet.ts';

/**
 * How long before it is there the making of a file may have begun. A file tells when it was done, not of which moment it
 * is: what it says is taken to be of this much before, and what the feed has told of since goes before it.
 */
const FILE_MARGIN_MS = 6 * 3_600_000;
/** Units that are read at once. */
const READERS = 8;
const AT_ONCE = 1_000;
const ROWS_OF_A_TRANSACTION = 5_000;
/** More than this many units that are gone without a word: it is the file that is not whole. */
const MAX_UNSEEN_SHARE = 0.2;

/** Reads all that the feeds have had since the last time, and the units that they tell of. @returns how many it could not read */
export async function followFeeds(api: RegisterApi, copy: RegisterCopy, begin?: string): Promise<number> {
  for (const kind of UNIT_KINDS) await takeFeed(api, copy, kind, begin);
  return readPending(api, copy);
}

async function takeFeed(
  api: RegisterApi,
  copy: RegisterCopy,
  kind: UnitKind,
  begin: string | undefined,
): Promise<void> {
  for (;;) {
    const position = copy.position(kind);
    if (position === undefined && begin === undefined) {
      throw new RegisterError('Nothing has been read of the register yet: begin with a full sync');
    }
    const from = position === undefined ? { dato: begin ?? '' } : { oppdateringsid: position };
    const updates = await api.updates(kind, from);
    const last = updates.at(-1);
    if (!last) return;
    copy.take(kind, updates, last.oppdateringsid + 1);
  }
}

/** What can't be read stays, and is read the next time; nothing waits for it. */
async function readPending(api: RegisterApi, copy: RegisterCopy): Promise<number> {
  let failed = 0;
  for (let after = ''; ;) {
    const batch = copy.pending(after, AT_ONCE);
    const last = batch.at(-1);
    if (!last) return failed;
    after = last.nr;
    const queue = [...batch];
    const reader = async (): Promise<void> => {
      for (let unit = queue.pop(); unit; unit = queue.pop()) if (!(await readOne(api, copy, unit))) failed++;
    };
    await Promise.all(Array.from({ length: READERS }, reader));
  }
}

async function readOne(api: RegisterApi, copy: RegisterCopy, pending: Pending): Promise<boolean> {
  const unit = await api.unit(pending.slag, pending.nr);
  // A number that it tells of and does not know is on its way, unless it was said to be removed.
  if (unit === undefined && pending.type !== 'Fjernet') return false;
  copy.transaction(() => {
    if (unit === undefined || unit === 'REMOVED') copy.remove(pending);
    else copy.store(pending, virksomhetOf(unit, copy.known(pending.nr)?.innhold));
  });
  return true;
}

/**
 * Reads the files of all units. The feeds come first, from before the files were begun: what is changed while they are
 * made, fetched and read is in the feed, and is never lost between the two.
 *
 * @param directory for the files, while they are read
 * @returns how many units could not be read
 */
export async function readAll(api: RegisterApi, copy: RegisterCopy, directory: string): Promise<number> {
  const times = await Promise.all(UNIT_KINDS.map((kind) => api.fileTime(kind)));
  const oldest = Math.min(...times.map((time) => time?.getTime() ?? Date.now() - DAY_MS));
  await followFeeds(api, copy, new Date(oldest - FILE_MARGIN_MS).toISOString());
  const round = Number(copy.note('runde') ?? 0) + 1;
  const moments = [];
  for (const kind of UNIT_KINDS) {
    const file = join(directory, `${kind}.json.gz`);
    const time = (await api.download(kind, file)) ?? new Date(Date.now() - DAY_MS);
    const moment = new Date(time.getTime() - FILE_MARGIN_MS).toISOString();
    moments.push(moment);
    await readFile(copy, file, moment, round);
    await rm(file);
  }
  const moment = moments.sort()[0] ?? '';
  const { count, of } = copy.unseen(round, moment);
  if (count > of * MAX_UNSEEN_SHARE) {
    throw new RegisterError(
      `The files hold ${String(of - count)} of ${String(of)} units that are known: are they whole?`,
    );
  }
  copy.transaction(() => {
    copy.waitForUnseen(round, moment);
    copy.setNote('runde', String(round));
  });
  return followFeeds(api, copy);
}

const DAY_MS = 86_400_000;

/** A list of units, however long: one at a time is in memory. */
async function readFile(copy: RegisterCopy, file: string, moment: string, round: number): Promise<void> {
  let units: Unit[] = [];
  const store = (): void => {
    copy.transaction(() => {
      for (const unit of units) copy.storeFromFile(virksomhetOf(unit), moment, round);
    });
    units = [];
  };
  await pipeline(
    createReadStream(file),
    createGunzip(),
    streamArray.withParserAsStream(),
    async (items: AsyncIterable<{ value: Unit }>) => {
      for await (const { value } of items) if (units.push(value) === ROWS_OF_A_TRANSACTION) store();
    },
  );
  store();
}
