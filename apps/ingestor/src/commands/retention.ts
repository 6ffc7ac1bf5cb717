import { parseArgs } from 'node:util';
import { createPool, requireDirect } from '@tiltak/database';
import type { Command } from '@tiltak/platform';
import { readRyddingConfig } from '../config.ts';
import { databaseOptionsFrom } from '../database/connect.ts';
import { readRowLimits } from '../retention/row-limits.queries.ts';
import { applyRetention, planRetention, type Horizons, type RetentionEntry } from '../retention/retention.ts';
import { retentionRules } from '../retention/rules.ts';

/** What is old enough goes, or what would go is told. The ingestor does the same by itself. */
export const retention: Command = {
  usage: `Usage: npm run drift -- rydding [options], in the image node main.cjs rydding [options]

Drops the partitions that are older than the settings say. Prints a line of JSON for each, and last one with the numbers.
Reads DB_*, ORGANISASJON, ENDRINGER_BEHOLDES_DAGER and OPPSLAG_DAGER.

  --proev  changes nothing: tells of each partition whether it would go, from when to when it is, its rows and bytes,
           and what holds it back; and of what goes row by row, how many would go

Exit code: 0 when all that is old enough went, or would go, 1 when something is held back, 2 when it could not be done.
`,
  run: async (args) => {
    const { values } = parseArgs({ args, options: { proev: { type: 'boolean', default: false } } });
    const config = readRyddingConfig();
    const options = databaseOptionsFrom(config);
    await requireDirect(options);
    // Counting may take long, and holds nobody up.
    const pool = createPool({ ...options, poolSize: 1, statementTimeoutMs: 3_600_000 });
    try {
      const rules = retentionRules(config);
      if (values.proev) return await tell(await planRetention(pool, rules), () => readRowLimits(pool));
      const outcomes = await applyRetention(pool, rules);
      for (const entry of outcomes) print({ ...toLine(entry), utfall: entry.outcome });
      const left = outcomes.filter(({ outcome }) => outcome === 'HOLDES_IGJEN' || outcome === 'OPPTATT').length;
      print({ fjernet: outcomes.filter(({ outcome }) => outcome === 'GAAR').length, holdesIgjen: left });
      return left > 0 ? 1 : 0;
    } finally {
      await pool.end();
    }
  },
};

type Plan = Awaited<ReturnType<typeof planRetention>>;

async function tell({ entries, horizons }: Plan, readRows: () => ReturnType<typeof readRowLimits>): Promise<number> {
  const told = entries.map((entry) => ({ ...toLine(entry), utfall: outcomeOf(entry, horizons) }));
  for (const line of told) print(line);
  for (const line of await readRows()) print(line);
  const going = told.filter(({ utfall }) => utfall === 'GAAR');
  const heldBack = told.filter(({ utfall }) => utfall === 'HOLDES_IGJEN').length;
  const total = (member: 'rader' | 'byte'): number => going.reduce((sum, line) => sum + (line[member] ?? 0), 0);
  print({ villeFjernes: going.length, rader: total('rader'), byte: total('byte'), holdesIgjen: heldBack });
  return heldBack > 0 ? 1 : 0;
}

/** What only the horizon of its feed holds back goes when that is moved past it. */
function outcomeOf({ isDue, heldBackBy, month, to, rule }: RetentionEntry, horizons: Horizons): string {
  if (month === null) return 'REST';
  if (!isDue) return 'BLIR';
  const horizon = rule?.feed && horizons.get(rule.feed);
  const passes = to !== null && horizon !== undefined && to <= horizon;
  return heldBackBy === null || passes ? 'GAAR' : 'HOLDES_IGJEN';
}

function toLine({ table, month, from, to, rows, bytes, heldBackBy, rule, isDue }: RetentionEntry) {
  return {
    tabell: table,
    maaned: month,
    fra: from,
    til: to,
    rader: rows,
    byte: bytes,
    beholdesDager: rule?.days ?? null,
    bestemtAv: rule?.setting ?? null,
    hindring: isDue ? heldBackBy : null,
  };
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
