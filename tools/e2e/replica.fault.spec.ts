import { createEvents } from '@tiltak/simulator';
import { waitUntil } from '@tiltak/testing';
import type { App } from '../local/apps.ts';
import { FeedCopy, readAll } from './feed-copy.ts';
import { System } from './system.ts';

test('a copy made from the export and the feed is what the API says, whoever is killed meanwhile', async () => {
  const system = await System.create();
  try {
    // Several seeds: the same avtaleId never comes from two.
    await system.publish([...createEvents({ count: 3_000, seed: 11 })]);
    let ingestor = await system.startIngestor();
    let api = await system.startQueryApi();
    const headers = await system.as('alt');
    await waitUntil(async () => (await fetch(`${api.url}/api/v1/avtaler/nummer/0`, { headers })).status !== 503, {
      what: 'the first load',
    });

    const source = (async () => {
      for (let part = 0; part < 6; part++) {
        await system.publish([...createEvents({ count: 1_500, seed: 20 + part })]);
        if (part === 1 || part === 3) {
          await ingestor.proc.kill();
          ingestor = await system.startIngestor();
        }
      }
      await system.waitForIngested(120_000);
    })();
    let done = false;
    const finished = source.finally(() => (done = true));

    const copy = await FeedCopy.fromExport(api.url, headers);
    let pages = 0;
    for (;;) {
      const lastRound = done;
      if (++pages === 8) api = await restart(system, api);
      const count = await copy.follow(api.url, lastRound ? 0 : 1);
      if (lastRound && count === 0) break;
    }
    await finished;
    const expected = await readAll(api.url, headers);
    expect(expected.length).toBeGreaterThan(500);
    expect(copy.sorted()).toEqual(expected);
    expect(await system.state()).toEqual(system.oracle());
  } finally {
    await system.stop();
  }
}, 240_000);

async function restart(system: System, api: App): Promise<App> {
  await api.proc.kill();
  const incoming = await system.startQueryApi();
  const headers = await system.as('alt');
  await waitUntil(async () => (await fetch(`${incoming.url}/api/v1/avtaler/nummer/0`, { headers })).status !== 503, {
    what: 'the new process to answer',
  });
  return incoming;
}
