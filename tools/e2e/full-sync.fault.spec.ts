import { randomUUID } from 'node:crypto';
import { waitUntil } from '@tiltak/testing';
import { AdapterApi, type Entry } from '../reference-adapter/api.ts';
import { send, type SyncOptions } from '../reference-adapter/sync.ts';
import { System } from './system.ts';

let system: System;

beforeAll(async () => {
  system = await System.create();
});
afterAll(() => system.stop());

const CONTRACT = {
  adapterId: 'spec',
  heartbeatIntervallMinutter: 15,
  fullSynkIntervallDager: 7,
  deltaSynk: 'STRAKS',
  ressurser: ['avtaler'],
};
const SISTENDRET = ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'];

const entry = (id: string, round: number): Entry => ({
  id,
  ressurs: { avtaleId: id, avtaleNr: round, sistEndret: SISTENDRET[round] },
});

const stored = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (
      await system.sql<{ id: string; nr: number }>(
        'select avtale_id as id, avtale_nr as nr from avtale where slettet is null',
      )
    ).map(({ id, nr }) => [id, nr]),
  );

test('an ingestor that is killed in the middle of a full sync loses nothing, and deletes nothing too much', async () => {
  const ids = Array.from({ length: 5_000 }, () => randomUUID());
  const first = await system.startIngestor();
  const api = new AdapterApi(first.url, () => system.tokenForAdapter());
  await api.settKontrakt(CONTRACT);
  const options: SyncOptions = {
    method: 'POST',
    syncId: randomUUID(),
    pageSize: 100,
    concurrency: 3,
    progress: () => undefined,
  };
  await send(
    api,
    ids.map((id) => entry(id, 0)),
    options,
  );
  await waitUntil(async () => (await api.hentSynk(options.syncId)).tilstand === 'FULLFOERT', {
    what: 'the first sync',
    maxMs: 60_000,
  });

  const kept = ids.slice(0, 4_500);
  const syncId = randomUUID();
  // While pages are published and not answered yet.
  let killed = false;
  const progress = (done: number): void => {
    if (done < 10 || killed) return;
    killed = true;
    void first.proc.kill();
  };
  const broken = new AdapterApi(first.url, async () => {
    if (killed) throw new Error('the adapter ends here');
    return system.tokenForAdapter();
  });
  const fresh = kept.map((id) => entry(id, 1));
  await expect(send(broken, fresh, { ...options, syncId, progress })).rejects.toThrow('the adapter ends here');

  const others = new AdapterApi((await system.startIngestor()).url, () => system.tokenForAdapter());
  await send(others, fresh, { ...options, syncId });
  await waitUntil(async () => (await others.hentSynk(syncId)).tilstand === 'FULLFOERT', {
    what: 'the second sync',
    maxMs: 60_000,
  });
  expect(await others.hentSynk(syncId)).toMatchObject({ mottatteSider: 45, manglendeSider: [], skalSlettes: 500 });
  const expected = Object.fromEntries(kept.map((id) => [id, 1]));
  await waitUntil(async () => Object.keys(await stored()).length === kept.length, { what: 'the deletions' });
  expect(await stored()).toEqual(expected);
}, 180_000);
