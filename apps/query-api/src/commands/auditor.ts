import { text } from 'node:stream/consumers';
import { isUuid } from '@tiltak/avtale';
import { createPool, databaseOptions, deltakerIdWith } from '@tiltak/database';
import { UsageError } from '@tiltak/platform';
import type { Pool } from 'pg';
import { faultOfReason, isDay } from '../audit/read-seen.ts';
import { readDatabaseConfig, readDeltakerIdKey } from '../config.ts';

type DatabaseConfig = ReturnType<typeof readDatabaseConfig>;

/** As whoever the settings name: neither app's own login can read the audit. */
export function auditorPool(
  config: DatabaseConfig,
  { poolSize, statementTimeoutMs }: { poolSize: number; statementTimeoutMs: number },
): Pool {
  const options = databaseOptions(config, {
    pooled: config.DB_POOLER === 'transaksjon',
    applicationName: `oppslag-${config.ORGANISASJON}`,
    statementTimeoutMs,
    connectTimeoutMs: 5_000,
  });
  return createPool({ ...options, poolSize });
}

/** One connection, for a command. */
export function connectAsAuditor(): { db: Pool; organisasjon: string } {
  const config = readDatabaseConfig();
  // Counts as many rows as were ever looked up.
  return {
    db: auditorPool(config, { poolSize: 1, statementTimeoutMs: 60 * 60_000 }),
    organisasjon: config.ORGANISASJON,
  };
}

/** @throws UsageError for what is neither an opaque id nor, on standard input, a national ident */
export async function readPerson(given: string): Promise<string> {
  if (isUuid(given)) return given;
  if (given !== '-')
    throw new UsageError('--person must be an opaque id (deltakerId), or - for an ident on standard input');
  const toDeltakerId = deltakerIdWith(readDeltakerIdKey());
  const ident = (await text(process.stdin)).trim();
  if (!/^\d{11}$/.test(ident)) throw new UsageError('Standard input must hold a national ident, eleven digits');
  return toDeltakerId(ident);
}

/** @throws UsageError */
export function readReason(given: string | undefined): string {
  const reason = given?.trim() ?? '';
  const fault = faultOfReason(reason);
  if (fault !== undefined) throw new UsageError(`--person needs --begrunnelse, which ${fault}`);
  return reason;
}

/** @throws UsageError */
export function readDays(fra: string, til: string): { fra: string; til: string } {
  if (!isDay(fra)) throw new UsageError('--fra must be a day, YYYY-MM-DD');
  if (!isDay(til)) throw new UsageError('--til must be a day, YYYY-MM-DD');
  if (til < fra) throw new UsageError('--til must not be before --fra');
  return { fra, til };
}
