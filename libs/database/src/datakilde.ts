import { readFileSync } from 'node:fs';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { Instans, KonsumOffset, KonsumStatus, ParkertMelding } from './entiteter.ts';
import { Grunnlag1763890000000 } from './migrasjoner/1763890000000-grunnlag.ts';

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

/** Not connected yet: `initialize()` does that. */
export function lagDatakilde(valg: Databasevalg): DataSource {
  return new DataSource({
    type: 'postgres',
    host: valg.host,
    port: valg.port,
    database: valg.database,
    username: valg.username,
    password: valg.password,
    ssl: ssl(valg),
    applicationName: valg.applicationName,
    poolSize: valg.poolSize,
    entities: [Instans, KonsumOffset, KonsumStatus, ParkertMelding],
    migrations: [Grunnlag1763890000000],
    migrationsTransactionMode: 'each',
    // Never log from here: parameters and values in messages are personal data.
    logging: false,
    // Whoever uses a connection gets its errors; an idle one that dies is replaced by the pool.
    poolErrorHandler: () => undefined,
    extra: {
      connectionTimeoutMillis: valg.ventPaaForbindelseMs,
      statement_timeout: valg.statementTimeoutMs,
      idle_in_transaction_session_timeout: 60_000,
      keepAlive: true,
    },
  });
}

/** The pool beneath an initialised data source: for COPY and for prepared statements, which TypeORM does not offer. */
export function poolI(datakilde: DataSource): Pool {
  return (datakilde.driver as PostgresDriver).master as Pool;
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
