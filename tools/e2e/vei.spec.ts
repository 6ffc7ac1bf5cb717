import { readFileSync } from 'node:fs';
import { ventTil } from '@tiltak/testing';
import { lagHendelser } from '@tiltak/simulator';
import { lagKlient, type Klient, type Skjema } from '@tiltak/datadeling-klient';
import { System } from './system.ts';

/** From the source's topic to a consumer's answer, through both apps as they are deployed. */
let system: System;
let klient: Klient;

beforeAll(async () => {
  system = await System.lag();
  await system.startIngestor();
  const { url } = await system.startQueryApi();
  klient = lagKlient({
    baseUrl: url,
    hentToken: async () => (await system.som('alt'))['authorization']?.slice('Bearer '.length) ?? '',
  });
  await ventTil(async () => (await klient.POST('/api/v1/avtaler/sok', { body: {} })).response.ok, {
    hva: 'the first load',
  });
}, 60_000);
afterAll(() => system.stopp());

async function alle(): Promise<Skjema['Avtale'][]> {
  const avtaler: Skjema['Avtale'][] = [];
  let neste: string | undefined;
  do {
    const { data } = await klient.POST('/api/v1/avtaler/sok', { body: { antall: 500, ...(neste ? { neste } : {}) } });
    avtaler.push(...(data?.avtaler ?? []));
    neste = data?.neste;
  } while (neste !== undefined);
  return avtaler;
}

test('consumers see exactly what the source says, and not what is wrongly registered', async () => {
  await system.publiser([...lagHendelser({ antall: 2_000, seed: 11, gift: true })]);
  await system.ventPaaInnlest();
  const sett = (await alle()).map(({ avtaleId }) => avtaleId);
  const fasit = system.fasit().avtaler as { avtaleId: string; feilregistrert: boolean }[];
  expect(sett).toEqual(fasit.filter(({ feilregistrert }) => !feilregistrert).map(({ avtaleId }) => avtaleId));
  expect(sett.length).toBeGreaterThan(50);
});

test('a change is served, and Data-Oppdatert promises no more than is served', async () => {
  const foer = Date.now();
  const nokkel = '00000000-0000-4000-8000-0000000000aa';
  await system.publiser([
    { nokkel, verdi: JSON.stringify({ avtaleId: nokkel, sistEndret: '2026-01-01T00:00:00Z', avtaleNr: 4_711 }) },
  ]);
  const publisert = Date.now();
  const sett = await ventTil(
    async () => {
      const params = { path: { avtaleNr: 4_711 } };
      const { response: svar } = await klient.GET('/api/v1/avtaler/nummer/{avtaleNr}', { params });
      const oppdatert = Date.parse(svar.headers.get('data-oppdatert') ?? '');
      // An answer that says it includes everything up to after the message was published must hold it.
      if (svar.status === 404 && oppdatert > publisert) throw new Error('Data-Oppdatert promises what is not served');
      return svar.ok ? svar : undefined;
    },
    { hva: 'the change to be served', hverMs: 5 },
  );
  expect(sett.headers.get('data-oppdatert')).toBeTruthy();
  await ventTil(async () => Date.parse((await klient.GET('/api/v1/ferskhet')).data?.dataOppdatert ?? '') > foer, {
    hva: 'freshness to pass the message',
  });
});

test('no log line of either app holds a national ident', async () => {
  const identer = new Set((await alle()).flatMap(({ deltakerFnr }) => (deltakerFnr ? [deltakerFnr] : [])));
  expect(identer.size).toBeGreaterThan(20);
  for (const loggfil of system.loggfiler()) {
    const logg = readFileSync(loggfil, 'utf8');
    expect([...identer].filter((ident) => logg.includes(ident))).toEqual([]);
  }
});
