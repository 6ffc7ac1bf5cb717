import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { lagArbeidsmappe, ledigPort, startPostgres, ventTil } from '@tiltak/testing';
import { startIngestor, startQueryApi, ventPaaKlar, type App } from '../lokal/apper.ts';
import { System } from './system.ts';

/** A set-up that is wrong: one clear line that names what, no stack, and an exit code other than 0. */
let system: System;
const { katalog, rydd } = lagArbeidsmappe('oppstart');

beforeAll(async () => {
  system = await System.lag();
  await (await system.startIngestor()).prosess.stopp();
}, 60_000);
afterAll(async () => {
  await system.stopp();
  rydd();
});

async function sisteOrd(app: App): Promise<string> {
  await app.prosess.ferdig;
  expect(app.prosess.utfall()).toBe('exit code 1');
  const linjer = readFileSync(app.loggfil, 'utf8')
    .trim()
    .split('\n')
    .filter((linje) => linje.startsWith('{'));
  const siste = JSON.parse(linjer.at(-1) ?? '{}') as { level: string; message: string; err?: unknown };
  expect([siste.level, siste.err]).toEqual(['fatal', undefined]);
  return siste.message;
}

const start = async (
  navn: 'ingestor' | 'query-api',
  ekstra: Record<string, string>,
  port?: number,
): Promise<string> => {
  const starter = navn === 'ingestor' ? startIngestor : startQueryApi;
  return sisteOrd(starter(system.miljo, port ?? (await ledigPort()), ekstra));
};

test.each([
  ['ingestor', { KAFKA_BROKERS: '' }, /^KAFKA_BROKERS is missing/],
  ['ingestor', { DB_PORT: 'x' }, /^DB_PORT must be a whole number/],
  ['query-api', { KONSUMENTER_FIL: '/finnes/ikke.yaml' }, /^KONSUMENTER_FIL must be the path of a file that exists/],
  ['query-api', { DELTAKER_ID_NOEKKEL: 'kort' }, /^DELTAKER_ID_NOEKKEL must be text like/],
  ['query-api', { AZURE_OPENID_CONFIG_ISSUER: 'ikke en adresse' }, /^AZURE_OPENID_CONFIG_ISSUER must be a URL/],
  [
    'ingestor',
    { DB_PASSWORD: 'feil', DB_MIGRERING_USERNAME: '' },
    /^DB_USERNAME, DB_PASSWORD or DB_DATABASE is refused by the database \(SQLSTATE 28P01\)/,
  ],
  ['query-api', { DB_DATABASE: 'finnes_ikke' }, /^DB_USERNAME, DB_PASSWORD or DB_DATABASE is refused by the database/],
  [
    'query-api',
    { DELTAKER_ID_NOEKKEL: 'cd'.repeat(32) },
    /^DELTAKER_ID_NOEKKEL differs from the key that this database was filled with/,
  ],
  ['ingestor', { DELTAKER_ID_NOEKKEL: 'cd'.repeat(32) }, /^DELTAKER_ID_NOEKKEL differs from the key/],
] as const)(
  '%s with %j',
  async (navn, ekstra, melding) => {
    expect(await start(navn, ekstra)).toMatch(melding);
  },
  30_000,
);

test('a registry that is broken is told of by place', async () => {
  const fil = join(katalog, 'konsumenter.yaml');
  writeFileSync(fil, '- navn: k\n  azp: a\n  behandlingsgrunnlag: []\n');
  expect(await start('query-api', { KONSUMENTER_FIL: fil })).toMatch(
    /konsumenter\.yaml: 0\.behandlingsgrunnlag must NOT have fewer than 1 items/,
  );
});

test.each(['ingestor', 'query-api'] as const)('%s on a port that is taken names PORT', async (navn) => {
  const annen = createServer();
  const port = await ledigPort();
  await new Promise<void>((klar) => annen.listen(port, '127.0.0.1', klar));
  expect(await start(navn, {}, port)).toBe(`PORT ${String(port)} on 127.0.0.1 is taken by another process`);
  annen.close();
});

test('before an ingestor has set the database up a query-api is alive and not ready, also when Postgres ends meanwhile', async () => {
  const mappe = lagArbeidsmappe('oppstart');
  const postgres = await startPostgres({
    port: await ledigPort(),
    dataDir: join(mappe.katalog, 'postgres'),
    loggfil: join(mappe.katalog, 'postgres.log'),
  });
  const tom = await System.lag({ postgres: postgres.url });
  try {
    const app = startQueryApi(tom.miljo, await ledigPort());
    const mangler = (): Promise<unknown> =>
      fetch(`${app.url}/internal/isready`).then(
        async (svar) => ((await svar.json()) as { mangler: string[] }).mangler.join(),
        () => undefined,
      );
    const ventPaaMangler = (...hva: string[]): Promise<unknown> =>
      ventTil(async () => (await mangler()) === hva.join(), { hva: `not ready for ${hva.join()}` });
    const harSagt = (hva: string): Promise<unknown> =>
      ventTil(() => Promise.resolve(readFileSync(app.loggfil, 'utf8').includes(hva)), { hva });
    await ventPaaMangler('oppstart');
    await harSagt('has not been set up');
    await postgres.drep();
    await ventPaaMangler('oppstart', 'database');
    await harSagt('does not answer');
    await postgres.startIgjen();
    await tom.startIngestor();
    await ventPaaKlar(app);
    await app.prosess.stopp();
  } finally {
    await tom.stopp();
    await postgres.stopp();
    mappe.rydd();
  }
}, 60_000);
