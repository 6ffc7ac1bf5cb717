import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '@tiltak/platform';
import type { Pool } from 'pg';
import { AVTALE_KEY } from './columns.ts';
import type { ProductKeys } from './keys.ts';
import { columnsInManifest, layManifest, MANIFEST, type Manifest } from './manifest.ts';
import { isLockFile, withOwnDirectory, type RequireOwned } from './own-directory.ts';
import { ParquetFile } from './parquet-file.ts';
import type { Product } from './products.ts';
import { inSnapshot, NotContinuedError, type Snapshot } from './snapshot.ts';

/** What is written, and of what. */
export interface Writing {
  organisasjon: string;
  product: Product;
  keys: ProductKeys;
  /** empty, or what is left of a run that was not whole */
  directory: string;
  /** the run before, or its position: only what has changed since */
  since?: Manifest | string | undefined;
  callId: string;
}

/**
 * Writes a product to Parquet files, one for each month, and their manifest, all of one snapshot. Whenever it is killed
 * there is no manifest, and so nothing that anybody takes for whole; the next run takes the remains away.
 *
 * @throws NotContinuedError when it can't go on from the run before; UsageError when something else is in the directory, or
 *   another run writes there; OutputError when it can't be written to
 */
export async function writeFiles(db: Pool, writing: Writing): Promise<Manifest> {
  const { directory, organisasjon } = writing;
  return namingDirectory(directory, async () => {
    await makeDirectory(directory);
    // Nothing of ours is laid among what is somebody else's.
    await remainsIn(directory);
    return withOwnDirectory(db, { directory, organisasjon }, (requireOwned) => writeRun(db, writing, requireOwned));
  });
}

/** As `writeFiles`, by who has the directory already, or that above it. */
export async function writeRun(db: Pool, writing: Writing, requireOwned: RequireOwned): Promise<Manifest> {
  const { organisasjon, product, keys, directory, since, callId } = writing;
  if (since !== undefined && typeof since !== 'string') requireSame(since, writing);
  await makeDirectory(directory);
  for (const name of await remainsIn(directory)) await rm(join(directory, name));
  const position = typeof since === 'string' ? since : since?.posisjon;
  return inSnapshot(db, { product, since: position, callId }, async (snapshot) => {
    // That of all avtaler is there too, and empty: so a statement over all runs need not know of which kind they are.
    const files = [...(await writeMonths(snapshot, writing)), await writeRemoved(snapshot, writing)];
    await requireOwned();
    return layManifest(directory, {
      ...{ organisasjon, produkt: product.produkt, behandlingsgrunnlag: product.behandlingsgrunnlag },
      slag: snapshot.since === undefined ? 'ALT' : 'ENDRINGER',
      ...{ siden: snapshot.since ?? null, posisjon: snapshot.position, maanedAv: product.maaned },
      ...{ noekkelkontroll: keys.check, kolonner: columnsInManifest(product), filer: files },
    });
  });
}

/** What it is written to has no room, or takes nothing. */
class OutputError extends Error {
  constructor(directory: string, code: string, options: ErrorOptions) {
    super(
      `${directory} can't be written to: ${NOT_WRITTEN[code] ?? ''} (${code}). No run is left there that looks whole`,
      options,
    );
  }
}

const NOT_WRITTEN: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no room',
  EDQUOT: 'there is no room in the quota',
  EFBIG: 'a file may not be so large',
  EROFS: 'it may only be read',
  EACCES: 'it is not allowed',
  EPERM: 'it is not allowed',
  ENOTDIR: 'it is not a directory',
  EEXIST: 'it is not a directory',
  ENOENT: 'it is not there',
};

/** What the file system says names a call and, when a file is open, not even the file. @throws OutputError */
export async function namingDirectory<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code = '', syscall } = error as NodeJS.ErrnoException;
    const isOfFiles = code in NOT_WRITTEN && syscall !== 'connect';
    throw isOfFiles ? new OutputError(directory, code, { cause: error }) : error;
  }
}

/**
 * With those above it, when there is none. Not by `recursive`, which goes on for ever where a file system says of a
 * directory that can't be made that the one above it isn't there: as mounts that come by themselves do, and /proc.
 */
export async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const above = dirname(directory);
    if (code === 'EEXIST' && (await stat(directory)).isDirectory()) return;
    if (code !== 'ENOENT' || above === directory || existsSync(above)) throw error;
    await makeDirectory(above);
    await mkdir(directory, { mode: 0o700 });
  }
}

/** Changes of other columns, or by another key, could not be laid on what was written before. */
function requireSame(before: Manifest, { organisasjon, product, keys }: Writing): void {
  if (before.organisasjon !== organisasjon || before.produkt !== product.produkt)
    throw new UsageError(`--siden is of ${before.produkt} in ${before.organisasjon}`);
  const shape = (columns: Manifest['kolonner']): string =>
    columns.map(({ navn, type }) => `${navn} ${type}`).join(', ');
  if (before.noekkelkontroll !== keys.check) throw new NotContinuedError('The key of the product is another');
  if (before.maanedAv !== product.maaned || shape(before.kolonner) !== shape(columnsInManifest(product)))
    throw new NotContinuedError('The columns of the product are others');
}

/** What a run leaves that was not whole. */
const REMAINS = /^(avtaler-[\w-]+\.parquet|fjernet\.parquet|manifest\.json\.uferdig)(\.uferdig)?$/;

/** @throws UsageError when there is a whole run in the directory, or something else */
async function remainsIn(directory: string): Promise<string[]> {
  if (existsSync(join(directory, MANIFEST))) throw new UsageError(`${directory} has a whole analysis already`);
  const names = (await readdir(directory)).filter((name) => !isLockFile(name));
  const other = names.find((name) => !REMAINS.test(name));
  if (other !== undefined) throw new UsageError(`${directory} holds something else: ${other}`);
  return names;
}

type Files = Manifest['filer'];

/** They come in the order of months, so one file is open at a time. */
async function writeMonths(snapshot: Snapshot, { product, keys, directory }: Writing): Promise<Files> {
  const files: Files = [];
  let month: string | null | undefined;
  let open: ParquetFile | undefined;
  const close = async (): Promise<void> => {
    if (open) files.push({ ...(await open.finish()), innhold: 'AVTALER', maaned: month ?? null });
  };
  for await (const rows of snapshot.read()) {
    for (const row of rows) {
      if (!open || row.maaned !== month) {
        await close();
        month = row.maaned;
        open = new ParquetFile(directory, `avtaler-${month ?? 'uten'}.parquet`, product.columns);
      }
      await open.add(product.columns.map((column) => column.valueOf(row, keys)));
    }
  }
  await close();
  return files;
}

async function writeRemoved(snapshot: Snapshot, { keys, directory }: Writing): Promise<Files[number]> {
  const file = new ParquetFile(directory, 'fjernet.parquet', [AVTALE_KEY]);
  for await (const rows of snapshot.readRemoved())
    for (const row of rows) await file.add([AVTALE_KEY.valueOf(row, keys)]);
  return { ...(await file.finish()), innhold: 'FJERNET', maaned: null };
}
