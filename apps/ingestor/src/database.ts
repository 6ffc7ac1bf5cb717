import {
  databasevalg,
  lagDatakilde,
  migrer,
  type Databasevalg,
  type DeltakerId,
  koble,
  skrivNoekkelkontroll,
} from '@tiltak/database';
import { logg } from '@tiltak/platform';
import type { DataSource } from 'typeorm';
import type { Databasekonfig, Konfig } from './config.ts';

export function valgAvDatabase(konfig: Databasekonfig): Databasevalg {
  return databasevalg(konfig, {
    applicationName: `ingestor-${konfig.ORGANISASJON}`,
    // A batch is a few statements of some thousand rows: what takes longer than this hangs.
    statementTimeoutMs: 60_000,
    ventPaaForbindelseMs: 5_000,
  });
}

/** Waits for the database, brings its schema up to date as its owner, and makes sure that the key of opaque ids fits. */
export async function gjorKlarDatabase(konfig: Konfig, datakilde: DataSource, deltakerId: DeltakerId): Promise<void> {
  const { DB_MIGRERING_USERNAME: username, DB_MIGRERING_PASSWORD: password } = konfig;
  const valg = valgAvDatabase(konfig);
  const eier = lagDatakilde(username && password ? { ...valg, username, password } : valg);
  try {
    const migrasjoner = await koble(eier, venter, migrer);
    if (migrasjoner.length > 0) logg.info({ migrasjoner }, 'The schema is brought up to date');
  } finally {
    if (eier.isInitialized) await eier.destroy();
  }
  await koble(datakilde, venter, () => skrivNoekkelkontroll(datakilde, deltakerId));
}

function venter(feil: unknown): void {
  logg.warn({ err: feil }, 'The database (DB_HOST, DB_PORT) does not answer; trying again');
}
