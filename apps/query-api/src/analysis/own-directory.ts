import { randomInt } from 'node:crypto';
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DIRECTORY_LOCKS } from '@tiltak/database';
import { UsageError } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';

/** In the directory for as long as a run writes there; what a killed one leaves is the next one's. */
const LOCK_FILE = 'i-arbeid.json';
export const isLockFile = (name: string): boolean => name.startsWith(LOCK_FILE);

interface Owner {
  organisasjon: string;
  /** of the lock that the run holds in the database of that organisation for as long as it lives */
  nr: number;
}

/** Throws when the directory is not the run's any more: whatever it wrote since may be another's. */
export type RequireOwned = () => Promise<void>;

/**
 * Runs `work` as the only one that writes in the directory, whichever machine the others are on. The file says which lock of
 * the database is the directory's: who has the lock has the directory, and a run that was killed holds none.
 *
 * @param directory that there is
 * @throws UsageError when another run writes there
 */
export async function withOwnDirectory<T>(
  db: Pool,
  { directory, organisasjon }: { directory: string; organisasjon: string },
  work: (requireOwned: RequireOwned) => Promise<T>,
): Promise<T> {
  const session = await db.connect();
  const file = join(directory, LOCK_FILE);
  try {
    // It waits for as long as the run takes, and holds nothing back meanwhile: no snapshot, and no number of its own.
    await session.query('begin read only; set local idle_in_transaction_session_timeout = 0');
    const own = await take(session, file, organisasjon);
    try {
      return await work(async () => {
        const now = await read(file);
        await session.query('select');
        if (now?.nr !== own.nr) throw new UsageError(`${directory} was taken from this run`);
      });
    } finally {
      // Before the lock is let go: who waits for it sees that the file is another, or none.
      await rm(file, { force: true });
    }
  } finally {
    await session.query('rollback').then(
      () => session.release(),
      (error: unknown) => session.release(error instanceof Error ? error : true),
    );
  }
}

async function take(session: PoolClient, file: string, organisasjon: string): Promise<Owner> {
  for (;;) {
    const wanted: Owner = { organisasjon, nr: DIRECTORY_LOCKS.first + randomInt(DIRECTORY_LOCKS.count) };
    const isNew = await create(file, wanted);
    const owner = isNew ? wanted : await read(file);
    // It went between the two.
    if (!owner) continue;
    if (owner.organisasjon !== organisasjon) throw new UsageError(`${file} is of ${owner.organisasjon}`);
    const { rows } = await session.query<{ got: boolean }>('select pg_try_advisory_xact_lock($1) as got', [owner.nr]);
    if (rows[0]?.got !== true) throw new UsageError(`Another run writes there, as ${file} says`);
    if ((await read(file))?.nr !== owner.nr) continue;
    await removeUnused(file);
    return owner;
  }
}

/** With what it says from the first moment. @returns false when there is one */
async function create(file: string, owner: Owner): Promise<boolean> {
  const own = `${file}.${String(owner.nr)}`;
  await writeFile(own, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
  try {
    await link(own, file);
    return true;
  } catch (error) {
    // The second: a run that just began has taken away what it found.
    if (['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/** What was to be the file, of who was killed before it was. Who is about to make it so begins again. */
async function removeUnused(file: string): Promise<void> {
  for (const name of await readdir(dirname(file)))
    if (name.startsWith(`${LOCK_FILE}.`)) await rm(join(dirname(file), name), { force: true });
}

/** Undefined when there is none. @throws UsageError when it is something else: what it says is asked of the database */
async function read(file: string): Promise<Owner | undefined> {
  let owner: Partial<Owner> | null;
  try {
    owner = JSON.parse(await readFile(file, 'utf8')) as Partial<Owner> | null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
    owner = null;
  }
  const { organisasjon, nr } = owner ?? {};
  if (typeof organisasjon === 'string' && Number.isSafeInteger(nr)) return owner as Owner;
  throw new UsageError(`${file} is not of a run of analyse`);
}
