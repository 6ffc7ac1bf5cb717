import { join } from 'node:path';
import { setTimeout as vent } from 'node:timers/promises';
import { lagArbeidsmappe, ledigPort, startKafka, startPostgres, ventTil } from '@tiltak/testing';
import { lagHendelser } from '@tiltak/simulator';
import { System, type Melding } from './system.ts';

/**
 * What must be survived with nothing lost and nothing served wrong. Each test ends by comparing the tables with what the
 * simulator says, computed from the source contract alone.
 */
const hendelser = (antall: number, seed: number, gift = false): Melding[] => [...lagHendelser({ antall, seed, gift })];

let system: System;
const startet: (() => Promise<unknown>)[] = [];

async function lagSystem(valg?: Parameters<typeof System.lag>[0]): Promise<void> {
  system = await System.lag(valg);
  startet.push(() => system.stopp());
}

afterEach(async () => {
  const feil: unknown[] = [];
  for (const stopp of startet.splice(0).reverse()) await stopp().catch((grunn: unknown) => feil.push(grunn));
  expect(feil).toEqual([]);
});

async function alt(maksMs?: number): Promise<void> {
  await system.ventPaaInnlest(maksMs);
  expect(await system.tilstand()).toEqual(system.fasit());
}

/** Resolves somewhere in the middle of the backlog. */
const midtveis = (andel: number, av: number): Promise<true> =>
  ventTil(async () => (await system.innlest().catch(() => 0)) >= andel * av || undefined, {
    hva: 'part of the backlog',
    hverMs: 5,
  }).then(() => true);

test('the ingestor is killed again and again during a backlog', async () => {
  await lagSystem();
  const meldinger = hendelser(12_000, 1);
  await system.publiser(meldinger);
  for (const andel of [0.02, 0.3, 0.6]) {
    const app = await system.startIngestor();
    await midtveis(andel, meldinger.length);
    await app.prosess.drep();
  }
  await system.startIngestor();
  await alt();
}, 120_000);

test('Postgres is killed during a backlog and comes back after five seconds', async () => {
  const { katalog: mappe, rydd } = lagArbeidsmappe('feil');
  const postgres = await startPostgres({
    port: await ledigPort(),
    dataDir: join(mappe, 'postgres'),
    loggfil: join(mappe, 'postgres.log'),
  });
  startet.push(() => postgres.stopp().then(rydd));
  await lagSystem({ postgres: postgres.url });
  const meldinger = hendelser(12_000, 2);
  await system.publiser(meldinger);
  const app = await system.startIngestor();
  const { url } = await system.startQueryApi();
  const hoder = await system.som('alt');
  const spor = (): Promise<Response> => fetch(`${url}/api/v1/avtaler/nummer/1`, { headers: hoder });
  await midtveis(0.2, meldinger.length);
  await postgres.drep();
  await vent(5_000);
  expect((await fetch(`${app.url}/internal/isalive`)).status).toBe(200);
  expect((await fetch(`${app.url}/internal/isready`)).status).toBe(503);
  const uten = [await spor()];
  for (const [sti, token] of [
    ['drift/v1/status', await system.tokenForVakt()],
    ['drift/v1/parkerte', await system.tokenForVakt()],
    ['drift/v1/gjenoppbygging', await system.tokenForVakt()],
    ['drift/v1/avstemming', await system.tokenForVakt()],
    ['adapter/v1/status', await system.tokenForAdapter()],
  ]) {
    uten.push(await fetch(`${app.url}/${String(sti)}`, { headers: { authorization: `Bearer ${String(token)}` } }));
  }
  expect(uten.map(({ status, headers }) => [status, headers.has('retry-after')])).toEqual(uten.map(() => [503, true]));
  await postgres.startIgjen();
  await alt();
  await ventTil(async () => (await spor()).status === 404, { hva: 'look-ups to be answered again' });
  expect(await system.sql('select 1 from parkert_melding')).toEqual([]);
}, 120_000);

test('Kafka is killed during a backlog and comes back', async () => {
  const { katalog, rydd } = lagArbeidsmappe('feil');
  const kafka = await startKafka({
    port: await ledigPort(),
    dataDir: join(katalog, 'kafka'),
    loggfil: join(katalog, 'kafka.log'),
  });
  startet.push(() => kafka.stopp().then(rydd));
  await lagSystem({ brokers: kafka.brokers });
  const meldinger = hendelser(12_000, 8);
  await system.publiser(meldinger);
  const app = await system.startIngestor();
  await midtveis(0.1, meldinger.length);
  await kafka.drep();
  await vent(3_000);
  expect((await fetch(`${app.url}/internal/isalive`)).status).toBe(200);
  await kafka.startIgjen();
  await alt();
  await system.publiser(hendelser(100, 9));
  await alt();
}, 120_000);

test('poison of each kind lies between good messages, and twenty tombstones before one', async () => {
  await lagSystem();
  const ubrukt = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  const gravsteiner = Array.from({ length: 20 }, (_, n) => ({ nokkel: ubrukt(n), verdi: null }));
  await system.publiser([...hendelser(3_000, 3, true), ...gravsteiner, ...hendelser(50, 4)]);
  await system.startIngestor();
  await alt();
  expect(system.fasit().parkert.length).toBeGreaterThan(10);
}, 120_000);

test('the whole topic is played twice: the tables are the same to the byte', async () => {
  await lagSystem();
  await system.publiser(hendelser(4_000, 5, true));
  const foerste = await system.startIngestor();
  await alt();
  const foer = await dump();
  await foerste.prosess.stopp();
  await system.sql('update konsum_offset set neste_offset = 0');
  await system.startIngestor();
  await alt();
  expect(await dump()).toEqual(foer);
}, 120_000);

/** Every table that messages end in, as text, all columns. */
async function dump(): Promise<string[]> {
  const tabeller = ['avtale', 'avtale_versjon', 'endring', 'relasjon', 'parkert_melding', 'konsum_offset'];
  const rader = await Promise.all(
    tabeller.map((tabell) => system.sql<{ rad: string }>(`select t::text as rad from ${tabell} t order by 1`)),
  );
  return rader.flat().map(({ rad }) => rad);
}

test('a second ingestor joins during a backlog, and leaves again', async () => {
  await lagSystem({ partisjoner: 4 });
  const meldinger = hendelser(16_000, 6);
  await system.publiser(meldinger);
  await system.startIngestor();
  await midtveis(0.1, meldinger.length);
  const andre = await system.startIngestor();
  await system.publiser(hendelser(2_000, 7));
  await midtveis(0.5, meldinger.length);
  await andre.prosess.stopp();
  await alt();
}, 120_000);
