import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { MissingToolError, ROOT, runProgram } from '@tiltak/testing';
import { environmentWith, INVOKED_FROM } from '../local/options.ts';
import { DemoUsageError, readDemoOptions, type DemoOptions } from './options.ts';
import { savePicture } from './picture.ts';
import { fileOf, startLivePage } from './page.ts';
import { playAll } from './play.ts';
import { printVerdict } from './print.ts';
import { SCENES } from './scenes/scenes.ts';
import type { Show } from './show.ts';
import { openStage } from './stage.ts';

/**
 * `npm run demo`: every promise is tried on real processes, and seen to hold or not. With `--brudd` each scene is given the
 * fault that its promise is about; the run has then done what it should when no scene says that it holds.
 */
async function run(options: DemoOptions): Promise<boolean> {
  const show = newShow(options);
  const live = await startLivePage(show, options.port);
  console.log(`Live: ${live.url}/demo`);
  console.log('Building the apps; starting Kafka and Postgres …');
  const stage = await openStage(options, build());
  const stopNow = (): void => {
    void stage.close().finally(() => process.exit(1));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stopNow);
  try {
    await playAll(
      stage,
      show,
      SCENES.filter(({ nr }) => options.scenes.includes(nr)),
    );
  } finally {
    show.done = true;
    await stage.close();
    await live.stop();
  }
  mkdirSync(dirname(options.file), { recursive: true });
  writeFileSync(options.file, fileOf(show));
  if (options.picture !== undefined) await savePicture(options.file, options.picture);
  return printVerdict(show, options.file);
}

function newShow({ brief, broken, scenes }: DemoOptions): Show {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return {
    ...{ begun: Date.now(), brief, broken, version, done: false },
    machine: `${String(availableParallelism())} cores, ${platform()}`,
    scenes: SCENES.filter(({ nr }) => scenes.includes(nr)).map(({ nr, name, promise }) => ({
      ...{ nr, name, promise, state: 'WAITING' as const, begun: 0, seconds: 0 },
      ...{ steps: [], figures: [], checks: [], mustFall: [], lines: [] },
    })),
  };
}

async function build(): Promise<void> {
  const nx = join(ROOT, 'node_modules', '.bin', 'nx');
  const env = environmentWith({ NX_ISOLATE_PLUGINS: 'false', NX_DAEMON: 'false' });
  const { code, printout } = await runProgram(
    process.execPath,
    [nx, 'run-many', '-t', 'build', '--output-style=static'],
    {
      cwd: ROOT,
      env,
    },
  );
  if (code !== 0) throw new DemoUsageError(`The apps could not be built:\n${printout}`);
}

try {
  const known = SCENES.map(({ nr }) => nr);
  const asItShould = await run(readDemoOptions(process.argv.slice(2), known, INVOKED_FROM));
  process.exit(asItShould ? 0 : 1);
} catch (error) {
  const isExpected = error instanceof DemoUsageError || error instanceof MissingToolError;
  console.error(isExpected || !(error instanceof Error) ? String((error as Error).message) : error.stack);
  process.exit(1);
}
