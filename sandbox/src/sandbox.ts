import { join } from 'node:path';
import { deltakerIdWith } from '@tiltak/database';
import type { Stop } from '@tiltak/platform';
import { freePort } from '@tiltak/testing';
import { startControl } from './control/start-control.ts';
import { Surroundings } from './control/surroundings.ts';
import { Faults } from './front/faults.ts';
import { startFront } from './front/front.ts';
import { KEYS_PATH, TOKEN_PATH, tokenRoutes } from './front/token-routes.ts';
import type { SandboxOptions } from './options.ts';
import { Planter } from './planting/planter.ts';
import { SandboxClock } from './process/clock.ts';
import { Consumers } from './process/consumers.ts';
import { ORGANISASJON, prepareSchema, startDatabase, type SandboxDatabase } from './process/database.ts';
import { AUDIENCE, SandboxIssuer } from './process/issuer.ts';
import { readOperations } from './process/operations.ts';
import { startQueryApiProcess, waitUntilReady, type QueryApiProcess } from './process/query-api.ts';

/** The same in every sandbox, so that opaque ids are too: it hides nobody, since nobody here exists. */
const KEY = '5a'.repeat(32);

/** A sandbox that answers. */
export interface Sandbox {
  url: string;
  consumers: Consumers;
  stop: Stop;
}

/**
 * The front first, so that a port that is taken is known at once; then Postgres, the schema, and the query-api on it; then
 * the control API. Stops in reverse, also when it can't start.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    return { ...(await start(options, stops)), stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

async function start(options: SandboxOptions, stops: Stop[]): Promise<Omit<Sandbox, 'stop'>> {
  const consumers = new Consumers(options.registry);
  const faults = new Faults();
  const port = options.port === 0 ? await freePort() : options.port;
  const url = `http://127.0.0.1:${String(port)}`;
  const issuer = await SandboxIssuer.create(url);
  const front = await startFront({ port, host: options.host }, faults, tokenRoutes(issuer, consumers));
  stops.push(front.stop);
  const database = await startDatabase();
  stops.push(database.stop);
  const deltakerId = deltakerIdWith(KEY);
  await prepareSchema(database, deltakerId);
  const queryApi = await startQueryApi(options, database, url);
  stops.push(queryApi.stop);
  const clock = new SandboxClock(database.owner, queryApi);
  stops.push(() => clock.stop());
  const planter = new Planter(database.logins, database.owner, deltakerId, clock);
  stops.push(() => planter.stop());
  await waitUntilReady(queryApi);
  const operations = await readOperations(queryApi.url);
  const surroundings = new Surroundings(database.owner, operations, consumers, issuer);
  const control = await startControl({ planter, clock, faults, surroundings }, url);
  stops.push(control.stop);
  front.open({ queryApi: queryApi.url, control: control.url, operations });
  return { url, consumers };
}

async function startQueryApi(
  { files, registry, logs }: SandboxOptions,
  { logins, directory }: SandboxDatabase,
  url: string,
): Promise<QueryApiProcess> {
  return startQueryApiProcess({
    program: files.queryApi,
    clockHook: files.clockHook,
    port: await freePort(),
    logFile: logs ? undefined : join(directory, 'query-api.log'),
    environment: {
      ORGANISASJON,
      LOG_LEVEL: logs ? 'info' : 'warn',
      NEDSTENGING_VENTETID_MS: '0',
      DB_HOST: logins.host,
      DB_PORT: String(logins.port),
      DB_DATABASE: logins.database,
      DB_USERNAME: logins.queryApi.username,
      DB_PASSWORD: logins.queryApi.password,
      DELTAKER_ID_NOEKKEL: KEY,
      KONSUMENTER_FIL: registry,
      AZURE_APP_CLIENT_ID: AUDIENCE,
      AZURE_OPENID_CONFIG_ISSUER: url,
      AZURE_OPENID_CONFIG_JWKS_URI: `${url}${KEYS_PATH}`,
      LOKAL_TOKENKILDE: `${url}${TOKEN_PATH}?client_id=${encodeURIComponent(new Consumers(registry).names[0] ?? '')}`,
    },
  });
}

