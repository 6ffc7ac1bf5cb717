import 'reflect-metadata';
import { deltakerIdWith } from '@tiltak/database';
import { logger, type Stop } from '@tiltak/platform';
import { freePort, type OrganisasjonDatabase } from '@tiltak/testing';
import { startControl } from './control/start-control.ts';
import { Surroundings } from './control/surroundings.ts';
import { Faults } from './front/faults.ts';
import { startFront } from './front/front.ts';
import { KEYS_PATH, TOKEN_PATH, tokenRoutes } from './front/token-routes.ts';
import type { SandboxOptions } from './options.ts';
import { Planter } from './planting/planter.ts';
import { SandboxClock } from './process/clock.ts';
import { Consumers } from './process/consumers.ts';
import { createSandboxDatabase, ORGANISASJON } from './process/database.ts';
import { AUDIENCE, SandboxIssuer } from './process/issuer.ts';
import { readOperations } from './process/operations.ts';
import type { QueryApiProcess } from './process/query-api.ts';
import type { SandboxServer } from './process/server.ts';

/** The same in every sandbox, so that opaque ids are too: it hides nobody, since nobody here exists. */
const KEY = '5a'.repeat(32);

/** A sandbox that answers. */
export interface Sandbox {
  url: string;
  consumers: Consumers;
  stop: Stop;
}

/** What has begun to start before this program was loaded. */
export interface Begun {
  server: Promise<SandboxServer>;
  queryApi: QueryApiProcess;
}

/**
 * The front first, so that a port that is taken is known early; then the database, and on it the query-api and the control
 * API. Stops in reverse, also when it can't start.
 */
export async function startSandbox(options: SandboxOptions, begun: Begun): Promise<Sandbox> {
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  stops.push(() => begun.server.then((server) => server.stop()), begun.queryApi.stop);
  try {
    return { ...(await start(options, begun, stops)), stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

async function start(options: SandboxOptions, begun: Begun, stops: Stop[]): Promise<Omit<Sandbox, 'stop'>> {
  logger.level = options.logs ? 'warn' : 'fatal';
  const { files, registry, host } = options;
  const consumers = new Consumers(registry);
  const operations = readOperations(files.document);
  const faults = new Faults();
  const port = options.port === 0 ? await freePort() : options.port;
  const url = `http://127.0.0.1:${String(port)}`;
  const issuer = await SandboxIssuer.create(url);
  const front = await startFront({ port, host }, faults, tokenRoutes(issuer, consumers));
  stops.push(front.stop);
  const deltakerId = deltakerIdWith(KEY);
  const { owner, logins } = await createSandboxDatabase((await begun.server).url, deltakerId);
  // Before the server, after the query-api.
  stops.splice(1, 0, () => owner.destroy());
  const queryApiPort = await freePort();
  const environment = queryApiEnvironment(options, { logins, url, firstConsumer: consumers.names[0] ?? '' });
  const queryApiReady = begun.queryApi.begin(files.queryApi, queryApiPort, environment);
  const clock = new SandboxClock(owner, begun.queryApi);
  stops.push(() => clock.stop());
  const planter = new Planter(logins, owner, deltakerId, clock);
  stops.push(() => planter.stop());
  const surroundings = new Surroundings(owner, operations, consumers, issuer);
  const [control] = await Promise.all([startControl({ planter, clock, faults, surroundings }, url), queryApiReady]);
  stops.push(control.stop);
  front.open({ queryApi: `http://127.0.0.1:${String(queryApiPort)}`, control: control.url, operations });
  return { url, consumers };
}

/** Of the product's own settings, as on any machine of a developer. */
function queryApiEnvironment(
  { registry, logs }: SandboxOptions,
  { logins, url, firstConsumer }: { logins: OrganisasjonDatabase; url: string; firstConsumer: string },
): Record<string, string> {
  return {
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
    LOKAL_TOKENKILDE: `${url}${TOKEN_PATH}?client_id=${encodeURIComponent(firstConsumer)}`,
  };
}
