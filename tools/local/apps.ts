import { join } from 'node:path';
import {
  LOCAL_DIR,
  ROOT,
  runProgram,
  startProcess,
  waitUntil,
  type OrganisasjonDatabase,
  type ManagedProcess,
} from '@tiltak/testing';
import { scopeOf } from '../generators/organisasjon/names.ts';
import { APP_ENV } from './options.ts';

/** What both apps must know about where they run. */
export interface Surroundings {
  organisasjon: string;
  database: OrganisasjonDatabase;
  /** port of 127.0.0.1, of a replica that look-ups read from */
  replica?: number | undefined;
  brokers: string;
  topic: string;
  /** of the person register, when there is one */
  identTopic?: string | undefined;
  virksomhetTopic?: string | undefined;
  /** what each change of an avtale is told of on; nothing is when undefined */
  triggerTopic?: string | undefined;
  adapterMayWrite: 'ja' | 'nei';
  issuer: string;
  jwksUri: string;
  /** hex */
  deltakerIdKey: string;
  /** path of the registry of consumers */
  konsumenter: string;
  /** path of what the organisation says of the kinds of measure it knows; nothing when undefined */
  dekning?: string | undefined;
  /** path of the products for analysis; those of the local stack when undefined */
  analyse?: string | undefined;
}

/** The audience of tokens for the organisation's apps, as Entra ID would know them; those of another are refused. */
export const clientId = (organisasjon: string): string => `tiltak-datadeling-${organisasjon}`;

/** The audience of tokens for the page of auditors: an application of its own, so that no other's token is one for it. */
export const auditorClientId = (organisasjon: string): string => `tiltak-datadeling-revisor-${organisasjon}`;

/** Organisation number of each organisation of the local stack, for its adapter: a synthetic one. */
export const LOCAL_ORGNR = '310104116';

export interface App {
  /** «ingestor of nav» */
  navn: string;
  url: string;
  proc: ManagedProcess;
  logFile: string;
}

/** An app as it was built: the app itself, and its commands. */
export const builtApp = (app: 'ingestor' | 'query-api'): string => join(ROOT, 'dist', 'apps', app, 'main.cjs');

type Env = Record<string, string>;

/**
 * The migration job, as on the platform: the built ingestor's own command, with the login of the owner.
 *
 * @throws with what it said, when the schema could not be brought up to date
 */
export async function migrateDatabase({
  organisasjon,
  database,
}: Pick<Surroundings, 'organisasjon' | 'database'>): Promise<void> {
  const { username, password } = database.migrering;
  const login = { DB_USERNAME: username, DB_PASSWORD: password };
  const env = { ...APP_ENV, ORGANISASJON: organisasjon, ...place(database), ...login };
  const { code, printout } = await runProgram(process.execPath, [builtApp('ingestor'), 'migrer'], { cwd: ROOT, env });
  if (code !== 0) throw new Error(`The database of ${organisasjon} could not be migrated:\n${printout}`);
}

/**
 * What each app is told of where it runs. That of the containers is held against it (`tools/build/dockerfile.spec.ts`), so
 * that `docker compose up` brings up what `npm start` does.
 */
export const environmentFor = {
  ingestor: (surroundings: Surroundings): Env => {
    const { database, brokers, topic, identTopic, virksomhetTopic, triggerTopic, adapterMayWrite } = surroundings;
    return {
      ...common(surroundings),
      DB_USERNAME: database.ingestor.username,
      DB_PASSWORD: database.ingestor.password,
      KAFKA_BROKERS: brokers,
      KAFKA_TOPIC: topic,
      ...(identTopic === undefined ? {} : { IDENT_TOPIC: identTopic }),
      ...(virksomhetTopic === undefined ? {} : { VIRKSOMHET_TOPIC: virksomhetTopic }),
      ...(triggerTopic === undefined ? {} : { TRIGGER_TOPIC: triggerTopic }),
      ADAPTER_KAN_SKRIVE: adapterMayWrite,
      MASKINPORTEN_SCOPE: scopeOf(surroundings.organisasjon, 'adapter'),
      MASKINPORTEN_ORGANISASJONSNUMMER: LOCAL_ORGNR,
    };
  },
  'query-api': (surroundings: Surroundings): Env => {
    const { database, replica, konsumenter, dekning } = surroundings;
    return {
      ...common(surroundings),
      DB_USERNAME: database.queryApi.username,
      DB_PASSWORD: database.queryApi.password,
      KONSUMENTER_FIL: konsumenter,
      MASKINPORTEN_SCOPE: scopeOf(surroundings.organisasjon, 'les'),
      ...(replica === undefined ? {} : { DB_REPLIKA_HOST: database.host, DB_REPLIKA_PORT: String(replica) }),
      ...(dekning === undefined ? {} : { DEKNING_FIL: dekning }),
    };
  },
  /** The page of auditors: the query-api's image, with the auditor's login. */
  revisor: ({ organisasjon, database, issuer, jwksUri, deltakerIdKey, ...files }: Surroundings): Env => ({
    ...ofProcess(organisasjon),
    ...place(database),
    DB_USERNAME: database.revisor.username,
    DB_PASSWORD: database.revisor.password,
    DELTAKER_ID_NOEKKEL: deltakerIdKey,
    KONSUMENTER_FIL: files.konsumenter,
    ANALYSE_FIL: files.analyse ?? join(ROOT, 'tools', 'local', 'analyse.yaml'),
    AZURE_APP_CLIENT_ID: auditorClientId(organisasjon),
    AZURE_OPENID_CONFIG_ISSUER: issuer,
    AZURE_OPENID_CONFIG_JWKS_URI: jwksUri,
  }),
};

