import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTwoIssuers, TABLE_SETUP, TOKEN_TABLE, waitUntil, type TwoIssuers } from '@tiltak/testing';
import { register } from 'prom-client';
import { stringify } from 'yaml';
import { deltakerId, startTestApi, type TestApi } from '../testing/test-api.ts';

const { azp, consumer, supplier, scopes } = TABLE_SETUP;
const directory = mkdtempSync(join(tmpdir(), 'tokens-'));
const registry = join(directory, 'konsumenter.yaml');
const purpose = { id: 'B1', lenke: 'https://x.no/B1', operasjoner: 'alle', felter: 'alle' };
const entry = { bruksvilkaar: 2, behandlingsgrunnlag: [purpose] };
const quota = { perSekund: 1, burst: 1_000 };

let issuers: TwoIssuers;
let api: TestApi;
beforeAll(async () => {
  issuers = await startTwoIssuers();
  const kommune = { navn: 'kommune', organisasjonsnummer: consumer, leverandoerer: [supplier], kvote: quota, ...entry };
  writeFileSync(registry, stringify([{ navn: 'alt', azp, ...entry }, kommune]));
  api = await startTestApi(env());
});
afterAll(async () => {
  await api.stop();
  await issuers.stop();
  rmSync(directory, { recursive: true });
});

const env = (): Record<string, string> => ({
  ...issuers.env,
  MASKINPORTEN_SCOPE: scopes.queryApi,
  KONSUMENTER_FIL: registry,
});

const get = (path: string, authorization: string): Promise<Response> =>
  fetch(api.url + path, { headers: { authorization } });

/** Of the table, by its name. */
async function header(name: string): Promise<string> {
  const row = TOKEN_TABLE.find(({ token }) => token === name);
  if (!row) throw new Error(`The table has no ${name}`);
  return row.header(issuers);
}
const OF_SUPPLIER = 'Maskinporten: by a supplier that is listed';
const OF_ORGANISATION = 'Maskinporten: a registered organisation, scope for reading';
const OF_APPLICATION = 'Entra: a registered application';

test.each(TOKEN_TABLE)('the query-api: $token', async ({ gets, header }) => {
  const response = await get('/api/v1/tilgang', await header(issuers));
  const text = await response.text();
  expect([response.status === 200 ? 'inn' : response.status, text]).toEqual([gets[0], expect.any(String)]);
  // Whoever is let in is the one that the token says, and a refusal tells nothing of what stands in it.
  if (response.status === 200)
    expect(['alt', 'kommune']).toContain((JSON.parse(text) as { konsument: string }).konsument);
  else expect(text).not.toMatch(/\b\d{9}\b/);
});

test('grants, quota and audit are of the organisation, also when a supplier asks, who is audited with it', async () => {
  const person = '1'.repeat(11);
  await api.insertAvtale({ avtale_id: '00000000-0000-4000-8000-000000000001', deltaker_fnr: person });
  await api.owner.query(`insert into konsum_status values ('t', 0, 0, now())`);
  await api.forgetAudit();
  const ask = async (name: string): Promise<Response> =>
    fetch(`${api.url}/api/v1/personer/tiltaksstatus`, {
      method: 'POST',
      headers: { authorization: await header(name), 'content-type': 'application/json' },
      body: JSON.stringify({ personidenter: [person] }),
    });
  const left = (response: Response): number =>
    Number(/"kvote";r=(\d+)/.exec(response.headers.get('ratelimit') ?? '')?.[1]);
  const itself = await ask(OF_ORGANISATION);
  const bySupplier = await ask(OF_SUPPLIER);
  expect([itself.status, bySupplier.status]).toEqual([200, 200]);
  expect(left(bySupplier)).toBeLessThan(left(itself));
  await ask('a supplier that is not listed');
  await ask(OF_APPLICATION);
  const rows = await api.audit(4);
  const told = rows.map(({ konsument, organisasjoner, tillatt }) => [konsument, organisasjoner, tillatt]);
  expect(told).toEqual(
    expect.arrayContaining([
      ['kommune', [consumer], true],
      ['kommune', [consumer, supplier], true],
      [`org:${consumer}`, [consumer, TABLE_SETUP.other], false],
      ['alt', null, true],
    ]),
  );
  expect(rows[0]?.['personer']).toEqual([deltakerId(person)]);
});

test('an issuer that is down befalls its own tokens only', async () => {
  const beside = await api.startBeside(env());
  try {
    issuers.respondWith('maskinporten', 500);
    const of = async (name: string): Promise<number> => {
      const token = (await header(name)).replace('Bearer ', '');
      return (await beside.call('GET', '/api/v1/tilgang', { token })).status;
    };
    expect([await of(OF_ORGANISATION), await of(OF_APPLICATION)]).toEqual([503, 200]);
    issuers.respondWith('maskinporten', undefined);
    issuers.respondWith('entra', 500);
    // Keys that are known go on; those of the other are asked for again when they were not to be had just now.
    await waitUntil(async () => (await of(OF_ORGANISATION)) === 200, { what: 'the keys of Maskinporten' });
    expect(await of(OF_APPLICATION)).toBe(200);
  } finally {
    issuers.respondWith('maskinporten', undefined);
    issuers.respondWith('entra', undefined);
    await beside.stop();
  }
});

test('a flood of keys that nobody knows at one issuer asks for the keys of no other, and seldom for its own', async () => {
  const before = [issuers.fetches('entra'), issuers.fetches('maskinporten')];
  const flood = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const authorization = await header('signed by a key that nobody knows');
      return (await get('/api/v1/tilgang', authorization)).status;
    }),
  );
  expect(new Set(flood)).toEqual(new Set([401]));
  expect(issuers.fetches('entra')).toBe(before[0]);
  expect(issuers.fetches('maskinporten') - (before[1] ?? 0)).toBeLessThanOrEqual(2);
  expect((await get('/api/v1/tilgang', await header(OF_APPLICATION))).status).toBe(200);
});

test('without Maskinporten set up, its tokens are 401', async () => {
  const off = ['ISSUER', 'JWKS_URI', 'AUDIENCE', 'SCOPE'].map((name) => [`MASKINPORTEN_${name}`, '']);
  const beside = await api.startBeside({ ...env(), ...Object.fromEntries(off) });
  try {
    const of = async (name: string): Promise<number> => {
      const token = (await header(name)).replace('Bearer ', '');
      return (await beside.call('GET', '/api/v1/tilgang', { token })).status;
    };
    expect([await of(OF_ORGANISATION), await of(OF_APPLICATION)]).toEqual([401, 200]);
  } finally {
    await beside.stop();
  }
});

test('no metric bears an organisation number', async () => {
  expect(await register.metrics()).not.toContain(consumer);
});
