import { text } from 'node:stream/consumers';
import { isUuid } from '@tiltak/avtale';
import { createPool, databaseOptions, deltakerIdWith } from '@tiltak/database';
import { UsageError } from '@tiltak/platform';
import type { Pool } from 'pg';
import { readDatabaseConfig, readDeltakerIdKey } from '../config.ts';

/** One connection, as whoever the settings name: neither app's own login can read the audit. */
export function connectAsAuditor(): { db: Pool; organisasjon: string } {
  const config = readDatabaseConfig();
  const options = databaseOptions(config, {
    pooled: config.DB_POOLER === 'transaksjon',
    applicationName: `oppslag-${config.ORGANISASJON}`,
    // Counts as many rows as were ever looked up.
    statementTimeoutMs: 60 * 60_000,
    connectTimeoutMs: 5_000,
  });
  return { db: createPool({ ...options, poolSize: 1 }), organisasjon: config.ORGANISASJON };
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
  if (reason.length < 10 || reason.length > 1_000)
    throw new UsageError('--person needs --begrunnelse, why the audit is read, of 10 to 1,000 characters');
  if (/\d{11}/.test(reason)) throw new UsageError('--begrunnelse must not hold a national ident');
  return reason;
}

/** @throws UsageError */
export function readDays(fra: string, til: string): { fra: string; til: string } {
  if (!isDay(fra)) throw new UsageError('--fra must be a day, YYYY-MM-DD');
  if (!isDay(til)) throw new UsageError('--til must be a day, YYYY-MM-DD');
  if (til < fra) throw new UsageError('--til must not be before --fra');
  return { fra, til };
}

const isDay = (day: string): boolean => /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(Date.parse(day));

/** Whole time, as `--fra` and `--til` have it when they are not given. */
export const [FIRST_DAY, LAST_DAY] = ['0001-01-01', '9999-12-31'];
