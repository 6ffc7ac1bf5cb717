import { readdirSync } from 'node:fs';
import { createTestDatabase, type TestDatabase } from '@tiltak/testing';
import { DataSource } from 'typeorm';
import { migrate, missingMigrations } from '../migrate.ts';
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
      await db.undoLastMigration();
      expect(await readSchema(db)).toBe(schema);
    }
    await migrate(db);
    expect(await readSchema(db)).toBe(whole);
  } finally {
    await db.destroy();
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
