import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { RefusedError, type AdapterApi, type Entry, type Sync } from '../api.ts';
import { send } from '../sync.ts';
import type { RegisterCopy, Row } from './copy.ts';

export interface PushOptions {
  pageSize: number;
  concurrency: number;
  /** lets a full sync delete as much as it would */
  confirm: boolean;
  progress: (done: number, pages: number) => void;
}

/**
 * Sends what has changed since the last time. Sent again, it changes nothing: what was not noted as sent when the adapter
 * ended is sent once more.
 */
export async function pushChanges(api: AdapterApi, copy: RegisterCopy, options: PushOptions): Promise<number> {
  let sent = 0;
  const { pageSize } = options;
  for (let rows = copy.unsent(pageSize); rows.length > 0; rows = copy.unsent(pageSize)) {
    await sendAll(api, 'PATCH', rows.map(toEntry), options);
    copy.markSent(rows);
    sent += rows.length;
  }
  for (let gone = copy.removed(pageSize); gone.length > 0; gone = copy.removed(pageSize)) {
    await sendAll(
      api,
      'DELETE',
      gone.map((id) => ({ id })),
      options,
    );
    copy.markRemoved(gone);
    sent += gone.length;
  }
  return sent;
}

async function sendAll(
  api: AdapterApi,
  method: 'PATCH' | 'DELETE',
  entries: Entry[],
  options: PushOptions,
): Promise<void> {
  const { pageSize, concurrency } = options;
  const progress = (): void => undefined;
  await send(api, entries, { method, syncId: randomUUID(), pageSize, concurrency, progress });
}

/**
 * Sends the whole copy as a full sync, those that are struck off too. One that was broken off goes on where it was, since
 * nothing is read into the copy before it is over; when it was broken off so long ago that it has expired, it begins anew.
 */
export async function pushAll(api: AdapterApi, copy: RegisterCopy, options: PushOptions): Promise<Sync> {
  const resumed = copy.note(FULL_SYNC);
  try {
    return await pushAs(resumed ?? randomUUID(), api, copy, options);
  } catch (error) {
    if (resumed === undefined || !isOver(error)) throw error;
    return pushAs(randomUUID(), api, copy, options);
  }
}

async function pushAs(syncId: string, api: AdapterApi, copy: RegisterCopy, options: PushOptions): Promise<Sync> {
  const { pageSize, concurrency, progress } = options;
  const count = copy.count();
  const starts = copy.pageStarts(pageSize);
  copy.setNote(FULL_SYNC, syncId);
  const source = { length: count, page: (n: number) => copy.page(starts[n - 1] ?? '', pageSize).map(toEntry) };
  try {
    let sync = await send(api, source, { method: 'POST', syncId, pageSize, concurrency, progress });
    while (sync.tilstand === 'SLETTER' || (sync.tilstand === 'VENTER_PAA_BEKREFTELSE' && options.confirm)) {
      sync = sync.tilstand === 'SLETTER' ? await api.hentSynk(syncId) : await api.bekreft(syncId);
      await wait(200);
    }
    if (sync.tilstand === 'FULLFOERT') copy.markAllSent();
    if (sync.tilstand !== 'VENTER_PAA_BEKREFTELSE') copy.setNote(FULL_SYNC, undefined);
    return sync;
  } catch (error) {
    // It is over, or holds something else: the next one begins anew.
    if (isOver(error)) copy.setNote(FULL_SYNC, undefined);
    throw error;
  }
}

function isOver(error: unknown): boolean {
  return error instanceof RefusedError && (error.status === 409 || error.status === 400);
}

const FULL_SYNC = 'full-synk';

/** Whether a full sync was broken off: it goes on before anything is read. */
export function isUnderWay(copy: RegisterCopy): boolean {
  return copy.note(FULL_SYNC) !== undefined;
}

function toEntry({ nr, innhold, sist_endret: sistEndret }: Row): Entry {
  return { id: nr, ressurs: { ...(JSON.parse(innhold) as Record<string, unknown>), sistEndret } };
}
