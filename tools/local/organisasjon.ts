import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { LOCAL_DIR, createDatabase, ROOT, startPostgres, type TokenIssuer } from '@tiltak/testing';
import { adapterMayWrite } from '../generators/organisasjon/manifests.ts';
import { ownTopic } from '../generators/organisasjon/names.ts';
import {
  clientId,
  migrateDatabase,
  startIngestorProcess,
  startQueryApiProcess,
  waitUntilReady,
  type App,
  type Surroundings,
} from './apps.ts';
import { createSampleTopic } from './sample-data.ts';
import type { ReadyOrganisasjon } from './ready-file.ts';
import { followLog, lastLogLines } from './log-watch.ts';
import type { ShutdownStack } from './shutdown-stack.ts';
import { readLocalKonsumenter } from './token.ts';
import { APP_LOG_LEVEL, StartError, type OrganisasjonOptions } from './options.ts';

/** What all organisations of the local stack share: nothing that holds an organisation's data but its topic. */
interface Common {
  brokers: string;
  issuer: TokenIssuer;
  /** absolute path; each organisation has a directory of its own in it */
  directory: string;
}

/** Postgres with the organisation's database and roles; its own, so that it can be stopped alone. */
export async function startDatabase(
  stack: ShutdownStack,
  { name, ports }: OrganisasjonOptions,
  directory: string,
): Promise<{ database: Surroundings['database']; pid: number }> {
  const dataDir = join(directoryFor(directory, name), 'postgres');
  const logFile = newLog(`postgres-${name}`);
  const postgres = await startPostgres({ port: ports.postgres, dataDir, logFile });
  const what = `Postgres of ${name}`;
  stack.remember(what, postgres, postgres.stop);
  stack.watch(what, postgres.proc(), logFile);
  return { database: await createDatabase(postgres.url, name), pid: postgres.proc().pid };
}

/** The organisation's topic and apps; resolves when both are ready. */
export async function startOrganisasjon(
  stack: ShutdownStack,
  { name, ports }: OrganisasjonOptions,
  { database, pid }: Awaited<ReturnType<typeof startDatabase>>,
  { brokers, issuer, directory }: Common,
): Promise<ReadyOrganisasjon> {
  const { topic, identTopic, konsumenter, dekning, adapter } = readSetup(name);
  await createSampleTopic(brokers, topic);
  if (identTopic !== undefined) await createSampleTopic(brokers, identTopic);
  const surroundings: Surroundings = {
    organisasjon: name,
    database,
    brokers,
    topic,
    identTopic,
    adapterMayWrite: adapter ?? adapterMayWrite(name, topic),
    issuer: issuer.issuer,
    jwksUri: issuer.jwksUri,
    deltakerIdKey: keyFor(directoryFor(directory, name)),
    konsumenter: join(ROOT, konsumenter),
    dekning: dekning && join(ROOT, dekning),
  };
  await migrateDatabase(surroundings).catch((error: unknown) => {
    throw new StartError(error instanceof Error ? error.message : String(error));
  });
  const source = { LOKAL_TOKENKILDE: tokenSource(issuer.issuer, name) };
  const ingestor = register(stack, startIngestorProcess(surroundings, ports.ingestor, APP_LOG_LEVEL));
  const queryApi = register(stack, startQueryApiProcess(surroundings, ports.queryApi, { ...APP_LOG_LEVEL, ...source }));
  await Promise.all([ingestor, queryApi].map(waitForApp));
  // From now on: while they wait for each other they have much to remark on.
  for (const app of [ingestor, queryApi]) {
    const log = followLog(app.navn, app.logFile);
    stack.remember(`the log of ${app.navn}`, log, log.stop);
  }
  return {
    queryApi: queryApi.url,
    ingestor: ingestor.url,
    postgres: database.url,
    topic,
    identTopic,
    audience: clientId(name),
    pids: { postgres: pid, ingestor: ingestor.proc.pid, queryApi: queryApi.proc.pid },
  };
}

interface Setup {
  topic: string;
  identTopic?: string;
  konsumenter: string;
  dekning?: string;
  adapter?: 'ja' | 'nei';
}

/** What `nx g organisasjon` wrote for the local stack; one that is only being tried out needs nothing written. */
function readSetup(name: string): Setup {
  const standard = { topic: ownTopic(name), konsumenter: 'tools/local/konsumenter.yaml' };
  const file = join(ROOT, 'tools', 'local', 'organisasjoner', `${name}.yaml`);
  return existsSync(file) ? { ...standard, ...(parse(readFileSync(file, 'utf8')) as Partial<Setup>) } : standard;
}

/** An empty file for the output of what is about to start. */
export function newLog(name: string): string {
  const logFile = join(LOCAL_DIR, 'logs', `${name}.log`);
  rmSync(logFile, { force: true });
  return logFile;
}

function directoryFor(directory: string, name: string): string {
  const own = join(directory, 'organisasjoner', name);
  mkdirSync(own, { recursive: true });
  return own;
}

/** The key of opaque ids belongs to the data: it must be the same for as long as that is kept. */
function keyFor(directory: string): string {
  const file = join(directory, 'deltaker-id-noekkel');
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

function register(stack: ShutdownStack, app: App): App {
  stack.remember(app.navn, app, () => app.proc.stop(8_000));
  stack.watch(app.navn, app.proc, app.logFile);
  return app;
}

async function waitForApp(app: App): Promise<void> {
  try {
    await waitUntilReady(app);
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message : String(error)}\n${lastLogLines(app.logFile)}`);
  }
}

/** Swagger UI is authorised as `alt`, who may do everything. */
function tokenSource(issuer: string, name: string): string {
  const all = readLocalKonsumenter().find((konsument) => konsument.navn === 'alt');
  const who = new URLSearchParams({ client_id: all?.azp ?? '', audience: clientId(name) });
  return `${issuer}/token?${who.toString()}`;
}
