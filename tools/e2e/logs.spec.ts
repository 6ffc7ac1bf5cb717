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
  const ingestors = [await start(startIngestorProcess), await start(startIngestorProcess)];
  const queryApi = await start(startQueryApiProcess);
  await Promise.all(ingestors.slice(1).map(({ proc }) => proc.stop()));
  const third = await start(startIngestorProcess);
  for (const app of [...ingestors, third, queryApi]) await app.proc.stop();
  for (const app of [...ingestors, third, queryApi]) {
    const lines = logOf(app);
    expect(lines.length).toBeGreaterThan(2);
    expect([app.navn, worse(lines)]).toEqual([app.navn, []]);
    for (const line of lines)
      expect(Object.keys(line)).toEqual(expect.arrayContaining(['level', 'message', '@timestamp']));
  }
}, 120_000);

test.each([
  ['an ingestor without its settings', 'ingestor', []],
  ['a query-api without its settings', 'query-api', []],
  ['the migration job without its settings', 'ingestor', ['migrer']],
  ['the migration job with an option that there is not', 'ingestor', ['migrer', '--tull']],
] as const)('%s says so in JSON alone', async (_, app, args) => {
  const env = { PATH: process.env['PATH'] ?? '' };
  const { code, printout } = await runProgram(process.execPath, [builtApp(app), ...args], { cwd: ROOT, env });
  expect(code).toBeGreaterThan(0);
  expect(new Set(linesOf(printout).map(({ level }) => level))).toEqual(new Set(['fatal']));
});

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
