import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  kjorProgram,
  klargjorKafka,
  lagArbeidsmappe,
  LOKALT,
  ManglerVerktoy,
  opprettDatabase,
  ROT,
  startKafka,
  startPostgres,
  startUtsteder,
  type LokalKafka,
  type LokalPostgres,
  type Prosess,
} from '@tiltak/testing';
import { KLIENT_ID, startIngestor, startQueryApi, ventPaaKlar, type App, type Omgivelser } from './apper.ts';
import { lagTopic, lastEksempeldata } from './eksempeldata.ts';
import { fjernForeldetKlar, fjernKlar, skrivKlar, type Klar } from './klar.ts';
import { foelgLogg, sisteLinjer } from './loggvakt.ts';
import { Stabel } from './stabel.ts';
import { hentToken, lesKonsumenter } from './token.ts';
import { krevLedigePorter, lesValg, Startfeil, type Valg } from './valg.ts';

const TOPIC = 'arbeidsgiver.tiltak-avtale-hendelse-compact';
/** ms; the platform gives 30 s, and what has not stopped by then is killed */
const STOPP_MAKS = 25_000;

const stabel = new Stabel();
let stenger = false;

/** What starts, in order; it stops in reverse. */
async function start(valg: Valg): Promise<void> {
  const { porter, organisasjon } = valg;
  fjernForeldetKlar();
  // Before anything is touched: another stack may be running.
  await krevLedigePorter(porter);
  await klargjorKafka();
  fjernKlar();
  stabel.husk('.local/ready.json', undefined, fjernKlar);
  const katalog = dataKatalog(valg.data);
  console.log('Building the apps; starting Kafka and Postgres …');
  const [{ kafka, postgres }] = await Promise.all([startServere(porter, katalog), bygg()]);
  const utsteder = await startUtsteder({ port: porter.ISSUER_PORT, audience: KLIENT_ID });
  stabel.husk('the token issuer', utsteder, utsteder.stopp);
  await lagTopic(kafka.brokers, TOPIC);
  const database = await opprettDatabase(postgres.url, organisasjon);

  console.log('Starting the apps …');
  const omgivelser: Omgivelser = {
    organisasjon,
    database,
    brokers: kafka.brokers,
    topic: TOPIC,
    issuer: utsteder.issuer,
    jwksUri: utsteder.jwksUri,
    deltakerIdNoekkel: noekkelFor(katalog),
    konsumenter: join(ROT, 'tools', 'lokal', 'konsumenter.yaml'),
  };
  const { LOG_LEVEL } = process.env;
  const ekstra = LOG_LEVEL ? { LOG_LEVEL } : {};
  const ingestor = husk(startIngestor(omgivelser, porter.INGESTOR_PORT, ekstra));
  const queryApi = husk(
    startQueryApi(omgivelser, porter.QUERY_API_PORT, { ...ekstra, LOKAL_TOKENKILDE: tokenkilde(omgivelser.issuer) }),
  );
  await Promise.all([ingestor, queryApi].map(ventPaaApp));
  // From now on: while they wait for each other they have much to remark on.
  for (const { navn, loggfil } of [ingestor, queryApi]) {
    const logg = foelgLogg(navn, loggfil);
    stabel.husk(`the log of ${navn}`, logg, logg.stopp);
  }
  if (!valg.tom) await lastEksempeldata(kafka.brokers, TOPIC, database.url);

  const klar = {
    queryApi: queryApi.url,
    ingestor: ingestor.url,
    issuer: utsteder.issuer,
    kafka: kafka.brokers,
    postgres: database.url,
    topic: TOPIC,
    pids: {
      start: process.pid,
      kafka: kafka.prosess().pid,
      postgres: postgres.prosess().pid,
      ingestor: ingestor.prosess.pid,
      queryApi: queryApi.prosess.pid,
    },
  };
  skrivKlar(klar);
  await fortell(klar);
}

