import { globSync, readFileSync } from 'node:fs';
import { freePort, runProgram, ROOT } from '@tiltak/testing';
import { builtApp, startIngestorProcess, startQueryApiProcess, waitUntilReady, type App } from '../local/apps.ts';
import { System } from './system.ts';

/** What the built apps write, on stdout and on stderr: JSON, and errors only where something is wrong. */
let system: System;
beforeAll(async () => {
  system = await System.create({ partitions: 2 });
}, 60_000);
afterAll(() => system.stop());

interface Line {
  level: string;
  message: string;
  '@timestamp': string;
}

/** @throws of a line that is not JSON */
const linesOf = (text: string): Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const logOf = ({ logFile }: App): Line[] => linesOf(readFileSync(logFile, 'utf8'));
const worse = (lines: Line[]): string[] =>
  lines.filter(({ level }) => ['error', 'fatal'].includes(level)).map(({ message }) => message);

async function start(make: typeof startIngestorProcess): Promise<App> {
  const app = make(system.env, await freePort(), { LOG_LEVEL: 'debug' });
  await waitUntilReady(app);
  return app;
}

test('ingestors that come and go, and a query-api beside them, have no errors and no lines in plain text', async () => {
  const [first, second, queryApi] = await Promise.all([
    start(startIngestorProcess),
    start(startIngestorProcess),
    start(startQueryApiProcess),
  ]);
  // The group changes once more.
  await second.proc.stop();
  await Promise.all([first, queryApi].map(({ proc }) => proc.stop()));
  for (const app of [first, second, queryApi]) {
    const lines = logOf(app);
    expect(lines.length).toBeGreaterThan(2);
    expect([app.navn, worse(lines)]).toEqual([app.navn, []]);
    for (const line of lines)
      expect(Object.keys(line)).toEqual(expect.arrayContaining(['level', 'message', '@timestamp']));
  }
}, 240_000);

test('what can not start, the migration job too, says so in JSON alone', async () => {
  const env = { PATH: process.env['PATH'] ?? '' };
  const runs = [['ingestor'], ['query-api'], ['ingestor', 'migrer'], ['ingestor', 'migrer', '--tull']] as const;
  const outcomes = await Promise.all(
    runs.map(([app, ...args]) => runProgram(process.execPath, [builtApp(app), ...args], { cwd: ROOT, env })),
  );
  for (const [i, { code, printout }] of outcomes.entries()) {
    expect([runs[i], (code ?? 0) > 0]).toEqual([runs[i], true]);
    expect(new Set(linesOf(printout).map(({ level }) => level))).toEqual(new Set(['fatal']));
  }
}, 120_000);

test('what Node warns of, and what crashes, is JSON too', async () => {
  const [logger] = globSync('libs/platform/src/run-app.ts', { cwd: ROOT });
  const program = `import { runApp } from './${String(logger)}';
    await runApp(async () => { process.emitWarning('old', 'DeprecationWarning'); setTimeout(() => { throw new Error('crash'); }, 50); return async () => {}; });`;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  const env = { PATH: process.env['PATH'] ?? '' };
  const { code, printout } = await runProgram(process.execPath, flags, { cwd: ROOT, env });
  expect(code).toBe(1);
  expect(linesOf(printout)).toMatchObject([
    { level: 'warn', message: 'old', advarsel: 'DeprecationWarning' },
    { level: 'fatal', err: { message: 'crash' } },
  ]);
});
