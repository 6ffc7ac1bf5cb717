import { setTimeout as wait } from 'node:timers/promises';
import type { AdapterApi, Entry, Page, Sync } from './api.ts';
import { isCounted } from './summary.ts';

/** Entries that are not all in memory: a page is read when it is sent, and is the same each time. */
export interface EntryPages {
  length: number;
  /** @param n from 1 */
  page: (n: number) => Entry[];
}

export type SyncOptions = {
  method: 'POST' | 'PATCH' | 'DELETE';
  syncId: string;
  /** entries of a page */
  pageSize: number;
  /** pages under way at once */
  concurrency: number;
  /** called for each page that is in */
  progress: (done: number, pages: number) => void;
};

/**
 * Sends all entries as one sync. With the synkId of a sync that was broken off, only the pages that the ingestor lacks
 * are sent: it knows, so the adapter need not. The entries must then be the same, in the same order.
 */
export async function send(
  api: AdapterApi,
  entries: readonly Entry[] | EntryPages,
  options: SyncOptions,
): Promise<Sync> {
  const { method, syncId, pageSize, concurrency, progress } = options;
  const pageCount = Math.max(1, Math.ceil(entries.length / pageSize));
  const createPage = (page: number): Page => ({
    metadata: { synkId: syncId, side: page, antallSider: pageCount, antallTotalt: entries.length },
    ressurser: 'page' in entries ? entries.page(page) : entries.slice((page - 1) * pageSize, page * pageSize),
  });
  // The first page tells what is missing, whether the sync is new or not.
  let sync = await api.sendPage(method, createPage(1));
  progress(sync.mottatteSider, pageCount);
  while (sync.manglendeSider?.length) {
    const missing = [...sync.manglendeSider];
    const workers = Array.from({ length: Math.min(concurrency, missing.length) }, async () => {
      for (let page = missing.shift(); page !== undefined; page = missing.shift()) {
        progress((await api.sendPage(method, createPage(page))).mottatteSider, pageCount);
      }
    });
    await Promise.all(workers);
    sync = await api.hentSynk(syncId);
  }
  return sync;
}

const ASK_EVERY_MS = 200;
/** The stream needs a second or so; a backlog may keep it for longer than anybody waits. */
const COUNT_MS = 10_000;

/**
 * What becomes of a sync whose pages are in: waits until it is over, or waits for somebody, and for a while until its
 * entries have been counted.
 *
 * @param confirm lets it delete as much as it would
 */
export async function settle(api: AdapterApi, from: Sync, { confirm }: { confirm: boolean }): Promise<Sync> {
  let sync = from;
  for (;;) {
    if (sync.tilstand === 'VENTER_PAA_BEKREFTELSE' && confirm) sync = await api.bekreft(sync.synkId);
    else if (sync.tilstand !== 'MOTTAR' && sync.tilstand !== 'SLETTER') break;
    await wait(ASK_EVERY_MS);
    sync = await api.hentSynk(sync.synkId);
  }
  for (const deadline = Date.now() + COUNT_MS; !isCounted(sync) && Date.now() < deadline;) {
    await wait(ASK_EVERY_MS);
    sync = await api.hentSynk(sync.synkId);
  }
  return sync;
}