async function startServere(
  porter: Valg['porter'],
  katalog: string,
): Promise<{ kafka: LokalKafka; postgres: LokalPostgres }> {
  const sted = (navn: string): { dataDir: string; loggfil: string } => ({
    dataDir: join(katalog, navn),
    loggfil: nyLogg(navn),
  });
  const [forKafka, forPostgres] = [sted('kafka'), sted('postgres')];
  const [kafka, postgres] = await Promise.all([
    startKafka({ port: porter.KAFKA_PORT, ...forKafka }).then((k) => stabel.husk('Kafka', k, k.stopp)),
    startPostgres({ port: porter.POSTGRES_PORT, ...forPostgres }).then((p) => stabel.husk('Postgres', p, p.stopp)),
  ]);
  meldFra('Kafka', kafka.prosess(), forKafka.loggfil);
  meldFra('Postgres', postgres.prosess(), forPostgres.loggfil);
  return { kafka, postgres };
}

function nyLogg(navn: string): string {
  const loggfil = join(LOKALT, 'logs', `${navn}.log`);
  rmSync(loggfil, { force: true });
  return loggfil;
}

function dataKatalog(data: string | undefined): string {
  if (data !== undefined) {
    mkdirSync(data, { recursive: true });
    return data;
  }
  const { katalog, rydd } = lagArbeidsmappe('lokal');
  return stabel.husk('temporary data', katalog, rydd);
}

/** The key of opaque ids belongs to the data: it must be the same for as long as that is kept. */
function noekkelFor(katalog: string): string {
  const fil = join(katalog, 'deltaker-id-noekkel');
  if (!existsSync(fil)) writeFileSync(fil, randomBytes(32).toString('hex'), { mode: 0o600 });
  return readFileSync(fil, 'utf8');
}

async function bygg(): Promise<void> {
  const nx = join(ROT, 'node_modules', '.bin', 'nx');
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', NX_ISOLATE_PLUGINS: 'false' };
  const valg = ['run-many', '-t', 'build', '--output-style=static'];
  const { kode, utskrift } = await kjorProgram(process.execPath, [nx, ...valg], { cwd: ROT, env });
  if (kode !== 0) throw new Startfeil(`The apps could not be built:\n${utskrift}`);
}

function husk(app: App): App {
  stabel.husk(app.navn, app, () => app.prosess.stopp(8_000));
  meldFra(app.navn, app.prosess, app.loggfil);
  return app;
}

/** One that ends by itself is told of; the rest goes on. */
function meldFra(navn: string, prosess: Prosess, loggfil: string): void {
  void prosess.ferdig.then(() => {
    if (!stenger) console.error(`${navn} has ended (${String(prosess.utfall())}); its last words are in ${loggfil}`);
  });
}

async function ventPaaApp(app: App): Promise<void> {
  try {
    await ventPaaKlar(app);
  } catch (feil) {
    throw new Startfeil(`${feil instanceof Error ? feil.message : String(feil)}\n${sisteLinjer(app.loggfil)}`);
  }
}

async function fortell({ queryApi, ingestor, issuer, kafka, topic }: Klar): Promise<void> {
  const alt = lesKonsumenter().find(({ navn }) => navn === 'alt');
  const token = await hentToken(issuer, alt?.azp ?? '');
  console.log(`
Ready.
  query-api   ${queryApi}   Swagger UI: ${queryApi}/swagger
  ingestor    ${ingestor}   ${ingestor}/internal/prometheus
  Kafka       ${kafka}   topic ${topic}
  tokens      npm run token -- alt

Try it:

curl -s -X POST ${queryApi}/api/v1/avtaler/sok -H 'Content-Type: application/json' \\
  -H 'Authorization: Bearer ${token}' -d '{"antall": 1}'

Ctrl-C stops everything.`);
}

async function avslutt(kode: number): Promise<void> {
  if (stenger) return;
  stenger = true;
  // Whatever is left ends with this process.
  setTimeout(() => process.exit(1), STOPP_MAKS).unref();
  await stabel.stopp();
  process.exit(kode);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void avslutt(0));
try {
  await start(lesValg(process.argv.slice(2), process.env));
} catch (feil) {
  const sagt = feil instanceof Startfeil || feil instanceof ManglerVerktoy;
  // What fails because it is being stopped is not worth a word.
  if (!stenger) console.error(sagt || !(feil instanceof Error) ? String((feil as Error).message) : feil.stack);
  await avslutt(1);
}

/** Swagger UI is authorised as `alt`, who may do everything. */
function tokenkilde(issuer: string): string {
  const alt = lesKonsumenter().find(({ navn }) => navn === 'alt');
  return `${issuer}/token?client_id=${alt?.azp ?? ''}`;
}