/** The built ingestor as a process; the extra environment goes before the rest. */
export const startIngestorProcess = (surroundings: Surroundings, port: number, extra: Env = {}): App =>
  start('ingestor', surroundings, port, extra);

/** The built query-api as a process; the extra environment goes before the rest. */
export const startQueryApiProcess = (surroundings: Surroundings, port: number, extra: Env = {}): App =>
  start('query-api', surroundings, port, extra);

/** The page of auditors as a process; the extra environment goes before the rest. */
export const startAuditorPageProcess = (surroundings: Surroundings, port: number, extra: Env = {}): App =>
  start('revisor', surroundings, port, extra);

const place = ({ host, port, database }: OrganisasjonDatabase): Env => ({
  DB_HOST: host,
  DB_PORT: String(port),
  DB_DATABASE: database,
});

const ofProcess = (organisasjon: string): Env => ({
  ORGANISASJON: organisasjon,
  NEDSTENGING_VENTETID_MS: '0',
});

function common({ organisasjon, database, issuer, jwksUri, deltakerIdKey }: Surroundings): Env {
  return {
    ...ofProcess(organisasjon),
    ...place(database),
    DELTAKER_ID_NOEKKEL: deltakerIdKey,
    AZURE_APP_CLIENT_ID: clientId(organisasjon),
    AZURE_OPENID_CONFIG_ISSUER: issuer,
    AZURE_OPENID_CONFIG_JWKS_URI: jwksUri,
    MASKINPORTEN_ISSUER: `${issuer}/maskinporten/`,
    MASKINPORTEN_JWKS_URI: `${issuer}/maskinporten/jwks`,
    MASKINPORTEN_AUDIENCE: clientId(organisasjon),
  };
}

/** What an app is run by, with the memory that its image gives it. */
const PROGRAMS = {
  ingestor: {
    program: [builtApp('ingestor')],
    // Little garbage is kept, so that any backlog fits in 200 MiB.
    memory: { NODE_OPTIONS: '--max-semi-space-size=8 --max-old-space-size=192', MALLOC_ARENA_MAX: '1' },
  },
  'query-api': { program: [builtApp('query-api')], memory: { NODE_OPTIONS: '--max-old-space-size=256' } },
  revisor: { program: [builtApp('query-api'), 'revisor'], memory: { NODE_OPTIONS: '--max-old-space-size=256' } },
};

function start(app: keyof typeof PROGRAMS, surroundings: Surroundings, port: number, extra: Env): App {
  const logFile = join(LOCAL_DIR, 'logs', `${app}-${String(port)}.log`);
  const { program, memory } = PROGRAMS[app];
  const onThisMachine = { NODE_ENV: 'development', HOST: '127.0.0.1', PORT: String(port) };
  const env = { ...APP_ENV, ...onThisMachine, ...environmentFor[app](surroundings), ...memory, ...extra };
  const proc = startProcess(process.execPath, ['--enable-source-maps', ...program], logFile, { cwd: ROOT, env });
  return { navn: `${app} of ${surroundings.organisasjon}`, url: `http://127.0.0.1:${String(port)}`, proc, logFile };
}

/** @throws when it ends instead, or is not ready in time */
export async function waitUntilReady({ navn: name, url, proc, logFile }: App): Promise<void> {
  await waitUntil(
    async () => {
      if (proc.ended()) throw new Error(`${name} could not start; see ${logFile}`);
      return fetch(`${url}/internal/isready`).then(
        ({ ok }) => ok,
        () => false,
      );
    },
    { what: `${name} to be ready; see ${logFile}`, maxMs: 60_000, everyMs: 100 },
  );
}
