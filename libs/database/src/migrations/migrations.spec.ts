import { readdirSync } from 'node:fs';
import { createTestDatabase, type TestDatabase } from '@tiltak/testing';
import { DataSource } from 'typeorm';
import { migrate, missingMigrations, undoLastMigration } from '../migrate.ts';
import { readSchema } from '../schema/read-schema.ts';
import { MIGRATIONS } from './index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.remove());

/** As the owner of the schema, who knows the first so many migrations. */
const connect = (count = MIGRATIONS.length): Promise<DataSource> => {
  const { host, port, database: name, migrering } = database;
  const migrations = MIGRATIONS.slice(0, count);
  return new DataSource({ type: 'postgres', host, port, database: name, ...migrering, migrations }).initialize();
};

async function schemaAfter(count: number): Promise<string> {
  const db = await connect(count);
  try {
    await migrate(db);
    return await readSchema(db);
  } finally {
    await db.destroy();
  }
}

test('each migration is undone to what there was before it, and can be done again', async () => {
  const before = [await schemaAfter(0)];
  for (let count = 1; count <= MIGRATIONS.length; count++) before.push(await schemaAfter(count));
  const whole = before.pop();
  const db = await connect();
  try {
    for (const schema of before.toReversed()) {
      await undoLastMigration(db);
      expect(await readSchema(db)).toBe(schema);
    }
    await migrate(db);
    expect(await readSchema(db)).toBe(whole);
  } finally {
    await db.destroy();
  }
});

test('avtaler that a change from the future had pinned can be replaced, and the feed tells of them', async () => {
  const fresh = await createTestDatabase();
  const { host, port, database: name, migrering } = fresh;
  const until = (count: number): Promise<DataSource> => {
    const migrations = MIGRATIONS.slice(0, count);
    return new DataSource({ type: 'postgres', host, port, database: name, ...migrering, migrations }).initialize();
  };
  const pinning = MIGRATIONS.findIndex((migration) => migration.name.startsWith('ParkerteSamlet'));
  try {
    const before = await until(pinning);
    await migrate(before);
    await before.query(`
      insert into avtale (avtale_id, feilregistrert, sist_endret, kilde_partisjon, kilde_offset, mottatt, avtrykk)
      select ('00000000-0000-4000-8000-00000000000' || n)::uuid, n = 3, sist_endret, 0, n, '2026-01-01', gen_random_uuid()
      from (values (1, '2026-01-01T23:00:00Z'::timestamptz), (2, '9000-01-01'), (3, '9000-01-01')) v(n, sist_endret)`);
    await before.destroy();
    const after = await until(MIGRATIONS.length);
    await migrate(after);
    expect(
      await after.query(
        `select kilde_offset::int as n, sist_endret = mottatt as free, avtrykk is null as untold from avtale order by 1`,
      ),
    ).toEqual([
      { n: 1, free: false, untold: false },
      { n: 2, free: true, untold: true },
      { n: 3, free: true, untold: true },
    ]);
    expect(await after.query('select avtale_id, type from endring')).toEqual([
      { avtale_id: '00000000-0000-4000-8000-000000000002', type: 'ENDRET' },
    ]);
    await after.destroy();
  } finally {
    await fresh.remove();
  }
});

test('indexes that an interruption left half made are made anew, and the rest is done', async () => {
  const fresh = await createTestDatabase();
  const { host, port, database: name, migrering } = fresh;
  const until = (count: number): Promise<DataSource> => {
    const migrations = MIGRATIONS.slice(0, count);
    return new DataSource({ type: 'postgres', host, port, database: name, ...migrering, migrations }).initialize();
  };
  const diet = MIGRATIONS.findIndex((migration) => migration.name.startsWith('Indekser'));
  try {
    const before = await until(diet);
    await migrate(before);
    await before.query(`
      insert into avtale (avtale_id, feilregistrert, kilde_partisjon, kilde_offset)
      select gen_random_uuid(), false, 0, n from generate_series(1, 2) n`);
    // It fails, and leaves what a process that is killed meanwhile leaves.
    const half = before.query('create unique index concurrently avtale_datoer on avtale (kilde_partisjon)');
    await expect(half).rejects.toThrow('could not create unique index');
    // Others had been done.
    await before.query('drop index avtale_start_dato');
    await before.destroy();
    const after = await until(diet + 1);
    await migrate(after);
    const [row] = await after.query<{ definition: string; invalid: number }[]>(
      `select pg_get_indexdef('avtale_datoer'::regclass) as definition,
         (select count(*)::int from pg_index where not indisvalid) as invalid`,
    );
    expect([row?.definition, row?.invalid]).toEqual([expect.stringContaining('USING gist (point('), 0]);
    await after.destroy();
  } finally {
    await fresh.remove();
  }
});

