import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { makeDirectory, namingDirectory, writeRun, type Writing } from './files.ts';
import { MANIFEST, ManifestError, readManifest, type Manifest } from './manifest.ts';
import { isLockFile, withOwnDirectory, type RequireOwned } from './own-directory.ts';
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
 *
 * @throws UsageError when another run writes in the series; OutputError when it can't be written to
 */
export async function continueSeries(db: Pool, options: SeriesOptions): Promise<SeriesResult> {
  const { series, organisasjon } = options;
  return namingDirectory(series, async () => {
    await makeDirectory(series);
    await requireSeries(series);
    return withOwnDirectory(db, { directory: series, organisasjon }, (requireOwned) =>
      writeNext(db, options, requireOwned),
    );
  });
}

type SeriesOptions = Omit<Writing, 'directory' | 'since'> & { series: string; allEveryDays: number };
interface SeriesResult {
  directory: string;
  manifest: Manifest;
  instead?: string | undefined;
}

async function writeNext(
  db: Pool,
  { series, allEveryDays, ...writing }: SeriesOptions,
  requireOwned: RequireOwned,
): Promise<SeriesResult> {
  const runs = await readRuns(series);
  const last = runs.at(-1);
  const all = runs.find(({ manifest }) => manifest.slag === 'ALT');
  const isDue = !all || Date.now() - Date.parse(all.manifest.laget) >= allEveryDays * DAY_MS;
  let instead: string | undefined;
  if (!isDue) {
    try {
      const directory = join(series, runName('endringer', last));
      return {
        directory,
        manifest: await writeRun(db, { ...writing, directory, since: last?.manifest }, requireOwned),
      };
    } catch (error) {
      if (!(error instanceof NotContinuedError)) throw error;
      instead = error.message;
    }
  }
  const directory = join(series, runName('alt', last));
  const manifest = await writeRun(db, { ...writing, directory, callId: randomUUID() }, requireOwned);
  await remove(series, runs);
  return { directory, manifest, instead };
}

const stamp = (moment: number): string => new Date(moment).toISOString().replace(/[-:.]/g, '');

/** After the one before it, also when the clock has gone back: which row of a key counts is told by the names. */
function runName(kind: 'alt' | 'endringer', last: Run | undefined): string {
  const now = stamp(Date.now());
  const before = last?.name.replace(/-.*$/, '') ?? '';
  return `${now > before ? now : stamp(momentOf(before) + 1)}-${kind}`;
}

const momentOf = (name: string): number =>
  Date.parse(name.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\d)(\d{3}Z)$/, '$1-$2-$3:$4:$5.$6'));

/** @throws ManifestError when there is something else */
async function requireSeries(series: string): Promise<string[]> {
  const names = (await readdir(series)).filter((name) => !isLockFile(name)).sort();
  const other = names.find((name) => !RUN.test(name));
  if (other !== undefined) throw new ManifestError(`${series} holds something else: ${other}`);
  return names;
}

/** Those that are whole, from the last that has everything on, oldest first; all others go. @throws ManifestError */
async function readRuns(series: string): Promise<Run[]> {
  const runs: Run[] = [];
  for (const name of await requireSeries(series)) {
    if (existsSync(join(series, name, MANIFEST)))
      runs.push({ name, manifest: readManifest(join(series, name, MANIFEST)) });
    else await rm(join(series, name), { recursive: true });
  }
  const all = runs.findLastIndex(({ manifest }) => manifest.slag === 'ALT');
  // Of a run that wrote everything, and was killed before it had taken these away.
  await remove(series, runs.slice(0, Math.max(all, 0)));
  return runs.slice(Math.max(all, 0));
}

/** The manifest first: what is left of one without is nothing. */
async function remove(series: string, runs: readonly Run[]): Promise<void> {
  for (const { name } of runs) {
    await rm(join(series, name, MANIFEST));
    await rm(join(series, name), { recursive: true });
  }
}
