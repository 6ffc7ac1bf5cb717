import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createWorkDir, ROOT, waitUntil } from '@tiltak/testing';
import { createEvents } from '@tiltak/simulator';
import type { App } from '../local/apps.ts';
import { System } from './system.ts';

/**
 * Differences of each kind, planted while the ingestor is at work, are all found and healed, and none is invented: by the
 * source's list and by the topic.
 */
let system: System;
let app: App;
const { directory, clean } = createWorkDir('avstemming');

beforeEach(async () => {
  system = await System.create();
  app = await system.startIngestor();
}, 60_000);
afterEach(() => system.stop());
afterAll(clean);

const TYPES = ['MANGLER', 'UTDATERT', 'FREMMED', 'NYERE'] as const;
type Type = (typeof TYPES)[number];
type Differences = Record<Type, string[]>;

async function call(path: string, options: RequestInit = {}): Promise<Response> {
  const response = await fetch(`${app.url}/drift/v1/avstemming${path}`, {
    ...options,
    headers: { authorization: `Bearer ${await system.tokenForOnDuty()}`, ...options.headers },
  });
  if (!response.ok) throw new Error(`${String(response.status)}: ${await response.text()}`);
  return response;
}

async function avstem(list?: string, per = new Date()): Promise<{ id: string; found: Differences }> {
  const response =
    list === undefined
      ? await call('?kilde=TOPIC', { method: 'POST' })
      : await call(`?per=${per.toISOString()}`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson' },
          body: list,
        });
  const { id } = (await response.json()) as { id: string };
  const found = await Promise.all(
    TYPES.map(async (type) => {
      const page = (await (await call(`/${id}/differanser?type=${type}`)).json()) as {
        differanser: { avtaleId: string }[];
      };
      return [type, page.differanser.map(({ avtaleId }) => avtaleId)] as const;
    }),
  );
  return { id, found: Object.fromEntries(found) as Differences };
}

