import { AVTALEFELTER, AVTALESTATUSER, OPPHAV, STILLINGSTYPER, TILTAKSTYPER } from '@tiltak/avtale';
import { syntetiskFnr } from '@tiltak/testing';
import fc from 'fast-check';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

/** For the same avtaler, GraphQL answers with what REST answers with, whatever is asked for. */
let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await api.settFerskhet(new Date());
});
afterAll(() => api.stopp());

const PERSONER = [1, 2, 3].map((nummer) => syntetiskFnr(nummer));
const BEDRIFTER = ['910825518', '910712330'];

const tidspunkt = fc
  .tuple(fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }), fc.nat(999))
  .map(([dato, mikro]) => dato.toISOString().replace('Z', `${String(mikro).padStart(3, '0')}Z`));
const dato = tidspunkt.map((tekst) => tekst.slice(0, 10));
const valgfri = <T>(verdi: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(verdi, { nil: null });
const kode = (verdier: readonly string[]): fc.Arbitrary<string | null> =>
  valgfri(fc.constantFrom(...verdier, 'PÅBEGYNT', 'NY_VERDI'));

const avtale = fc.record({
  avtale_id: fc.uuid(),
  avtale_nr: valgfri(fc.nat(2_147_483_647)),
  deltaker_fnr: valgfri(fc.constantFrom(...PERSONER)),
  bedrift_nr: valgfri(fc.constantFrom(...BEDRIFTER)),
  veileder_nav_ident: valgfri(fc.constant('Z990001')),
  tiltakstype: kode(TILTAKSTYPER),
  versjon: valgfri(fc.nat(100)),
  avtale_status: kode(AVTALESTATUSER),
  avtale_inngaatt: valgfri(tidspunkt),
  start_dato: valgfri(dato),
  slutt_dato: valgfri(dato),
  stillingprosent: valgfri(fc.double({ min: 0, max: 100, noNaN: true })),
  antall_dager_per_uke: valgfri(fc.constantFrom(1, 2.5, 5)),
  stillingstype: kode(STILLINGSTYPER),
  godkjent_av_deltaker: valgfri(tidspunkt),
  godkjent_av_arbeidsgiver: valgfri(tidspunkt),
  godkjent_av_veileder: valgfri(tidspunkt),
  godkjent_av_beslutter: valgfri(tidspunkt),
  godkjent_av_nav_ident: valgfri(fc.constant('Z990002')),
  godkjent_av_beslutter_nav_ident: valgfri(fc.constant('Z990003')),
  godkjent_paa_vegne_av_arbeidsgiver: valgfri(fc.boolean()),
  opphav: kode(OPPHAV),
  godkjent_paa_vegne_av: valgfri(fc.boolean()),
  opprettet_tidspunkt: valgfri(tidspunkt),
  sist_endret: tidspunkt,
});

/** Those that both have, by their names in GraphQL. */
const FELLES = new Map<string, string>([
  ...AVTALEFELTER.filter(
    (felt) => !['bedriftNavn', 'annullertTidspunkt', 'feilregistrert', 'sistEndret'].includes(felt),
  ).map((felt) => [felt, felt] as const),
  ['endretTidspunkt', 'sistEndret'],
]);

const spoersmaal = fc.oneof(
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
  const data = fc.uniqueArray(avtale, { minLength: 1, maxLength: 8, selector: (rad) => rad.avtale_id });
  const spurt = fc.array(fc.tuple(spoersmaal, fc.subarray([...FELLES.keys()], { minLength: 1 })), {
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(data, spurt, async (rader, alle) => {
      await api.eier.query('truncate avtale');
      for (const rad of rader) await api.lagre(rad);
      const query = alle.map(([[felt], valgte], i) => `s${String(i)}: ${felt} { ${valgte.join(' ')} }`).join(' ');
      const graphql = await api.kall('POST', '/graphql', { body: { query: `{ ${query} }` } });
      expect(graphql.body.errors).toBeUndefined();
      for (const [i, [[, filter], valgte]] of alle.entries()) {
        const rest = await api.kall('POST', '/api/v1/avtaler/sok', { body: filter });
        const ventet = (rest.body.avtaler as Record<string, unknown>[]).map((json) =>
          Object.fromEntries(valgte.map((navn) => [navn, json[FELLES.get(navn) ?? ''] ?? null])),
        );
        expect(graphql.body.data[`s${String(i)}`]).toEqual(ventet);
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);

describe('whatever is sent', () => {
  const [ident = ''] = PERSONER;
  const svar = async (query: string, variables?: unknown): Promise<void> => {
    const { status, body } = await api.kall('POST', '/graphql', { body: { query, variables } });
    expect([200, 400]).toContain(status);
    const koder = (body.errors ?? []).map(({ extensions }: { extensions: { code: string } }) => extensions.code);
    expect(koder.filter((kode: string) => kode !== 'ugyldig-foresporsel')).toEqual([]);
    expect(JSON.stringify(body.errors ?? body)).not.toContain(ident);
  };

  test('as a document is answered, or told wrong without its values', async () => {
    const dokument = `query A($a: Boolean = true) { x: avtalerForPerson(personnummer: "${ident}") { startDato ...f @skip(if: $a) }
      avtale(avtaleNr: 7) { versjon } } fragment f on Avtale { __typename }`;
    const biter = fc.constantFrom(`"${ident}"`, ident, 'Kari', '{', '}', '(', ')', '$a', '...f', '@skip', ':', '"', '');
    const endring = fc.tuple(fc.nat(dokument.length), fc.nat(12), biter);
    await fc.assert(
      fc.asyncProperty(fc.array(endring, { minLength: 1, maxLength: 3 }), (endringer) =>
        svar(
          endringer.reduce(
            (tekst, [fra, antall, bit]) => tekst.slice(0, fra) + bit + tekst.slice(fra + antall),
            dokument,
          ),
        ),
      ),
      { numRuns: 300 },
    );
  });

  test('as the value of a variable too', async () => {
    const verdi = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(Number(ident), [ident], { fnr: ident }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('String', 'String!', 'ID', 'Int', 'AvtaleStatus', 'Boolean!'),
        verdi,
        (type, v) => svar(`query ($v: ${type}) { ${FELT_MED[type] ?? ''} }`, { v }),
      ),
      { numRuns: 200 },
    );
  });

  const FELT_MED: Record<string, string> = {
    String: 'avtalerForPerson(personnummer: $v) { startDato }',
    'String!': 'avtalerForBedrift(organisasjonsnummer: $v) { startDato }',
    ID: 'avtale(avtaleId: $v) { startDato }',
    Int: 'avtale(avtaleNr: $v) { startDato }',
    AvtaleStatus: 'avtalerForStatus(status: $v) { startDato }',
    'Boolean!': '__typename @include(if: $v)',
  };
});
