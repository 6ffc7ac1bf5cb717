import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  runProgram,
  prepareKafka,
  createWorkDir,
  MissingToolError,
  ROOT,
  startKafka,
  startTokenIssuer,
  type LocalKafka,
  type TokenIssuer,
} from '@tiltak/testing';
import { clientId } from './apps.ts';
import { ReadyFile, removeStale, type Ready } from './ready-file.ts';
import { startControl } from './control.ts';
import { printReady } from './print-ready.ts';
import type { RunningOrganisasjon } from './running-organisasjon.ts';
import { newLog, startDatabase, startOrganisasjon } from './organisasjon.ts';
import { ShutdownStack } from './shutdown-stack.ts';
import { environmentWith, requireFreePorts, parseOptions, StartError, type StartOptions } from './options.ts';

/** ms; the platform gives 30 s, and what has not stopped by then is killed */
const MAX_STOP_MS = 25_000;

const stack = new ShutdownStack();
const readyFile = new ReadyFile();
let closing = false;

/** What starts, in order; it stops in reverse. */
async function start(options: StartOptions): Promise<void> {
  const { ports, organisasjoner, counts } = options;
  removeStale();
  // Before anything is touched: another stack may be running.
  await requireFreePorts(options.allPorts);
  await prepareKafka();
  stack.remember('.local/ready.json', undefined, () => readyFile.remove());
  const directory = dataDirectory(options.data);
  console.log('Building the apps; starting Kafka and Postgres …');
  const built = build();
  const [first] = organisasjoner;
  const [kafka, issuer, databases] = await Promise.all([
    startBroker(ports.KAFKA_PORT, directory),
    startIssuer(ports.ISSUER_PORT, first?.name ?? ''),
    Promise.all(organisasjoner.map((organisasjon) => startDatabase(stack, organisasjon, { directory, counts, built }))),
    built,
  ]);

  console.log('Starting the apps …');
  const common = { brokers: kafka.brokers, issuer, directory, counts, empty: options.empty, all: organisasjoner };
  const allRunning: RunningOrganisasjon[] = [];
  // One after another: together they would only make each other slow.
  for (const [nr, organisasjon] of organisasjoner.entries()) {
    const database = databases[nr];
    if (!database) continue;
    const running = await startOrganisasjon(stack, organisasjon, database, common);
    allRunning.push(running);
  }
  const control = await startControl(allRunning);
  stack.remember('the control of the stack', control, control.stop);
  const ready = (): Ready => combine(allRunning, { issuer: issuer.issuer, kafka, control: control.url });
  for (const running of allRunning) {
    running.onChange = () => {
      if (!closing) readyFile.write(ready());
    };
  }
  readyFile.write(ready());
  await printReady(ready(), performance.now());
}

function combine(
  allRunning: RunningOrganisasjon[],
  { issuer, kafka, control }: { issuer: string; kafka: LocalKafka; control: string },
): Ready {
  const allReady = allRunning.map((running) => [running.name, running.ready()] as const);
  const [first] = allReady;
  if (!first) throw new StartError('--organisasjoner names none');
  const { audience: _, auditorAudience: __, pids, processes: ___, ...addresses } = first[1];
  return {
    ...addresses,
    issuer,
    kafka: kafka.brokers,
    control,
    pids: { start: process.pid, kafka: kafka.proc().pid, ...pids },
    organisasjoner: Object.fromEntries(allReady),
  };
}

async function startBroker(port: number, directory: string): Promise<LocalKafka> {
  const logFile = newLog('kafka');
  const kafka = await startKafka({ port, dataDir: join(directory, 'kafka'), logFile });
  stack.remember('Kafka', kafka, kafka.stop);
  stack.watch('Kafka', kafka.proc(), logFile);
  return kafka;
}

async function startIssuer(port: number, organisasjon: string): Promise<TokenIssuer> {
  const issuer = await startTokenIssuer({ port, audience: clientId(organisasjon) });
  return stack.remember('the token issuer', issuer, issuer.stop);
}

function dataDirectory(data: string | undefined): string {
  if (data !== undefined) {
    mkdirSync(data, { recursive: true });
    return data;
  }
  const { directory, clean } = createWorkDir('lokal');
  return stack.remember('temporary data', directory, clean);
}

async function build(): Promise<void> {
  const nx = join(ROOT, 'node_modules', '.bin', 'nx');
  const env = environmentWith({ NX_ISOLATE_PLUGINS: 'false' });
  const options = ['run-many', '-t', 'build', '--output-style=static'];
  const { code, printout } = await runProgram(process.execPath, [nx, ...options], { cwd: ROOT, env });
  if (code !== 0) throw new StartError(`The apps could not be built:\n${printout}`);
}

async function shutDown(code: number): Promise<void> {
  if (closing) return;
  closing = true;
  // Whatever is left ends with this process.
  setTimeout(() => process.exit(1), MAX_STOP_MS).unref();
  await stack.stop();
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void shutDown(0));
try {
  await start(parseOptions(process.argv.slice(2)));
} catch (error) {
  const isExpected = error instanceof StartError || error instanceof MissingToolError;
  // What fails because it is being stopped is not worth a word.
  if (!closing) console.error(isExpected || !(error instanceof Error) ? String((error as Error).message) : error.stack);
  await shutDown(1);
}
