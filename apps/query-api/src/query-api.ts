import { setTimeout as wait } from 'node:timers/promises';
import {
  databaseOptions,
  deltakerIdWith,
  connectAndWait,
  checkKey,
  createDataSource,
  createPool,
  type DatabaseOptions,
  type DeltakerId,
} from '@tiltak/database';
import type { DataSource } from 'typeorm';
import { logger, measurePools, startHttp, type Stop } from '@tiltak/platform';
import type { Config } from './config.ts';
import { Reader } from './lookups/reader.ts';
import { Export } from './export/export.ts';
import { FeedWaiter } from './changes/feed-waiter.ts';
import { Freshness } from './freshness/freshness.ts';
import { documentAsText, showDocument } from './openapi.ts';
import { AUTHORIZE_SCRIPT, serveLocalToken, requireLocal, LOCAL_TOKEN_ROUTE } from './local-token.ts';
import { AuditLog } from './lookups/audit-log.ts';
import { QueryApiModule, type Parts } from './query-api.module.ts';
import { addDataOppdatert } from './freshness/data-oppdatert.hook.ts';
import { readKonsumenter } from './access/konsumenter.ts';

/** Paths that need no token. Everything else does. */
export const OPEN_ROUTES = ['/openapi.json', '/swagger', '/swagger/*'];

/** Two exports at a time in each process; one takes a minute for each million avtaler and slow reader, and rarely an hour. */
const EXPORT_POOL = { poolSize: 2, statementTimeoutMs: 60 * 60_000 };

/** Starts the query-api: the registry of consumers, HTTP, then the database. Stops in reverse. */
export async function startQueryApi(config: Config): Promise<Stop> {
  logger.level = config.LOG_LEVEL;
  const konsumenter = readKonsumenter(config.KONSUMENTER_FIL);
  const local = config.LOKAL_TOKENKILDE;
  if (local !== undefined) requireLocal(local, config);
  const deltakerId = deltakerIdWith(config.DELTAKER_ID_NOEKKEL);
  const { primaer, reading } = databaseOptionsFrom(config);
  const dataSource = createDataSource(reading);
  const readPool = createPool(reading);
  const lookupPool = createPool(primaer);
  const exportPool = createPool({ ...reading, ...EXPORT_POOL });
  const freshness = new Freshness(dataSource);

  const avtaler = new Reader(readPool, config.DB_POOL_SIZE * 200);
  const feedWaiter = new FeedWaiter(avtaler);
  const parts = {
    reading: avtaler,
    auditLog: new AuditLog(lookupPool, deltakerId),
    ferskhet: freshness,
    konsumenter,
    feedWaiter,
    eksport: new Export(exportPool),
  };

  let started = false;
  const http = await startHttp({
    module: QueryApiModule.with(parts),
    config,
    openRoutes: local === undefined ? OPEN_ROUTES : [...OPEN_ROUTES, LOCAL_TOKEN_ROUTE],
    readiness: { oppstart: () => started, database: () => readPool.query('select 1').then(() => true) },
    configure: (app) => {
      addDataOppdatert(app, freshness);
      if (local !== undefined) serveLocalToken(app.getHttpAdapter().getInstance(), local);
      showDocument(app, local === undefined ? undefined : AUTHORIZE_SCRIPT);
    },
  });
  await waitForDatabase(dataSource, deltakerId);
  measurePools({ reading: readPool, oppslag: lookupPool, eksport: exportPool });
  freshness.start();
  started = true;
  logger.info(
    { organisasjon: config.ORGANISASJON, port: config.PORT, konsumenter: konsumenter.size },
    'The query-api is started',
  );

  return async () => {
    feedWaiter.stop();
    await http.stop();
    freshness.stop();
    await dataSource.destroy();
    await Promise.all([readPool.end(), lookupPool.end(), exportPool.end()]);
  };
}

/** Prints the OpenAPI document, for `npm run openapi`. Nothing that the controllers work with is used. */
export async function printOpenApi(): Promise<void> {
  process.stdout.write(await documentAsText(QueryApiModule.with({} as Parts)));
}

/** Waits for the database, and for an ingestor to have set it up. */
async function waitForDatabase(dataSource: DataSource, deltakerId: DeltakerId): Promise<void> {
  const waiting = (error: unknown): void => {
    logger.warn({ err: error }, 'The database (DB_HOST, DB_PORT) does not answer; trying again');
  };
  while (!(await connectAndWait(dataSource, waiting, () => checkKey(dataSource, deltakerId)))) {
    logger.warn('The database has not been set up by an ingestor yet; trying again');
    await wait(1_000);
  }
}

/** Look-ups may go to a replica; the audit is always written to the primary, on connections that look-ups can't use up. */
function databaseOptionsFrom(config: Config): { primaer: DatabaseOptions; reading: DatabaseOptions } {
  const options = databaseOptions(config, {
    applicationName: `query-api-${config.ORGANISASJON}`,
    statementTimeoutMs: config.DB_STATEMENT_TIMEOUT_MS,
    connectTimeoutMs: 2_000,
  });
  const replica = config.DB_REPLIKA_HOST && { host: config.DB_REPLIKA_HOST, port: config.DB_REPLIKA_PORT };
  return { reading: { ...options, ...(replica ?? {}) }, primaer: { ...options, poolSize: 2 } };
}
