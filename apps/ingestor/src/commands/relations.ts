import { parseArgs } from 'node:util';
import { createPool, requireDirect } from '@tiltak/database';
import type { Command } from '@tiltak/platform';
import { readDatabaseConfig } from '../config.ts';
import { databaseOptionsFrom } from '../database/connect.ts';
import { checkHierarchy } from '../resources/virksomheter/hierarchy.ts';
import { checkRelations } from '../relations/check.ts';

/** Whether the stored relations follow from the avtaler. The exit code is 1 also when what differed was put right. */
export const relations: Command = {
  usage: `Usage: npm run drift -- relasjoner [options], in the image node main.cjs relasjoner [options]

Recomputes the relations of every participant from the avtaler, and the hovedenhet of every virksomhet. Prints a line of JSON for each stored one that differs,
and last one with the numbers. Reads DB_* and ORGANISASJON.

  --rett  puts right what differs

Exit code: 0 when nothing differed, 1 when something did, 2 when it could not be found out.
`,
  run: async (args) => {
    const { values } = parseArgs({ args, options: { rett: { type: 'boolean', default: false } } });
    const options = databaseOptionsFrom(readDatabaseConfig());
    await requireDirect(options);
    const pool = createPool({ ...options, poolSize: 1 });
    try {
      const result = await checkRelations(pool, { repair: values.rett, report: print });
      const hierarchy = await checkHierarchy(pool, { repair: values.rett });
      for (const { organisasjonsnummer, stored, right } of hierarchy) {
        print({ organisasjonsnummer, lagret: stored, hovedenhet: right });
      }
      print({ ...result, hovedenheter: hierarchy.length });
      return result.mangler + result.overfloedige + hierarchy.length > 0 ? 1 : 0;
    } finally {
      await pool.end();
    }
  },
};

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
