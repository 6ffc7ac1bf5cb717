import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, startProcess, waitUntil } from '@tiltak/testing';
import { AdapterData } from '../../e2e/adapter-data.ts';
import { RUN_CONTRACT } from '../../e2e/adapter-run.ts';
import type { System } from '../../e2e/system.ts';
import type { App } from '../../local/apps.ts';
import { AdapterApi, type Entry } from '../../reference-adapter/api.ts';
import type { Act } from '../act.ts';
import { CountingProxy, type Passed } from '../counting-proxy.ts';
import { ms } from '../helpers.ts';
import type { Scene } from '../scene.ts';

const PAGES = 12;
const KILLED_AT = 7;
/** bytes; «one kilobyte» */
const MAX_CHANGE = 1_024;
/** ms */
const MAX_SERVED = 2_000;

/** An organisation without Kafka: pages over REST, changes of one avtale, deletes. */
export const adapter: Scene = {
  nr: 4,
  name: 'REST, delta, delete',
  promise:
    'An adapter that is killed in the middle of a full sync sends only the pages that are missing; one change costs one kilobyte and is served at once; a delete reaches whoever follows the feed.',
  play: async (act) => {
    const system = await act.system();
    const [ingestor, queryApi] = await Promise.all([system.startIngestor(), system.startQueryApi()]);
    const watch = act.watch();
    watch.app('ingestor', 'ingestor', ingestor);
    const proxy = await CountingProxy.start(ingestor.url);
    act.ending(() => proxy.stop());
    const token = await system.tokenForAdapter();
    const api = new AdapterApi(proxy.url, () => Promise.resolve(token));
    await api.settKontrakt({ ...RUN_CONTRACT, adapterId: 'demo' });
    const entries = new AdapterData(4, act.size(6_000, 1_200)).fresh(act.size(6_000, 1_200));
    await fullSync(act, { system, proxy, token, entries });
    const scene = { act, system, queryApi, api, proxy };
    await oneChange(scene, entries[0]);
    await oneDelete(scene, entries[1]);
  },
};

async function fullSync(
  act: Act,
  { system, proxy, token, entries }: { system: System; proxy: CountingProxy; token: string; entries: Entry[] },
): Promise<void> {
  const task = { url: proxy.url, token, syncId: randomUUID(), pages: PAGES, entries };
  act.does(
    `An adapter begins a full sync of ${String(entries.length)} avtaler in ${String(PAGES)} pages, and is killed when page ${String(KILLED_AT)} is in.`,
  );
  const first = startAdapter(act, { ...task, resumed: false });
  const isIn = new Promise<void>((done) => {
    proxy.onPassed = () => {
      if (pagesIn(proxy).length === KILLED_AT) done();
    };
  });
  await Promise.race([isIn, first.done]);
  await first.kill();
  const before = pagesIn(proxy).length;
  act.figure('Pages sent', { before: String(before) });

  let resumed = true;
  await act.breaks(
    'Only the missing pages are sent',
    'the adapter has forgotten which sync it had begun, and begins again.',
    () => {
      resumed = false;
      task.syncId = randomUUID();
      return Promise.resolve();
    },
  );
  act.does('The adapter starts again, and asks which pages are missing.');
  await startAdapter(act, { ...task, resumed }).done;
  await system.waitForTopic();
  const sent = pagesIn(proxy).length - before;
  const [row] = await system.sql<{ n: number }>('select count(*)::int as n from avtale where slettet is null');
  act.figure('Pages sent', { after: String(sent) });
  act.figure('Avtaler stored', { after: String(row?.n) });
  const whole = row?.n === entries.length;
  // One that was under way when it was killed may have come or not: what is missing is what was not in.
  act.holds(
    'Only the missing pages are sent',
    whole && before + sent === PAGES,
    `${String(before)} and then ${String(sent)} of ${String(PAGES)}; ${String(row?.n)} avtaler stored`,
  );
}

