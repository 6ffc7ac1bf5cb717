import { readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { GRANTABLE_FIELDS } from '@tiltak/avtale';
import { GRANTABLE_OPERATIONS } from '../access/operations.ts';
import { readKonsumenter } from '../access/konsumenter.ts';
import { validTerms } from '../access/terms.ts';
import { publishedOperations } from '../testing/published-operations.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { useOf } from './use.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
});
afterAll(() => api.stop());
beforeEach(async () => {
  await api.forgetAudit();
  await api.owner.query('truncate konsumentbruk, konsumentbruk_tidsrom');
});

const ask = (as: string, headers = {}): ReturnType<TestApi['call']> =>
  api.call('GET', '/api/v1/tilgang', { as, headers });

/** What the audit gets, so many days ago. */
async function lookedUp(
  daysAgo: number,
  line: { konsument: string; operasjon: string; felter: string[]; tillatt?: boolean },
): Promise<void> {
  const { konsument, operasjon, felter, tillatt = true } = line;
  await api.owner.query(
    `insert into oppslagslinje (tidspunkt, konsument, behandlingsgrunnlag, operasjon, felter, person, tillatt, call_id)
     values (now() - make_interval(secs => $1), $2, 'B0', $3, $4, gen_random_uuid(), $5, 'x')`,
    [daysAgo * 86_400, konsument, operasjon, felter, tillatt],
  );
}

async function summarize(): Promise<void> {
  for (;;) {
    const [row] = await api.owner.query<{ more: boolean }[]>('select oppsummer_bruk() as more');
    if (row?.more !== true) return;
  }
}

test('a consumer is told what it is granted, what of its quota is left, and what it lacks', async () => {
  const { status, body, headers } = await ask('graadig');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    konsument: 'graadig',
    organisasjon: 'nav',
    bruksvilkaar: { godtatt: 2, gyldigTil: null, mangler: null, dekkerIkke: [] },
    kvote: { perSekund: 1, burst: 3 },
    samtidige: { foresporsler: { maks: 500, igjen: 499 }, eksporter: { maks: 2, igjen: 2 } },
    bruk: { kjentFra: null, kjentTil: null, sistKalt: null, ubruktEtterDager: 90 },
  });
  // This one is taken from it.
  expect(body.kvote.igjen).toBeLessThan(3);
  expect(headers.get('ratelimit')).toContain(`"kvote";r=${String(body.kvote.igjen)}`);
  const [{ operasjoner, felter }] = body.behandlingsgrunnlag;
  expect(operasjoner.map(({ operasjon }: { operasjon: string }) => operasjon)).toEqual(GRANTABLE_OPERATIONS);
  expect(felter.map(({ felt }: { felt: string }) => felt)).toEqual(GRANTABLE_FIELDS);
  expect(Date.now() - Date.parse(body.tidspunkt)).toBeLessThan(60_000);
  expect((await ask('alt')).body.kvote).toBeNull();
});

test('also one with several purposes, or without the terms of use, and nobody who is not registered', async () => {
  const two = await ask('to-formal');
  expect(two.body.behandlingsgrunnlag.map(({ id }: { id: string }) => id)).toEqual(['B1', 'B2']);
  const none = await ask('uten-vilkaar');
  const gyldige = validTerms().map(({ version }) => version);
  const nothing = { godtatt: null, gyldige, gyldigTil: null, mangler: 2, dekkerIkke: [] };
  expect([none.status, none.body.bruksvilkaar]).toEqual([200, nothing]);
  expect((await ask('ukjente-vilkaar')).body.bruksvilkaar).toMatchObject({ godtatt: 7, mangler: 2 });
  expect((await ask('ukjent')).status).toBe(403);
  expect((await api.call('GET', '/api/v1/tilgang', { token: null })).status).toBe(401);
});