test('versions that were stored before are marked as new by what they say, as the writer marks those to come', async () => {
  const fresh = await createTestDatabase();
  const { host, port, database: name, migrering } = fresh;
  const until = (count: number): Promise<DataSource> => {
    const migrations = MIGRATIONS.slice(0, count);
    return new DataSource({ type: 'postgres', host, port, database: name, ...migrering, migrations }).initialize();
  };
  const marking = MIGRATIONS.findIndex((migration) => migration.name.startsWith('VersjonensNoekler'));
  try {
    const before = await until(marking);
    await migrate(before);
    // Of each avtale: person, employer. More avtaler than the first batch has room for.
    await before.query(`
      insert into avtale_versjon (avtale_id, deltaker_fnr, deltaker_id, bedrift_nr, feilregistrert, kilde_partisjon, kilde_offset)
      select md5(n::text)::uuid, fnr, md5(fnr)::uuid, bedrift, false, 0, 0
      from generate_series(1, 60) n cross join unnest(
        '{1,1,2,null,null,1}'::text[], '{null,null,9,9,9,8}'::text[]) with ordinality as v(fnr, bedrift, nr)
      order by n, nr`);
    await before.destroy();
    const after = await until(marking + 1);
    await migrate(after);
    const rows = await after.query<{ marks: string; count: number }[]>(`
      select marks, count(*)::int as count from (
        select string_agg(concat(case when ny_deltaker then 'P' end, case when ny_bedrift then 'B' end), ',' order by lopenr) as marks
        from avtale_versjon group by avtale_id) each group by 1`);
    expect(rows).toEqual([{ marks: 'PB,,PB,P,,PB', count: 60 }]);
    await after.destroy();
  } finally {
    await fresh.remove();
  }
});

test('the audit that was there is told as before, the version before writes on, and all of it can be undone', async () => {
  const fresh = await createTestDatabase();
  const { host, port, database: name } = fresh;
  const as = (login: typeof fresh.migrering, count = 0): Promise<DataSource> => {
    const migrations = MIGRATIONS.slice(0, count);
    return new DataSource({ type: 'postgres', host, port, database: name, ...login, migrations }).initialize();
  };
  const lines = MIGRATIONS.findIndex((migration) => migration.name.startsWith('Oppslagslinje'));
  const audit = (db: DataSource): Promise<object[]> => db.query('select * from oppslag order by id');
  const [before, after] = [await as(fresh.migrering, lines), await as(fresh.migrering, lines + 1)];
  try {
    await migrate(before);
    const app = await as(fresh.queryApi);
    const write = (callId: string): Promise<unknown> =>
      app.query(
        `insert into oppslag (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id,
          posisjon, utvalg, avslag, antall_kall)
        select 'a', nullif('B' || n, 'B0'), 'sokAvtaler', '{avtaleId,avtaleNr}',
          array(select gen_random_uuid() from generate_series(1, n)), nullif(n, 0), n > 0, $1, nullif('p' || n, 'p2'),
          nullif('{"alle": true}'::jsonb, to_jsonb(n)), nullif('ikke-tilgang', 'x' || n), 1 + n
        from generate_series(0, 3) n`,
        [callId],
      );
    await write('eldre');
    const old = await audit(before);
    await migrate(after);
    expect(await audit(after)).toEqual(old);
    await write('1e3f0b1c-0000-4000-8000-000000000000');
    await app.query(
      `insert into oppslagslinje (form, person, tillatt, call_uuid)
      select oppslagsform_nr('b', 'B0', 'hentAvtale', '{avtaleId}'), gen_random_uuid(), true, gen_random_uuid()`,
    );
    await app.destroy();
    const all = await audit(after);
    expect(all).toHaveLength(9);
    await undoLastMigration(after);
    expect(await audit(before)).toEqual(all);
  } finally {
    await Promise.all([before.destroy(), after.destroy()]);
    await fresh.remove();
  }
});

test.each(['ingestor', 'queryApi'] as const)('the login of %s sees which migrations are not done yet', async (who) => {
  const fresh = await createTestDatabase();
  const { host, port, database: name } = fresh;
  const as = (login: typeof fresh.ingestor, migrations: typeof MIGRATIONS = []): Promise<DataSource> =>
    new DataSource({ type: 'postgres', host, port, database: name, ...login, migrations }).initialize();
  const app = await as(fresh[who]);
  const all = MIGRATIONS.map((migration) => migration.name);
  try {
    expect(await missingMigrations(app)).toEqual(all);
    for (const [count, missing] of [
      // Before the one that lets them see.
      [3, all],
      [all.length - 1, all.slice(-1)],
      [all.length, []],
    ] as const) {
      const owner = await as(fresh.migrering, MIGRATIONS.slice(0, count));
      await migrate(owner);
      await owner.destroy();
      expect(await missingMigrations(app)).toEqual(missing);
    }
  } finally {
    await app.destroy();
    await fresh.remove();
  }
});

test('every migration is in the list, oldest first, and only once', () => {
  const files = readdirSync(import.meta.dirname).filter((file) => /^\d+-.*\.ts$/.test(file));
  const asClass = (file: string): string => {
    const [, timestamp = '', name = ''] = /^(\d+)-(.*)\.ts$/.exec(file) ?? [];
    return name.replaceAll(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase()) + timestamp;
  };
  expect(MIGRATIONS.map(({ name }) => name)).toEqual(files.sort().map(asClass));
});
