import { createWriteStream } from 'node:fs';
import { rm, writeFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Pool } from 'pg';
import { lay, UNFINISHED } from '../shared/whole-files.ts';
import {
  ArchiveError,
  fileName,
  linesOf,
  manifestName,
  manifestOf,
  measured,
  readManifest,
  type Manifest,
} from './archive-file.ts';
import { rowsOf } from './rows.ts';

export interface Month {
  maaned: string;
  fra: Date | null;
  til: Date;
  /** exported and verified, or let go without that */
  isNoted: boolean;
}

/** Those that are over since an hour, oldest first: what was looked up before midnight has been committed by then. */
export async function closedMonths(db: Pool): Promise<Month[]> {
  const { rows } = await db.query<Month>(
    `select maaned, fra, til, exists (select from oppslagsarkiv a where a.maaned = p.maaned) as "isNoted"
     from partisjoner_av('oppslagslinje') p where til < now() - interval '1 hour' order by til`,
  );
  return rows;
}

/**
 * Writes a month of the audit to a file and its manifest, reads both again, and tells the database, which compares the
 * number of lines. Whenever it is killed there is a whole file with its manifest, or something that nobody takes for one.
 *
 * @throws ArchiveError when what was read again is not what is in the database
 */
export async function exportMonth(db: Pool, directory: string, organisasjon: string, month: Month): Promise<Manifest> {
  const { maaned, fra, til } = month;
  await removeRemains(directory, maaned);
  const file = fileName(maaned);
  const { rader, byte, sha256 } = await writeLines(db, join(directory, `${file}${UNFINISHED}`), month);
  const manifest = manifestOf({
    ...{ organisasjon, maaned, fra: fra?.toISOString() ?? null, til: til.toISOString() },
    ...{ rader, fil: file, byte, sha256, laget: new Date().toISOString() },
  });
  // One from before is of another file from here on.
  await rm(join(directory, manifestName(maaned)), { force: true });
  await lay(directory, file);
  await writeFile(join(directory, `${manifestName(maaned)}${UNFINISHED}`), `${JSON.stringify(manifest, null, 2)}\n`);
  await lay(directory, manifestName(maaned));
  await confirmMonth(db, directory, maaned);
  return manifest;
}

/** Reads the file of a month from its beginning to its end, and notes that it is there. @throws ArchiveError */
export async function confirmMonth(db: Pool, directory: string, maaned: string): Promise<void> {
  const manifest = readManifest(directory, manifestName(maaned));
  for await (const line of linesOf(directory, manifest)) JSON.parse(line);
  const { rows } = await db.query<{ found: string }>('select bekreft_oppslagsarkiv($1, $2, $3, null) as found', [
    ...[maaned, manifest.rader, manifest.sha256],
  ]);
  const found = Number(rows[0]?.found);
  if (found !== manifest.rader)
    throw new ArchiveError(`${manifest.fil} has ${String(manifest.rader)} lines, and the database ${String(found)}`);
}

async function removeRemains(directory: string, month: string): Promise<void> {
  const remains = (await readdir(directory)).filter((name) => name.endsWith(UNFINISHED) && name.includes(`-${month}.`));
  for (const name of remains) await rm(join(directory, name));
}

async function writeLines(
  db: Pool,
  path: string,
  { fra, til }: Month,
): Promise<{ rader: number; byte: number; sha256: string }> {
  const session = await db.connect();
  let count = 0;
  try {
    await session.query('begin isolation level repeatable read read only');
    const values = [fra ?? '-infinity', til];
    const read = async function* (): AsyncGenerator<string> {
      for await (const rows of rowsOf<{ line: string }>(session, LINES, values)) {
        count += rows.length;
        yield rows.map(({ line }) => `${line}\n`).join('');
      }
    };
    const { stream, result } = measured();
    await pipeline(Readable.from(read()), createGzip(), stream, createWriteStream(path, { mode: 0o600 }));
    return { rader: count, ...result() };
  } finally {
    await session.query('rollback').finally(() => session.release());
  }
}

const LINES = `
  select row_to_json(o)::text as line from oppslag o where tidspunkt >= $1 and tidspunkt < $2 order by tidspunkt, id`;
