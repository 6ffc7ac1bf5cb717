import { createTestDatabase } from '@tiltak/testing';
import { DataSource } from 'typeorm';
import { migrate, undoLastMigration } from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';

test('a feed that is there becomes a partition as it lies, numbers go on, and the way back loses no line', async () => {
  const fresh = await createTestDatabase();
  const { host, port, database, migrering } = fresh;
  const until = (count: number): Promise<DataSource> => {
    const migrations = MIGRATIONS.slice(0, count);
    return new DataSource({ type: 'postgres', host, port, database, ...migrering, migrations }).initialize();
  };
  const at = MIGRATIONS.findIndex(({ name }) => name.startsWith('Endringspartisjoner'));
  const [before, after] = [await until(at), await until(at + 1)];
  const tell = (db: DataSource, when: string): Promise<unknown> =>
    db.query(`insert into endring (avtale_id, type, tidspunkt)
      select gen_random_uuid(), 'ENDRET', ${when} from generate_series(1, 100)`);
  const lines = (db: DataSource): Promise<{ lopenr: string }[]> =>
    db.query('select lopenr, tx, avtale_id, tidspunkt from endring order by lopenr');
  try {
    await migrate(before);
    await tell(before, `now() - generate_series * interval '3 days'`);
    const old = await lines(before);
    const [file] = await before.query<{ file: string }[]>(`select pg_relation_filenode('endring') as file`);

    await migrate(after);
    expect(await lines(after)).toEqual(old);
    const [partition] = await after.query<{ file: string }[]>(
      `select pg_relation_filenode(partisjon) as file from partisjoner_av('endring') where fra is null and til is not null`,
    );
    expect(partition).toEqual(file);
    await tell(after, 'now()');
    await tell(after, `now() + interval '2 months'`);
    const all = await lines(after);
    expect(new Set(all.map(({ lopenr }) => lopenr)).size).toBe(300);
    expect(all.slice(0, 100)).toEqual(old);

    await undoLastMigration(after);
    expect(await lines(before)).toEqual(all);
    await tell(before, 'now()');
    expect(new Set((await lines(before)).map(({ lopenr }) => lopenr)).size).toBe(400);
  } finally {
    await Promise.all([before.destroy(), after.destroy()]);
    await fresh.remove();
  }
});

test('broken off, it leaves no check that would refuse rows one day, and the way back is there when the first month has gone', async () => {
  const fresh = await createTestDatabase();
  const { host, port, database, migrering } = fresh;
  const until = (name: string): Promise<DataSource> => {
    const migrations = MIGRATIONS.slice(0, MIGRATIONS.findIndex((migration) => migration.name.startsWith(name)) + 1);
    return new DataSource({ type: 'postgres', host, port, database, ...migrering, migrations }).initialize();
  };
  const [feed, audit] = [await until('Endringspartisjoner'), await until('Oppslagsmaaneder')];
  try {
    const before = await until('Partisjonering');
    await migrate(before);
    await before.destroy();
    for (const [db, table] of [[feed, 'endring'] as const, [audit, 'oppslagslinje'] as const]) {
      await db.query(`create table ${table}_default ()`);
      await expect(migrate(db)).rejects.toMatchObject({ code: '42P07' });
      const left: unknown[] = await db.query(`select from pg_constraint where conname ~ '^${table}_(til|foer)_'`);
      expect(left).toEqual([]);
      await db.query(`drop table ${table}_default`);
      await migrate(db);
    }
    const [first] = await audit.query<{ name: string }[]>(
      `select partisjon::text as name from partisjoner_av('oppslagslinje') where fra is null and til is not null`,
    );
    await audit.query(`drop table ${String(first?.name)}; select lag_partisjoner('oppslagslinje')`);
    await undoLastMigration(audit);
    expect(await audit.query('select * from oppslag')).toEqual([]);
  } finally {
    await Promise.all([feed.destroy(), audit.destroy()]);
    await fresh.remove();
  }
});
