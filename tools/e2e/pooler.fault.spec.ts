import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { createEvents } from '@tiltak/simulator';
import { freePort, needsPgBouncer, runProgram, startPgBouncer, waitUntil, type Pooler } from '@tiltak/testing';
import { builtApp, startIngestorProcess, startQueryApiProcess, type App } from '../local/apps.ts';
import { System } from './system.ts';

/** What PgBouncer would refuse otherwise: then it ignores it, and the settings are not in force. */
const IGNORING = 'options,extra_float_digits';

let system: System;
beforeAll(async () => {
  system = await System.create({ partitions: 1 });
});
afterAll(() => system.stop());

async function throughPooler<T>(
  settings: Record<string, string | number>,
  run: (pooler: Pooler) => Promise<T>,
): Promise<T> {
  const pooler = await startPgBouncer(system.env.database, settings);
  try {
    return await run(pooler);
  } finally {
    await pooler.stop();
  }
}

/** What a process that can't start says last. */
async function lastLines({ proc, logFile }: App): Promise<string> {
  await Promise.race([proc.done, wait(120_000)]);
  const ended = proc.outcome();
  await proc.kill();
  expect(ended).toBe('exit code 1');
  return readFileSync(logFile, 'utf8');
}

const env = ({ port }: Pooler): Record<string, string> => ({ DB_HOST: '127.0.0.1', DB_PORT: String(port) });

const ingestorOn = async (pooler: Pooler): Promise<App> =>
  startIngestorProcess(system.env, await freePort(), env(pooler));
const queryApiOn = async (pooler: Pooler, extra: Record<string, string> = {}): Promise<App> =>
  startQueryApiProcess(system.env, await freePort(), { ...env(pooler), ...extra });

async function commandOn(pooler: Pooler, ...args: string[]): Promise<string> {
  const { database, organisasjon } = system.env;
  const { username, password } = args[0] === 'migrer' ? database.migrering : database.ingestor;
  const login = { DB_DATABASE: database.database, DB_USERNAME: username, DB_PASSWORD: password };
  const { code, printout } = await runProgram(process.execPath, [builtApp('ingestor'), ...args], {
    env: { ORGANISASJON: organisasjon, ...login, ...env(pooler) },
  });
  expect(code).toBe(2);
  return printout;
}

const DIRECT = /DB_DIREKTE_HOST and DB_DIREKTE_PORT/;

needsPgBouncer(describe)('a pooler in transaction mode in front of Postgres', () => {
  test('that refuses the settings of a session: who starts names the setting, and what to do', async () => {
    await throughPooler({}, async (pooler) => {
      expect(await lastLines(await queryApiOn(pooler))).toMatch(/The setting \w+ is refused.*DB_POOLER=transaksjon/);
      expect(await lastLines(await ingestorOn(pooler))).toMatch(DIRECT);
      expect(await commandOn(pooler, 'migrer')).toMatch(DIRECT);
      expect(await commandOn(pooler, 'relasjoner')).toMatch(DIRECT);
    });
  }, 400_000);

  test('that ignores the settings: the ingestor and its commands refuse it, the query-api too, and no lock stays behind', async () => {
    await throughPooler({ ignore_startup_parameters: IGNORING }, async (pooler) => {
      expect(await lastLines(await queryApiOn(pooler))).toMatch(/settings of the session do not reach the database/);
      expect(await lastLines(await ingestorOn(pooler))).toMatch(DIRECT);
      expect(await commandOn(pooler, 'migrer')).toMatch(DIRECT);
      expect(await commandOn(pooler, 'relasjoner')).toMatch(DIRECT);
      expect(await system.sql(`select from pg_locks where locktype = 'advisory'`)).toEqual([]);
    });
  }, 400_000);

  test('the query-api says which settings its role lacks, and that statements are not carried', async () => {
    const { username } = system.env.database.queryApi;
    await throughPooler({ max_prepared_statements: 0 }, async (pooler) => {
      const lacking = await lastLines(await queryApiOn(pooler, { DB_POOLER: 'transaksjon' }));
      expect(lacking).toMatch(`alter role ${username} set statement_timeout = '5000'`);
      await setByRole(lacking);
    });
    await throughPooler({ max_prepared_statements: 0 }, async (pooler) => {
      const uncarried = await lastLines(await queryApiOn(pooler, { DB_POOLER: 'transaksjon' }));
      expect(uncarried).toMatch(/does not carry prepared statements/);
    });
  }, 400_000);

  test('look-ups, the export and the audit go through it; the ingestor and the migration go past it', async () => {
    await throughPooler({ max_prepared_statements: 200 }, async (pooler) => {
      const { host, port, queryApi } = system.env.database;
      await system.sql(`alter role ${queryApi.username} set search_path = 'public'`);
      await system.sql(`alter role ${queryApi.username} set idle_in_transaction_session_timeout = '60000'`);
      await system.sql(`alter role ${queryApi.username} set statement_timeout = '5000'`);
      const direct = { ...env(pooler), DB_DIREKTE_HOST: host, DB_DIREKTE_PORT: String(port) };
      await system.startIngestor(direct);
      await system.publish([...createEvents({ count: 300, seed: 4 })]);
      await system.waitForIngested();
      const api = await system.startQueryApi({ ...env(pooler), DB_POOLER: 'transaksjon', DB_POOL_SIZE: '10' });
      const headers = await system.as('alt');
      const search = (): Promise<Response> =>
        fetch(`${api.url}/api/v1/avtaler/sok`, { method: 'POST', headers, body: '{"antall":5}' });
      await waitUntil(async () => (await search()).status === 200, { what: 'the first answer' });
      // Far more at once than the pooler has connections: each statement is run where it was not prepared.
      const statuses = await Promise.all(Array.from({ length: 200 }, async () => (await search()).status));
      // A slow machine may not answer all of them in time: that is a 503, and nothing else is.
      const answered = statuses.filter((status) => status === 200).length;
      expect([answered > 20, statuses.filter((status) => ![200, 503].includes(status))]).toEqual([true, []]);
      const exported = await fetch(`${api.url}/api/v1/eksport`, { headers });
      const lines = (await exported.text()).trimEnd().split('\n');
      expect([exported.status, lines.length - 1]).toEqual([200, Number(JSON.parse(lines[0] ?? '').antall)]);
      const [audited] = await system.sql<{ n: number }>(
        `select count(*)::int as n from oppslag where operasjon = 'sokAvtaler'`,
      );
      expect(audited?.n).toBeGreaterThan(answered);
    });
  }, 400_000);
});

/** As an operator does who is told so. */
async function setByRole(told: string): Promise<void> {
  const statements = Array.from(told.matchAll(/alter role (\S+) set ([\w.]+) = '([^']*)'/g));
  expect(statements.length).toBeGreaterThan(0);
  const client = new pg.Client({ connectionString: system.url });
  await client.connect();
  for (const [, role = '', name = '', value = ''] of statements) {
    await client.query(`alter role ${client.escapeIdentifier(role)} set ${name} = ${client.escapeLiteral(value)}`);
  }
  await client.end();
}
