import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  kjorProgram,
  klargjorKafka,
  lagArbeidsmappe,
  ManglerVerktoy,
  ROT,
  startKafka,
  startUtsteder,
  type LokalKafka,
} from '@tiltak/testing';
import { klientId } from './apper.ts';
import { lastEksempeldata } from './eksempeldata.ts';
import { fjernForeldetKlar, fjernKlar, skrivKlar, type Klar, type KlarOrganisasjon } from './klar.ts';
import { nyLogg, startDatabase, startOrganisasjon } from './organisasjon.ts';
import { Stabel } from './stabel.ts';
import { hentToken, lesKonsumenter } from './token.ts';
import { krevLedigePorter, lesValg, Startfeil, type Valg } from './valg.ts';

/** ms; the platform gives 30 s, and what has not stopped by then is killed */
const STOPP_MAKS = 25_000;

const stabel = new Stabel();
let stenger = false;

/** What starts, in order; it stops in reverse. */
async function start(valg: Valg): Promise<void> {
  const { porter, organisasjoner } = valg;
  fjernForeldetKlar();
  // Before anything is touched: another stack may be running.
  await krevLedigePorter(valg.allePorter);
  await klargjorKafka();
  fjernKlar();
  stabel.husk('.local/ready.json', undefined, fjernKlar);
  const katalog = dataKatalog(valg.data);
  console.log('Building the apps; starting Kafka and Postgres …');
  const [kafka, databaser] = await Promise.all([
    startMegler(porter.KAFKA_PORT, katalog),
    Promise.all(organisasjoner.map((organisasjon) => startDatabase(stabel, organisasjon, katalog))),
    bygg(),
  ]);
  const [foerste] = organisasjoner;
  const utsteder = await startUtsteder({ port: porter.ISSUER_PORT, audience: klientId(foerste?.navn ?? '') });
  stabel.husk('the token issuer', utsteder, utsteder.stopp);

  console.log('Starting the apps …');
  const felles = { brokers: kafka.brokers, utsteder, katalog };
  const klare: [string, KlarOrganisasjon][] = [];
  // One after another: together they would only make each other slow.
  for (const [nr, organisasjon] of organisasjoner.entries()) {
    const database = databaser[nr];
    if (!database) continue;
    const klar = await startOrganisasjon(stabel, organisasjon, database, felles);
    if (!valg.tom) await lastEksempeldata(kafka.brokers, klar.topic, klar.postgres);
    klare.push([organisasjon.navn, klar]);
  }
  const klar = sammen(klare, { issuer: utsteder.issuer, kafka });
  skrivKlar(klar);
  await fortell(klar);
}

function sammen(klare: [string, KlarOrganisasjon][], { issuer, kafka }: { issuer: string; kafka: LokalKafka }): Klar {
  const [foerste] = klare;
  if (!foerste) throw new Startfeil('--organisasjoner names none');
  const { audience: _, pids, ...adresser } = foerste[1];
  return {
    ...adresser,
    issuer,
    kafka: kafka.brokers,
    pids: { start: process.pid, kafka: kafka.prosess().pid, ...pids },
    organisasjoner: Object.fromEntries(klare),
  };
}

async function startMegler(port: number, katalog: string): Promise<LokalKafka> {
  const loggfil = nyLogg('kafka');
  const kafka = await startKafka({ port, dataDir: join(katalog, 'kafka'), loggfil });
  stabel.husk('Kafka', kafka, kafka.stopp);
  stabel.vokt('Kafka', kafka.prosess(), loggfil);
  return kafka;
}

function dataKatalog(data: string | undefined): string {
  if (data !== undefined) {
    mkdirSync(data, { recursive: true });
    return data;
  }
  const { katalog, rydd } = lagArbeidsmappe('lokal');
  return stabel.husk('temporary data', katalog, rydd);
}

async function bygg(): Promise<void> {
  const nx = join(ROT, 'node_modules', '.bin', 'nx');
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', NX_ISOLATE_PLUGINS: 'false' };
  const valg = ['run-many', '-t', 'build', '--output-style=static'];
  const { kode, utskrift } = await kjorProgram(process.execPath, [nx, ...valg], { cwd: ROT, env });
  if (kode !== 0) throw new Startfeil(`The apps could not be built:\n${utskrift}`);
}

async function fortell({ queryApi, issuer, kafka, organisasjoner }: Klar): Promise<void> {
  const alt = lesKonsumenter().find(({ navn }) => navn === 'alt');
  const token = await hentToken(issuer, alt?.azp ?? '');
  const linjer = Object.entries(organisasjoner).map(
    ([navn, { queryApi: lesing, ingestor, topic }]) => `
  ${navn}
    query-api   ${lesing}   Swagger UI: ${lesing}/swagger
    ingestor    ${ingestor}   ${ingestor}/internal/prometheus
    topic       ${topic}
    tokens      npm run token -- alt ${navn}`,
  );
  console.log(`
Ready. Kafka: ${kafka}
${linjer.join('\n')}

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
