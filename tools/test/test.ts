import { join } from 'node:path';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { ROOT } from '@tiltak/testing';
import { countTargets, lastLines, type Task } from './count.ts';
import type { Report } from './reporter.ts';
import { run, runJest, tool } from './run.ts';

/**
 * `test.ts TARGET … -- ARGUMENT …`: the targets of Nx in every project, side by side, and then one jest with the
 * arguments. A failure hides none that come after it, and the last line counts them all.
 */
const [, , ...args] = process.argv;
const targets = args.slice(0, args.indexOf('--'));
const parts = targets.length > 0 ? [await runTargets()] : [];
parts.push(await runJest(args.slice(targets.length + 1)));
process.exitCode = parts.every(({ failed }) => failed === 0) ? 0 : 1;
console.log(lastLines(parts).join('\n'));

async function runTargets(): Promise<Report> {
  const noted = join(ROOT, '.nx', 'cache', 'run.json');
  rmSync(noted, { force: true });
  const args = [tool('nx'), 'run-many', '--output-style=static', '-t', ...targets];
  const { succeeded } = await run(args, { NX_ISOLATE_PLUGINS: 'false' });
  const { tasks } = existsSync(noted) ? (JSON.parse(readFileSync(noted, 'utf8')) as { tasks: Task[] }) : { tasks: [] };
  return countTargets(targets, tasks, succeeded);
}
