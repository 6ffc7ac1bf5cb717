import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { GRANTABLE_FIELDS, STORED_FIELDS, type AvtaleField } from '@tiltak/avtale';
import { deltakerId, startTestApi, type TestApi } from '../testing/test-api.ts';

/**
 * A grant is for fields, and whatever tells of a field outside it is refused: with a grant for all fields but one, each
 * request that reads the one is 403 and audited, and is answered alike in two databases that differ in all its values.
 */
const KARI = '1'.repeat(11);
const AVTALE = '00000000-0000-4000-8000-000000000001';

const konsumentWithout = (field: AvtaleField): string => `uten-${field.toLowerCase()}`;
const directory = mkdtempSync(join(tmpdir(), 'minimering-'));
const registry = join(directory, 'konsumenter.yaml');
writeFileSync(
  registry,
  stringify([
    ...GRANTABLE_FIELDS.map((field) => ({
      navn: konsumentWithout(field),
      azp: konsumentWithout(field),
      bruksvilkaar: 2,
      behandlingsgrunnlag: [
        {
          ...{ id: 'B', lenke: 'https://behandlingskatalog.example.no/B', operasjoner: 'alle' },
          felter: GRANTABLE_FIELDS.filter((other) => other !== field),
        },
      ],
    })),
    {
      ...{ navn: 'alt', azp: 'alt', bruksvilkaar: 2 },
      behandlingsgrunnlag: [
        { id: 'B', lenke: 'https://behandlingskatalog.example.no/B', operasjoner: 'alle', felter: 'alle' },
      ],
    },
  ]),
);

let apis: [TestApi, TestApi];
beforeAll(async () => {
  apis = [await startTestApi({ KONSUMENTER_FIL: registry }), await startTestApi({ KONSUMENTER_FIL: registry })];
  for (const api of apis) await api.setFreshness(new Date('2026-01-01T00:00:00Z'));
  // In the first there is what is searched for, in the second nothing is as it is there.
  await apis[0].insertAvtale({
    ...{ avtale_id: AVTALE, avtale_nr: 1, deltaker_fnr: KARI, bedrift_nr: '910825518', tiltakstype: 'MENTOR' },
    ...{ avtale_status: 'GJENNOMFØRES', start_dato: '2026-01-01', slutt_dato: '2026-12-31' },
    ...{ avtale_inngaatt: '2025-12-01T00:00:00Z' },
  });
}, 120_000);
afterAll(async () => {
  for (const api of apis) await api.stop();
  rmSync(directory, { recursive: true });
});

interface Request {
  method: string;
  path: string;
  body?: unknown;
  /** the fields that it tells of */
  reads: AvtaleField[];
  /** it asks for no field at all */
  empty?: boolean;
  names: string[];
}

/** Every filter of the searches, with a value and the fields that it reads: said a second time here, on purpose. */
const FILTERS: Record<string, [unknown, ...AvtaleField[]]> = {
  personidenter: [[KARI], 'deltakerFnr'],
  bedriftsnumre: [['910825518'], 'bedriftNr'],
  hovedenhet: ['910712217', 'hovedenhet'],
  avtaleIder: [[AVTALE], 'avtaleId'],
  tiltakstyper: [['MENTOR'], 'tiltakstype'],
  statuser: [['GJENNOMFORES'], 'avtaleStatus'],
  faser: [['PAAGAAR'], 'fase'],
  faseDato: ['2026-01-15', 'fase'],
  periode: [{ fra: '2026-01-01', til: '2026-01-31' }, 'startDato', 'sluttDato'],
  endretEtter: ['2020-01-01T00:00:00Z', 'sistEndret'],
  gjeldendePer: ['2026-01-01T00:00:00Z', 'sistEndret'],
};
const filters = fc.subarray(Object.keys(FILTERS)).map((names) => ({
  body: Object.fromEntries(names.map((name) => [name, FILTERS[name]?.[0]])),
  reads: names.flatMap((name) => (FILTERS[name]?.slice(1) ?? []) as AvtaleField[]),
  names: names.includes('personidenter') ? [KARI] : [],
}));
const fields = fc.subarray([...GRANTABLE_FIELDS], { minLength: 1, maxLength: 4 });

const extract = fc.tuple(fields, filters, fc.boolean()).map(([chosen, { body, reads, names }, cursor]) => ({
  ...{ method: 'POST', path: '/api/v1/avtaler/utdrag', names },
  body: { felter: chosen, ...body, ...(cursor && { neste: 'x' }) },
  reads: [...chosen, ...reads, 'avtaleId'],
}));
const search = filters.map(({ body, names, reads }) => ({
  ...{ method: 'POST', path: '/api/v1/avtaler/sok', body, names },
  // Phases are left out for who may not see them.
  reads: [...STORED_FIELDS, ...reads],
}));
/** Whom it is about, when and of which kinds is the key of the operation. */
const status = fc.tuple(fc.boolean(), fc.subarray([...GRANTABLE_FIELDS, '_links'])).map(([then, chosen]) => ({
  ...{ method: 'POST', path: '/api/v1/personer/tiltaksstatus', names: [KARI] },
  body: {
    ...{ personer: [{ personidenter: [KARI] }], tiltakstyper: ['MENTOR'] },
    ...(then ? { gjeldendePer: FILTERS['gjeldendePer']?.[0] } : { periode: { fra: '2026-01-15' } }),
    ...(chosen.length > 0 && { felter: chosen }),
  },
  reads: [
    ...['tiltakstype', 'avtaleStatus', 'startDato', 'sluttDato'],
    ...chosen.flatMap((field) => (field === '_links' ? ['avtaleId', 'bedriftNr'] : field)),
  ],
}));
const whole = fc
  .constantFrom(
    `avtaler/${AVTALE}`,
    'avtaler/nummer/1',
    `avtaler/${AVTALE}/versjoner`,
    'bedrifter/910825518/avtaler',
    `deltakere/${deltakerId(KARI)}/avtaler`,
    'eksport',
  )
  .map((path) => ({ method: 'GET', path: `/api/v1/${path}`, reads: [...STORED_FIELDS], names: [] }));
