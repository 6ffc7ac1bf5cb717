import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { LOKALT, opprettDatabase, ROT, startPostgres, type LokalUtsteder } from '@tiltak/testing';
import { egetTopic } from '../organisasjon/navn.ts';
import { klientId, startIngestor, startQueryApi, ventPaaKlar, type App, type Omgivelser } from './apper.ts';
import { lagTopic } from './eksempeldata.ts';
import type { KlarOrganisasjon } from './klar.ts';
import { foelgLogg, sisteLinjer } from './loggvakt.ts';
import type { Stabel } from './stabel.ts';
import { lesKonsumenter } from './token.ts';
import { Startfeil, type Organisasjonsvalg } from './valg.ts';

/** What all organisations of the local stack share: nothing that holds an organisation's data but its topic. */
interface Felles {
  brokers: string;
  utsteder: LokalUtsteder;
  /** absolute path; each organisation has a directory of its own in it */
  katalog: string;
}

/** Postgres with the organisation's database and roles; its own, so that it can be stopped alone. */
export async function startDatabase(
  stabel: Stabel,
  { navn, porter }: Organisasjonsvalg,
  katalog: string,
): Promise<{ database: Omgivelser['database']; pid: number }> {
  const dataDir = join(katalogFor(katalog, navn), 'postgres');
  const loggfil = nyLogg(`postgres-${navn}`);
  const postgres = await startPostgres({ port: porter.postgres, dataDir, loggfil });
  const hva = `Postgres of ${navn}`;
  stabel.husk(hva, postgres, postgres.stopp);
  stabel.vokt(hva, postgres.prosess(), loggfil);
  return { database: await opprettDatabase(postgres.url, navn), pid: postgres.prosess().pid };
}

/** The organisation's topic and apps; resolves when both are ready. */
export async function startOrganisasjon(
  stabel: Stabel,
  { navn, porter }: Organisasjonsvalg,
  { database, pid }: Awaited<ReturnType<typeof startDatabase>>,
  { brokers, utsteder, katalog }: Felles,
): Promise<KlarOrganisasjon> {
  const { topic, konsumenter } = lesOppsett(navn);
  await lagTopic(brokers, topic);
  const omgivelser: Omgivelser = {
    organisasjon: navn,
    database,
    brokers,
    topic,
    issuer: utsteder.issuer,
    jwksUri: utsteder.jwksUri,
    deltakerIdNoekkel: noekkelFor(katalogFor(katalog, navn)),
    konsumenter: join(ROT, konsumenter),
  };
  const { LOG_LEVEL } = process.env;
  const ekstra = LOG_LEVEL ? { LOG_LEVEL } : {};
  const kilde = { LOKAL_TOKENKILDE: tokenkilde(utsteder.issuer, navn) };
  const ingestor = husk(stabel, startIngestor(omgivelser, porter.ingestor, ekstra));
  const queryApi = husk(stabel, startQueryApi(omgivelser, porter.queryApi, { ...ekstra, ...kilde }));
  await Promise.all([ingestor, queryApi].map(ventPaaApp));
  // From now on: while they wait for each other they have much to remark on.
  for (const app of [ingestor, queryApi]) {
    const logg = foelgLogg(app.navn, app.loggfil);
    stabel.husk(`the log of ${app.navn}`, logg, logg.stopp);
  }
  return {
    queryApi: queryApi.url,
    ingestor: ingestor.url,
    postgres: database.url,
    topic,
    audience: klientId(navn),
    pids: { postgres: pid, ingestor: ingestor.prosess.pid, queryApi: queryApi.prosess.pid },
  };
}

/** What `nx g organisasjon` wrote for the local stack; one that is only being tried out needs nothing written. */
function lesOppsett(navn: string): { topic: string; konsumenter: string } {
  const standard = { topic: egetTopic(navn), konsumenter: 'tools/lokal/konsumenter.yaml' };
  const fil = join(ROT, 'tools', 'lokal', 'organisasjoner', `${navn}.yaml`);
  return existsSync(fil) ? { ...standard, ...(parse(readFileSync(fil, 'utf8')) as object) } : standard;
}

/** An empty file for the output of what is about to start. */
export function nyLogg(navn: string): string {
  const loggfil = join(LOKALT, 'logs', `${navn}.log`);
  rmSync(loggfil, { force: true });
  return loggfil;
}

function katalogFor(katalog: string, navn: string): string {
  const egen = join(katalog, 'organisasjoner', navn);
  mkdirSync(egen, { recursive: true });
  return egen;
}

/** The key of opaque ids belongs to the data: it must be the same for as long as that is kept. */
function noekkelFor(katalog: string): string {
  const fil = join(katalog, 'deltaker-id-noekkel');
  if (!existsSync(fil)) writeFileSync(fil, randomBytes(32).toString('hex'), { mode: 0o600 });
  return readFileSync(fil, 'utf8');
}

function husk(stabel: Stabel, app: App): App {
  stabel.husk(app.navn, app, () => app.prosess.stopp(8_000));
  stabel.vokt(app.navn, app.prosess, app.loggfil);
  return app;
}

async function ventPaaApp(app: App): Promise<void> {
  try {
    await ventPaaKlar(app);
  } catch (feil) {
    throw new Startfeil(`${feil instanceof Error ? feil.message : String(feil)}\n${sisteLinjer(app.loggfil)}`);
  }
}

/** Swagger UI is authorised as `alt`, who may do everything. */
function tokenkilde(issuer: string, navn: string): string {
  const alt = lesKonsumenter().find((konsument) => konsument.navn === 'alt');
  const hvem = new URLSearchParams({ client_id: alt?.azp ?? '', audience: klientId(navn) });
  return `${issuer}/token?${hvem.toString()}`;
}
