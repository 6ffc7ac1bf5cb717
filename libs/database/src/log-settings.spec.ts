import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, createWorkDir, freePort, ROOT, startPostgres, type LocalPostgres } from '@tiltak/testing';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { DataSource } from 'typeorm';
import { parse } from 'yaml';
import { checkLogSettings, LOG_SETTINGS, LogSettingsError, wrongLogSettings } from './log-settings.ts';

/** What is planted: as a row, as a parameter, in a statement, in what does not fit a column. */
const PLANTED = 'PLANTET-PERSON-7';

const { directory, clean } = createWorkDir('logg');
const logFile = join(directory, 'postgres.log');
let postgres: LocalPostgres;
let owner: DataSource;
let url: string;

beforeAll(async () => {
  postgres = await startPostgres({ port: await freePort(), dataDir: join(directory, 'postgres'), logFile });
  const { host, port, database, migrering, url: superUrl } = await createDatabase(postgres.url, 'logg');
  url = superUrl;
  owner = await new DataSource({ type: 'postgres', host, port, database, ...migrering }).initialize();
  await owner.query('create table person (navn text primary key check (navn <> $$nei$$), nr integer, dag date)');
  await owner.query('insert into person values ($1, 1)', [PLANTED]);
}, 60_000);
afterAll(async () => {
  await owner.destroy();
  await postgres.stop();
  clean();
});

const ask = (sql: string, values: unknown[]): Promise<{ name: string; setting: string | null }[]> =>
  owner.query(sql, values);

async function onConnection(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The SQLSTATE that it fails with, on a connection of its own. */
async function failure(work: (client: pg.Client) => Promise<unknown>): Promise<string | undefined> {
  let code: string | undefined;
  await onConnection(async (client) => {
    code = await work(client).then(
      () => undefined,
      (error: unknown) => (error as { code?: string }).code,
    );
  });
  return code;
}

const query =
  (sql: string, values?: unknown[]) =>
  (client: pg.Client): Promise<unknown> =>
    client.query(sql, values);

const copy =
  (row: string) =>
  (client: pg.Client): Promise<unknown> =>
    pipeline(Readable.from([row]), client.query(copyFrom('copy person (navn, nr) from stdin')));

/** Two that wait for each other, with the value in what they do. */
async function deadlock(client: pg.Client): Promise<unknown> {
  await client.query(`insert into person values ('a', 1), ('b', 2) on conflict do nothing`);
  const update = (who: pg.Client, name: string): Promise<unknown> =>
    who.query(`update person set nr = length('${PLANTED}') where navn = $1`, [name]);
  let failed: unknown;
  await onConnection(async (other) => {
    await Promise.all([client.query('begin'), other.query('begin')]);
    await Promise.all([update(client, 'a'), update(other, 'b')]);
    const results = await Promise.allSettled([update(client, 'b'), update(other, 'a')]);
    failed = results.find(({ status }) => status === 'rejected');
  });
  throw (failed as PromiseRejectedResult).reason;
}

/** The connection is ended from outside in the middle of its statement. */
async function terminated(client: pg.Client): Promise<unknown> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const sleeping = client.query(`select pg_sleep(60), '${PLANTED}'`);
  sleeping.catch(() => undefined);
  await onConnection((other) => other.query('select pg_terminate_backend($1)', [rows[0]?.pid]));
  return sleeping;
}

test.each<[string, string, (client: pg.Client) => Promise<unknown>]>([
  ['a unique violation', '23505', query('insert into person values ($1, 1)', [PLANTED])],
  ['a check violation', '23514', query(`insert into person values ('nei', 1) returning '${PLANTED}'`)],
  ['a null violation', '23502', query('insert into person (nr) values (length($1))', [PLANTED])],
  ['a bad cast of a parameter', '22007', query('insert into person (navn, dag) values ($$x$$, $1)', [PLANTED])],
  ['a bad cast in a statement', '22P02', query(`select '${PLANTED}'::integer`)],
  ['a number out of range', '22003', query(`select 99999999999 + length('${PLANTED}') :: integer, 1e99::integer`)],
  ['a syntax error', '42601', query(`select '${PLANTED}' ${PLANTED}`)],
  ['a COPY of what does not fit', '22P02', copy(`x\t${PLANTED}\n`)],
  ['a COPY of what there is', '23505', copy(`${PLANTED}\t1\n`)],
  ['a COPY of a row that is too long', '22P04', copy(`x\t1\t${PLANTED}\n`)],
  ['a time-out', '57014', (client) => client.query(`set statement_timeout = 50; select pg_sleep(9), '${PLANTED}'`)],
  ['a deadlock', '40P01', deadlock],
  ['an end from outside', '57P01', terminated],
  [
    'an error and a remark of a function',
    'P0001',
    query(`do $$ begin raise warning '${PLANTED}'; raise exception '${PLANTED}' using detail = '${PLANTED}'; end $$`),
  ],
])('%s (%s) leaves no value in the log', async (_, code, work) => {
  expect(await failure(work)).toBe(code);
  await postgresHasWritten();
  expect(readFileSync(logFile, 'utf8')).not.toContain(PLANTED);
});

