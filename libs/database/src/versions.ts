import type { DataSource } from 'typeorm';

/**
 * What a version of the ingestor counts on of the others that write beside it, as a number that grows when that changes:
 * how rows are ordered, which links they have, what is said of a change. 1 was 1.0.0's, which kept no links.
 */
export const CONTRACT = 2;

/**
 * The oldest contract that may write beside this version, and after it: those before are refused by the database once the
 * migration job of this version has run. What this version and the one before it can't do side by side takes two
 * releases: one that can do both, and one that ends the old way and raises this.
 */
export const OLDEST_CONTRACT = 2;

/** One that has not been heard of for so long has ended. */
const ALIVE = `sett > clock_timestamp() - interval '20 seconds'`;

/** Versions that may not write side by side. */
export class ContractError extends Error {
  readonly startupError = true;
}

/** By which contract a session writes, for the database to see. */
export const CONTRACT_OPTION = `-c datadeling.kontrakt=${String(CONTRACT)}`;

/**
 * For the migration job, before it changes anything.
 *
 * @throws ContractError while an ingestor is alive that could not write after this version
 */
export async function requireNoneTooOld(owner: DataSource, oldest = OLDEST_CONTRACT): Promise<void> {
  const [table] = await owner.query<{ there: boolean }[]>(
    `select to_regclass('ingestor_i_drift') is not null as there`,
  );
  if (!table?.there) return;
  const rows = await owner.query<{ bygg: string; kontrakt: number }[]>(
    `select distinct bygg, kontrakt from ingestor_i_drift where kontrakt < $1 and ${ALIVE}`,
    [oldest],
  );
  if (rows.length === 0) return;
  const those = rows.map(({ bygg: build, kontrakt: contract }) => `${build} (contract ${String(contract)})`).join(', ');
  throw new ContractError(
    `This version needs writers of contract ${String(oldest)} or newer, and an older ingestor is alive: ${those}. Stop it first, and wait 20 s`,
  );
}

/** For the migration job, when the schema is there: from now on older versions are refused. */
export async function refuseOlder(owner: DataSource, oldest = OLDEST_CONTRACT): Promise<void> {
  const [column] = await owner.query<{ there: boolean }[]>(
    `select exists (select from pg_attribute where attrelid = to_regclass('instans') and attname = 'kontrakt_minst') as there`,
  );
  if (!column?.there) return;
  // Who was let in again meanwhile may have left links that are not right, and idents in the history.
  await owner.query(
    `update instans set kontrakt_minst = $1, relasjoner_kontrollert = null,
       tidligere_identer_kom = tidligere_identer_kom + 1 where kontrakt_minst < $1`,
    [oldest],
  );
}

/**
 * For an ingestor that starts.
 *
 * @throws ContractError when it is too old for the database
 */
export async function requireNotTooOld(dataSource: DataSource, contract = CONTRACT): Promise<void> {
  const [row] = await dataSource.query<{ oldest: number }[]>('select kontrakt_minst as oldest from instans');
  if (row === undefined || contract >= row.oldest) return;
  throw new ContractError(
    `This version writes by contract ${String(contract)}, and the database takes ${String(row.oldest)} and newer: a newer version has migrated it, and this one can't be rolled back to (docs/operations.md, Versions side by side)`,
  );
}

/** Ingestors of other builds that are alive. */
export async function otherBuilds(dataSource: DataSource, build: string): Promise<string[]> {
  const rows = await dataSource.query<{ bygg: string }[]>(
    `select distinct bygg from ingestor_i_drift where bygg <> $1 and ${ALIVE}`,
    [build],
  );
  return rows.map(({ bygg }) => bygg);
}