function startAdapter(act: Act, task: object): ReturnType<typeof startProcess> {
  const file = join(act.stage.directory, `adapter-${randomUUID()}.json`);
  writeFileSync(file, JSON.stringify(task), { mode: 0o600 });
  const program = join(ROOT, 'tools', 'demo', 'adapter-process.ts');
  const adapterProcess = startProcess(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, file],
    `${file}.log`,
  );
  act.ending(() => adapterProcess.kill());
  return adapterProcess;
}

const pagesIn = ({ passed }: CountingProxy): Passed[] =>
  passed.filter(({ method, path, status }) => method === 'POST' && path.endsWith('/synk') && status < 300);

interface Means {
  act: Act;
  system: System;
  queryApi: App;
  api: AdapterApi;
  proxy: CountingProxy;
}

const pageOf = (entry: Entry): Parameters<AdapterApi['sendPage']>[1] => ({
  metadata: { synkId: randomUUID(), side: 1, antallSider: 1, antallTotalt: 1 },
  ressurser: [entry],
});

async function oneChange({ act, system, queryApi, api, proxy }: Means, entry?: Entry): Promise<void> {
  if (!entry) return;
  const changed = {
    ...entry,
    ressurs: { ...entry.ressurs, sistEndret: new Date().toISOString(), avtaleStatus: 'AVSLUTTET' },
  };
  const headers = await system.as('alt');
  const status = async (): Promise<string | undefined> => {
    const response = await fetch(`${queryApi.url}/api/v1/avtaler/${entry.id}`, { headers });
    return response.ok ? ((await response.json()) as { avtaleStatus: string }).avtaleStatus : undefined;
  };
  await waitUntil(status, { what: 'the avtale to be served' });
  act.does('One avtale is changed, and sent as a delta.');
  const begun = performance.now();
  await api.sendPage('PATCH', pageOf(changed));
  await waitUntil(async () => (await status()) === 'AVSLUTTET', { what: 'the change to be served', everyMs: 5 });
  const took = performance.now() - begun;
  const bytes = proxy.passed.findLast(({ method }) => method === 'PATCH')?.bytes ?? 0;
  act.figure('One change, bytes', { after: String(bytes) });
  act.figure('One change, until it is served', { after: ms(took) });
  act.holds('One change is one kilobyte', bytes > 0 && bytes <= MAX_CHANGE, `${String(bytes)} bytes`);
  act.holds('It is served at once', took < MAX_SERVED, `${ms(took)} after it was sent`);
}

async function oneDelete({ act, system, queryApi, api }: Means, entry?: Entry): Promise<void> {
  if (!entry) return;
  const headers = await system.as('alt');
  type Page = { endringer: { avtaleId: string; type: string }[]; posisjon: string };
  const read = async (query: string): Promise<Page> =>
    (await (await fetch(`${queryApi.url}/api/v1/endringer?${query}`, { headers })).json()) as Page;
  let { posisjon: position } = await read('fra=naa');
  act.does('One avtale is deleted by the adapter; a consumer follows the feed.');
  const begun = performance.now();
  await api.sendPage('DELETE', pageOf({ id: entry.id }));
  const told = await waitUntil(
    async () => {
      const page = await read(`etter=${encodeURIComponent(position)}`);
      position = page.posisjon;
      return page.endringer.find(({ avtaleId }) => avtaleId === entry.id);
    },
    { what: 'the feed to tell of it', everyMs: 10 },
  );
  const took = performance.now() - begun;
  act.figure('A delete, until the feed tells of it', { after: ms(took) });
  const { status } = await fetch(`${queryApi.url}/api/v1/avtaler/${entry.id}`, { headers });
  act.holds(
    'A delete is in the feed',
    told.type === 'SLETTET' && status === 404,
    `${told.type} after ${ms(took)}; the look-up answers ${String(status)}`,
  );
}