test('who has accepted the terms before these is told until when they are valid, and what they do not cover', async () => {
  const { godtatt, gyldigTil, mangler, dekkerIkke } = (await ask('forrige-vilkaar')).body.bruksvilkaar;
  expect([godtatt, gyldigTil]).toEqual([1, '2027-02-28']);
  if (mangler !== null) return expect([mangler, dekkerIkke]).toEqual([2, []]);
  const operations = GRANTABLE_OPERATIONS.filter((name) => /irksomhet/.test(name));
  expect(dekkerIkke.toSorted()).toEqual([...operations, 'hovedenhet'].sort());
});

test('operations that lack a field that they answer with are told of', async () => {
  const [{ operasjoner }] = (await ask('faa-felter')).body.behandlingsgrunnlag;
  const missing = Object.fromEntries(
    operasjoner.map((one: { operasjon: string; manglerFelter: string[] }) => [one.operasjon, one.manglerFelter]),
  );
  expect(missing['sokAvtaler']).toContain('bedriftNr');
  expect(Object.values(missing)).toContainEqual([]);
  expect((await api.call('POST', '/api/v1/avtaler/sok', { as: 'faa-felter', body: {} })).status).toBe(403);
});

test('the kinds that a purpose is held to are told, and what each operation does about them is what it does', async () => {
  const everybody = (await ask('alt')).body.behandlingsgrunnlag[0];
  expect(everybody.utvalg).toBeNull();
  expect(new Set(everybody.operasjoner.map(({ medUtvalg }: { medUtvalg: string }) => medUtvalg))).toEqual(
    new Set(['SVARER']),
  );
  const as = 'bare-mentor';
  const [{ utvalg, operasjoner }] = (await ask(as)).body.behandlingsgrunnlag;
  expect(utvalg).toEqual({ tiltakstyper: ['MENTOR'] });
  const told = new Map(
    operasjoner.map((one: { operasjon: string; medUtvalg: string }) => [one.operasjon, one.medUtvalg]),
  );
  const id = '00000000-0000-4000-8000-00000000000a';
  const operations = await publishedOperations(api, {
    ...{
      navn: 'mine',
      avtaleId: id,
      avtaleNr: 7,
      deltakerId: id,
      organisasjonsnummer: '910825518',
      bedriftNr: '910825518',
    },
    ...{ personidenter: ['1'.repeat(11)], felter: ['avtaleId'], per: 'TILTAKSTYPE' },
    query: '{ avtalerForPerson(personnummer: "x") { avtaleId } }',
  });
  for (const { id: operation, method, path, body } of operations.filter((one) => told.has(one.id))) {
    const statusOf = async (query: string): Promise<number> =>
      (await api.call(method, `${path}${query}`, { as, ...(body && { body }) })).status;
    const isRefused = (await statusOf('')) === 403;
    const isFollowed = operation === 'hentEndringer' && (await statusOf('?abonnement=mine')) !== 403;
    const expected = isFollowed ? 'BARE_MED_ABONNEMENT' : 'AVVIST';
    expect([operation, told.get(operation)]).toEqual([operation, isRefused ? expected : 'SVARER']);
  }
});

test('fields are told apart by their use: of late, long ago, never, and not known', async () => {
  await lookedUp(400, { konsument: 'en-annen', operasjon: 'sokAvtaler', felter: ['bedriftNr'] });
  await lookedUp(100, { konsument: 'alt', operasjon: 'hentUtdrag', felter: ['avtaleId', 'startDato'] });
  await lookedUp(3, { konsument: 'alt', operasjon: 'hentUtdrag', felter: ['avtaleId', 'sluttDato'] });
  await lookedUp(2, { konsument: 'alt', operasjon: 'sokAvtaler', felter: ['tiltakstype'], tillatt: false });
  await summarize();
  const { body } = await ask('alt');
  const [{ felter, operasjoner, ubrukteFelter }] = body.behandlingsgrunnlag;
  const use = Object.fromEntries(
    [...felter, ...operasjoner].map((one: { felt?: string; operasjon?: string; bruk: string }) => [
      one.felt ?? one.operasjon,
      one.bruk,
    ]),
  );
  expect(use).toMatchObject({
    avtaleId: 'BRUKT',
    sluttDato: 'BRUKT',
    startDato: 'UBRUKT',
    bedriftNr: 'ALDRI',
    // Refused, which is no use.
    tiltakstype: 'ALDRI',
    hentUtdrag: 'BRUKT',
    sokAvtaler: 'ALDRI',
    // Nobody keeps account of it.
    hentFerskhet: 'UKJENT',
  });
  expect(ubrukteFelter.filter((name: string) => !name.includes('.'))).toEqual(
    GRANTABLE_FIELDS.filter((field) => !['avtaleId', 'sluttDato'].includes(field)),
  );
  const ageDays = (moment: string): number => Math.round((Date.now() - Date.parse(moment)) / 86_400_000);
  expect([ageDays(body.bruk.kjentFra), ageDays(body.bruk.kjentTil), ageDays(body.bruk.sistKalt)]).toEqual([400, 0, 3]);

  await api.owner.query('truncate konsumentbruk, konsumentbruk_tidsrom');
  await api.owner.query(`delete from oppslagslinje where tidspunkt < now() - interval '50 days'`);
  await summarize();
  const [short] = (await ask('alt')).body.behandlingsgrunnlag;
  expect(short.felter.find(({ felt }: { felt: string }) => felt === 'bedriftNr').bruk).toBe('UKJENT');
  expect(short.ubrukteFelter).toEqual([]);
});

