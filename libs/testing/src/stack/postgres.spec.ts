import { join } from 'node:path';
import pg from 'pg';
import { lagArbeidsmappe } from './arbeidsmappe.ts';
import { opprettDatabase, type Organisasjonsdatabase } from './organisasjon.ts';
import { krevTilgang } from './postgres-binaer.ts';
import { startPostgres, type LokalPostgres } from './postgres.ts';
import { ledigPort, portErLedig } from './prosess.ts';

const { katalog, rydd } = lagArbeidsmappe('spec');
let postgres: LokalPostgres;
let database: Organisasjonsdatabase;

const start = async (): Promise<LokalPostgres> =>
  startPostgres({
    port: await ledigPort(),
    dataDir: join(katalog, 'postgres'),
    loggfil: join(katalog, 'postgres.log'),
  });

beforeAll(async () => {
  postgres = await start();
  database = await opprettDatabase(postgres.url, 'prove');
});

afterAll(async () => {
  await postgres.stopp();
  rydd();
});

type Rolle = 'migrering' | 'ingestor' | 'queryApi';

async function som<T>(rolle: Rolle | 'super', arbeid: (klient: pg.Client) => Promise<T>): Promise<T> {
  const { host, port, database: navn } = database;
  const klient = new pg.Client(
    rolle === 'super'
      ? { connectionString: database.url }
      : { host, port, database: navn, user: database[rolle].username, password: database[rolle].password },
  );
  // A connection that is cut by a test says so.
  klient.on('error', () => undefined);
  await klient.connect();
  try {
    return await arbeid(klient);
  } finally {
    await klient.end();
  }
}

test('it keeps what is committed when it is killed, and starts again at once', async () => {
  await som('migrering', (klient) => klient.query('create table if not exists varig (n int)'));
  await som('migrering', async (klient) => {
    await klient.query('insert into varig values (1)');
    await klient.query('begin');
    await klient.query('insert into varig values (2)');
    await postgres.drep();
  });
  expect(await portErLedig(postgres.port)).toBe(true);
  await postgres.startIgjen();
  const { rows } = await som('migrering', (klient) => klient.query('select n from varig'));
  expect(rows).toEqual([{ n: 1 }]);
});

test('another start on the data of one that was killed takes over', async () => {
  await som('migrering', (klient) => klient.query('create table if not exists arvet (n int)'));
  await postgres.drep();
  postgres = await start();
  // Passwords are new for each start of the stack; the data is not.
  database = await opprettDatabase(postgres.url, 'prove');
  expect((await som('migrering', (klient) => klient.query('select n from arvet'))).rows).toEqual([]);
});

test('text is UTF-8, sorted by bytes, and time is UTC', async () => {
  const { rows } = await som('super', (klient) =>
    klient.query(`select current_setting('server_encoding') as koding, current_setting('TimeZone') as sone,
      datcollate as sortering from pg_database where datname = current_database()`),
  );
  expect(rows).toEqual([{ koding: 'UTF8', sone: 'UTC', sortering: 'C' }]);
});

test.each<[Rolle, string, boolean]>([
  ['migrering', 'create table eid (n int); drop table eid', true],
  ['ingestor', 'create table eid (n int)', false],
  ['queryApi', 'create table eid (n int)', false],
  ['ingestor', 'create temporary table midlertidig (n int)', true],
  ['queryApi', 'create temporary table midlertidig (n int)', false],
])('%s: %s: %s', async (rolle, sql, lov) => {
  const forsok = som(rolle, (klient) => klient.query(sql));
  if (lov) await forsok;
  else await expect(forsok).rejects.toMatchObject({ code: '42501' });
});

test.each<[Rolle, string]>([
  ['ingestor', 'datadeling_skriver'],
  ['queryApi', 'datadeling_leser'],
])('%s is a member of %s only', async (rolle, gruppe) => {
  const sql = `select rolname from pg_roles where pg_has_role(current_user, oid, 'member') and rolname <> current_user`;
  const { rows } = await som(rolle, (klient) => klient.query(sql));
  expect(rows).toEqual([{ rolname: gruppe }]);
});

test("another organisation's roles can't connect", async () => {
  const annen = await opprettDatabase(postgres.url, 'annen-org');
  for (const { username: user, password } of [annen.ingestor, annen.queryApi, annen.migrering]) {
    const { host, port, database: navn } = database;
    await expect(new pg.Client({ host, port, database: navn, user, password }).connect()).rejects.toMatchObject({
      code: '42501',
    });
  }
});

test('a directory that its OS user can not reach is named', () => {
  const ingen = { navn: 'ingen', uid: 999_999, gid: 999_999 };
  const { katalog: stengt, rydd: fjern } = lagArbeidsmappe('spec');
  try {
    expect(() => krevTilgang(stengt, ingen)).not.toThrow();
    expect(() => krevTilgang(join(katalog, 'postgres'), ingen)).toThrow(
      `the OS user ingen, who can't get past ${join(katalog, 'postgres')}`,
    );
    expect(() => krevTilgang(join(katalog, 'postgres'), undefined)).not.toThrow();
  } finally {
    fjern();
  }
});
