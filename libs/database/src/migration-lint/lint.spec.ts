import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '@tiltak/testing';
import pg from 'pg';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { createIndexConcurrently, inBatches, setNotNull, step, validate } from '../migration-steps.ts';
import { migrate, undoLastMigration } from '../migrate.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { RELEASED } from './exceptions.ts';
import { fill } from './fill.ts';
import { Observer } from './observe.ts';

const FOLDER = join(import.meta.dirname, '..', 'migrations');
type Migration = new () => MigrationInterface;
const released = MIGRATIONS.filter(({ name }) => name in RELEASED);
const unreleased = MIGRATIONS.filter(({ name }) => !(name in RELEASED));

async function withDatabase<T>(work: (database: TestDatabase, superuser: pg.Client) => Promise<T>): Promise<T> {
  const database = await createTestDatabase();
  const superuser = new pg.Client({ connectionString: database.url });
  await superuser.connect();
  try {
    return await work(database, superuser);
  } finally {
    await superuser.end();
    await database.remove();
  }
}

const connect = ({ host, port, database, migrering }: TestDatabase, migrations: Migration[]): Promise<DataSource> =>
  new DataSource({ type: 'postgres', host, port, database, ...migrering, migrations }).initialize();

/** What is wrong with the last of the migrations, up or down, on tables with rows. */
async function faultsOf(
  database: TestDatabase,
  migrations: Migration[],
  work: typeof migrate | typeof undoLastMigration,
) {
  const db = await connect(database, migrations);
  const observer = new Observer(db);
  try {
    await observer.begin(db, migrations.at(-1)?.name ?? '');
    await work(db, { patienceMs: 20_000 });
    return observer.faults;
  } finally {
    await db.destroy();
  }
}

test('no unreleased migration, up or down, does with a table that is held what takes longer the larger it is', async () => {
  const faults = await withDatabase(async (database, superuser) => {
    const first = await connect(database, released);
    await migrate(first);
    await first.destroy();
    const found = await fill(superuser);
    for (const [index] of unreleased.entries()) {
      found.push(...(await faultsOf(database, [...released, ...unreleased.slice(0, index + 1)], migrate)));
      found.push(...(await fill(superuser)));
    }
    for (const [index] of unreleased.entries())
      found.push(...(await faultsOf(database, MIGRATIONS.slice(0, MIGRATIONS.length - index), undoLastMigration)));
    return found;
  });
  expect(faults.join('\n')).toBe('');
}, 240_000);

/** A migration, and what is said of it. */
const planted = (up: string | ((db: QueryRunner) => Promise<void>), transaction?: false): Migration =>
  class Planted4000000000000 implements MigrationInterface {
    readonly transaction = transaction as boolean;
    async up(db: QueryRunner): Promise<void> {
      await (typeof up === 'string' ? db.query(up) : up(db));
    }
    async down(): Promise<void> {
      // Never undone.
    }
  };

const UNDONE = `
  do $$ begin if to_regclass('ny') is not null then
    execute case when (select relkind from pg_class where oid = 'ny'::regclass) = 'i' then 'drop index ny' else 'drop table ny' end;
  end if; end $$;
  alter table avtale drop if exists n, drop if exists m;
  drop function if exists ny_f;
  delete from migrations where timestamp = 4000000000000`;

const NOTHING_NEW = Symbol('nothing');
test('what is to be found is found, with what to write instead; and what is written so is not', async () => {
  await withDatabase(async (database, superuser) => {
    const first = await connect(database, released);
    await migrate(first);
    await first.destroy();
    await fill(superuser);
    const cases: [string | ((db: QueryRunner) => Promise<void>), RegExp | typeof NOTHING_NEW, false?][] = [
      ['create index ny on avtale (versjon)', /builds ny while avtale is held: createIndexConcurrently/],
      ['alter table avtale add n uuid default gen_random_uuid()', /writes avtale anew while it is held/],
      ['alter table endring alter type type varchar(20)', /writes endring anew while it is held/],
      [
        'update avtale set bedrift_nr = null; alter table avtale alter mottatt set not null',
        /changes all rows of avtale in one/,
      ],
      [
        'alter table avtale alter opprettet_tidspunkt set default now(), add check (kilde_offset > 0)',
        /adds avtale_kilde_offset_check.*not valid/,
      ],
      [
        'alter table avtale add unique (avtale_id, versjon)',
        /builds the index of avtale_avtale_id_versjon_key.*using index/,
      ],
      [
        'alter table endring add foreign key (avtale_id) references avtale not valid; alter table endring validate constraint endring_avtale_id_fkey',
        /adds endring_avtale_id_fkey.*not valid/,
      ],
      [
        'alter table avtale alter kilde_partisjon drop not null; alter table avtale alter kilde_partisjon set not null',
        /reads all of avtale while it holds avtale/,
      ],
      [
        'lock table avtale in exclusive mode; do $$ begin perform count(*) from endring; end $$',
        /reads all of endring while it holds avtale/,
      ],
      [`set local lock_timeout = '1s'; alter table avtale add n integer`, /waits 1000 ms .* for locks/],
      ['vacuum full avtale', /does this outside of a transaction: vacuum full/, false],
      ['alter table avtale add n integer', /does this outside of a transaction: alter table/, false],
      [
        'set statement_timeout = 0; create index ny on avtale (versjon)',
        /does this outside of a transaction: create index ny/,
        false,
      ],
      [
        async (db) => {
          await step(db, 'f', `create or replace function ny_f() returns integer language sql as 'select 1'`);
          await db.query('select ny_f()');
        },
        /does this outside of a transaction: select ny_f/,
        false,
      ],
      ['alter table avtale add n integer, add m text default 4', NOTHING_NEW],
      [
        'create table ny (n integer); insert into ny select * from generate_series(1, 1000); create index on ny (n)',
        NOTHING_NEW,
      ],
      [
        async (db) => {
          await createIndexConcurrently(db, 'ny', 'avtale (versjon)');
          await step(db, 'a', 'alter table avtale add n integer, add constraint c check (n > 0) not valid');
          await inBatches(db, {
            name: 'b',
            table: 'avtale',
            key: 'avtale_id',
            sql: (range) => `update avtale set n = 1 where ${range('avtale_id')}`,
          });
          await validate(db, 'avtale', 'c');
          await setNotNull(db, 'avtale', ['n']);
        },
        NOTHING_NEW,
        false,
      ],
    ];
    for (const [up, expected, transaction] of cases) {
      const faults = (await faultsOf(database, [...released, planted(up, transaction)], migrate)).join('\n');
      if (expected === NOTHING_NEW) expect([up, faults]).toEqual([up, '']);
      else expect([up, faults]).toEqual([up, expect.stringMatching(expected)]);
      await superuser.query(UNDONE);
    }
  });
}, 120_000);

test('a migration that a release has run is as it was; all are in the list once the release has its day', () => {
  const hashes = readdirSync(FOLDER)
    .filter((file) => released.some(({ name }) => file.startsWith(`${name.slice(-13)}-`)))
    .map((file) =>
      createHash('sha256')
        .update(readFileSync(join(FOLDER, file)))
        .digest('hex'),
    );
  expect(hashes).toEqual(Object.values(RELEASED));
  const changelog = readFileSync(join(FOLDER, '..', '..', '..', '..', 'CHANGELOG.md'), 'utf8');
  const isReleased = !/^## .*\(not yet released\)/m.test(changelog);
  expect(isReleased ? unreleased.map(({ name }) => name) : []).toEqual([]);
});
