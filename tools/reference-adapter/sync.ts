import type { AdapterApi, Entry, Page, Sync } from './api.ts';

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
