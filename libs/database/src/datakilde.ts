import { readFileSync } from 'node:fs';
import pg, { type Pool, type PoolConfig } from 'pg';
import { DataSource } from 'typeorm';
import { Instans, KonsumOffset, KonsumStatus, ParkertMelding } from './entiteter.ts';
import { Grunnlag1763890000000 } from './migrasjoner/1763890000000-grunnlag.ts';
import { Endringsstrom1763900000000 } from './migrasjoner/1763900000000-endringsstrom.ts';
import { Revisor1763900400000 } from './migrasjoner/1763900400000-revisor.ts';
import { Avstemming1763900600000 } from './migrasjoner/1763900600000-avstemming.ts';
import { Synkopprydding1763900700000 } from './migrasjoner/1763900700000-synkopprydding.ts';
import { Historikk1763900500000 } from './migrasjoner/1763900500000-historikk.ts';
import { Relasjoner1763900100000 } from './migrasjoner/1763900100000-relasjoner.ts';
import { Adapter1763900200000 } from './migrasjoner/1763900200000-adapter.ts';
import { Drift1763900300000 } from './migrasjoner/1763900300000-drift.ts';
import { Gjenoppbygging1763900300001 } from './migrasjoner/1763900300001-gjenoppbygging.ts';

export interface Databasevalg {
  host: string;
  port: number;
  database: string;
  username: string;
  password: string;
  sslmode: 'disable' | 'require' | 'verify-ca' | 'verify-full';
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
  ventPaaForbindelseMs: number;
}

/** The settings that an app reads from its environment, by the platform's names. */
export interface Databasemiljo {
  DB_HOST: string;
  DB_PORT: number;
  DB_DATABASE: string;
  DB_USERNAME: string;
  DB_PASSWORD: string;
  DB_SSLMODE: Databasevalg['sslmode'];
  DB_SSLROOTCERT: string | undefined;
  DB_SSLCERT: string | undefined;
  DB_SSLKEY: string | undefined;
  DB_POOL_SIZE: number;
}

type Fast = Pick<Databasevalg, 'applicationName' | 'statementTimeoutMs' | 'ventPaaForbindelseMs'>;

export function databasevalg(miljo: Databasemiljo, fast: Fast): Databasevalg {
  return {
    host: miljo.DB_HOST,
    port: miljo.DB_PORT,
    database: miljo.DB_DATABASE,
    username: miljo.DB_USERNAME,
    password: miljo.DB_PASSWORD,
    sslmode: miljo.DB_SSLMODE,
    sslrootcert: miljo.DB_SSLROOTCERT,
    sslcert: miljo.DB_SSLCERT,
    sslkey: miljo.DB_SSLKEY,
    poolSize: miljo.DB_POOL_SIZE,
    ...fast,
  };
}

/** For migrations and single rows. Not connected yet: `initialize()` does that. */
export function lagDatakilde(valg: Databasevalg): DataSource {
  const { host, port, database, username, password, applicationName } = valg;
  return new DataSource({
    type: 'postgres',
    host,
    port,
    database,
    username,
    password,
    applicationName,
    ssl: ssl(valg),
    poolSize: 2,
    entities: [Instans, KonsumOffset, KonsumStatus, ParkertMelding],
    migrations: [
      Grunnlag1763890000000,
      Endringsstrom1763900000000,
      Relasjoner1763900100000,
      Adapter1763900200000,
      Drift1763900300000,
      Gjenoppbygging1763900300001,
      Revisor1763900400000,
      Historikk1763900500000,
      Avstemming1763900600000,
      Synkopprydding1763900700000,
    ],
    migrationsTransactionMode: 'each',
    // Never log from here: parameters and values in messages are personal data.
    logging: false,
    // Whoever uses a connection gets its errors; an idle one that dies is replaced by the pool.
    poolErrorHandler: () => undefined,
    extra: felles(valg),
  });
}

/**
 * For COPY, prepared statements and transactions under full control, which TypeORM does not offer. Connects when used.
 */
export function lagPool(valg: Databasevalg): Pool {
  const pool = new pg.Pool({
    host: valg.host,
    port: valg.port,
    database: valg.database,
    user: valg.username,
    password: valg.password,
    application_name: valg.applicationName,
    ssl: ssl(valg),
    max: valg.poolSize,
    ...felles(valg),
  });
  pool.on('error', () => undefined);
  // A connection that is lost between two statements of a transaction says so here, and the next statement fails. With
  // nobody to hear it, the process would end.
  pool.on('connect', (klient) => {
    klient.on('error', () => undefined);
  });
  return pool;
}

function felles(valg: Databasevalg): PoolConfig {
  return {
    connectionTimeoutMillis: valg.ventPaaForbindelseMs,
    statement_timeout: valg.statementTimeoutMs,
    // Should the network swallow the answer, the database's own limit is not enough.
    query_timeout: valg.statementTimeoutMs + 2_000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    options: '-c TimeZone=UTC',
  };
}

function ssl(valg: Databasevalg): false | Record<string, unknown> {
  if (valg.sslmode === 'disable') return false;
  const fil = (sti: string | undefined): Buffer | undefined => (sti === undefined ? undefined : readFileSync(sti));
  return {
    rejectUnauthorized: valg.sslmode !== 'require',
    ca: fil(valg.sslrootcert),
    cert: fil(valg.sslcert),
    key: fil(valg.sslkey),
    // verify-ca trusts the authority without comparing the host's name.
    ...(valg.sslmode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}
