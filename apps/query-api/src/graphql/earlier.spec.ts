import { getIntrospectionQuery, buildClientSchema, type IntrospectionQuery } from 'graphql';
import pg from 'pg';
import { syntheticFnr } from '@tiltak/testing';
import { publishedOperations } from '../testing/published-operations.ts';
import { deltakerId, startTestApi, type TestApi, type TestResponse } from '../testing/test-api.ts';

/** A consumer that comes from the service before this one. What that answered is in `tools/e2e/earlier-graphql.spec.ts`. */
let api: TestApi;
const KARI = syntheticFnr(1);
const OLA = syntheticFnr(2);
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const WRONG = id(9);

const plain = {
  deltaker_fnr: KARI,
  bedrift_nr: '910825518',
  tiltakstype: 'MENTOR',
  avtale_status: 'GJENNOMFØRES',
  opprettet_tidspunkt: '2026-01-01T00:00:00Z',
};

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  await api.insertAvtale({ ...plain, avtale_id: id(1), avtale_nr: 1, versjon: 1 });
  await api.insertAvtale({ ...plain, avtale_id: WRONG, avtale_nr: 9, deltaker_fnr: OLA, feilregistrert: true });
});
afterAll(() => api.stop());

const ask = (query: string, variables?: Record<string, unknown>, as = 'gammel'): Promise<TestResponse> =>
  api.call('POST', '/graphql', { as, body: { query, variables } });
const ofPerson = async (ident: string, as = 'gammel'): Promise<unknown> =>
  (await ask(`{ svar: avtalerForPerson(personnummer: "${ident}") { avtaleId avtaleStatus } }`, undefined, as)).body.data
    .svar;

describe('what is wrongly registered', () => {
  const shown = { avtaleId: WRONG, avtaleStatus: 'ANNULLERT' };

  test('is served as annulled, whichever way it is asked for, and audited', async () => {
    await api.forgetAudit();
    const { body } = await ask(`
      fragment f on Avtale { avtaleId avtaleStatus }
      { id: avtale(avtaleId: "${WRONG}") { ...f } nr: avtale(avtaleNr: 9) { ...f }
        person: avtalerForPerson(personnummer: "${OLA}") { ...f }
        bedrift: avtalerForBedrift(organisasjonsnummer: "910825518") { ...f }
        type: avtalerForTiltakstype(tiltakstype: MENTOR) { ...f }
        status: avtalerForStatus(status: ANNULLERT) { ...f } annen: avtalerForStatus(status: GJENNOMFORES) { ...f } }`);
    const other = { avtaleId: id(1), avtaleStatus: 'GJENNOMFORES' };
    const both = [other, shown];
    expect(body).toEqual({
      data: { id: shown, nr: shown, person: [shown], bedrift: both, type: both, status: [shown], annen: [other] },
    });
    const [{ personer }] = await api.owner.query<[{ personer: string[] }]>('select personer from oppslag');
    expect(personer).toContain(deltakerId(OLA));
  });

  test('is served to nobody else, and by no other operation', async () => {
    expect(await ofPerson(OLA, 'alt')).toEqual([]);
    const values = {
      avtaleId: WRONG,
      avtaleNr: 9,
      deltakerId: deltakerId(OLA),
      organisasjonsnummer: '910825518',
      bedriftNr: '910825518',
      personidenter: [OLA],
      felter: ['avtaleId'],
      per: 'tiltakstype',
      navn: 'mine',
    };
    const operations = await publishedOperations(api, values);
    const names = operations.map(({ id: name }) => name);
    expect(names).toEqual(expect.arrayContaining(['sokAvtaler', 'hentUtdrag', 'eksporterAvtaler', 'hentVersjoner']));
    for (const { method, path, body } of operations) {
      const answer = await api.call(method, path, { as: 'gammel', ...(body && { body }) });
      const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
      expect(text).not.toMatch(new RegExp(`"avtaleId":"${WRONG}"|${OLA}(?!","paaTiltak":false)`));
    }
  });

  test('is in no other view that the reader may see', async () => {
    await api.owner.query(`insert into relasjon values ($1, $2, 'samtidige', $3), ($1, $3, 'samtidige', $2)`, [
      deltakerId(OLA),
      id(1),
      WRONG,
    ]);
    await api.owner.query(
      `insert into avtale_versjon (avtale_id, deltaker_fnr, feilregistrert, sist_endret, kilde_partisjon, kilde_offset, avtrykk)
       values ($1, $2, true, now(), 0, 0, gen_random_uuid()), ($1, $2, false, now(), 0, 0, gen_random_uuid())`,
      [WRONG, OLA],
    );
    const { host, port, database, queryApi } = api.database;
    const reader = new pg.Client({ host, port, database, user: queryApi.username, password: queryApi.password });
    await reader.connect();
    const readable = await reader.query<{ relation: string }>(
      `select oid::regclass::text as relation from pg_class where relnamespace = 'public'::regnamespace
         and relkind in ('r', 'v', 'm', 'p') and has_any_column_privilege(oid, 'select') order by 1`,
    );
    const withIt = [];
    for (const { relation } of readable.rows) {
      const { rowCount } = await reader.query(`select from ${relation} r where r::text like $1`, [`%${WRONG}%`]);
      if (rowCount) withIt.push(relation);
    }
    await reader.end();
    // A link from it says no more than that its target, which is to be seen, has been linked to.
    expect(withIt).toEqual(['avtale_gammel_graphql', 'relasjon_synlig']);
    expect(readable.rows.length).toBeGreaterThan(5);
  });

  test('is gone when it is deleted', async () => {
    await api.insertAvtale({ ...plain, avtale_id: id(8), feilregistrert: true, slettet: 'SLETTEMERKET' });
    expect((await ask(`{ avtale(avtaleId: "${id(8)}") { avtaleId } }`)).body).toEqual({ data: { avtale: null } });
  });
});

