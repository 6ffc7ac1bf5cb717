import { setTimeout as wait } from 'node:timers/promises';
import {
  abandon,
  checkLogSettings,
  databaseOptions,
  deltakerIdWith,
  connectAndWait,
  waitForSchema,
  checkKey,
  checkPreparedStatements,
  checkReadServer,
  checkSession,
  createDataSource,
  createPool,
  type DatabaseOptions,
  type DeltakerId,
} from '@tiltak/database';
import {
  logger,
  measurePools,
  startHttp,
  startJob,
  StartupError,
  STYLE_BASE,
  within,
  type BackgroundJob,
  type HttpOptions,
  type Stop,
} from '@tiltak/platform';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { admitKonsument } from './access/access.guard.ts';
import { ConsumerLimits, MAX_EXPORTS } from './access/consumer-limits.ts';
import { readKonsumenter } from './access/konsumenter.ts';
import { OpenRequests } from './access/open-requests.ts';
import { RegistryReload } from './access/registry.job.ts';
import { addRateLimits, countBadTokens } from './access/rate-limit.hook.ts';
import { SharedLimits } from './access/shared-limits.job.ts';
import { FeedTail } from './changes/feed-tail.ts';
import { CATALOGUE_FILES } from './catalogue/files.ts';
import { CATALOGUE_ROUTES, serveCatalogue } from './catalogue/routes.ts';
import type { Config } from './config.ts';
import { readCoverage } from './coverage/coverage.ts';
import { Export, EXPORT_TIMEOUT_MS } from './export/export.ts';
import { addDataOppdatert } from './freshness/data-oppdatert.hook.ts';
import { Freshness } from './freshness/freshness.ts';
import { FRONT_PAGE_ROUTES, serveFrontPage } from './front-page/front-page.ts';
import { AUTHORIZE_SCRIPT, isLocal, serveLocalToken, requireLocal, LOCAL_TOKEN_ROUTE } from './local-token.ts';
import { AuditLog } from './lookups/audit-log.ts';
import { DenialLog } from './lookups/denial-log.ts';
import { Lookups } from './lookups/lookups.ts';
import { asUnavailable, Reader } from './lookups/reader.ts';
import { ACCESS_FORM_ROUTES, serveAccessForm } from './own-access/access-form.ts';
import { OwnAccess } from './own-access/own-access.ts';
import { EXAMPLE_IDENT, showExamplePerson } from './personer/example-person.ts';
import { createOpenApiDocument, openApiText, serveOpenApi } from './openapi.ts';
import { ReplicaSet, type Server } from './replicas/replica-set.ts';
import { SpreadPool, type SpreadOptions } from './replicas/spread-pool.ts';
import { ResourceFeeds } from './resources/resource-feeds.ts';
import { Cursors } from './shared/cursor.ts';
import { addInPieces } from './shared/in-pieces.ts';
import { HiddenKeys } from './subscriptions/hidden-keys.ts';
import { SubscriptionFeed } from './subscriptions/subscription-feed.ts';
import { SubscriptionWatch } from './subscriptions/subscription-watch.ts';
import { SubscriptionStore } from './subscriptions/subscriptions.store.ts';
import { QueryApiModule, type Parts } from './query-api.module.ts';

/** Paths that need no token. Everything else does. */
export const OPEN_ROUTES = [
  ...['/openapi.json', '/swagger', '/swagger/*'],
  `${STYLE_BASE}/*`,
  ...FRONT_PAGE_ROUTES,
  ...ACCESS_FORM_ROUTES,
  ...CATALOGUE_ROUTES,
];

const EXPORT_POOL = { poolSize: MAX_EXPORTS, statementTimeoutMs: EXPORT_TIMEOUT_MS };

/** A round that reads the freshness may wait for a database that is away. */
const MAX_JOB_STOP_MS = 2_000;
const MAX_CLOSE_MS = 2_000;

