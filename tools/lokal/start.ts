import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import {
  kjorProgram,
  lagArbeidsmappe,
  LOKALT,
  ManglerVerktoy,
  opprettDatabase,
  opprettTopic,
  portErLedig,
  ROT,
  startKafka,
  startPostgres,
  startUtsteder,
} from '@tiltak/testing';
import { KLIENT_ID, startIngestor, startQueryApi, ventPaaKlar, type App, type Omgivelser } from './apper.ts';
import { hentToken, lesKonsumenter } from './token.ts';

const TOPIC = 'arbeidsgiver.tiltak-avtale-hendelse-compact';
const REGISTER = join(ROT, 'tools', 'lokal', 'konsumenter.yaml');
const KLAR = join(LOKALT, 'ready.json');
const EKSEMPELDATA = join(ROT, 'tools', 'simulator', 'data', 'avtale-hendelser.jsonl');

/** Said to whoever starts the stack, without a stack trace. */
class Startfeil extends Error {}

type Stopp = () => Promise<unknown> | unknown;

/** What is started is stopped in reverse. */
const startet: { navn: string; stopp: Stopp }[] = [];

function husk<T>(navn: string, ting: T, stopp: Stopp): T {
  startet.push({ navn, stopp });
  return ting;
}

async function stoppAlt(): Promise<void> {
  for (const { navn, stopp } of startet.reverse()) {
    try {
      await stopp();
    } catch (feil) {
      console.error(`${navn} did not stop in order: ${feil instanceof Error ? feil.message : String(feil)}`);
    }
  }
}

interface Valg {
  tom: boolean;
  data: string | undefined;
  organisasjon: string;
  porter: Record<'KAFKA_PORT' | 'POSTGRES_PORT' | 'ISSUER_PORT' | 'QUERY_API_PORT' | 'INGESTOR_PORT', number>;
}

function lesValg(): Valg {
  const { values } = parseArgs({
    options: {
      tom: { type: 'boolean', default: false },
      data: { type: 'string' },
      organisasjon: { type: 'string', default: 'nav' },
    },
  });
  if (!/^[a-z][a-z0-9-]{0,20}$/.test(values.organisasjon)) {
    throw new Startfeil('--organisasjon must be lower case letters, digits and hyphens, beginning with a letter');
  }
  return {
    tom: values.tom,
    data: values.data,
    organisasjon: values.organisasjon,
    porter: {
      KAFKA_PORT: port('KAFKA_PORT', 19_092),
      POSTGRES_PORT: port('POSTGRES_PORT', 15_432),
      ISSUER_PORT: port('ISSUER_PORT', 8_090),
      QUERY_API_PORT: port('QUERY_API_PORT', 3_000),
      INGESTOR_PORT: port('INGESTOR_PORT', 3_001),
    },
  };
}

function port(navn: string, standard: number): number {
  const verdi = Number(process.env[navn] || standard);
  if (!Number.isInteger(verdi) || verdi < 1 || verdi > 65_535)
    throw new Startfeil(`${navn} must be a port, 1 to 65535`);
  return verdi;
}

async function krevLedigePorter(porter: Valg['porter']): Promise<void> {
  for (const [navn, verdi] of Object.entries(porter)) {
    if (!(await portErLedig(verdi))) {
      throw new Startfeil(`Port ${String(verdi)} is taken. Stop what uses it, or set ${navn} to another port.`);
    }
  }
}

async function bygg(): Promise<void> {
  const nx = join(ROT, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
  const { kode, utskrift } = await kjorProgram(
    process.execPath,
    [nx, 'run-many', '-t', 'build', '--output-style=static'],
    {
      cwd: ROT,
      env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' },
    },
  );
  if (kode !== 0) throw new Startfeil(`The apps could not be built:\n${utskrift}`);
}

async function lagTopic(brokers: string): Promise<void> {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await opprettTopic(admin, TOPIC, 6);
  } finally {
    await admin.disconnect();
  }
}

/** The key of opaque ids belongs to the data: it must be the same for as long as that is kept. */
function noekkelFor(katalog: string): string {
  const fil = join(katalog, 'deltaker-id-noekkel');
  if (!existsSync(fil)) writeFileSync(fil, randomBytes(32).toString('hex'), { mode: 0o600 });
  return readFileSync(fil, 'utf8');
}

/** Stopped with the rest; should it end by itself, that is said. */
function overvaak(app: App): App {
  void app.prosess.ferdig.then(() => {
    if (!stenger) console.error(`${app.navn} has ended; its last words are in ${app.loggfil}`);
  });
  return husk(app.navn, app, () => app.prosess.stopp());
}

async function ventPaaApp(app: App): Promise<void> {
  try {
    await ventPaaKlar(app);
  } catch (feil) {
    const ord = readFileSync(app.loggfil, 'utf8').trim().split('\n').slice(-10).join('\n');
    throw new Startfeil(`${feil instanceof Error ? feil.message : String(feil)}\n${ord}`);
  }
}

