import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { runProgram } from '@tiltak/testing';
import { withClient } from '../servers.ts';

/** bytes written in half a second by a machine that is at rest */
const QUIET_BYTES = 1_000_000;
const MAX_WAIT_MS = 20_000;
const SECTOR = 512;

/** Everything that was written is on disk, and nothing writes any more: what came before is not measured with what comes. */
export async function settleDisk(postgresUrl: string): Promise<void> {
  await withClient(postgresUrl, (db) => db.query('checkpoint'));
  await runProgram('sync', []);
  const deadline = performance.now() + MAX_WAIT_MS;
  let before = writtenBytes(readFileSync('/proc/diskstats', 'utf8'));
  while (performance.now() < deadline) {
    await wait(500);
    const now = writtenBytes(readFileSync('/proc/diskstats', 'utf8'));
    if (now - before < QUIET_BYTES) return;
    before = now;
  }
}

/** To all devices, their partitions counted too. */
export function writtenBytes(diskstats: string): number {
  return diskstats
    .trimEnd()
    .split('\n')
    .reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[9] ?? 0) * SECTOR, 0);
}
