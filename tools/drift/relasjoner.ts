import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { INGESTOR } from '../local/apps.ts';
import { localDatabase } from './lokal-database.ts';

/**
 * `relasjoner [--rett]`: recomputes the relations of every participant and says which stored ones differ; with `--rett`,
 * puts them right. Runs the ingestor's own check on the database that DB_* name, or on that of the running local stack.
 */
export async function relations(args: string[]): Promise<number> {
  const database = process.env['DB_HOST'] ? {} : localDatabase();
  if (!database || !existsSync(INGESTOR)) {
    console.error('Start the stack first (npm start), or set DB_* and ORGANISASJON and build the ingestor.');
    return 2;
  }
  const env = { ...process.env, ...database };
  const proc = spawn(process.execPath, [INGESTOR, 'relasjoner', ...args], { env, stdio: 'inherit' });
  const [code] = (await once(proc, 'exit')) as [number | null];
  return code ?? 2;
}
