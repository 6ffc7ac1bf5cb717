import type { Pool, PoolClient } from 'pg';
import type { Archive } from './archive.ts';
import { ArchiveError } from './archive-file.ts';
import type { Selected } from './who-has-seen.ts';

/** Where the months of the audit are. */
export interface Months {
  inDatabase: ReadonlySet<string>;
  /** Those that are asked for and went without a file, oldest first: the first may hold all before it too. */
  lost: { maaned: string; isFirst: boolean }[];
}

interface Row {
  maaned: string;
  isHere: boolean;
  sha256: string | null;
}

/** The last that was noted of a month counts. */
const MONTHS = `
  select maaned, p.maaned is not null as "isHere", a.sha256
  from (select maaned from partisjoner_av('oppslagslinje') where maaned is not null) p
  full join (select distinct on (maaned) maaned, sha256 from oppslagsarkiv order by maaned, nr desc) a using (maaned)
  order by maaned`;

/**
 * Nothing is told of a time of which some would be left out without a word: each month that is asked for is in the
 * database, is in the file that was verified, or went without one and is named.
 *
 * @throws ArchiveError
 */
export async function monthsOf(db: Pool | PoolClient, selected: Selected, archive?: Archive): Promise<Months> {
  const { rows } = await db.query<Row>(MONTHS);
  const lost: Months['lost'] = [];
  const missing: string[] = [];
  for (const [nr, { maaned, isHere, sha256 }] of rows.entries()) {
    const isFirst = nr === 0;
    if (isHere || !isAsked(maaned, isFirst, selected)) continue;
    const file = archive?.manifestOf(maaned);
    if (sha256 === null) {
      if (!file) lost.push({ maaned, isFirst });
    } else if (!file) missing.push(maaned);
    else if (file.sha256 !== sha256) throw new ArchiveError(`${file.fil} is not the file that was verified`);
  }
  if (missing.length > 0) {
    const where = archive
      ? 'its file is not in the archive'
      : 'no archive was named (--arkiv, or OPPSLAGSARKIV_KATALOG of the page)';
    throw new ArchiveError(`${missing.join(', ')} has left the database, and ${where}`);
  }
  return { inDatabase: inDatabase(rows), lost };
}

const inDatabase = (rows: readonly Row[]): Set<string> =>
  new Set(rows.flatMap(({ maaned, isHere }) => (isHere ? [maaned] : [])));

/** After files were read. @throws ArchiveError when a month has gone meanwhile, which neither would tell of */
export async function requireStillThere(db: Pool | PoolClient, { inDatabase: before }: Months): Promise<void> {
  const { rows } = await db.query<Row>(MONTHS);
  const here = inDatabase(rows);
  const gone = [...before].find((month) => !here.has(month));
  if (gone !== undefined) throw new ArchiveError(`${gone} left the database while files were read: do it again`);
}

/** The first may begin with time itself, as the whole table did that it was. */
function isAsked(month: string, isFirst: boolean, { fra, til }: Selected): boolean {
  const [year, number] = [Number(month.slice(0, 4)), Number(month.slice(4))];
  const begin = isFirst ? -Infinity : Date.UTC(year, number - 1);
  return Date.UTC(year, number) > Date.parse(fra) && begin < Date.parse(til) + 86_400_000;
}
