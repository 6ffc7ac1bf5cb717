import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { createEvents } from '@tiltak/simulator';
import { LOCKS, freePort, needsPgBouncer, runProgram, startPgBouncer, type Pooler } from '@tiltak/testing';
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
      expect(await system.sql(`select from ${LOCKS} where locktype = 'advisory'`)).toEqual([]);
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
      const api = await startBehind(pooler);
      const search = { method: 'POST', path: '/api/v1/avtaler/sok', body: { antall: 5 } };
      // More at once than the pooler has connections: each statement is run where it was not prepared.
      const asking = Array.from({ length: 20 }, async () => {
        for (let n = 0; n < 10; n++) expect((await answered(api.url, search)).status).toBe(200);
      });
      await Promise.all(asking);
      const exported = await answered(api.url, { method: 'GET', path: '/api/v1/eksport' });
      const lines = exported.text.trimEnd().split('\n');
      expect([exported.status, lines.length - 1]).toEqual([200, Number(JSON.parse(lines[0] ?? '').antall)]);
      const [audited] = await system.sql<{ n: number }>(
        `select count(*)::int as n from oppslag where operasjon = 'sokAvtaler'`,
      );
      expect(audited?.n).toBeGreaterThanOrEqual(200);
    });
  }, 400_000);

  test('whatever is asked is answered through it as past it, and who waits for changes is told of them', async () => {
    await throughPooler({ max_prepared_statements: 200 }, async (pooler) => {
      const through = await startBehind(pooler);
      const past = await system.startQueryApi();
      const { position, questions } = await allQuestions(past.url);
      for (const question of questions) {
        const expected = await answered(past.url, question);
        expect([question.path, expected.status]).toEqual([question.path, 200]);
        // From the sixth time on Postgres may have one plan for all values; and several at once share a statement.
        for (let n = 0; n < 3; n++) {
          const answers = await Promise.all(Array.from({ length: 6 }, () => answered(through.url, question)));
          for (const answer of answers) expect(answer).toEqual(expected);
        }
      }
      await subscribe(through.url, past.url);
      const waits = { method: 'GET', path: `/api/v1/endringer?ventSekunder=30&etter=${position}` };
      const waiting = Array.from({ length: 8 }, () => untilTold(through.url, waits));
      await system.publish([...createEvents({ count: 5, seed: 6 })]);
      for (const text of await Promise.all(waiting)) expect(JSON.parse(text).endringer).not.toEqual([]);
    });
  }, 400_000);
});

/** The query-api through the pooler, on what an ingestor past it has stored. */
async function startBehind(pooler: Pooler): Promise<App> {
  const { host, port, queryApi } = system.env.database;
  for (const [name, value] of Object.entries(OF_ITS_ROLE)) {
    await system.sql(`alter role ${queryApi.username} set ${name} = '${value}'`);
  }
  if ((await system.ingested()) === 0) {
    await system.startIngestor({ ...env(pooler), DB_DIREKTE_HOST: host, DB_DIREKTE_PORT: String(port) });
    await system.publish([...createEvents({ count: 300, seed: 4 })]);
    await system.waitForIngested();
  }
  return system.startQueryApi({ ...env(pooler), DB_POOLER: 'transaksjon', DB_POOL_SIZE: '10' });
}

const OF_ITS_ROLE = {
  search_path: 'public',
  idle_in_transaction_session_timeout: '60000',
  statement_timeout: '5000',
};

interface Question {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A machine that has much to do may not answer in time, and says so: then it is asked again, as a client does. */
async function answered(url: string, { method, path, body, headers }: Question): Promise<Answer> {
  const { 'content-type': json = '', ...token } = await system.as('alt');
  const all = { ...token, ...(body === undefined ? {} : { 'content-type': json }), ...headers };
  for (;;) {
    const request = { method, headers: all, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await fetch(url + path, request);
    const text = await response.text();
    if (response.status !== 503 && response.status !== 429) return { status: response.status, text };
    await wait(200);
  }
}

interface Answer {
  status: number;
  text: string;
}

async function untilTold(url: string, question: Question): Promise<string> {
  for (;;) {
    const { status, text } = await answered(url, question);
    expect(status).toBe(200);
    if ((JSON.parse(text) as { endringer: unknown[] }).endringer.length > 0) return text;
  }
}

/** One or more of each operation that reads. */
async function allQuestions(url: string): Promise<{ position: string; questions: Question[] }> {
  const post = (path: string, body: unknown, headers = {}): Question => ({ method: 'POST', path, body, headers });
  const get = (path: string, headers = {}): Question => ({ method: 'GET', path: `/api/v1/${path}`, headers });
  const { avtaler } = JSON.parse((await answered(url, post('/api/v1/avtaler/sok', { antall: 50 }))).text) as {
    avtaler: Record<'avtaleId' | 'avtaleNr' | 'deltakerFnr' | 'deltakerId' | 'bedriftNr', string>[];
  };
  const [avtale] = avtaler.filter(({ deltakerFnr, bedriftNr }) => deltakerFnr && bedriftNr);
  if (!avtale) throw new Error('No avtale has a person and an employer');
  const [row] = await system.sql<{ id: string }>('select deltaker_id as id from avtale where avtale_id = $1', [
    avtale.avtaleId,
  ]);
  const { posisjon: position } = JSON.parse((await answered(url, get('eksport'))).text.split('\n')[0] ?? '') as {
    posisjon: string;
  };
  const personidenter = [avtale.deltakerFnr];
  const heard = { 'Minst-Posisjon': position };
  return {
    position,
    questions: [
      post('/api/v1/avtaler/sok', { personidenter }),
      post('/api/v1/avtaler/sok', { personidenter }, heard),
      post('/api/v1/avtaler/sok', { tiltakstyper: ['MENTOR', 'ARBEIDSTRENING'], antall: 20 }),
      post('/api/v1/avtaler/utdrag', { personidenter, felter: ['avtaleId', 'tiltakstype'] }),
      post('/api/v1/personer/tiltaksstatus', { personidenter, dato: '2026-03-01' }),
      post('/graphql', { query: `{ avtalerForPerson(personnummer: "${avtale.deltakerFnr}") { avtaleId } }` }),
      get(`avtaler/${avtale.avtaleId}`),
      get(`avtaler/${avtale.avtaleId}`, heard),
      get(`avtaler/nummer/${avtale.avtaleNr}`),
      get(`avtaler/${avtale.avtaleId}/versjoner`),
      get(`deltakere/${row?.id ?? ''}/avtaler`),
      get(`bedrifter/${avtale.bedriftNr}/avtaler`),
      get('endringer?antall=1000'),
    ],
  };
}

/** What is written through the pooler is there for who reads past it. */
async function subscribe(through: string, past: string): Promise<void> {
  const path = '/api/v1/abonnementer/mine';
  const stored = await answered(through, { method: 'PUT', path, body: { tiltakstyper: ['MENTOR'] } });
  expect([200, 201]).toContain(stored.status);
  const read = { method: 'GET', path };
  expect(await answered(through, read)).toEqual(await answered(past, read));
  expect((await answered(through, { method: 'DELETE', path })).status).toBe(204);
}

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