/** Everything that the query-api is made of, not yet started: no connection is open. */
export interface QueryApi {
  config: Config;
  parts: Parts;
  deltakerId: DeltakerId;
  dataSource: DataSource;
  /** by their names in the metrics */
  pools: Record<'oppslag' | 'avslag' | 'forbruk' | 'abonnement', Pool> &
    Record<'lesing' | 'eksport', Pool | SpreadPool>;
  /** undefined: look-ups are read from the primary */
  replicas: ReplicaSet | undefined;
  reader: Reader;
  auditLog: AuditLog;
}

/** @throws StartupError when the registry of consumers, or what is for a local stack only, is not as it should be */
export function createQueryApi(config: Config): QueryApi {
  const konsumenter = readKonsumenter(config.KONSUMENTER_FIL);
  if (config.LOKAL_TOKENKILDE !== undefined) requireLocal(config.LOKAL_TOKENKILDE, config);
  const deltakerId = deltakerIdWith(config.DELTAKER_ID_NOEKKEL);
  const { forReading, forAudit } = databaseOptionsFrom(config);
  const dataSource = createDataSource(forAudit);
  const replicas = replicasOf(config, forReading);
  const pools = {
    lesing: readPool(replicas, forReading, { abandon }),
    oppslag: createPool(forAudit),
    // One: refusals leave the rest to those who may look up.
    avslag: createPool({ ...forAudit, poolSize: 1 }),
    // An export goes on for as long as its own connection does.
    eksport: readPool(replicas, { ...forReading, ...EXPORT_POOL }),
    forbruk: createPool({ ...forAudit, poolSize: 1 }),
    // Two: a long list of members leaves the audit to all others.
    abonnement: createPool({ ...forAudit, poolSize: 2, statementTimeoutMs: 30_000 }),
  };
  const reader = new Reader(pools.lesing, deltakerId, {
    maxWaiting: config.DB_POOL_SIZE * 200,
    isPooled: forReading.pooled === true,
    isAuditDatabase: replicas === undefined,
  });
  const auditLog = new AuditLog(pools.oppslag, deltakerId);
  const denialLog = new DenialLog(pools.avslag, deltakerId);
  const limits = new ConsumerLimits(config.DB_POOL_SIZE);
  const lookups = new Lookups(reader, auditLog, denialLog, new Cursors(cursorSecret(config)));
  const subscriptions = new SubscriptionStore(pools.abonnement, deltakerId, asUnavailable);
  const subscriptionWatch = new SubscriptionWatch(reader, limits);
  const parts = {
    lookups,
    subscriptions,
    subscriptionWatch,
    subscriptionFeed: new SubscriptionFeed(
      lookups,
      subscriptionWatch,
      subscriptions,
      new HiddenKeys(cursorSecret(config)),
    ),
    denialLog,
    limits,
    freshness: new Freshness(reader),
    konsumenter,
    coverage: readCoverage(config.DEKNING_FIL),
    openRequests: new OpenRequests(),
    feedTail: new FeedTail(reader, limits),
    resourceFeeds: new ResourceFeeds(reader, limits),
    exports: new Export(pools.eksport, limits.exports),
    ownAccess: new OwnAccess(reader, limits, config.ORGANISASJON),
  };
  return { config, parts, deltakerId, dataSource, pools, replicas, reader, auditLog };
}

/** Starts HTTP, then the database, then what needs it. Stops in reverse. */
export async function startQueryApi(config: Config): Promise<Stop> {
  logger.level = config.LOG_LEVEL;
  const queryApi = createQueryApi(config);
  const { parts, dataSource, pools, replicas, reader } = queryApi;
  const state = { schema: false, started: false };
  const http = await startHttp(httpOptionsFor(queryApi, state));
  await waitForDatabase(queryApi, state);
  await replicas?.begin();
  const replicasJob = replicas?.start();
  measurePools({ ...pools, lesing: reader.stats });
  const denialJob = parts.denialLog.start();
  const freshnessJob = parts.freshness.start();
  const registryJob = new RegistryReload(config.KONSUMENTER_FIL, parts.konsumenter, parts.openRequests).start();
  const tellJob = tellKonsumenter(parts);
  const limitsJob = new SharedLimits(pools.forbruk, parts.konsumenter, parts.limits).start();
  state.started = true;
  logger.info(
    { organisasjon: config.ORGANISASJON, port: config.PORT, konsumenter: parts.konsumenter.size },
    'The query-api is started',
  );

  return async () => {
    parts.feedTail.stop();
    parts.resourceFeeds.stop();
    parts.subscriptionWatch.stop();
    await http.stop();
    await registryJob.stop();
    await tellJob.stop(MAX_JOB_STOP_MS);
    await Promise.all([freshnessJob.stop(MAX_JOB_STOP_MS), limitsJob.stop(MAX_JOB_STOP_MS), denialJob.stop()]);
    await parts.denialLog.stop();
    await replicasJob?.stop(MAX_JOB_STOP_MS);
    // They wait for statements under way, which a database that says nothing never ends.
    const closing = [dataSource.destroy(), replicas?.end(), ...Object.values(pools).map((pool) => pool.end())];
    await within(MAX_CLOSE_MS, Promise.all(closing));
  };
}