test('a migration that fails leaves no value in the log', async () => {
  class Failing1763890000000 {
    readonly name = 'Failing1763890000000';
    async up(db: { query: (sql: string) => Promise<unknown> }): Promise<void> {
      await db.query('update person set dag = navn::date');
    }
    down(): Promise<void> {
      return Promise.resolve();
    }
  }
  const { type: _, ...options } = owner.options as { type: 'postgres' };
  const failing = await new DataSource({
    ...options,
    type: 'postgres',
    migrations: [Failing1763890000000],
  }).initialize();
  await expect(failing.runMigrations()).rejects.toThrow(PLANTED);
  await failing.destroy();
  await postgresHasWritten();
  expect(readFileSync(logFile, 'utf8')).not.toContain(PLANTED);
});

/** What Postgres writes of one connection it writes in order: a line of this one comes last. */
async function postgresHasWritten(): Promise<void> {
  await failure((client) =>
    client.query('set log_min_messages = warning; do $$ begin raise warning $x$ferdig$x$; end $$'),
  );
  expect(readFileSync(logFile, 'utf8')).toContain('ferdig');
}

test('an instance as it comes writes them: the tests above would see it', async () => {
  await onConnection(async (client) => {
    await client.query('set log_min_messages = warning');
    await client.query('set log_min_error_statement = error');
    await client.query('select $$SYNLIG-7$$::integer').catch(() => undefined);
  });
  await postgresHasWritten();
  expect(readFileSync(logFile, 'utf8')).toContain('SYNLIG-7');
});

describe('an app', () => {
  const warnings: string[] = [];
  const check = (host: string, ...settings: [name: string, value: string][]): Promise<void> => {
    warnings.length = 0;
    const over = new Map(settings);
    return checkLogSettings(
      async (sql, values) =>
        (await ask(sql, values)).map((row) => ({ ...row, setting: over.get(row.name) ?? row.setting })),
      host,
      (line) => void warnings.push(line),
    );
  };

  test('starts on an instance that is set up as the local one', async () => {
    await check('10.0.0.1');
    expect(warnings).toEqual([]);
  });

  test.each([...Object.keys(LOG_SETTINGS), 'auto_explain.log_min_duration', 'pgaudit.log'])(
    'does not start on another with a wrong %s, and names it; on this machine it only says so',
    async (name) => {
      const wrong = check('10.0.0.1', [name, '17']);
      await expect(wrong).rejects.toBeInstanceOf(LogSettingsError);
      await expect(wrong).rejects.toThrow(new RegExp(`^${name} is 17 and must be \\S+: Postgres would write`));
      await check('127.0.0.1', [name, '17']);
      expect(warnings).toEqual([expect.stringContaining(name)]);
    },
  );

  test('asks its own session, where a role or a database may be set otherwise than the instance', async () => {
    await onConnection(async (client) => {
      await client.query('set log_statement = mod');
      const lines = await wrongLogSettings(async (sql, values) => (await client.query(sql, values)).rows);
      expect(lines).toEqual([expect.stringMatching(/^log_statement is mod and must be none/)]);
    });
  });
});

describe('what sets an instance up sets all of it:', () => {
  const wanted = Object.fromEntries(Object.entries(LOG_SETTINGS).map(([name, [value]]) => [name, value]));

  test('docker-compose.yml', () => {
    const { services } = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')) as {
      services: { postgres: { command: string[] } };
    };
    const settings = services.postgres.command.filter((word) => word.includes('=')).map((word) => word.split('='));
    expect(Object.fromEntries(settings)).toEqual(wanted);
  });

  test.each(['dev', 'prod'])('the manifest of nav in %s', (env) => {
    const { spec } = parse(readFileSync(join(ROOT, 'nais', 'nav', `migrering-${env}.yaml`), 'utf8')) as {
      spec: { gcp: { sqlInstances: { flags: { name: string; value: string }[] }[] } };
    };
    const [instance] = spec.gcp.sqlInstances;
    expect(Object.fromEntries(instance?.flags.map(({ name, value }) => [name, value]) ?? [])).toMatchObject(wanted);
  });
});
