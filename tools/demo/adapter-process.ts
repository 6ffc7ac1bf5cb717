import { readFileSync } from 'node:fs';
import { AdapterApi, type Entry } from '../reference-adapter/api.ts';

/** An adapter in a process of its own, so that it can be killed: a full sync, or what a sync that was broken off lacks. */
interface Task {
  url: string;
  token: string;
  syncId: string;
  pages: number;
  /** whether the sync has begun before: then the ingestor is asked what it lacks */
  resumed: boolean;
  entries: Entry[];
}

const { url, token, syncId, pages, resumed, entries } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Task;
const api = new AdapterApi(url, () => Promise.resolve(token));
const size = Math.ceil(entries.length / pages);
const all = Array.from({ length: pages }, (_, i) => i + 1);
const missing = resumed ? ((await api.hentSynk(syncId)).manglendeSider ?? []) : all;
for (const page of missing) {
  await api.sendPage('POST', {
    metadata: { synkId: syncId, side: page, antallSider: pages, antallTotalt: entries.length },
    ressurser: entries.slice((page - 1) * size, page * size),
  });
}