/** Of whom no query-api tells any more, the subscriptions are removed after an hour. */
const TELL_MS = 5 * 60_000;

function tellKonsumenter({ konsumenter, subscriptions }: Parts): BackgroundJob {
  const run = (): Promise<void> =>
    subscriptions.tellKonsumenter(
      [...konsumenter.values()].flatMap(({ navn, behandlingsgrunnlag }) =>
        behandlingsgrunnlag.map(({ id }) => ({ konsument: navn, behandlingsgrunnlag: id })),
      ),
    );
  return startJob({ name: 'konsumentmelding', everyMs: TELL_MS, run });
}

/** How far the start has come. */
interface StartState {
  schema: boolean;
  started: boolean;
}

function httpOptionsFor({ config, parts, reader, auditLog, deltakerId }: QueryApi, state: StartState): HttpOptions {
  const local = config.LOKAL_TOKENKILDE;
  return {
    module: QueryApiModule.with(parts),
    config,
    authorize: admitKonsument({ ...parts, scope: config.MASKINPORTEN_SCOPE }),
    // An answer without a body would be looked up all the same.
    withHead: false,
    openRoutes: local === undefined ? OPEN_ROUTES : [...OPEN_ROUTES, LOCAL_TOKEN_ROUTE],
    readiness: {
      oppstart: () => state.started,
      skjema: () => state.schema,
      database: () => reader.ping().then(() => true),
      // Of one that has started: every answer would be 503 without them.
      forste_last: () => !state.started || parts.freshness.known !== undefined,
      revisjon: () => !state.started || auditLog.isWritable(),
    },
    configure: (app) => {
      addDataOppdatert(app);
      addInPieces(app);
      addRateLimits(app, parts);
      countBadTokens(app, parts.denialLog);
      const server = app.getHttpAdapter().getInstance() as FastifyInstance;
      if (local !== undefined) serveLocalToken(server, local);
      const { ORGANISASJON: organisasjon } = config;
      serveFrontPage(server, { organisasjon, freshness: parts.freshness, isLocal: local !== undefined });
      serveAccessForm(server, organisasjon);
      const asHere = (document: OpenAPIObject): void => {
        if (local !== undefined) showExamplePerson(document, deltakerId(EXAMPLE_IDENT));
      };
      const document = serveOpenApi(app, local === undefined ? undefined : AUTHORIZE_SCRIPT, asHere);
      serveCatalogue(app, document);
    },
  };
}

/** Prints the OpenAPI document, for `npm run openapi`. */
export async function printOpenApi(): Promise<void> {
  process.stdout.write(await openApiText(QueryApiModule.forDocument()));
}

/** Prints the documents of the catalogue, for `npm run openapi`. */
export async function printCatalogue(): Promise<void> {
  const document = await createOpenApiDocument(QueryApiModule.forDocument());
  const files = Object.entries(CATALOGUE_FILES).map(([name, text]) => [name, text(document)]);
  process.stdout.write(`${JSON.stringify(Object.fromEntries(files))}\n`);
}

/**
 * Waits for the database, for the migration job to bring its schema to the version of this release, and for an ingestor to
 * have set it up; makes sure that Postgres writes no personal data to its log.
 *
 * @throws SettingRefusedError, PoolerError, LogSettingsError, WrongKeyError
 */
