import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './process.ts';

/**
 * A temporary directory for what only lives as long as this process. Removes those of processes that were killed before
 * they could.
 *
 * @returns its path, and how to remove it
 */
export function createWorkDir(purpose: string): { directory: string; clean: () => void } {
  const prefix = `tiltak-${purpose}-`;
  for (const name of readdirSync(tmpdir()).filter((name) => name.startsWith(prefix))) {
    const pid = Number(/^(\d+)-/.exec(name.slice(prefix.length))?.[1]);
    if (pid > 0 && !isAlive(pid)) remove(join(tmpdir(), name));
  }
  const directory = mkdtempSync(join(tmpdir(), `${prefix}${String(process.pid)}-`));
  // Postgres runs as another user when this is root.
  chmodSync(directory, 0o755);
  return { directory, clean: () => remove(directory) };
}

function remove(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  } catch {
    // Another user's, or something still writes there: it is removed the next time.
  }
}
