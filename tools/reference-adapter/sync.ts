import type { AdapterApi, Entry, Page, Sync } from './api.ts';

export type SyncOptions = {
  metode: 'POST' | 'PATCH' | 'DELETE';
  synkId: string;
  /** entries of a page */
  sidestoerrelse: number;
  /** pages under way at once */
  parallelt: number;
  /** called for each page that is in */
  progress: (done: number, pages: number) => void;
};

/**
 * Sends all entries as one sync. With the synkId of a sync that was broken off, only the pages that the ingestor lacks
 * are sent: it knows, so the adapter need not. The entries must then be the same, in the same order.
 */
export async function send(api: AdapterApi, entry: readonly Entry[], options: SyncOptions): Promise<Sync> {
  const { metode: method, synkId: syncId, sidestoerrelse: pageSize, parallelt, progress } = options;
  const pageCount = Math.max(1, Math.ceil(entry.length / pageSize));
  const createPage = (page: number): Page => ({
    metadata: { synkId: syncId, side: page, antallSider: pageCount, antallTotalt: entry.length },
    ressurser: entry.slice((page - 1) * pageSize, page * pageSize),
  });
  // The first page tells what is missing, whether the sync is new or not.
  let sync = await api.sendPage(method, createPage(1));
  progress(sync.mottatteSider, pageCount);
  while (sync.manglendeSider?.length) {
    const missing = [...sync.manglendeSider];
    const workers = Array.from({ length: Math.min(parallelt, missing.length) }, async () => {
      for (let page = missing.shift(); page !== undefined; page = missing.shift()) {
        progress((await api.sendPage(method, createPage(page))).mottatteSider, pageCount);
      }
    });
    await Promise.all(workers);
    sync = await api.hentSynk(syncId);
  }
  return sync;
}