async function waitForDatabase(queryApi: QueryApi, state: StartState): Promise<void> {
  const { dataSource, deltakerId } = queryApi;
  const onError = (error: unknown): void => {
    logger.warn({ err: error }, 'The database (DB_HOST, DB_PORT) does not answer; trying again');
  };
  await waitForSchema(dataSource, onError, (migrations) =>
    logger.warn(
      { migrasjoner: migrations },
      'The schema is not at the version of this release yet; waiting for the migration job',
    ),
  );
  state.schema = true;
  await connectAndWait(dataSource, onError, async () => {
    await checkSettings(queryApi);
    await checkLogs(queryApi);
  });
  while (!(await connectAndWait(dataSource, onError, () => checkKey(dataSource, deltakerId)))) {
    logger.warn('The database has not been set up by an ingestor yet; trying again');
    await wait(1_000);
  }
}

/** Of a session, and what a pooler must do. Each replica is asked for the same before it is read from. */
async function checkSettings({ config, dataSource }: QueryApi): Promise<void> {
  const { forReading } = databaseOptionsFrom(config);
  await checkSession(dataSource, forReading, forReading.pooled === true);
  await checkPreparedStatements(forReading);
}

async function checkLogs({ config, dataSource }: QueryApi): Promise<void> {
  await checkLogSettings((sql, values) => dataSource.query(sql, values), config.DB_HOST, warn);
}

const warn = (line: string): void => logger.warn(line);

/** For asking a server how it is. */
const PROBE_POOL = { poolSize: 1, statementTimeoutMs: 1_000, connectTimeoutMs: 1_000 };

function replicasOf(config: Config, options: DatabaseOptions): ReplicaSet | undefined {
  if (config.DB_REPLIKA_HOST === undefined) return undefined;
  const { DB_HOST: host, DB_PORT: port } = config;
  return new ReplicaSet({
    places: config.DB_REPLIKA_HOST,
    defaultPort: config.DB_REPLIKA_PORT,
    maxBehindMs: config.DB_REPLIKA_MAKS_ETTERSLEP_SEKUNDER * 1_000,
    primary: { name: 'primary', host, port },
    open: (server) => createPool({ ...at(server, options), ...PROBE_POOL }),
    check: (server) => checkReadServer(at(server, options), warn),
  });
}

/** To the replicas when there are any, else to the primary. */
function readPool(
  replicas: ReplicaSet | undefined,
  options: DatabaseOptions,
  more: Pick<SpreadOptions, 'abandon'> = {},
): Pool | SpreadPool {
  if (!replicas) return createPool(options);
  return new SpreadPool(replicas, {
    open: (server) => createPool(at(server, options)),
    max: options.poolSize,
    ...more,
  });
}

function at({ host, port, tlsName }: Server, options: DatabaseOptions): DatabaseOptions {
  return { ...options, host, port, tlsName };
}

/**
 * @throws StartupError without a key, unless everything is on this machine: whoever may rotate it must not have to change
 * the ids of participants, so it is not to be made of theirs
 */
function cursorSecret(config: Config): string {
  if (config.MARKOER_NOEKKEL !== undefined) return config.MARKOER_NOEKKEL;
  if (isLocal(config.HOST) && isLocal(config.DB_HOST)) return config.DELTAKER_ID_NOEKKEL;
  throw new StartupError('MARKOER_NOEKKEL is missing: only on one machine can the query-api do without it');
}

/** Look-ups may go to replicas; the audit is always written to the primary, on connections that look-ups can't use up. */
function databaseOptionsFrom(config: Config): Record<'forReading' | 'forAudit', DatabaseOptions> {
  const options = databaseOptions(config, {
    pooled: config.DB_POOLER === 'transaksjon',
    applicationName: `query-api-${config.ORGANISASJON}`,
    statementTimeoutMs: config.DB_STATEMENT_TIMEOUT_MS,
    connectTimeoutMs: 2_000,
  });
  return { forReading: options, forAudit: { ...options, poolSize: 2 } };
}
