import { AVTALE_FIELDS, AVTALESTATUSER, OPPHAV, STILLINGSTYPER, TILTAKSTYPER } from '@tiltak/avtale';
import { syntheticFnr } from '@tiltak/testing';
import fc from 'fast-check';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

/** For the same avtaler, GraphQL answers with what REST answers with, whatever is asked for. */
let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
});
afterAll(() => api.stop());

const PERSONER = [1, 2, 3].map((nr) => syntheticFnr(nr));
const BEDRIFTER = ['910825518', '910712330'];

const moment = fc
  .tuple(fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }), fc.nat(999))
  .map(([date, micro]) => date.toISOString().replace('Z', `${String(micro).padStart(3, '0')}Z`));
const date = moment.map((text) => text.slice(0, 10));
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null });
const code = (values: readonly string[]): fc.Arbitrary<string | null> =>
  optional(fc.constantFrom(...values, 'PÅBEGYNT', 'NY_VERDI'));

const avtale = fc.record({
  avtale_id: fc.uuid(),
  avtale_nr: optional(fc.nat(2_147_483_647)),
  deltaker_fnr: optional(fc.constantFrom(...PERSONER)),
  bedrift_nr: optional(fc.constantFrom(...BEDRIFTER)),
  veileder_nav_ident: optional(fc.constant('Z990001')),
  tiltakstype: code(TILTAKSTYPER),
  versjon: optional(fc.nat(100)),
  avtale_status: code(AVTALESTATUSER),
  avtale_inngaatt: optional(moment),
  start_dato: optional(date),
  slutt_dato: optional(date),
  stillingprosent: optional(fc.double({ min: 0, max: 100, noNaN: true })),
  antall_dager_per_uke: optional(fc.constantFrom(1, 2.5, 5)),
  stillingstype: code(STILLINGSTYPER),
  godkjent_av_deltaker: optional(moment),
  godkjent_av_arbeidsgiver: optional(moment),
  godkjent_av_veileder: optional(moment),
  godkjent_av_beslutter: optional(moment),
  godkjent_av_nav_ident: optional(fc.constant('Z990002')),
  godkjent_av_beslutter_nav_ident: optional(fc.constant('Z990003')),
  godkjent_paa_vegne_av_arbeidsgiver: optional(fc.boolean()),
  opphav: code(OPPHAV),
  godkjent_paa_vegne_av: optional(fc.boolean()),
  opprettet_tidspunkt: optional(moment),
  sist_endret: moment,
});

/** Those that both have, by their names in GraphQL. */
const COMMON = new Map<string, string>([
  ...AVTALE_FIELDS.filter(
    (field) => !['bedriftNavn', 'annullertTidspunkt', 'feilregistrert', 'sistEndret'].includes(field),
  ).map((field) => [field, field] as const),
  ['endretTidspunkt', 'sistEndret'],
]);

const questions = fc.oneof(
  fc
    .constantFrom(...PERSONER)
    .map((ident) => [`avtalerForPerson(personnummer: "${ident}")`, { personidenter: [ident] }] as const),
  fc
    .constantFrom(...BEDRIFTER)
    .map((nr) => [`avtalerForBedrift(organisasjonsnummer: "${nr}")`, { bedriftsnumre: [nr] }] as const),
  fc
    .constantFrom(...TILTAKSTYPER)
    .map((type) => [`avtalerForTiltakstype(tiltakstype: ${type})`, { tiltakstyper: [type] }] as const),
  fc
    .constantFrom(...AVTALESTATUSER)
    .map((status) => [`avtalerForStatus(status: ${status})`, { statuser: [status] }] as const),
);

test('GraphQL equals REST', async () => {
  const data = fc.uniqueArray(avtale, { minLength: 1, maxLength: 8, selector: (row) => row.avtale_id });
  const asked = fc.array(fc.tuple(questions, fc.subarray([...COMMON.keys()], { minLength: 1 })), {
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(data, asked, async (rows, all) => {
      await api.owner.query('truncate avtale');
      for (const row of rows) await api.insertAvtale(row);
      const query = all.map(([[field], chosen], i) => `s${String(i)}: ${field} { ${chosen.join(' ')} }`).join(' ');
      const graphql = await api.call('POST', '/graphql', { body: { query: `{ ${query} }` } });
      expect(graphql.body.errors).toBeUndefined();
      for (const [i, [[, filter], chosen]] of all.entries()) {
        const rest = await api.call('POST', '/api/v1/avtaler/sok', { body: filter });
        const expected = (rest.body.avtaler as Record<string, unknown>[]).map((json) =>
          Object.fromEntries(chosen.map((name) => [name, json[COMMON.get(name) ?? ''] ?? null])),
        );
        expect(graphql.body.data[`s${String(i)}`]).toEqual(expected);
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);

describe('whatever is sent', () => {
  const [ident = ''] = PERSONER;
  const response = async (query: string, variables?: unknown): Promise<void> => {
    const { status, body } = await api.call('POST', '/graphql', { body: { query, variables } });
    // 403: what is left of the document asks for no field of an avtale.
    expect([200, 400, 403]).toContain(status);
    const codes = (body.errors ?? []).map(({ extensions }: { extensions: { code: string } }) => extensions.code);
    expect(codes.filter((code: string) => !['ugyldig-foresporsel', 'ikke-tilgang'].includes(code))).toEqual([]);
    expect(JSON.stringify(body.errors ?? body)).not.toContain(ident);
  };

  test('as a document is answered, or told wrong without its values', async () => {
    const document = `query A($a: Boolean = true) { x: avtalerForPerson(personnummer: "${ident}") { startDato ...f @skip(if: $a) }
      avtale(avtaleNr: 7) { versjon } } fragment f on Avtale { __typename }`;
    const pieces = fc.constantFrom(
      `"${ident}"`,
      ident,
      'Kari',
      '{',
      '}',
      '(',
      ')',
      '$a',
      '...f',
      '@skip',
      ':',
      '"',
      '',
    );
    const change = fc.tuple(fc.nat(document.length), fc.nat(12), pieces);
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) =>
        response(
          changes.reduce((text, [from, count, bit]) => text.slice(0, from) + bit + text.slice(from + count), document),
        ),
      ),
      { numRuns: 300 },
    );
  });

  test('as the value of a variable too', async () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(Number(ident), [ident], { fnr: ident }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('String', 'String!', 'ID', 'Int', 'AvtaleStatus', 'Boolean!'),
        value,
        (type, v) => response(`query ($v: ${type}) { ${FIELD_WITH[type] ?? ''} }`, { v }),
      ),
      { numRuns: 200 },
    );
  });

  const FIELD_WITH: Record<string, string> = {
    String: 'avtalerForPerson(personnummer: $v) { startDato }',
    'String!': 'avtalerForBedrift(organisasjonsnummer: $v) { startDato }',
    ID: 'avtale(avtaleId: $v) { startDato }',
    Int: 'avtale(avtaleNr: $v) { startDato }',
    AvtaleStatus: 'avtalerForStatus(status: $v) { startDato }',
    'Boolean!': '__typename @include(if: $v)',
  };
});
