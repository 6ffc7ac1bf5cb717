import { setTimeout as vent } from 'node:timers/promises';
import {
  databasevalg,
  deltakerIdMed,
  koble,
  kontrollerNoekkel,
  lagDatakilde,
  lagPool,
  type Databasevalg,
  type DeltakerId,
} from '@tiltak/database';
import type { FastifyInstance } from 'fastify';
import type { DataSource } from 'typeorm';
import { logg, maalForbindelser, startHttp, type Stopp } from '@tiltak/platform';
import type { Konfig } from './config.ts';
import { Lesing } from './database/lesing.ts';
import { Eksport } from './eksport/eksport.ts';
import { Stromvakt } from './endringer/stromvakt.ts';
import { Ferskhet } from './ferskhet/ferskhet.ts';
import { dokumentSomTekst, visDokument } from './openapi.ts';
import { AUTORISER, giLokaltToken, kontrollerLokal, LOKALT_TOKEN } from './lokalt/lokalt-token.ts';
import { Oppslagslogg } from './oppslag/oppslagslogg.ts';
import { QueryApiModule, type Deler } from './query-api.module.ts';
import { merkMedFerskhet } from './ferskhet/data-oppdatert.ts';
import { lesKonsumenter } from './tilgang/konsumenter.ts';

/** Paths that need no token. Everything else does. */
export const APNE_RUTER = ['/openapi.json', '/swagger', '/swagger/*'];

/** Two exports at a time in each process; one takes a minute for each million avtaler and slow reader, and rarely an hour. */
const EKSPORT = { poolSize: 2, statementTimeoutMs: 60 * 60_000 };

/** Starts the query-api: the registry of consumers, HTTP, then the database. Stops in reverse. */
export async function startQueryApi(konfig: Konfig): Promise<Stopp> {
  logg.level = konfig.LOG_LEVEL;
  const konsumenter = lesKonsumenter(konfig.KONSUMENTER_FIL);
  const lokal = konfig.LOKAL_TOKENKILDE;
  if (lokal !== undefined) kontrollerLokal(lokal, konfig);
  const deltakerId = deltakerIdMed(konfig.DELTAKER_ID_NOEKKEL);
  const { primaer, lesing } = valgAvDatabaser(konfig);
  const datakilde = lagDatakilde(lesing);
  const lesepool = lagPool(lesing);
  const oppslagspool = lagPool(primaer);
  const eksportpool = lagPool({ ...lesing, ...EKSPORT });
  const ferskhet = new Ferskhet(datakilde);

  const avtaler = new Lesing(lesepool, konfig.DB_POOL_SIZE * 200);
  const stromvakt = new Stromvakt(avtaler);
  const deler = {
    lesing: avtaler,
    oppslagslogg: new Oppslagslogg(oppslagspool, deltakerId),
    ferskhet,
    konsumenter,
    stromvakt,
    eksport: new Eksport(eksportpool),
  };

  let startet = false;
  const http = await startHttp({
    modul: QueryApiModule.med(deler),
    konfig,
    apneRuter: lokal === undefined ? APNE_RUTER : [...APNE_RUTER, LOKALT_TOKEN],
    klarhet: { oppstart: () => startet, database: () => lesepool.query('select 1').then(() => true) },
    konfigurer: (app) => {
      merkMedFerskhet(app, ferskhet);
      if (lokal !== undefined) giLokaltToken(app.getHttpAdapter().getInstance() as unknown as FastifyInstance, lokal);
      visDokument(app, lokal === undefined ? undefined : AUTORISER);
    },
  });
  await gjorKlarDatabase(datakilde, deltakerId);
  maalForbindelser({ lesing: lesepool, oppslag: oppslagspool, eksport: eksportpool });
  ferskhet.start();
  startet = true;
  logg.info(
    { organisasjon: konfig.ORGANISASJON, port: konfig.PORT, konsumenter: konsumenter.size },
    'The query-api is started',
  );

  return async () => {
    stromvakt.stopp();
    await http.stopp();
    ferskhet.stopp();
    await datakilde.destroy();
    await Promise.all([lesepool.end(), oppslagspool.end(), eksportpool.end()]);
  };
}

/** Prints the OpenAPI document, for `npm run openapi`. Nothing that the controllers work with is used. */
export async function skrivDokument(): Promise<void> {
  process.stdout.write(await dokumentSomTekst(QueryApiModule.med({} as Deler)));
}

/** Waits for the database, and for an ingestor to have set it up. */
async function gjorKlarDatabase(datakilde: DataSource, deltakerId: DeltakerId): Promise<void> {
  const venter = (feil: unknown): void => {
    logg.warn({ err: feil }, 'The database (DB_HOST, DB_PORT) does not answer; trying again');
  };
  while (!(await koble(datakilde, venter, () => kontrollerNoekkel(datakilde, deltakerId)))) {
    logg.warn('The database has not been set up by an ingestor yet; trying again');
    await vent(1_000);
  }
}

/** Look-ups may go to a replica; the audit is always written to the primary, on connections that look-ups can't use up. */
function valgAvDatabaser(konfig: Konfig): { primaer: Databasevalg; lesing: Databasevalg } {
  const valg = databasevalg(konfig, {
    applicationName: `query-api-${konfig.ORGANISASJON}`,
    statementTimeoutMs: konfig.DB_STATEMENT_TIMEOUT_MS,
    ventPaaForbindelseMs: 2_000,
  });
  const replika = konfig.DB_REPLIKA_HOST && { host: konfig.DB_REPLIKA_HOST, port: konfig.DB_REPLIKA_PORT };
  return { lesing: { ...valg, ...(replika ?? {}) }, primaer: { ...valg, poolSize: 2 } };
}
