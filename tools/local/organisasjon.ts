import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { LOCAL_DIR, createDatabase, PostgresGroup, ROOT, type TokenIssuer } from '@tiltak/testing';
import { adapterMayWrite } from '../generators/organisasjon/manifests.ts';
import { ownTopic } from '../generators/organisasjon/names.ts';
import { clientId, migrateDatabase, type Surroundings } from './apps.ts';
import { createSampleTopic, publishSampleData, waitUntilIngested } from './sample-data.ts';
import { RunningOrganisasjon } from './running-organisasjon.ts';
import type { ShutdownStack } from './shutdown-stack.ts';
import { readLocalKonsumenter } from './token.ts';
import { StartError, type Counts, type OrganisasjonOptions } from './options.ts';

/** What all organisations of the local stack share: nothing that holds an organisation's data but its topic. */
interface Common {
  brokers: string;
  issuer: TokenIssuer;
  /** absolute path; each organisation has a directory of its own in it */
  directory: string;
  counts: Counts;
  /** without sample data */
  empty: boolean;
  /** that run beside each other */
  all: readonly OrganisasjonOptions[];
}

/**
 * Postgres with the organisation's database and roles, its own, so that it can be stopped alone; with its schema, once
 * the app is built that brings it.
 */
export async function startDatabase(
  stack: ShutdownStack,
  { name, ports }: OrganisasjonOptions,
  { directory, counts, built }: { directory: string; counts: Counts; built: Promise<void> },
): Promise<{ database: Surroundings['database']; group: PostgresGroup }> {
  const logs = new Map<string, string>();
  const group = await PostgresGroup.start({
    port: ports.postgres,
    directory: directoryFor(directory, name),
    logFile: (server) => logs.get(server) ?? logs.set(server, newLog(`${server}-${name}`)).get(server) ?? '',
    standby: counts.standby,
    replica: counts.replica,
    onStart: ({ name: what, server, logFile, lost }) => stack.watch(`${what} of ${name}`, server.proc(), logFile, lost),
  });
  stack.remember(`Postgres of ${name}`, group, () => group.stop());
  const database = await createDatabase(group.url, name);
  await built;
  await migrateDatabase({ organisasjon: name, database }).catch((error: unknown) => {
    throw new StartError(error instanceof Error ? error.message : String(error));
  });
  return { database, group };
}

/** The organisation's topic and apps; resolves when all are ready, and have read the sample data. */
export async function startOrganisasjon(
  stack: ShutdownStack,
  { name, ports }: OrganisasjonOptions,
  { database, group }: Awaited<ReturnType<typeof startDatabase>>,
  { brokers, issuer, directory, counts, empty, all }: Common,
): Promise<RunningOrganisasjon> {
  const { topic, identTopic, konsumenter, dekning, adapter } = readSetup(name);
  const triggerTopic = `${name}.avtale-endret`;
  const virksomhetTopic = `${name}.virksomheter`;
  await Promise.all(
    [topic, triggerTopic, virksomhetTopic, ...(identTopic === undefined ? [] : [identTopic])].map((name) =>
      createSampleTopic(brokers, name),
    ),
  );
  const surroundings: Surroundings = {
    organisasjon: name,
    database,
    replica: group.replica?.port,
    brokers,
    topic,
    identTopic,
    virksomhetTopic,
    triggerTopic,
    adapterMayWrite: adapter ?? adapterMayWrite(name, topic),
    issuer: issuer.issuer,
    jwksUri: issuer.jwksUri,
    deltakerIdKey: keyFor(directoryFor(directory, name)),
    konsumenter: join(ROOT, konsumenter),
    dekning: dekning && join(ROOT, dekning),
  };
  const queryApiEnv = { LOKAL_TOKENKILDE: tokenSource(issuer.issuer, name) };
  const ingestorEnv = {
    DRIFT_ORGANISASJONER: all.map(({ name, ports }) => `${name}=http://127.0.0.1:${String(ports.ingestor)}`).join(),
    // Soon after the start, so that the page has a report of each to show.
    AVSTEMMING_HVER_TIMER: '24',
  };
  const organisasjon = new RunningOrganisasjon(stack, { surroundings, group, queryApiEnv, ingestorEnv });
  const [topics] = await Promise.all([
    empty ? [] : publishSampleData(brokers, { topic, identTopic, virksomhetTopic }),
    organisasjon.start(counts, ports),
  ]);
  await waitUntilIngested(brokers, database.url, topics);
  return organisasjon;
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

/** Swagger UI is authorised as `alt`, who may do everything. */
function tokenSource(issuer: string, name: string): string {
  const all = readLocalKonsumenter().find((konsument) => konsument.navn === 'alt');
  const who = new URLSearchParams({ client_id: all?.azp ?? '', audience: clientId(name) });
  return `${issuer}/token?${who.toString()}`;
}
