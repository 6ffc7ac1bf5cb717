import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { erILive } from './prosess.ts';

/**
 * A temporary directory for what only lives as long as this process. Removes those of processes that were killed before
 * they could.
 *
 * @returns its path, and how to remove it
 */
export function lagArbeidsmappe(formaal: string): { katalog: string; rydd: () => void } {
  const forstavelse = `tiltak-${formaal}-`;
  for (const navn of readdirSync(tmpdir()).filter((navn) => navn.startsWith(forstavelse))) {
    const pid = Number(/^(\d+)-/.exec(navn.slice(forstavelse.length))?.[1]);
    if (pid > 0 && !erILive(pid)) slett(join(tmpdir(), navn));
  }
  const katalog = mkdtempSync(join(tmpdir(), `${forstavelse}${String(process.pid)}-`));
  // Postgres runs as another user when this is root.
  chmodSync(katalog, 0o755);
  return { katalog, rydd: () => slett(katalog) };
}

function slett(katalog: string): void {
  try {
    rmSync(katalog, { recursive: true, force: true, maxRetries: 10 });
  } catch {
    // Another user's, or something still writes there: it is removed the next time.
  }
}
