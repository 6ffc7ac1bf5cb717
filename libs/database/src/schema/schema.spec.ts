import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '@tiltak/testing';
import { DataSource, type QueryRunner } from 'typeorm';
import { migrate } from '../migrate.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { readSchema } from './read-schema.ts';

const schemaSql = readFileSync(join(import.meta.dirname, '..', '..', 'schema.sql'), 'utf8');

let database: TestDatabase;
let owner: DataSource;
let changes: QueryRunner;
beforeAll(async () => {
  ({ database, owner } = await createOwned());
  await migrate(owner);
  changes = owner.createQueryRunner();
});
afterAll(async () => {
  await owner.destroy();
  await database.remove();
});
beforeEach(() => changes.startTransaction());
afterEach(() => changes.rollbackTransaction());

async function createOwned(): Promise<{ database: TestDatabase; owner: DataSource }> {
  const created = await createTestDatabase();
  const { host, port, database: name, migrering } = created;
  const options = { type: 'postgres', host, port, database: name, ...migrering, migrations: MIGRATIONS } as const;
  return { database: created, owner: await new DataSource(options).initialize() };
}

test('schema.sql is what the migrations leave; else: npm run skjema', async () => {
  expect(await readSchema(changes)).toBe(schemaSql);
});

test('schema.sql makes the same schema in an empty database, so it leaves nothing out', async () => {
  const empty = await createOwned();
  try {
    await empty.owner.query(schemaSql);
    expect(await readSchema(empty.owner)).toBe(schemaSql);
  } finally {
    await empty.owner.destroy();
    await empty.database.remove();
  }
});

test.each([
  ['alter table avtale add column ny text', 'ny text'],
  ['alter table synk drop constraint synk_type_check', 'synk_type_check'],
  ['drop index avtale_avtale_nr', 'CREATE INDEX avtale_avtale_nr'],
  ['revoke select on oppslag from datadeling_revisor', 'grant select on oppslag to datadeling_revisor'],
  ['grant select (kode) on parkert_melding to datadeling_leser', 'grant select (kode) on parkert_melding'],
  [`comment on column oppslag.felter is 'asked for'`, 'comment on column oppslag.felter'],
  ['alter table konsum_offset alter neste_offset set default 7', 'neste_offset bigint default 7'],
  ['revoke execute on function endringsepoke from public', 'revoke execute on function endringsepoke()'],
  [
    `create function f() returns trigger language plpgsql as 'begin return new; end';
     create trigger t after insert on oppslagslinje for each row execute function f()`,
    'CREATE TRIGGER t AFTER INSERT ON oppslagslinje',
  ],
  ['create table p (d date not null) partition by range (d)', 'PARTITION BY RANGE (d)'],
])('it shows: %s', async (change, line) => {
  await changes.query(change);
  const schema = (await readSchema(changes)).toLowerCase();
  expect(schema.includes(line.toLowerCase())).toBe(!schemaSql.toLowerCase().includes(line.toLowerCase()));
});

test.each([
  ["create type svar as enum ('JA', 'NEI')", 'type svar'],
  ['create sequence teller', 'relation teller'],
  ['alter table avtale enable row level security', 'relation avtale'],
])('what it could not write it refuses: %s', async (change, name) => {
  await changes.query(change);
  await expect(readSchema(changes)).rejects.toThrow(`schema.sql can't hold these yet: ${name}`);
});