async function repair(id: string, type: Type, confirm?: number): Promise<{ rettet: number; igjen: number }> {
  const body = JSON.stringify({ type, ...(confirm === undefined ? {} : { bekreft: confirm }) });
  const response = await call(`/${id}/rett`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return (await response.json()) as { rettet: number; igjen: number };
}

/** The source's list, as of what is published by now. */
function list(): string {
  const avtaler = system.oracle().avtaler as { avtaleId: string; sistEndret: string }[];
  return avtaler.map(({ avtaleId, sistEndret }) => `${JSON.stringify({ avtaleId, sistEndret })}\n`).join('');
}

const FOREIGN = [1, 2, 3].map((n) => `ffffffff-0000-4000-8000-00000000000${String(n)}`);

/** Some of each kind, in a database that agrees with the source. */
async function plant(): Promise<Differences> {
  const rows = await system.sql<{ avtale_id: string }>(
    'select avtale_id from avtale where slettet is null and not feilregistrert order by avtale_id limit 15',
  );
  const ids = rows.map((row) => row.avtale_id);
  const [away, older, newer] = [ids.slice(0, 5), ids.slice(5, 10), ids.slice(10)];
  await system.sql('delete from avtale where avtale_id = any($1)', [away]);
  await system.sql(`update avtale set sist_endret = sist_endret - interval '1 day' where avtale_id = any($1)`, [older]);
  await system.sql(`update avtale set sist_endret = sist_endret + interval '1 day' where avtale_id = any($1)`, [newer]);
  await system.sql(
    `insert into avtale (avtale_id, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
     select unnest($1::uuid[]), false, '2026-01-01', 0, 0`,
    [FOREIGN],
  );
  return { MANGLER: away, UTDATERT: older, FREMMED: FOREIGN, NYERE: newer };
}

const NONE: Differences = { MANGLER: [], UTDATERT: [], FREMMED: [], NYERE: [] };

/** Publishes other avtaler until it is told to stop, and says how many messages that was. */
function disturb(seed: number): () => Promise<number> {
  let stopped = false;
  let count = 0;
  const done = (async () => {
    // Bounded: all rounds are about the same few participants.
    for (let round = 0; !stopped && round < 50; round++) {
      const messages = [...createEvents({ count: 200, seed: seed + round })];
      await system.publish(messages);
      count += messages.length;
      // A steady trickle, through all that is done meanwhile.
      await wait(100);
    }
  })();
  return async () => {
    stopped = true;
    await done;
    return count;
  };
}

test.each(['LISTE', 'TOPIC'] as const)(
  'planted differences against %s, while the ingestor is at work',
  async (against) => {
    await system.publish([...createEvents({ count: 1_500, seed: 1 })]);
    await system.waitForIngested();
    const planted = await plant();
    const per = new Date();
    const sourceList = against === 'LISTE' ? list() : undefined;
    const stop = disturb(100);
    let id = '';
    try {
      const report = await avstem(sourceList, per);
      ({ id } = report);
      expect(report.found).toEqual(planted);
      expect(await repair(id, 'MANGLER')).toEqual({ rettet: 5, igjen: 0 });
      expect(await repair(id, 'UTDATERT')).toEqual({ rettet: 5, igjen: 0 });
      expect(await repair(id, 'FREMMED', 3)).toEqual({ rettet: 3, igjen: 0 });
    } finally {
      expect(await stop()).toBeGreaterThan(0);
    }
    await waitUntil(
      async () =>
        (await system.sql('select 1 from avtale where avtale_id = any($1) and slettet is null', [FOREIGN])).length ===
        0,
      {
        what: 'what the source does not have to be deleted',
      },
    );
    // As who is killed between the tombstones and the note leaves it.
    await system.sql(`update avstemming_differanse set rettet = null where avstemming = $1 and type = 'FREMMED'`, [id]);
    expect(await repair(id, 'FREMMED', 3)).toEqual({ rettet: 3, igjen: 0 });
    expect((await avstem(against === 'LISTE' ? list() : undefined)).found).toEqual({ ...NONE, NYERE: planted.NYERE });
    await system.sql(`update avtale set sist_endret = sist_endret - interval '1 day' where avtale_id = any($1)`, [
      planted.NYERE,
    ]);
    const { avtaler } = await system.state();
    expect(avtaler).toEqual(system.oracle().avtaler);
  },
  60_000,
);

test('a change that came after the report outlives the deletion of what the source did not have', async () => {
  const message = [...createEvents({ count: 400, seed: 9 })].find(({ value }) => {
    const { feilregistrert, slettemerket } = JSON.parse(String(value)) as Record<string, unknown>;
    return feilregistrert === false && slettemerket === false;
  });
  if (!message) throw new Error('The simulator made no ordinary message');
  await system.publish([message]);
  await system.waitForIngested();
  const key = String(message.key);
  const { id, found } = await avstem(
    list()
      .split('\n')
      .filter((line) => !line.includes(key))
      .join('\n'),
  );
  expect(found.FREMMED).toEqual([key]);
  const content = { ...(JSON.parse(String(message.value)) as object), sistEndret: new Date().toISOString() };
  await system.publish([{ key, value: JSON.stringify(content) }]);
  await system.waitForIngested();
  expect(await repair(id, 'FREMMED', 1)).toEqual({ rettet: 0, igjen: 1 });
  expect((await system.state()).avtaler).toEqual(system.oracle().avtaler);
}, 60_000);

test('npm run avstem compares, heals and says what it found', async () => {
  await system.publish([...createEvents({ count: 500, seed: 1 })]);
  await system.waitForIngested();
  const file = join(directory, 'liste.ndjson');
  writeFileSync(file, list());
  const avstem = (...options: string[]): Promise<{ kode: number; printout: string }> =>
    system.tokenForOnDuty().then((token) =>
      promisify(execFile)(process.execPath, ['tools/local/ops.ts', 'avstem', '--ingestor', app.url, ...options], {
        cwd: ROOT,
        env: { ...process.env, TOKEN: token, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
      }).then(
        ({ stdout }) => ({ kode: 0, printout: stdout }),
        (error: { code: number; stdout: string; stderr: string }) => ({
          kode: error.code,
          printout: error.stdout + error.stderr,
        }),
      ),
    );
  expect(await avstem('--fil', file)).toMatchObject({ kode: 0 });
  const [{ avtale_id: away } = { avtale_id: '' }] = await system.sql<{ avtale_id: string }>(
    'delete from avtale where avtale_id = (select min(avtale_id::text)::uuid from avtale where slettet is null) returning avtale_id',
  );
  const found = await avstem('--topic');
  expect(found.kode).toBe(1);
  expect(found.printout).toMatch(/MANGLER.* 1 /);
  const repaired = await avstem('--fil', file, '--rett', 'MANGLER', '--rett', 'UTDATERT');
  expect(repaired).toMatchObject({ kode: 0 });
  expect(repaired.printout).toContain('MANGLER: 1 healed, 0 remain');
  expect(await system.sql('select 1 from avtale where avtale_id = $1', [away])).toHaveLength(1);
  writeFileSync(file, '{"avtaleId": "x"}\n');
  expect(await avstem('--fil', file)).toEqual({
    kode: 2,
    printout: '400: Line 1 of the list is not valid\n  1.avtaleId must be a UUID\n',
  });
  expect((await avstem()).printout).toContain('Usage: npm run avstem');
}, 60_000);
