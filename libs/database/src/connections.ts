import { readFileSync } from 'node:fs';
import pg, { type Pool, type PoolConfig } from 'pg';
import { DataSource, type Logger } from 'typeorm';
import { Instance, ConsumerStatus } from './entities.ts';
import { MIGRATIONS } from './migrations/index.ts';

export interface DatabaseOptions {
  host: string;
  port: number;
  database: string;
  username: string;
  password: string;
  /** undefined: verify-full, and none to this machine */
  sslmode: 'disable' | 'require' | 'verify-ca' | 'verify-full' | undefined;
  /** file paths */
  sslrootcert?: string | undefined;
  sslcert?: string | undefined;
  sslkey?: string | undefined;
  poolSize: number;
  /** shown in pg_stat_activity */
  applicationName: string;
  /** a statement that takes longer is ended by the database */
  statementTimeoutMs: number;
  /** how long to wait for a free connection before giving up */
  connectTimeoutMs: number;
}

/** The settings that an app reads from its environment, by the platform's names. */
export interface DatabaseEnv {
  DB_HOST: string;
  DB_PORT: number;
  DB_DATABASE: string;
  DB_USERNAME: string;
  DB_PASSWORD: string;
  DB_SSLMODE: DatabaseOptions['sslmode'];
  DB_SSLROOTCERT: string | undefined;
  DB_SSLCERT: string | undefined;
  DB_SSLKEY: string | undefined;
  DB_POOL_SIZE: number;
}

type AppOptions = Pick<DatabaseOptions, 'applicationName' | 'statementTimeoutMs' | 'connectTimeoutMs'>;

export function databaseOptions(env: DatabaseEnv, appOptions: AppOptions): DatabaseOptions {
  return {
    host: env.DB_HOST,
    port: env.DB_PORT,
    database: env.DB_DATABASE,
    username: env.DB_USERNAME,
    password: env.DB_PASSWORD,
    sslmode: env.DB_SSLMODE,
    sslrootcert: env.DB_SSLROOTCERT,
    sslcert: env.DB_SSLCERT,
    sslkey: env.DB_SSLKEY,
    poolSize: env.DB_POOL_SIZE,
    ...appOptions,
  };
}

/** For migrations and single rows. Not connected yet: `initialize()` does that. */
export function createDataSource(options: DatabaseOptions): DataSource {
  const { host, port, database, username, password, applicationName } = options;
  return new DataSource({
    type: 'postgres',
    host,
    port,
    database,
    username,
    password,
    applicationName,
    ssl: ssl(options),
    poolSize: 2,
    entities: [Instance, ConsumerStatus],
    migrations: MIGRATIONS,
    migrationsTransactionMode: 'each',
    // Never log from here: parameters and values in messages are personal data. TypeORM's own logger prints the message
    // of a migration that fails whatever `logging` says.
    logging: false,
    logger: SILENT,
    // Whoever uses a connection gets its errors; an idle one that dies is replaced by the pool.
    poolErrorHandler: () => undefined,
    extra: commonOptions(options),
  });
}

const nothing = (): void => undefined;
const SILENT: Logger = {
  logQuery: nothing,
  logQueryError: nothing,
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
};

/**
 * For COPY, prepared statements and transactions under full control, which TypeORM does not offer. Connects when used.
 */
export function createPool(options: DatabaseOptions): Pool {
  const pool = new pg.Pool({
    host: options.host,
    port: options.port,
    database: options.database,
    user: options.username,
    password: options.password,
    application_name: options.applicationName,
    ssl: ssl(options),
    max: options.poolSize,
    ...commonOptions(options),
  });
  pool.on('error', () => undefined);
  // A connection that is lost between two statements of a transaction says so here, and the next statement fails. With
  // nobody to hear it, the process would end.
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
  return pool;
}

function commonOptions(options: DatabaseOptions): PoolConfig {
  return {
    connectionTimeoutMillis: options.connectTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    // Should the network swallow the answer, the database's own limit is not enough.
    query_timeout: options.statementTimeoutMs + 2_000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    options: '-c TimeZone=UTC',
  };
}

/** Whether what is sent to the host never leaves this machine. */
export function isThisMachine(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\/.*)$/.test(host);
}

function ssl(options: DatabaseOptions): false | Record<string, unknown> {
  const mode = options.sslmode ?? (isThisMachine(options.host) ? 'disable' : 'verify-full');
  if (mode === 'disable') return false;
  const file = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));
  return {
    rejectUnauthorized: mode !== 'require',
    ca: file(options.sslrootcert),
    cert: file(options.sslcert),
    key: file(options.sslkey),
    // verify-ca trusts the authority without comparing the host's name.
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}
