import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AdapterApi, Sync } from '../api.ts';
import { summaryOf, summaryOfAll } from '../summary.ts';
import { RegisterCopy } from './copy.ts';
import { endEarlier, isUnderWay, pushAll, pushChanges, type PushOptions } from './push.ts';
import { followFeeds, readAll, type Unread } from './read-register.ts';
import { RegisterApi } from './register-api.ts';

/** What came of a run, in words, and whether all of it did. */
export interface Outcome {
  summary: string;
  isDone: boolean;
}

/** What a run reads from, keeps in, and sends to. */
interface Run {
  api: AdapterApi;
  register: RegisterApi;
  copy: RegisterCopy;
  /** for the register's files, while they are read */
  directory: string;
  options: PushOptions;
}

/**
 * One run: all of the register, or what has changed since the last one. A full sync that was broken off goes on first,
 * with what it had.
 *
 * @param file of the copy; the register's files lie beside it while they are read
 */
export async function syncRegister(
  api: AdapterApi,
  what: 'full' | 'delta',
  { url, file }: { url: string; file: string },
  options: PushOptions,
): Promise<Outcome> {
  const register = new RegisterApi(url);
  const directory = dirname(file);
  mkdirSync(directory, { recursive: true });
  const copy = new RegisterCopy(file);
  try {
    const run = { api, register, copy, directory, options };
    return await (what === 'full' ? syncAll(run) : syncChanges(run));
  } finally {
    copy.close();
  }
}

/** A full sync that waits to be confirmed is, when that is asked for; else a new one takes its place. */
async function syncAll(run: Run): Promise<Outcome> {
  const { api, register, copy, directory, options } = run;
  if (isUnderWay(copy)) return outcomeOfAll(run, await pushAll(api, copy, options));
  const earlier = await endEarlier(api, copy, options);
  if (earlier && earlier.tilstand !== WAITS) return outcomeOfAll(run, earlier);
  const unread = await readAll(register, copy, directory);
  return outcomeOfAll(run, await pushAll(api, copy, options), unread);
}

/** Nothing waits for a full sync that somebody must confirm. */
async function syncChanges(run: Run): Promise<Outcome> {
  const { api, register, copy, options } = run;
  const full = isUnderWay(copy) ? await pushAll(api, copy, options) : await endEarlier(api, copy, options);
  const unread = await followFeeds(register, copy);
  const pushed = await pushChanges(api, copy, options);
  const before = full && outcomeOfAll(run, full);
  return {
    summary: [...(before ? [before.summary] : []), summaryOfAll(pushed, copy.refused()), ...told(unread)].join('\n'),
    isDone: before?.isDone ?? true,
  };
}

const WAITS = 'VENTER_PAA_BEKREFTELSE';

function outcomeOfAll({ copy }: Run, sync: Sync, unread?: Unread): Outcome {
  const summary = [summaryOf('POST', sync, copy.count(), 'virksomheter'), ...told(unread)].join('\n');
  return { summary, isDone: sync.tilstand === 'FULLFOERT' };
}

function told(unread: Unread | undefined): string[] {
  if (!unread || unread.count === 0) return [];
  const { count, told: first } = unread;
  return [
    `${String(count)} could not be read of the register, and are asked for in the next run:`,
    ...first.map((why) => `  ${why}`),
  ];
}
