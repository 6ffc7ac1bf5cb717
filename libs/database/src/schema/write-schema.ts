import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, createWorkDir, freePort, LOCAL_DIR, startPostgres } from '@tiltak/testing';
import { DataSource } from 'typeorm';
import { migrate } from '../migrate.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { readSchema } from './read-schema.ts';

/** `npm run skjema`: writes `libs/database/schema.sql` from a database that was just migrated. */
async function writeSchema(): Promise<void> {
  const { directory, clean } = createWorkDir('skjema');
  const postgres = await startPostgres({
    port: await freePort(),
    dataDir: join(directory, 'postgres'),
    logFile: join(LOCAL_DIR, 'logs', 'skjema-postgres.log'),
  });
  try {
    const { host, port, database, migrering } = await createDatabase(postgres.url, 'skjema');
    const owner = new DataSource({ type: 'postgres', host, port, database, ...migrering, migrations: MIGRATIONS });
    await owner.initialize();
    await migrate(owner);
    writeFileSync(join(import.meta.dirname, '..', '..', 'schema.sql'), await readSchema(owner));
    await owner.destroy();
  } finally {
    await postgres.stop();
    clean();
  }
}

await writeSchema();
