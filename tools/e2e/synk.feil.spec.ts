import { join } from 'node:path';
import { lagArbeidsmappe, ledigPort, startKafka, startPostgres, ventTil } from '@tiltak/testing';
import { AdapterApi, type Innslag } from '../adapter/api.ts';
import { send, type Synkvalg } from '../adapter/synk.ts';
import type { App } from '../lokal/apper.ts';
import { Adapterdata } from './adapterdata.ts';
import { avvik, KONTRAKT, lagret, spillAvPaaNytt } from './adapterlop.ts';
import { System } from './system.ts';

/** What an adapter must survive, on real processes, and what it takes longer to survive than `npm test` has time for. */
const startet: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stopp of startet.splice(0).reverse()) await stopp();
});

async function lagSystem(valg?: Parameters<typeof System.lag>[0]): Promise<System> {
  const system = await System.lag(valg);
  startet.push(() => system.stopp());
  return system;
}

async function startAdapter(system: System): Promise<{ app: App; api: AdapterApi }> {
  const app = await system.startIngestor();
  const api = new AdapterApi(app.url, () => system.tokenForAdapter());
  await api.settKontrakt(KONTRAKT);
  return { app, api };
}

/** A page as it is, once: what the ingestor says when it can't. */
async function sendEn(system: System, { url }: App, synkId: string, ressurser: Innslag[]): Promise<Response> {
  return fetch(`${url}/adapter/v1/avtaler/synk`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await system.tokenForAdapter()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      metadata: { synkId, side: 1, antallSider: 1, antallTotalt: ressurser.length },
      ressurser,
    }),
  });
}

async function avvises503(svar: Response): Promise<void> {
  expect([svar.status, svar.headers.has('retry-after')]).toEqual([503, true]);
  expect(svar.headers.get('content-type')).toContain('application/problem+json');
  expect(await svar.json()).toMatchObject({ status: 503 });
}

/** A large page: several requests to Kafka, so that there is a middle to be killed in. */
const stor = (innslag: Innslag[], tegn = 800): Innslag[] =>
  innslag.map(({ id, ressurs }) => ({ id, ressurs: { ...ressurs, bedriftNavn: 'x'.repeat(tegn) } }));

const underveis = (system: System): Promise<unknown> =>
  ventTil(async () => (await system.paaTopicet()) > 0, { hva: 'some of the page on the topic', hverMs: 2 });

/** Served exactly as the adapter's data, with one version of each, and the same once more from the topic. */
async function erNoyaktig(system: System, data: Adapterdata): Promise<void> {
  await system.ventPaaTopicet();
  expect(await lagret(system)).toEqual(data.forventet);
  expect(await system.sql('select avtale_id from avtale_versjon group by 1 having count(*) > 1 limit 5')).toEqual([]);
  expect(await avvik(system)).toEqual([]);
}

test('Kafka is killed midway through a page: nothing of it counts, and sent again it takes effect once', async () => {
  const { katalog, rydd } = lagArbeidsmappe('feil');
  const sted = { dataDir: join(katalog, 'kafka'), loggfil: join(katalog, 'kafka.log') };
  const kafka = await startKafka({ port: await ledigPort(), ...sted });
  startet.push(() => kafka.stopp().then(rydd));
  const system = await lagSystem({ brokers: kafka.brokers });
  const { app, api } = await startAdapter(system);
  const data = new Adapterdata(1, 10_000);
  const side = stor(data.nye(10_000));
  const svar = sendEn(system, app, 'avbrutt', side);
  await underveis(system);
  await kafka.drep();
  await avvises503(await svar);
  expect(await system.sql('select 1 from synk')).toEqual([]);
  expect((await fetch(`${app.url}/internal/isalive`)).status).toBe(200);
  await kafka.startIgjen();
  await api.sendSide('POST', {
    metadata: { synkId: 'avbrutt', ...EN_SIDE, antallTotalt: side.length },
    ressurser: side,
  });
  await erNoyaktig(system, data);
}, 240_000);

const EN_SIDE = { side: 1, antallSider: 1 };

test('Postgres is away during a page: 503, and sent again it takes effect once', async () => {
  const { katalog, rydd } = lagArbeidsmappe('feil');
  const sted = { dataDir: join(katalog, 'postgres'), loggfil: join(katalog, 'postgres.log') };
  const postgres = await startPostgres({ port: await ledigPort(), ...sted });
  startet.push(() => postgres.stopp().then(rydd));
  const system = await lagSystem({ postgres: postgres.url });
  const { app, api } = await startAdapter(system);
  const data = new Adapterdata(2, 10_000);
  const side = stor(data.nye(10_000));
  const svar = sendEn(system, app, 'avbrutt', side);
  await underveis(system);
  await postgres.drep();
  await avvises503(await svar);
  await avvises503(await sendEn(system, app, 'avbrutt', side));
  await postgres.startIgjen();
  await api.sendSide('POST', {
    metadata: { synkId: 'avbrutt', ...EN_SIDE, antallTotalt: side.length },
    ressurser: side,
  });
  await erNoyaktig(system, data);
}, 240_000);

test('an ingestor is killed while a full sync deletes: the other one goes on, and deletes exactly the rest', async () => {
  const system = await lagSystem();
  const { app, api } = await startAdapter(system);
  const annen = new AdapterApi((await system.startIngestor()).url, () => system.tokenForAdapter());
  const data = new Adapterdata(3, 30_000);
  const valg: Omit<Synkvalg, 'synkId'> = {
    metode: 'POST',
    sidestoerrelse: 2_000,
    parallelt: 4,
    framdrift: () => undefined,
  };
  data.nye(30_000);
  await send(api, data.alt().innslag, { ...valg, synkId: 'alt' });
  await fullfoert(annen, 'alt');
  data.glem(data.utvalg(600, 3));
  const { innslag, fullfoert: glem } = data.alt();
  await send(api, innslag, { ...valg, synkId: 'mindre' });
  await ventTil(async () => (await annen.hentSynk('mindre')).tilstand === 'VENTER_PAA_BEKREFTELSE', {
    hva: 'the sync to wait',
  });
  await annen.bekreft('mindre');
  await ventTil(async () => (await system.sql('select 1 from avtale where slettet is not null limit 1')).length > 0, {
    hva: 'the first deletions',
    hverMs: 2,
  });
  await app.prosess.drep();
  await fullfoert(annen, 'mindre');
  glem();
  await erNoyaktig(system, data);
  const { her, der } = await spillAvPaaNytt(system);
  expect(der).toEqual(her);
}, 240_000);

const fullfoert = (api: AdapterApi, synkId: string): Promise<unknown> =>
  ventTil(async () => (await api.hentSynk(synkId)).tilstand === 'FULLFOERT', { hva: 'the sync', maksMs: 120_000 });

test('pages as large as they may be, more at once than there is memory for: all are taken, some at a later attempt', async () => {
  const system = await lagSystem();
  const { api, app } = await startAdapter(system);
  const data = new Adapterdata(4, 40_000);
  const innslag = stor(data.nye(40_000), 2_800);
  await send(api, innslag, {
    metode: 'PATCH',
    synkId: 'stor',
    sidestoerrelse: 10_000,
    parallelt: 4,
    framdrift: () => undefined,
  });
  expect(app.prosess.avsluttet()).toBe(false);
  await erNoyaktig(system, data);
}, 240_000);
