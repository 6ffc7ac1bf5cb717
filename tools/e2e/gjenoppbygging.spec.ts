import { ventTil } from '@tiltak/testing';
import { lagHendelser } from '@tiltak/simulator';
import type { App } from '../lokal/apper.ts';
import { System } from './system.ts';

/** Rebuilding from the topic, on the built ingestor: killed in between, with rows that are not what they should be. */
let system: System;
let app: App;
let hoder: Record<string, string>;

const USETT = '00000000-0000-4000-8000-0000000000ff';
const TABELLER = ['avtale', 'avtale_versjon', 'relasjon', 'konsum_offset'] as const;
const UTEN: Record<string, string[]> = { avtale: ['mottatt'], avtale_versjon: ['laert', 'lopenr'] };

beforeAll(async () => {
  system = await System.lag();
  app = await system.startIngestor();
  hoder = { authorization: `Bearer ${await system.tokenForVakt()}` };
  await system.publiser([...lagHendelser({ antall: 4_000, seed: 5, gift: true })]);
  await system.ventPaaInnlest();
}, 60_000);
afterAll(() => system.stopp());

async function dump(): Promise<Record<string, string[]>> {
  const lest = TABELLER.map(async (tabell) => {
    const uten = (UTEN[tabell] ?? []).map((kolonne) => ` - '${kolonne}'`).join('');
    const rader = await system.sql<{ rad: string }>(
      `select (to_jsonb(t)${uten})::text as rad from ${tabell} t order by 1`,
    );
    return [tabell, rader.map(({ rad }) => rad)] as const;
  });
  return Object.fromEntries(await Promise.all(lest));
}

const kall = (metode: string, sti = ''): Promise<Response> =>
  fetch(`${app.url}/drift/v1/gjenoppbygging${sti}`, { method: metode, headers: hoder });
const framdrift = async (): Promise<Record<string, unknown>> => (await (await kall('GET')).json()) as never;
const ventPaaFerdig = (): Promise<unknown> =>
  ventTil(async () => (await framdrift())['tilstand'] === 'FERDIG', { hva: 'the rebuild', maksMs: 60_000 });
const endringer = async (): Promise<number> =>
  Number((await system.sql<{ n: string }>('select count(*) as n from endring'))[0]?.n);

test('of what is right changes nothing, in no table and not in the feed', async () => {
  expect(await framdrift()).toMatchObject({ tilstand: 'INGEN' });
  const [foer, antall] = [await dump(), await endringer()];
  expect((await kall('POST')).status).toBe(204);
  await ventPaaFerdig();
  expect(await framdrift()).toMatchObject({ rettet: 0, usette: 0, lest: expect.any(Number) });
  expect(await dump()).toEqual(foer);
  expect(await endringer()).toBe(antall);
});

test('heals rows that are wrong, also when it is killed, and reports what the topic does not tell of', async () => {
  const foer = await dump();
  const rettes = await system.sql<{ avtale_id: string }>(
    `update avtale set bedrift_navn = 'galt', start_dato = '1999-01-01'
     where avtale_id in (select avtale_id from avtale where slettet is null and not feilregistrert order by avtale_id limit 40)
     returning avtale_id`,
  );
  const gjenoppstaar = await system.sql(
    `update avtale set slettet = null where avtale_id in (select avtale_id from avtale where slettet is not null limit 5)
     returning avtale_id`,
  );
  expect(gjenoppstaar).toHaveLength(5);
  await system.sql(
    `insert into avtale (avtale_id, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
     values ($1, false, '2026-01-01', 0, 0)`,
    [USETT],
  );
  const antall = await endringer();

  expect((await kall('POST')).status).toBe(204);
  expect((await kall('POST')).status).toBe(409);
  await app.prosess.drep();
  app = await system.startIngestor();
  await ventPaaFerdig();

  expect(await framdrift()).toMatchObject({ rettet: 45, usette: 1 });
  expect(await (await kall('GET', '/usette')).json()).toEqual({ avtaleIder: [USETT] });
  const [usett] = await system.sql('delete from avtale where avtale_id = $1 returning avtale_id', [USETT]);
  expect(usett).toEqual({ avtale_id: USETT });
  expect(await dump()).toEqual(foer);
  const fortalt = await system.sql<{ avtale_id: string }>(
    'select avtale_id from endring order by tx, lopenr offset $1',
    [antall],
  );
  expect(new Set(fortalt.map((rad) => rad.avtale_id))).toEqual(
    new Set([...rettes, ...(gjenoppstaar as { avtale_id: string }[])].map((rad) => rad.avtale_id)),
  );
});

test('is stopped on demand, and can be started again', async () => {
  expect((await kall('POST', '/stopp')).status).toBe(409);
  await kall('POST');
  // It may have finished by itself before that.
  expect([204, 409]).toContain((await kall('POST', '/stopp')).status);
  expect(['STOPPET', 'FERDIG']).toContain((await framdrift())['tilstand']);
  expect((await kall('POST')).status).toBe(204);
  await ventPaaFerdig();
  const handlinger = await system.sql(`select from driftshandling where handling = 'START_GJENOPPBYGGING'`);
  expect(handlinger).toHaveLength(4);
});
