import { setTimeout as wait } from 'node:timers/promises';
import type { TableSourceApi } from '@tiltak/simulator';
import { waitUntil } from '@tiltak/testing';
import type { System } from '../../e2e/system.ts';
import type { App } from '../../local/apps.ts';
import type { Act } from '../act.ts';
import { answersOf, anyAvtale, callIngestor, ms, seconds } from '../helpers.ts';
import { sourceFor } from '../source.ts';
import type { Scene } from '../scene.ts';
import { readMetrics, sumOf, type Watch } from '../watch.ts';

/** Everything is killed, and nobody fetches anything again. */
export const noRefetch: Scene = {
  nr: 5,
  name: 'Nothing is fetched again',
  promise:
    'When all processes have been killed they go on where they were: no message is read twice, and the source is never asked; the copy can be rebuilt from the topic alone while it is served.',
  play: async (act) => {
    const system = await act.system();
    const source = await sourceFor(act, system);
    const count = act.size(4_000, 800);
    act.does(`The source registers ${String(count)} avtaler and tells of them; both apps start.`);
    const ids = await source.table.register(count, 5);
    const watch = act.watch();
    const apps = await startApps(system, watch, '1');
    await system.waitForIngested();
    act.figure('Avtaler in the copy', { before: String(count) });
    act.does('Kills every process of both apps. The source changes 50 avtaler meanwhile.');
    await Promise.all(apps.map(({ proc }) => proc.kill()));
    for (const id of ids.slice(0, 50)) await source.table.change(id, { bedriftNavn: 'ENDRET IMENS AS' });
    await act.breaks('The source is never asked', 'whoever is on duty has the source send everything again.', () =>
      fetch(`${source.api.url}/send`, { method: 'POST', body: '{"alle":true}' }),
    );
    await comeBack(act, system, watch, source.api);
  },
};

async function startApps(system: System, watch: Watch, nr: string): Promise<[App, App]> {
  const [ingestor, queryApi] = await Promise.all([system.startIngestor(), system.startQueryApi()]);
  watch.app('ingestor', `ingestor ${nr}`, ingestor);
  watch.app('query-api', `query-api ${nr}`, queryApi);
  return [ingestor, queryApi];
}

async function comeBack(act: Act, system: System, watch: Watch, api: TableSourceApi): Promise<void> {
  const begun = performance.now();
  const [ingestor, queryApi] = await startApps(system, watch, '2');
  await system.waitForIngested();
  const back = performance.now() - begun;
  act.does(`Both apps are back, with all that has changed, after ${seconds(back)}.`);
  act.figure('Back, with all that changed', { after: seconds(back) });
  const read = await waitUntil(async () => sumOf((await readMetrics(ingestor)) ?? '', 'ingestor_meldinger_total'), {
    what: 'the ingestor to tell what it has read',
  });
  act.figure('Messages read', { during: '50 published', after: `${String(read)} read` });
  act.holds('No message is read twice', read === 50, `${String(read - 50)} read again`);
  await rebuild(act, system, watch, [ingestor, queryApi]);
  const calls = Object.values(api.calls()).reduce((sum, n) => sum + n, 0);
  act.figure("Calls to the source's API", { after: String(calls) });
  act.holds('The source is never asked', calls === 0, `${String(calls)} calls to it`);
}

async function rebuild(act: Act, system: System, watch: Watch, [ingestor, queryApi]: [App, App]): Promise<void> {
  const asked = { url: queryApi.url, headers: () => system.as('alt'), avtaleId: anyAvtale(system) };
  const consumer = watch.consumer('a consumer', asked);
  await wait(act.size(3_000, 1_500));
  const before = consumer.take();
  const token = await system.tokenForOnDuty();
  type Progress = { tilstand: string; rettet: number; lest: number };
  const path = '/drift/v1/gjenoppbygging';
  await system.sql(
    `update avtale set bedrift_navn = 'FEIL I KOPIEN AS' where avtale_id in (select avtale_id from avtale limit 20)`,
  );
  act.does(
    'Twenty rows of the copy are spoilt by SQL, and it is rebuilt from the topic while a consumer asks 50 times a second.',
  );
  await callIngestor(ingestor, token, path, { method: 'POST' });
  const done = await waitUntil(
    async () => {
      const progress = await callIngestor<Progress>(ingestor, token, path);
      return progress.tilstand === 'FERDIG' ? progress : undefined;
    },
    { what: 'the rebuild', maxMs: 120_000 },
  );
  await wait(500);
  await consumer.stop();
  const during = consumer.take();
  act.figure('p99 of answers, rebuilding', { before: ms(before.p99), during: ms(during.p99) });
  act.figure('Look-ups, rebuilding', { before: answersOf(before), during: answersOf(during) });
  act.holds(
    'It is rebuilt while it is served',
    done.rettet === 20 && during.failed + during.away === 0,
    `${String(done.lest)} read from the topic, ${String(done.rettet)} put right, ${answersOf(during)}`,
  );
  const same = JSON.stringify((await system.state()).avtaler) === JSON.stringify(system.oracle().avtaler);
  act.holds('What is rebuilt is what the source said', same, same ? 'equal, field by field' : 'it differs');
}
