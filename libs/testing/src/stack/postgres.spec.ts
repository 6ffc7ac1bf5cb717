import { join } from 'node:path';
import pg from 'pg';
import { createWorkDir } from './work-dir.ts';
import { createDatabase, type OrganisasjonDatabase } from './organisasjon-database.ts';
import { requireReadable } from './postgres-binaries.ts';
import { startPostgres, type LocalPostgres } from './postgres.ts';
import { freePort, isPortFree } from './process.ts';

const { directory, clean } = createWorkDir('spec');
let postgres: LocalPostgres;
let database: OrganisasjonDatabase;

const start = async (): Promise<LocalPostgres> =>
  startPostgres({
    port: await freePort(),
    dataDir: join(directory, 'postgres'),
    logFile: join(directory, 'postgres.log'),
  });

beforeAll(async () => {
  postgres = await start();
  database = await createDatabase(postgres.url, 'prove');
});

afterAll(async () => {
  await postgres.stop();
  clean();
});

type Role = 'migrering' | 'ingestor' | 'queryApi' | 'revisor';

async function as<T>(role: Role | 'super', work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { host, port, database: name } = database;
  const client = new pg.Client(
    role === 'super'
      ? { connectionString: database.url }
      : { host, port, database: name, user: database[role].username, password: database[role].password },
  );
  // A connection that is cut by a test says so.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

test('it keeps what is committed when it is killed, and starts again at once', async () => {
  await as('migrering', (client) => client.query('create table if not exists varig (n int)'));
  await as('migrering', async (client) => {
    await client.query('insert into varig values (1)');
    await client.query('begin');
    await client.query('insert into varig values (2)');
    await postgres.kill();
  });
  expect(await isPortFree(postgres.port)).toBe(true);
  await postgres.restart();
  const { rows } = await as('migrering', (client) => client.query('select n from varig'));
  expect(rows).toEqual([{ n: 1 }]);
});

test('another start on the data of one that was killed takes over', async () => {
  await as('migrering', (client) => client.query('create table if not exists arvet (n int)'));
  await postgres.kill();
  postgres = await start();
  // Passwords are new for each start of the stack; the data is not.
  database = await createDatabase(postgres.url, 'prove');
  expect((await as('migrering', (client) => client.query('select n from arvet'))).rows).toEqual([]);
});

test('text is UTF-8, sorted by bytes, and time is UTC', async () => {
  const { rows } = await as('super', (client) =>
    client.query(`select current_setting('server_encoding') as koding, current_setting('TimeZone') as sone,
      datcollate as sortering from pg_database where datname = current_database()`),
  );
  expect(rows).toEqual([{ koding: 'UTF8', sone: 'UTC', sortering: 'C' }]);
});

test.each<[Role, string, boolean]>([
  ['migrering', 'create table eid (n int); drop table eid', true],
  ['ingestor', 'create table eid (n int)', false],
  ['queryApi', 'create table eid (n int)', false],
  ['ingestor', 'create temporary table midlertidig (n int)', false],
  ['queryApi', 'create temporary table midlertidig (n int)', false],
  ['revisor', 'create temporary table midlertidig (n int)', false],
])('%s: %s: %s', async (role, sql, allowed) => {
  const attempt = as(role, (client) => client.query(sql));
  if (allowed) await attempt;
  else await expect(attempt).rejects.toMatchObject({ code: '42501' });
});

test.each<[Role, string]>([
  ['ingestor', 'datadeling_skriver'],
  ['queryApi', 'datadeling_leser'],
  ['revisor', 'datadeling_revisor'],
])('%s is a member of %s only', async (role, group) => {
  const sql = `select rolname from pg_roles where pg_has_role(current_user, oid, 'member') and rolname <> current_user`;
  const { rows } = await as(role, (client) => client.query(sql));
  expect(rows).toEqual([{ rolname: group }]);
});

test("another organisation's roles can't connect", async () => {
  const other = await createDatabase(postgres.url, 'annen-org');
  for (const { username: user, password } of [other.ingestor, other.queryApi, other.revisor, other.migrering]) {
    const { host, port, database: name } = database;
    await expect(new pg.Client({ host, port, database: name, user, password }).connect()).rejects.toMatchObject({
      code: '42501',
    });
  }
});

test('a directory that its OS user can not reach is named', () => {
  const nobody = { name: 'ingen', uid: 999_999, gid: 999_999 };
  const { directory: closed, clean: remove } = createWorkDir('spec');
  try {
    expect(() => requireReadable(closed, nobody)).not.toThrow();
    expect(() => requireReadable(join(directory, 'postgres'), nobody)).toThrow(
      `the OS user ingen, who can't get past ${join(directory, 'postgres')}`,
    );
    expect(() => requireReadable(join(directory, 'postgres'), undefined)).not.toThrow();
  } finally {
    remove();
  }
});