async function lastEksempeldata(brokers: string): Promise<void> {
  const simuler = join(ROT, 'tools', 'simulator', 'simuler.ts');
  const argumenter = ['--disable-warning=ExperimentalWarning', simuler, '--fil', EKSEMPELDATA, '--topic', TOPIC];
  const { kode, utskrift } = await kjorProgram(process.execPath, argumenter, {
    cwd: ROT,
    env: { ...process.env, KAFKA_BROKERS: brokers },
  });
  if (kode !== 0) throw new Startfeil(`The sample data could not be published:\n${utskrift}`);
}

async function start(valg: Valg): Promise<void> {
  const { porter, organisasjon } = valg;
  // Before anything is touched: another stack may be running.
  await krevLedigePorter(porter);
  husk('.local/ready.json', KLAR, () => {
    rmSync(KLAR, { force: true });
  });
  rmSync(KLAR, { force: true });
  mkdirSync(join(LOKALT, 'logs'), { recursive: true });
  console.log('Building …');
  await bygg();

  const katalog = dataKatalog(valg.data);
  const logg = (navn: string): string => join(LOKALT, 'logs', `${navn}.log`);
  console.log('Starting Kafka, Postgres and the token issuer …');
  const [kafka, postgres] = await Promise.all([
    startKafka({ port: porter.KAFKA_PORT, dataDir: join(katalog, 'kafka'), loggfil: logg('kafka') }).then((k) =>
      husk('Kafka', k, k.stopp),
    ),
    startPostgres({ port: porter.POSTGRES_PORT, dataDir: join(katalog, 'postgres'), loggfil: logg('postgres') }).then(
      (p) => husk('Postgres', p, p.stopp),
    ),
  ]);
  const utsteder = await startUtsteder({ port: porter.ISSUER_PORT, audience: KLIENT_ID });
  husk('the token issuer', utsteder, utsteder.stopp);
  await lagTopic(kafka.brokers);
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
    konsumenter: REGISTER,
  };
  const ingestor = overvaak(startIngestor(omgivelser, porter.INGESTOR_PORT));
  const queryApi = overvaak(startQueryApi(omgivelser, porter.QUERY_API_PORT));
  const adresser = {
    queryApi: queryApi.url,
    ingestor: ingestor.url,
    issuer: utsteder.issuer,
    kafka: kafka.brokers,
    postgres: database.url,
    topic: TOPIC,
  };
  await Promise.all([ventPaaApp(ingestor), ventPaaApp(queryApi)]);
  if (!valg.tom) await lastEksempeldata(kafka.brokers);

  const pids = {
    start: process.pid,
    kafka: kafka.prosess().pid,
    postgres: postgres.prosess().pid,
    ingestor: ingestor.prosess.pid,
    queryApi: queryApi.prosess.pid,
  };
  writeFileSync(`${KLAR}.ny`, `${JSON.stringify({ ...adresser, pids }, null, 2)}\n`);
  renameSync(`${KLAR}.ny`, KLAR);
  await fortell(adresser);
}

function dataKatalog(data: string | undefined): string {
  if (data === undefined) {
    const { katalog, rydd } = lagArbeidsmappe('lokal');
    return husk('temporary data', katalog, rydd);
  }
  mkdirSync(resolve(data), { recursive: true });
  return resolve(data);
}

async function fortell({
  queryApi,
  ingestor,
  issuer,
  kafka,
}: Record<'queryApi' | 'ingestor' | 'issuer' | 'kafka', string>): Promise<void> {
  const alt = lesKonsumenter().find(({ navn }) => navn === 'alt');
  const token = await hentToken(issuer, alt?.azp ?? '');
  console.log(`
Ready.
  query-api   ${queryApi}   Swagger UI: ${queryApi}/swagger
  ingestor    ${ingestor}   ${ingestor}/internal/prometheus
  Kafka       ${kafka}   topic ${TOPIC}
  tokens      npm run token -- alt

Try it:

curl -s -X POST ${queryApi}/api/v1/avtaler/sok -H 'Content-Type: application/json' \\
  -H 'Authorization: Bearer ${token}' -d '{"antall": 1}'

Ctrl-C stops everything.`);
}

let stenger = false;

async function avslutt(kode: number): Promise<void> {
  if (stenger) return;
  stenger = true;
  await stoppAlt();
  process.exit(kode);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void avslutt(0));
try {
  await start(lesValg());
} catch (feil) {
  const kjent = feil instanceof Startfeil || feil instanceof ManglerVerktoy || feil instanceof TypeError;
  if (!stenger) console.error(kjent || !(feil instanceof Error) ? String((feil as Error).message) : feil.stack);
  await avslutt(1);
}
