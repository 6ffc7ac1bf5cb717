import { readFileSync } from 'node:fs';
import pg, { type Pool } from 'pg';
import { DataSource, type Logger } from 'typeorm';
import { Instance, ConsumerStatus } from './entities.ts';
import { WatchedPool } from './liveness.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { startupOptions } from './session-settings.ts';
import { CONTRACT_OPTION } from './versions.ts';

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
  /** whose certificate the server must show, when `host` is the number of one of several that have a name in common */
  tlsName?: string | undefined;
  poolSize: number;
  /** there is a pooler in transaction mode in front, so that a session's settings come with its role */
  pooled?: boolean | undefined;
  /** shown in pg_stat_activity */
  applicationName: string;
  /** a statement that takes longer is ended by the database */
  statementTimeoutMs: number;
  /** how long to wait for a free connection before giving up */
  connectTimeoutMs: number;
  /** settings beside those of every session; not through a pooler */
  settings?: Readonly<Record<string, string>>;
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

type AppOptions = Pick<DatabaseOptions, 'applicationName' | 'statementTimeoutMs' | 'connectTimeoutMs' | 'pooled'>;

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
    driver: { ...pg, Pool: WatchedPool },
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
  const { password, poolSize } = options;
  const pool = new WatchedPool({ ...connectionConfig(options), password, max: poolSize });
  pool.on('error', () => undefined);
  // A connection that is lost between two statements of a transaction says so here, and the next statement fails. With
  // nobody to hear it, the process would end.
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
  return pool;
}

/** Where to connect, as whom and how, but for the password. */
export function connectionConfig(options: DatabaseOptions): ConnectionConfig {
  return {
    host: options.host,
    port: options.port,
    database: options.database,
    user: options.username,
    application_name: options.applicationName,
    ssl: ssl(options),
    ...commonOptions(options),
  };
}

type ConnectionConfig = ConstructorParameters<typeof WatchedPool>[0];

const MAX_LIFETIME_SECONDS = 30 * 60;

function commonOptions(
  options: DatabaseOptions,
): Pick<
  ConstructorParameters<typeof WatchedPool>[0],
  | 'connectionTimeoutMillis'
  | 'silenceLimitMs'
  | 'keepAlive'
  | 'keepAliveInitialDelayMillis'
  | 'maxLifetimeSeconds'
  | 'options'
> {
  return {
    connectionTimeoutMillis: options.connectTimeoutMs,
    // Should the network swallow the answer, the database's own limit is not enough.
    silenceLimitMs: options.statementTimeoutMs + 2_000,
    // With the ten probes that Node sends, one a second: also a statement of which nothing is heard for an hour is on a
    // connection that is known to be there.
    keepAlive: true,
    keepAliveInitialDelayMillis: 3_000,
    // So that what changed at the other end, a name or a setting of the role, comes to be known.
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
    // A pooler refuses these: its connections have them already, or never.
    ...(options.pooled ? {} : { options: `${startupOptions(options, options.settings)} ${CONTRACT_OPTION}` }),
  };
}

/** Whether what is sent to the host never leaves this machine. */
export function isThisMachine(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\/.*)$/.test(host);
}

/** Ends the connections of a pool, whatever is under way on them. */
export function abandon(pool: Pool): void {
  if (pool instanceof WatchedPool) pool.abandon();
}

function ssl(options: DatabaseOptions): false | Record<string, unknown> {
  const mode = options.sslmode ?? (isThisMachine(options.host) ? 'disable' : 'verify-full');
  if (mode === 'disable') return false;
  const file = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));
  return {
    rejectUnauthorized: mode !== 'require',
    ...(options.tlsName === undefined ? {} : { servername: options.tlsName }),
    ca: file(options.sslrootcert),
    cert: file(options.sslcert),
    key: file(options.sslkey),
    // verify-ca trusts the authority without comparing the host's name.
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}