test('what look-ups are answered with is in the summary, once it has come to them, and names nobody', async () => {
  const search = { felter: ['avtaleId', 'startDato'], personidenter: ['1'.repeat(11)] };
  expect((await api.call('POST', '/api/v1/avtaler/utdrag', { body: search })).status).toBe(200);
  await summarize();
  expect(await api.owner.query('select * from konsumentbruk')).toEqual([]);
  await api.owner.query(`update oppslagslinje set tidspunkt = tidspunkt - interval '3 minutes'`);
  await api.owner.query('truncate konsumentbruk_tidsrom');
  await summarize();
  const rows = await api.owner.query<Record<string, string>[]>('select * from konsumentbruk order by felt');
  expect(rows.map(({ konsument, operasjon, felt }) => [konsument, operasjon, felt])).toEqual(
    ['', 'avtaleId', 'deltakerFnr', 'startDato'].map((field) => ['alt', 'hentUtdrag', field]),
  );
  expect(Object.keys(rows[0] ?? {})).toEqual([
    ...['konsument', 'behandlingsgrunnlag', 'operasjon', 'felt', 'forst_brukt', 'sist_brukt'],
  ]);
});

test('each line counts once, whoever has them summed up and however often', async () => {
  for (let day = 1; day <= 20; day++)
    await lookedUp(day, { konsument: 'alt', operasjon: 'hentAvtale', felter: ['avtaleId'] });
  await Promise.all([summarize(), summarize(), summarize()]);
  await summarize();
  const [row] = await api.owner.query<{ first: number; last: number }[]>(
    `select extract(day from now() - forst_brukt)::int as first, extract(day from now() - sist_brukt)::int as last
     from konsumentbruk where felt = 'avtaleId'`,
  );
  expect(row).toEqual({ first: 20, last: 1 });
});

test('it needs no grant, and a registry can not grant it', () => {
  const before = readFileSync(api.registry, 'utf8');
  const all = parse(before) as { behandlingsgrunnlag: { operasjoner: unknown }[] }[];
  for (const one of all) for (const purpose of one.behandlingsgrunnlag) purpose.operasjoner = ['hentTilgang'];
  writeFileSync(api.registry, stringify(all));

  expect(() => readKonsumenter(api.registry)).toThrow(
    '0.behandlingsgrunnlag.0.operasjoner: hentTilgang needs no grant',
  );
  writeFileSync(api.registry, before);
});

test('a moment is 90 days of time, whatever the clocks of summer do', () => {
  const known = { from: '2025-01-01T00:00:00Z', now: '2026-04-01T12:00:00Z' };
  expect(useOf('2026-01-01T12:00:00Z', known)).toBe('UBRUKT');
  expect(useOf('2026-01-01T12:00:00.001Z', known)).toBe('BRUKT');
  expect(useOf(null, known)).toBe('ALDRI');
  expect(useOf(null, undefined)).toBe('UKJENT');
});
