import { syntheticFnr } from '@tiltak/testing';
import { publishedOperations, type PublishedOperation } from '../testing/published-operations.ts';
import { deltakerId, startTestApi, type TestApi, type TestResponse } from '../testing/test-api.ts';

let api: TestApi;
let operations: PublishedOperation[];
const KARI = syntheticFnr(1);
const OLA = syntheticFnr(2);
const AVTALE = '00000000-0000-4000-8000-000000000001';
const BEDRIFT = '910825518';

/** Not in the document, since only clients of the service before this one should use it. */
const GRAPHQL: PublishedOperation = {
  id: 'graphql',
  method: 'POST',
  path: '/graphql',
  body: { query: `{ avtalerForPerson(personnummer: "${KARI}") { avtaleId deltakerFnr } }` },
};

/** Tells of no avtale. */
const NOT_AUDITED = ['hentFerskhet', 'hentDekning', 'hentTilgang'];

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  await api.insertAvtale({ avtale_id: AVTALE, avtale_nr: 1, deltaker_fnr: KARI, bedrift_nr: BEDRIFT });
  await api.owner.query(`insert into avtale_versjon (avtale_id, deltaker_fnr, deltaker_id, feilregistrert, sist_endret,
      kilde_partisjon, kilde_offset, avtrykk, laert)
    select avtale_id, deltaker_fnr, deltaker_id, false, now(), 0, 0, gen_random_uuid(), now() from avtale`);
  await api.insertChange(AVTALE);
  await api.owner.query(
    `insert into virksomhet (organisasjonsnummer, sist_endret, kilde_epoke, kilde_partisjon, kilde_offset) values ($1, now(), 0, 0, 0)`,
    [BEDRIFT],
  );
  const published = await publishedOperations(api, {
    avtaleId: AVTALE,
    avtaleNr: 1,
    bedriftNr: BEDRIFT,
    organisasjonsnummer: BEDRIFT,
    deltakerId: deltakerId(KARI),
    personidenter: [KARI],
    felter: ['avtaleId', 'deltakerFnr'],
    per: 'BEDRIFT',
    navn: 'mine',
  });
  const isLast = ({ id }: PublishedOperation): boolean => id === 'slettAbonnement';
  operations = [...published.filter((one) => !isLast(one)), GRAPHQL, ...published.filter(isLast)];
});
afterAll(() => api.stop());
beforeEach(() => api.forgetAudit());

const send = ({ method, path, body }: PublishedOperation, as = 'alt'): Promise<TestResponse> =>
  api.call(method, path, { as, ...(body && { body }) });
const log = (): Promise<Record<string, unknown>[]> => api.owner.query('select * from oppslag order by id');

/** While the app may not insert into the audit. */
async function withoutAudit(run: () => Promise<void>): Promise<void> {
  await api.owner.query('revoke insert on oppslagslinje from datadeling_leser');
  try {
    await run();
  } finally {
    await api.refusalsWritten();
    await api.owner.query('grant insert on oppslagslinje to datadeling_leser');
  }
}

describe('every operation', () => {
  test('is audited once when it is answered', async () => {
    expect(operations.length).toBeGreaterThanOrEqual(12);
    for (const operation of operations) {
      await api.forgetAudit();
      const done = operation.id === 'slettAbonnement' ? 204 : 200;
      expect([operation.id, (await send(operation)).status]).toEqual([operation.id, done]);
      const audited = NOT_AUDITED.includes(operation.id) ? [] : [{ operasjon: operation.id, tillatt: true }];
      expect([operation.id, await log()]).toMatchObject([operation.id, audited]);
    }
  });

  test('is audited once when it is not granted', async () => {
    for (const operation of operations.filter(({ id }) => !['hentTiltaksstatus', 'hentTilgang'].includes(id))) {
      await api.forgetAudit();
      expect([operation.id, (await send(operation, 'smal')).status]).toEqual([operation.id, 403]);
      expect(await api.audit(1)).toMatchObject([{ konsument: 'smal', operasjon: operation.id, tillatt: false }]);
    }
  });

  test('answers 503, and tells nothing, when it can not be audited', async () => {
    await withoutAudit(async () => {
      for (const operation of operations) {
        const { status, headers, body } = await send(operation);
        const expected = NOT_AUDITED.includes(operation.id) ? [200, null] : [503, '2'];
        expect([operation.id, status, headers.get('retry-after')]).toEqual([operation.id, ...expected]);
        expect(JSON.stringify(body)).not.toMatch(new RegExp(`${AVTALE}|${KARI}|"antall"|"posisjon"`));
      }
    });
    expect(await log()).toEqual([]);
  });
});

describe('fields outside the grant', () => {
  test.each([
    ['alone', {}],
    ['with a cursor that can not be used', { neste: 'tull' }],
  ])('hentUtdrag %s: refused, and audited with the persons that were named', async (_, more) => {
    const response = await api.call('POST', '/api/v1/avtaler/utdrag', {
      as: 'faa-felter',
      body: { felter: ['avtaleId', 'deltakerFnr'], personidenter: [KARI, OLA], ...more },
    });
    expect([response.status, response.body.detail]).toEqual([
      403,
      expect.stringMatching(/not granted for behandlingsgrunnlag B0: deltakerFnr$/),
    ]);
    const [row, ...others] = await api.audit(1);
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      konsument: 'faa-felter',
      operasjon: 'hentUtdrag',
      tillatt: false,
      antall_treff: null,
    });
    expect(new Set(row?.['personer'] as string[])).toEqual(new Set([KARI, OLA].map(deltakerId)));
  });

  test('hentStatistikk: refused and audited; it names nobody', async () => {
    const response = await api.call('GET', '/api/v1/statistikk?per=BEDRIFT', { as: 'faa-felter' });
    expect(response.status).toBe(403);
    expect(await api.audit(1)).toMatchObject([
      { konsument: 'faa-felter', operasjon: 'hentStatistikk', tillatt: false, antall_treff: null, personer: [] },
    ]);
  });

  test('a refusal stands, also when it can not be audited', async () => {
    await withoutAudit(async () => {
      const response = await api.call('GET', '/api/v1/statistikk?per=BEDRIFT', { as: 'faa-felter' });
      expect(response.status).toBe(403);
    });
    expect(await api.audit(0)).toEqual([]);
  });
});

test('a page is audited with those on it, and not with the one more that was read', async () => {
  await api.insertAvtale({ avtale_id: AVTALE.replace(/1$/, '2'), deltaker_fnr: OLA });
  const { body } = await api.call('POST', '/api/v1/avtaler/sok', { body: { antall: 1 } });
  expect(body).toMatchObject({ avtaler: [{ avtaleId: AVTALE }], neste: expect.any(String) });
  expect(await log()).toMatchObject([{ antall_treff: 1, personer: [deltakerId(KARI)] }]);
});

test('exports that can not be audited give their connections back', async () => {
  await withoutAudit(async () => {
    // As many as there are connections, and one: without one it would be told to wait for longer.
    for (let i = 0; i < 3; i++) {
      const { status, headers } = await api.call('GET', '/api/v1/eksport');
      expect([status, headers.get('retry-after')]).toEqual([503, '2']);
    }
  });
});
