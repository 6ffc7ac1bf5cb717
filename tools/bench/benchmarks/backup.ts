import { rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startStandby } from '@tiltak/testing';
import type { Rig } from '../rig.ts';
import { withClient } from '../servers.ts';

/** What a disk should have left. */
const SPARE_BYTES = 10e9;

/**
 * A backup by Postgres' own functions for it, of a server that runs, and a server of its own made of it: files and WAL, as
 * pg_basebackup does it. Not measured when the disk does not hold it.
 */
export async function measureBackup(rig: Rig, avtaler: number): Promise<Record<string, number>> {
  const bytes = await withClient(rig.postgres.url, async (db) => {
    const { rows } = await db.query<{ n: number }>('select sum(pg_database_size(oid))::float8 as n from pg_database');
    return rows[0]?.n ?? 0;
  });
  const { bavail, bsize } = statfsSync(rig.directory);
  if (bavail * bsize < bytes + SPARE_BYTES) {
    console.error('  The disk does not hold a backup: not measured');
    return {};
  }
  const dataDir = join(rig.directory, 'backup');
  const begun = performance.now();
  const restored = await startStandby(rig.postgres, {
    port: await freePort(),
    dataDir,
    logFile: join(rig.directory, 'backup.log'),
  });
  try {
    await restored.promote();
    const seconds = (performance.now() - begun) / 1_000;
    const url = new URL(restored.url);
    url.pathname = '/tiltak_bench';
    await withClient(url.href, async (db) => {
      const { rows } = await db.query<{ n: number }>('select count(*)::int as n from avtale');
      if (rows[0]?.n !== avtaler) throw new Error('Not everything is in the backup');
    });
    return { 'backup.seconds': seconds, 'backup.perGigabyte': seconds / (bytes / 1e9) };
  } finally {
    await restored.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
