import { waitUntil } from '@tiltak/testing';
import { createEvents } from '@tiltak/simulator';
import type { App } from '../local/apps.ts';
import { System } from './system.ts';

/** Rebuilding from the topic, on the built ingestor: killed in between, with rows that are not what they should be. */
let system: System;
let app: App;
let headers: Record<string, string>;

const UNSEEN = '00000000-0000-4000-8000-0000000000ff';
/** The feed says that it is there, and no row does. */
const TOLD_ONLY = '00000000-0000-4000-8000-0000000000fe';
const TABLES = ['avtale', 'avtale_versjon', 'relasjon', 'konsum_offset'] as const;
const WITHOUT: Record<string, string[]> = { avtale: ['mottatt'], avtale_versjon: ['laert', 'lopenr'] };

beforeAll(async () => {
  system = await System.create();
  app = await system.startIngestor();
  headers = { authorization: `Bearer ${await system.tokenForOnDuty()}` };
  await system.publish([...createEvents({ count: 4_000, seed: 5, poison: true })]);
  await system.waitForIngested();
}, 60_000);
afterAll(() => system.stop());

async function dump(): Promise<Record<string, string[]>> {
  const wasRead = TABLES.map(async (table) => {
    const without = (WITHOUT[table] ?? []).map((column) => ` - '${column}'`).join('');
    const rows = await system.sql<{ content: string }>(
      `select (to_jsonb(t)${without})::text as content from ${table} t order by 1`,
    );
    return [table, rows.map(({ content: row }) => row)] as const;
  });
  return Object.fromEntries(await Promise.all(wasRead));
}

const call = (method: string, path = ''): Promise<Response> =>
  fetch(`${app.url}/drift/v1/gjenoppbygging${path}`, { method, headers });
const progress = async (): Promise<Record<string, unknown>> => (await (await call('GET')).json()) as never;
const waitForDone = (): Promise<unknown> =>
  waitUntil(async () => (await progress())['tilstand'] === 'FERDIG', { what: 'the rebuild', maxMs: 60_000 });
const changes = async (): Promise<number> =>
  Number((await system.sql<{ n: string }>('select count(*) as n from endring'))[0]?.n);

test('of what is right changes nothing, in no table and not in the feed', async () => {
  expect(await progress()).toMatchObject({ tilstand: 'INGEN' });
  const [before, count] = [await dump(), await changes()];
  expect((await call('POST')).status).toBe(204);
  await waitForDone();
  expect(await progress()).toMatchObject({ rettet: 0, varslet: 0, usette: 0, lest: expect.any(Number) });
  expect(await dump()).toEqual(before);
  expect(await changes()).toBe(count);
  // Well before it would look for what another process left.
  const isForgotten = async (): Promise<boolean> =>
    (await system.sql('select from gjenoppbygging_sett union all select from gjenoppbygging_fortalt')).length === 0;
  await waitUntil(isForgotten, { what: 'what it saw to be forgotten', maxMs: 20_000 });
});

test('heals rows that are wrong, also when it is killed, and reports what the topic does not tell of', async () => {
  const before = await dump();
  const repaired = await system.sql<{ avtale_id: string }>(
    `update avtale set bedrift_navn = 'galt', start_dato = '1999-01-01'
     where avtale_id in (select avtale_id from avtale where slettet is null and not feilregistrert order by avtale_id limit 40)
     returning avtale_id`,
  );
  const resurrected = await system.sql(
    `update avtale set slettet = null where avtale_id in (select avtale_id from avtale where slettet is not null limit 5)
     returning avtale_id`,
  );
  expect(resurrected).toHaveLength(5);
  await system.sql(
    `insert into avtale (avtale_id, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
     values ($1, false, '2026-01-01', 0, 0)`,
    [UNSEEN],
  );
  await system.sql(`insert into endring (avtale_id, type) values ($1, 'ENDRET')`, [TOLD_ONLY]);
  const count = await changes();

  expect((await call('POST')).status).toBe(204);
  expect((await call('POST')).status).toBe(409);
  await app.proc.kill();
  app = await system.startIngestor();
  await waitForDone();

  expect(await progress()).toMatchObject({ rettet: 45, varslet: 2, usette: 1 });
  expect(await (await call('GET', '/usette')).json()).toEqual({ avtaleIder: [UNSEEN] });
  const [unseen] = await system.sql('delete from avtale where avtale_id = $1 returning avtale_id', [UNSEEN]);
  expect(unseen).toEqual({ avtale_id: UNSEEN });
  expect(await dump()).toEqual(before);
  const told = await system.sql<{ avtale_id: string; type: string }>(
    'select avtale_id, type from endring order by tx, lopenr offset $1',
    [count],
  );
  const idsOf = (rows: readonly unknown[]): string[] => rows.map((row) => (row as { avtale_id: string }).avtale_id);
  expect(new Set(idsOf(told))).toEqual(new Set([...idsOf([...repaired, ...resurrected]), UNSEEN, TOLD_ONLY]));
  expect(told.slice(-2)).toEqual([
    { avtale_id: TOLD_ONLY, type: 'SLETTET' },
    { avtale_id: UNSEEN, type: 'ENDRET' },
  ]);
});

test('is stopped on demand, and can be started again', async () => {
  expect((await call('POST', '/stopp')).status).toBe(409);
  await call('POST');
  // It may have finished by itself before that.
  expect([204, 409]).toContain((await call('POST', '/stopp')).status);
  expect(['STOPPET', 'FERDIG']).toContain((await progress())['tilstand']);
  expect((await call('POST')).status).toBe(204);
  await waitForDone();
  const actions = await system.sql(`select from driftshandling where handling = 'START_GJENOPPBYGGING'`);
  expect(actions).toHaveLength(4);
});