test.each([
  ['tiltakstype', 'NYTT'],
  ['avtale_status', 'PÅ_VENT'],
  ['stillingstype', 'NY'],
  ['opphav', 'NYTT'],
  // What it could not read without.
  ['tiltakstype', null],
  ['avtale_status', null],
  ['bedrift_nr', null],
  ['opprettet_tidspunkt', null],
])('an avtale with a %s that it did not know (%s) is left out, and those beside it are not', async (column, value) => {
  await api.insertAvtale({ ...plain, avtale_id: id(2), [column]: value });
  for (const feilregistrert of [false, true]) {
    await api.owner.query('update avtale set feilregistrert = $1 where avtale_id = $2', [feilregistrert, id(2)]);
    expect(await ofPerson(KARI)).toEqual([{ avtaleId: id(1), avtaleStatus: 'GJENNOMFORES' }]);
  }
  await api.owner.query('delete from avtale where avtale_id = $1', [id(2)]);
});

test('a number that is missing is 0, and not found by that; a moment is in Oslo, cut to milliseconds', async () => {
  const moments = { mottatt: '2026-03-29T01:00:00.0009Z', sist_endret: '2026-03-29T00:59:59.9999Z' };
  await api.insertAvtale({ ...plain, avtale_id: id(3), deltaker_fnr: syntheticFnr(3), ...moments });
  const { body } = await ask(
    `{ a: avtale(avtaleId: "${id(3)}") { avtaleNr versjon startDato stillingprosent avtaleInngaatt opprettetTidspunkt
       endretTidspunkt endring_mottatt_tidspunkt } b: avtale(avtaleNr: 0) { avtaleId } }`,
  );
  expect(body).toEqual({
    data: {
      a: {
        avtaleNr: 0,
        versjon: 0,
        startDato: null,
        stillingprosent: null,
        avtaleInngaatt: null,
        opprettetTidspunkt: '2026-01-01T01:00:00.000+01:00',
        endretTidspunkt: '2026-03-29T01:59:59.999+01:00',
        endring_mottatt_tidspunkt: '2026-03-29T03:00:00.000+02:00',
      },
      b: null,
    },
  });
});

test('the schema is closed: nothing that is ours only is in it', async () => {
  const { body } = await ask(getIntrospectionQuery());
  const sdl = Object.keys(buildClientSchema(body.data as IntrospectionQuery).getTypeMap());
  expect(sdl.filter((name) => !name.startsWith('__')).sort()).toEqual(
    ['Avtale', 'AvtaleStatus', 'Boolean', 'Date', 'DateTime', 'Float', 'ID', 'Int', 'LocalDateTime', 'Opphav'].concat([
      'Query',
      'Stillingstype',
      'String',
      'Tiltakstype',
    ]),
  );
  expect(JSON.stringify(body)).not.toMatch(/UKJENT|"(fase|annullertUnderveis|endringMottattTidspunkt)"/);
  for (const own of ['fase', 'annullertUnderveis', 'endringMottattTidspunkt']) {
    const query = `query ($nr: Int) { avtale(avtaleNr: $nr) { ${own} } }`;
    const refused = await ask(query, { nr: 1 });
    expect(refused.body.errors).toMatchObject([{ extensions: { classification: 'ValidationError' } }]);
    // Not remembered from the other schema, nor for it.
    expect((await ask(query, { nr: 1 }, 'alt')).body.errors).toBeUndefined();
    expect((await ask(query, { nr: 1 })).body).not.toHaveProperty('data');
  }
});

test('all idents that a person has had are asked for at once, with a dozen fields each', async () => {
  const idents = Array.from({ length: 50 }, (_, n) => (n === 7 ? KARI : syntheticFnr(n + 10)));
  const fields = `avtaleId avtaleNr bedriftNr deltakerFnr tiltakstype avtaleStatus startDato sluttDato stillingprosent
    antallDagerPerUke opprettetTidspunkt endretTidspunkt`;
  const roots = idents.map((_, n) => `p${String(n)}: avtalerForPerson(personnummer: $p${String(n)}) { ${fields} }`);
  const query = `query (${idents.map((_, n) => `$p${String(n)}: String!`).join(' ')}) { ${roots.join(' ')} }`;
  const variables = Object.fromEntries(idents.map((ident, n) => [`p${String(n)}`, ident]));
  const { body } = await ask(query, variables);
  expect(Object.keys(body)).toEqual(['data']);
  expect(Object.entries(body.data).filter(([, found]) => (found as unknown[]).length > 0)).toMatchObject([
    ['p7', [{ avtaleId: id(1), deltakerFnr: KARI }]],
  ]);
});
