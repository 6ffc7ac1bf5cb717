import { parseArgs } from 'node:util';
import { UsageError, type Command } from '@tiltak/platform';
import type { Pool } from 'pg';
import { confirmMonth, closedMonths, exportMonth } from '../audit/export-month.ts';
import { connectAsAuditor } from './auditor.ts';

/** Months of the audit, as files that outlive them. */
export const archive: Command = {
  usage: `Usage: npm run drift -- arkiv [options], in the image node main.cjs arkiv [options]

Writes each month of the audit that is over, and not exported yet, to a file in --katalog: a line of JSON for each line of
the audit, compressed (gzip), and a manifest with its number of lines and SHA-256. Each is read again and compared with the
database, which then lets the month go when it is old enough. oppslag and innsyn read the files by --arkiv. Reads DB_* of a
login in datadeling_revisor, and ORGANISASJON.

  --katalog DIR       where the files are
  --maaned YYYYMM     only this month, also when it was exported before
  --kontroller        reads the file of the month again, and writes none
  --uten-fil REASON   with --maaned, without --katalog: the month may go without a file, and why, 10 characters or more

Exit code: 0, or 2 when a month could not be exported or is not in the file as it is in the database.
`,
  run: async (args) => {
    const options = readOptions(args);
    const { db, organisasjon } = connectAsAuditor();
    try {
      if (options.reason !== undefined) await letGo(db, options);
      else if (options.isCheck) await confirmMonth(db, options.directory, options.month ?? '');
      else await exportMonths(db, organisasjon, options);
      return 0;
    } finally {
      await db.end();
    }
  },
};

interface Options {
  directory: string;
  month: string | undefined;
  isCheck: boolean;
  reason: string | undefined;
}

/** @throws UsageError */
function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      katalog: { type: 'string' },
      maaned: { type: 'string' },
      kontroller: { type: 'boolean', default: false },
      'uten-fil': { type: 'string' },
    },
  });
  const { katalog: directory, maaned: month, kontroller: isCheck, 'uten-fil': reason } = values;
  if (month !== undefined && !/^\d{6}$/.test(month)) throw new UsageError('--maaned must be a month, YYYYMM');
  if (month === undefined && (isCheck || reason !== undefined)) throw new UsageError('--maaned is missing');
  if ((directory === undefined) === (reason === undefined))
    throw new UsageError('One of --katalog and --uten-fil must be given');
  if (reason !== undefined && reason.trim().length < 10)
    throw new UsageError('--uten-fil must say why, in 10 characters');
  return { directory: directory ?? '', month, isCheck, reason };
}

async function letGo(db: Pool, { month, reason }: Options): Promise<void> {
  await db.query('select bekreft_oppslagsarkiv($1, null, null, $2)', [month, reason]);
}

async function exportMonths(db: Pool, organisasjon: string, { directory, month }: Options): Promise<void> {
  const closed = await closedMonths(db);
  const chosen = closed.filter(({ maaned, isNoted }) => (month === undefined ? !isNoted : maaned === month));
  if (month !== undefined && chosen.length === 0)
    throw new UsageError(`${month} is no month of the audit that is over`);
  for (const one of chosen) {
    const { maaned, rader, byte, fil } = await exportMonth(db, directory, organisasjon, one);
    process.stdout.write(`${maaned}: ${String(rader)} lines in ${fil}, ${String(byte)} bytes, verified\n`);
  }
}
