import { setTimeout as wait } from 'node:timers/promises';
import {
  checkKeyBy,
  checkLogSettings,
  deltakerIdWith,
  LogSettingsError,
  WrongKeyError,
  type DeltakerId,
} from '@tiltak/database';
import { logger, measurePools, startHttp, type Stop } from '@tiltak/platform';
import type { FastifyInstance } from 'fastify';
import type { Pool } from 'pg';
import { auditorPool } from '../commands/auditor.ts';
import type { RevisorConfig } from '../config.ts';
import { AuditorPageModule } from './auditor-page.module.ts';
import { authorizeAuditors } from './auditors.ts';
import { DOCUMENT_ROUTES, serveOpenApi } from './openapi.ts';
import { PAGE_ROUTES, serveAuditorPage } from './page.ts';
import { SeenReader } from './seen-reader.ts';

/** Of one page of the reading; a person of very many look-ups takes several. */
const STATEMENT_TIMEOUT_MS = 30_000;

/**
 * The page with reason, as a process of its own: it has the auditor's login, which neither app may have. HTTP first, so that
 * the platform sees a living process while it waits for the database.
 */
export async function startAuditorPage(config: RevisorConfig): Promise<Stop> {
  logger.level = config.LOG_LEVEL;
  const { ORGANISASJON: organisasjon, PORT: port } = config;
  const db = auditorPool(config, { poolSize: config.DB_POOL_SIZE, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  const deltakerId = deltakerIdWith(config.DELTAKER_ID_NOEKKEL);
  const reader = new SeenReader({
    ...{ db, organisasjon, deltakerId },
    registry: config.KONSUMENTER_FIL,
    products: config.ANALYSE_FIL,
    archive: config.OPPSLAGSARKIV_KATALOG,
  });
  const state = { started: false };
  const http = await startHttp({
    module: AuditorPageModule.with(reader),
    config,
    takesPersons: true,
    authorize: authorizeAuditors(config.REVISOR_GRUPPER),
    openRoutes: [...PAGE_ROUTES, ...DOCUMENT_ROUTES],
    readiness: { oppstart: () => state.started, database: () => db.query('select').then(() => true) },
    configure: (app) => {
      serveAuditorPage(app.getHttpAdapter().getInstance() as FastifyInstance);
      serveOpenApi(app);
    },
  });
  const stop = async (): Promise<void> => {
    await http.stop();
    await db.end();
  };
  try {
    await waitForDatabase(() => isSetUp(db, config.DB_HOST, deltakerId));
  } catch (error) {
    await stop();
    throw error;
  }
  measurePools({ revisor: db });
  state.started = true;
  logger.info({ organisasjon, port }, 'The page of auditors is started');
  return stop;
}

/** @throws WrongKeyError, LogSettingsError */
async function isSetUp(db: Pool, host: string, deltakerId: DeltakerId): Promise<boolean> {
  await checkLogSettings(
    async (sql, values) => (await db.query(sql, values)).rows,
    host,
    (line) => logger.warn(line),
  );
  return checkKeyBy(async (sql) => (await db.query<{ noekkelkontroll: string | null }>(sql)).rows, deltakerId);
}

/**
 * Until the migration job has made the schema of this release, and an ingestor has set the database up: before that, the
 * login may not read what it is checked by.
 *
 * @throws WrongKeyError, LogSettingsError
 */
async function waitForDatabase(isReady: () => Promise<boolean>): Promise<void> {
  for (;;) {
    try {
      if (await isReady()) return;
      logger.warn('The database has not been set up by an ingestor yet; trying again');
    } catch (error) {
      if (error instanceof WrongKeyError || error instanceof LogSettingsError) throw error;
      logger.warn({ err: error }, 'The database can not be read by this login (datadeling_revisor) yet; trying again');
    }
    await wait(1_000);
  }
}