/** As an extract, of everything: what is left out needs no grant. */
const someExported = fields.map((chosen) => ({
  ...{ method: 'GET', path: `/api/v1/eksport?felter=${chosen.join(',')}`, names: [] },
  reads: [...chosen],
}));
const feed = fc.constant({ method: 'GET', path: '/api/v1/endringer', reads: ['avtaleId'], names: [] });
const statistics = fc
  .constantFrom(
    ['TILTAKSTYPE', 'tiltakstype'],
    ['STATUS', 'avtaleStatus'],
    ['BEDRIFT', 'bedriftNr'],
    ['MAANED', 'startDato'],
    ['FASE', 'fase'],
  )
  .map(([per, field]) => ({ method: 'GET', path: `/api/v1/statistikk?per=${String(per)}`, reads: [field], names: [] }));
const roots = fc.constantFrom(
  [`avtalerForPerson(personnummer: "${KARI}")`, 'deltakerFnr'],
  ['avtalerForBedrift(organisasjonsnummer: "910825518")', 'bedriftNr'],
  ['avtalerForTiltakstype(tiltakstype: MENTOR)', 'tiltakstype'],
  ['avtalerForStatus(status: GJENNOMFORES)', 'avtaleStatus'],
  ['avtale(avtaleNr: 1)', 'avtaleNr'],
  [`avtale(avtaleId: "${AVTALE}")`, 'avtaleId'],
);
const SELECTABLE = ['avtaleId', 'deltakerFnr', 'bedriftNr', 'tiltakstype', 'startDato', 'stillingprosent', 'opphav'];
const graphql = fc.tuple(roots, fc.subarray(SELECTABLE)).map(([[root = '', argument = ''], selected]) => ({
  ...{ method: 'POST', path: '/graphql', names: root.includes(KARI) ? [KARI] : [] },
  body: { query: `{ ${root} { __typename ${selected.join(' ')} } }` },
  reads: [argument, ...selected],
  empty: selected.length === 0,
}));
const request = fc.oneof(
  extract,
  search,
  status,
  whole,
  someExported,
  feed,
  statistics,
  graphql,
) as fc.Arbitrary<Request>;

test('whatever reads a field outside the grant is refused and audited, and its answer tells nothing of the field', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...GRANTABLE_FIELDS),
      request,
      async (field, { reads, empty, names, ...asked }) => {
        const answers = [];
        for (const api of apis) {
          await api.forgetAudit();
          const { status, headers, body } = await api.call(asked.method, asked.path, {
            ...{ as: konsumentWithout(field), body: asked.body, headers: { 'nav-call-id': 'kall' } },
          });
          const refused = reads.includes(field) || empty === true;
          expect([asked, field, status === 403]).toEqual([asked, field, refused]);
          if (!refused) return;
          const { date: _, ...compared } = Object.fromEntries(headers);
          answers.push({ status, compared, body });
          expect(await api.audit(1)).toMatchObject([{ tillatt: false, konsument: konsumentWithout(field) }]);
          const [row] = await api.audit(1);
          for (const name of names) expect(row?.['personer']).toContain(deltakerId(name));
        }
        expect(answers[1]).toEqual(answers[0]);
      },
    ),
    { numRuns: 80 },
  );
}, 120_000);

test('what was searched by and paged by stands in the audit as used', async () => {
  const [api] = apis;
  for (const [name, [value, ...read]] of Object.entries(FILTERS)) {
    await api.forgetAudit();
    const body = { felter: ['opphav'], [name]: value };
    expect((await api.call('POST', '/api/v1/avtaler/utdrag', { body })).status).toBe(200);
    const [row] = await api.audit(1);
    expect([name, new Set(row?.['felter'] as string[])]).toEqual([name, new Set(['opphav', 'avtaleId', ...read])]);
  }
});

test('a cursor is of use only to the consumer that got it, and in the same operation', async () => {
  const [api] = apis;
  await api.insertAvtale({ avtale_id: AVTALE.replace(/1$/, '2'), bedrift_nr: '910825518' });
  const ask = async (path: string, as: string, body?: Record<string, unknown>): Promise<number> =>
    (await api.call(body ? 'POST' : 'GET', path, { as, ...(body && { body }) })).status;
  const search = { bedriftsnumre: ['910825518'], antall: 1 };
  const { body } = await api.call('POST', '/api/v1/avtaler/utdrag', { body: { felter: ['avtaleId'], ...search } });
  const again = { felter: ['avtaleId'], ...search, neste: body.neste };
  expect(await ask('/api/v1/avtaler/utdrag', 'alt', again)).toBe(200);
  expect(await ask('/api/v1/avtaler/utdrag', konsumentWithout('opphav'), again)).toBe(400);
  const whole = await api.call('POST', '/api/v1/avtaler/sok', { body: search });
  expect(await ask(`/api/v1/bedrifter/910825518/avtaler?antall=1&neste=${String(whole.body.neste)}`, 'alt')).toBe(400);
});
