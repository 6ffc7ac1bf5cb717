import { join } from 'node:path';
import { LOKALT, ROT, startProsess, ventTil, type Organisasjonsdatabase, type Prosess } from '@tiltak/testing';

/** What both apps must know about where they run. */
export interface Omgivelser {
  organisasjon: string;
  database: Organisasjonsdatabase;
  brokers: string;
  topic: string;
  issuer: string;
  jwksUri: string;
  /** hex */
  deltakerIdNoekkel: string;
  /** path of the registry of consumers */
  konsumenter: string;
}

/** The audience of tokens for the organisation's apps, as Entra ID would know them; those of another are refused. */
export const klientId = (organisasjon: string): string => `tiltak-datadeling-${organisasjon}`;

export interface App {
  /** «ingestor of nav» */
  navn: string;
  url: string;
  prosess: Prosess;
  loggfil: string;
}

const program = (app: string): string => join(ROT, 'dist', 'apps', app, 'main.cjs');

/** The built ingestor, which also has commands of its own. */
export const INGESTOR = program('ingestor');

type Miljo = Record<string, string>;

/** The built ingestor as a process; the extra environment goes before the rest. */
export function startIngestor(omgivelser: Omgivelser, port: number, ekstra: Miljo = {}): App {
  const { database, brokers, topic } = omgivelser;
  return start('ingestor', omgivelser, port, {
    ...felles(omgivelser),
    DB_USERNAME: database.ingestor.username,
    DB_PASSWORD: database.ingestor.password,
    DB_MIGRERING_USERNAME: database.migrering.username,
    DB_MIGRERING_PASSWORD: database.migrering.password,
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC: topic,
    // As in its image: little garbage is kept, so that any backlog fits in 200 MiB.
    NODE_OPTIONS: '--max-semi-space-size=8 --max-old-space-size=192',
    MALLOC_ARENA_MAX: '1',
    ...ekstra,
  });
}

/** The built query-api as a process; the extra environment goes before the rest. */
export function startQueryApi(omgivelser: Omgivelser, port: number, ekstra: Miljo = {}): App {
  const { database, konsumenter } = omgivelser;
  return start('query-api', omgivelser, port, {
    ...felles(omgivelser),
    DB_USERNAME: database.queryApi.username,
    DB_PASSWORD: database.queryApi.password,
    KONSUMENTER_FIL: konsumenter,
    ...ekstra,
  });
}

function felles({ organisasjon, database, issuer, jwksUri, deltakerIdNoekkel }: Omgivelser): Miljo {
  return {
    NODE_ENV: 'development',
    ORGANISASJON: organisasjon,
    HOST: '127.0.0.1',
    NEDSTENGING_VENTETID_MS: '0',
    DB_HOST: database.host,
    DB_PORT: String(database.port),
    DB_DATABASE: database.database,
    DELTAKER_ID_NOEKKEL: deltakerIdNoekkel,
    AZURE_APP_CLIENT_ID: klientId(organisasjon),
    AZURE_OPENID_CONFIG_ISSUER: issuer,
    AZURE_OPENID_CONFIG_JWKS_URI: jwksUri,
  };
}

function start(app: string, { organisasjon }: Omgivelser, port: number, env: Miljo): App {
  const loggfil = join(LOKALT, 'logs', `${app}-${String(port)}.log`);
  const prosess = startProsess(process.execPath, ['--enable-source-maps', program(app)], loggfil, {
    cwd: ROT,
    env: { PATH: process.env['PATH'] ?? '', PORT: String(port), ...env },
  });
  return { navn: `${app} of ${organisasjon}`, url: `http://127.0.0.1:${String(port)}`, prosess, loggfil };
}

/** @throws when it ends instead, or is not ready in time */
export async function ventPaaKlar({ navn, url, prosess, loggfil }: App): Promise<void> {
  await ventTil(
    async () => {
      if (prosess.avsluttet()) throw new Error(`${navn} could not start; see ${loggfil}`);
      return fetch(`${url}/internal/isready`).then(
        ({ ok }) => ok,
        () => false,
      );
    },
    { hva: `${navn} to be ready; see ${loggfil}`, maksMs: 60_000, hverMs: 100 },
  );
}
