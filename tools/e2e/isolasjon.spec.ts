import { createHash } from 'node:crypto';
import { lagHendelser } from '@tiltak/simulator';
import {
  lagArbeidsmappe,
  ledigPort,
  startPostgres,
  startUtsteder,
  ventTil,
  type LokalPostgres,
  type LokalUtsteder,
} from '@tiltak/testing';
import type { App } from '../lokal/apper.ts';
import { System, type Melding } from './system.ts';

/** Two organisations as they are deployed: one broker and one issuer, and nothing else, is the same for both. */
const { katalog, rydd } = lagArbeidsmappe('isolasjon');
const ANTALL_GIFT = 10_000;
/** fewer than there are, so that a new one at the end of the order changes nothing */
const ANTALL_SPURT = 20;
let utsteder: LokalUtsteder;
let postgres: LokalPostgres;
let nav: { system: System; ingestor: App; queryApi: App };
let fylke: typeof nav;

async function start(valg: NonNullable<Parameters<typeof System.lag>[0]>, seed: number): Promise<typeof nav> {
  const system = await System.lag({ utsteder, ...valg });
  await system.publiser([...lagHendelser({ antall: 500, seed })]);
  const [ingestor, queryApi] = [await system.startIngestor(), await system.startQueryApi()];
  await system.ventPaaInnlest();
  return { system, ingestor, queryApi };
}

beforeAll(async () => {
  utsteder = await startUtsteder({ port: await ledigPort(), audience: 'ingen' });
  const sted = { dataDir: `${katalog}/postgres`, loggfil: `${katalog}/postgres.log` };
  postgres = await startPostgres({ port: await ledigPort(), ...sted });
  nav = await start({ organisasjon: 'nav' }, 21);
  fylke = await start({ organisasjon: 'demo-fylke', postgres: postgres.url }, 22);
}, 120_000);

afterAll(async () => {
  await nav.system.stopp();
  // A test that failed may have left it stopped.
  if (postgres.prosess().avsluttet()) await postgres.startIgjen();
  await fylke.system.stopp();
  await postgres.stopp();
  await utsteder.stopp();
  rydd();
});

/** Every operation of the app's own document, with something in the place of each parameter. */
async function operasjoner({ url }: App): Promise<{ method: string; sti: string }[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> };
  return Object.entries(paths).flatMap(([sti, metoder]) =>
    Object.keys(metoder).map((metode) => ({ method: metode.toUpperCase(), sti: url + sti.replaceAll(/{\w+}/g, '1') })),
  );
}

async function statuser(app: App, token: string): Promise<Set<number>> {
  const alle = await operasjoner(app);
  expect(alle.length).toBeGreaterThan(5);
  const svar = alle.map(({ method, sti }) => fetch(sti, { method, headers: { authorization: `Bearer ${token}` } }));
  return new Set((await Promise.all(svar)).map(({ status }) => status));
}

test.each(['ingestor', 'queryApi'] as const)(
  'no operation of %s takes a token of the other organisation',
  async (app) => {
    const alt = (await fylke.system.som('alt'))['authorization']?.slice('Bearer '.length) ?? '';
    for (const token of [alt, await fylke.system.tokenForAdapter(), await fylke.system.tokenForVakt()]) {
      expect(await statuser(nav[app], token)).toEqual(new Set([401]));
    }
  },
);

test('an adapter of the other organisation is refused also when its token is meant for this one', async () => {
  const claims = { scope: 'tiltak:adapter', organisasjon: 'demo-fylke' };
  expect(await statuser(nav.ingestor, await nav.system.token({ azp: 'adapter', claims }))).toEqual(new Set([403]));
});

const gift = (n: number): Melding => ({ nokkel: `gift-${String(n)}`, verdi: '{' });

interface Svar {
  status: number;
  oppdatert: number;
  /** a digest: that of another answer says enough */
  avtaler: string;
}

async function spor(): Promise<Svar> {
  const svar = await fetch(`${nav.queryApi.url}/api/v1/avtaler/sok`, {
    method: 'POST',
    headers: await nav.system.som('alt'),
    body: JSON.stringify({ antall: ANTALL_SPURT }),
  });
  return {
    status: svar.status,
    oppdatert: Date.parse(svar.headers.get('data-oppdatert') ?? ''),
    avtaler: createHash('sha256')
      .update(await svar.text())
      .digest('hex'),
  };
}

/** That nav answers with the same avtaler all the time, until what it answers with is newer than `grense`. */
async function svarerUforandret(grense: number, avtaler: string): Promise<void> {
  await ventTil(
    async () => {
      const svar = await spor();
      expect(svar).toMatchObject({ status: 200, avtaler });
      return svar.oppdatert > grense;
    },
    { hva: 'fresh data', hverMs: 20 },
  );
}

test('what befalls one organisation is not noticed by the other', async () => {
  const { avtaler } = await spor();
  await fylke.system.publiser(Array.from({ length: ANTALL_GIFT }, (_, n) => gift(n)));
  await svarerUforandret(Date.now(), avtaler);
  await postgres.drep();
  await fylke.system.publiser(Array.from({ length: ANTALL_GIFT }, (_, n) => gift(n)));
  expect((await fetch(`${fylke.ingestor.url}/internal/isalive`)).status).toBe(200);
  await ventTil(async () => (await fetch(`${fylke.ingestor.url}/internal/isready`)).status === 503, {
    hva: 'the ingestor without a database to tell so',
  });
  for (const nr of [1, 2, 3]) {
    await svarerUforandret(Date.now(), avtaler);
    // Last in the order of answers.
    const nokkel = `ffffffff-ffff-4fff-8fff-${String(nr).padStart(12, '0')}`;
    await nav.system.publiser([{ nokkel, verdi: JSON.stringify(nyAvtale(nokkel)) }]);
    const sti = `${nav.queryApi.url}/api/v1/avtaler/${nokkel}`;
    await ventTil(async () => (await fetch(sti, { headers: await nav.system.som('alt') })).ok, {
      hva: 'a new avtale to be served',
    });
  }
  expect((await fetch(`${nav.ingestor.url}/internal/isready`)).status).toBe(200);
  expect(nav.system.fasit().parkert).toEqual([]);
  expect(await nav.system.tilstand()).toEqual(nav.system.fasit());

  await postgres.startIgjen();
  await fylke.system.ventPaaInnlest();
  expect(fylke.system.fasit().parkert).toHaveLength(2 * ANTALL_GIFT);
  expect(await fylke.system.tilstand()).toEqual(fylke.system.fasit());
}, 180_000);

const nyAvtale = (avtaleId: string): object => ({ avtaleId, sistEndret: '2026-01-01T00:00:00Z', avtaleNr: 4_711 });
