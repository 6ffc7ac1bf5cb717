import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { writeFiles, type Writing } from './files.ts';
import { MANIFEST, ManifestError, readManifest, type Manifest } from './manifest.ts';
import { NotContinuedError } from './snapshot.ts';

/** A run of a series: its directory bears the moment that it began. */
const RUN = /^\d{8}T\d{9}Z-(alt|endringer)$/;

const DAY_MS = 86_400_000;

interface Run {
  name: string;
  manifest: Manifest;
}

/**
 * Goes on with a series: what has changed since its last run, or everything, when there is none, when it is so many days
 * since everything was last written, or when it can't go on from there. What came before everything goes then: it may
 * hold avtaler that have been deleted since.
 */
export async function continueSeries(
  db: Pool,
  { series, allEveryDays, ...writing }: Omit<Writing, 'directory' | 'since'> & { series: string; allEveryDays: number },
): Promise<{ directory: string; manifest: Manifest; instead?: string | undefined }> {
  await mkdir(series, { recursive: true, mode: 0o700 });
  const runs = await readRuns(series);
  const all = runs.findLast(({ manifest }) => manifest.slag === 'ALT');
  const isDue = !all || Date.now() - Date.parse(all.manifest.laget) >= allEveryDays * DAY_MS;
  let instead: string | undefined;
  if (!isDue) {
    try {
      const directory = join(series, runName('endringer'));
      return { directory, manifest: await writeFiles(db, { ...writing, directory, since: runs.at(-1)?.manifest }) };
    } catch (error) {
      if (!(error instanceof NotContinuedError)) throw error;
      instead = error.message;
    }
  }
  const directory = join(series, runName('alt'));
  const manifest = await writeFiles(db, { ...writing, directory, callId: randomUUID() });
  for (const { name } of runs) await rm(join(series, name), { recursive: true });
  return { directory, manifest, instead };
}

const runName = (kind: 'alt' | 'endringer'): string => `${new Date().toISOString().replace(/[-:.]/g, '')}-${kind}`;

/** Those that are whole, oldest first; what is left of others goes. @throws ManifestError */
async function readRuns(series: string): Promise<Run[]> {
  const runs: Run[] = [];
  for (const name of (await readdir(series)).sort()) {
    if (!RUN.test(name)) throw new ManifestError(`${series} holds something else: ${name}`);
    if (existsSync(join(series, name, MANIFEST)))
      runs.push({ name, manifest: readManifest(join(series, name, MANIFEST)) });
    else await rm(join(series, name), { recursive: true });
  }
  return runs;
}
