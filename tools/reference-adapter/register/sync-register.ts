import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AdapterApi } from '../api.ts';
import { summaryOf } from '../summary.ts';
import { RegisterCopy } from './copy.ts';
import { isUnderWay, pushAll, pushChanges, type PushOptions } from './push.ts';
import { followFeeds, readAll, type Unread } from './read-register.ts';
import { RegisterApi } from './register-api.ts';

/**
 * One run: all of the register, or what has changed since the last one.
 *
 * @param file of the copy; the register's files lie beside it while they are read
 * @returns what came of it, in words, and whether all of it did
 */
export async function syncRegister(
  api: AdapterApi,
  what: 'full' | 'delta',
  { url, file }: { url: string; file: string },
  options: PushOptions,
): Promise<{ summary: string; isDone: boolean }> {
  mkdirSync(dirname(file), { recursive: true });
  const copy = new RegisterCopy(file);
  try {
    const register = new RegisterApi(url);
    if (what === 'delta' && !isUnderWay(copy)) {
      const unread = await followFeeds(register, copy);
      const sent = await pushChanges(api, copy, options);
      return { summary: [`${String(sent)} virksomheter sent`, ...told(unread)].join('\n'), isDone: true };
    }
    // One that was broken off goes on first, with what it had.
    const unread = isUnderWay(copy) ? undefined : await readAll(register, copy, dirname(file));
    const sync = await pushAll(api, copy, options);
    const summary = [summaryOf('POST', sync, copy.count(), 'virksomheter'), ...told(unread)].join('\n');
    return { summary, isDone: sync.tilstand === 'FULLFOERT' };
  } finally {
    copy.close();
  }
}

function told(unread: Unread | undefined): string[] {
  if (!unread || unread.count === 0) return [];
  const { count, told: first } = unread;
  return [
    `${String(count)} could not be read of the register, and are asked for in the next run:`,
    ...first.map((why) => `  ${why}`),
  ];
}
