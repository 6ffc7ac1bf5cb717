import pg from 'pg';
import { syntheticFnr } from '@tiltak/testing';
import { deltakerId, startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
const [DNR, FNR, NOT_HERE, OTHER] = [syntheticFnr(1, 'DNR'), syntheticFnr(2), syntheticFnr(3), syntheticFnr(4)];
/** Of one person, of whose idents the last bears no avtale. */
const IDENTS = [DNR, FNR, NOT_HERE];
const [PERSON = ''] = IDENTS.map(deltakerId).sort();
const id = (n: number): string => `00000000-0000-4000-8000-00000000000${String(n)}`;

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  const avtaler = [DNR, FNR, OTHER].map((fnr, n) => ({
    avtale_id: id(n + 1),
    deltaker_fnr: fnr,
    start_dato: '2026-01-01',
  }));
  for (const avtale of avtaler) {
    await api.insertAvtale({ ...avtale, avtale_inngaatt: '2026-01-01T00:00:00Z', avtale_status: 'GJENNOMFØRES' });
  }
  // As the ingestor leaves it when the register has said whose the idents are.
  await api.owner.query('update avtale set deltaker_id = $1 where avtale_id <> $2', [PERSON, id(3)]);
  await api.owner.query('insert into personident select unnest($1::uuid[]), $2', [IDENTS.map(deltakerId), PERSON]);
  await api.owner
    .query(`insert into avtale_versjon (avtale_id, deltaker_fnr, deltaker_id, avtale_inngaatt, start_dato, avtale_status,
      feilregistrert, sist_endret, kilde_partisjon, kilde_offset, avtrykk, laert)
    select avtale_id, deltaker_fnr, deltaker_id, avtale_inngaatt, start_dato, avtale_status, false, sist_endret, 0, 0, gen_random_uuid(),
      '2026-01-02' from avtale`);
});
afterAll(() => api.stop());

const post = async (path: string, body: unknown): Promise<Record<string, never>> =>
  (await api.call('POST', `/api/v1/${path}`, { body })).body;
const found = (avtaler: readonly { avtaleId: string; deltakerFnr: string }[]): unknown =>
  avtaler.map(({ avtaleId, deltakerFnr }) => [avtaleId, deltakerFnr]);
const THEIRS = [
  [id(1), DNR],
  [id(2), FNR],
];

test.each([...IDENTS.entries()])(
  'by ident %i of a person all avtaler are found, each with its own ident',
  async (_, ident) => {
    const who = { personidenter: [ident] };
    const then = { gjeldendePer: '2026-02-01T00:00:00Z' };
    const graphql = { query: `{ avtalerForPerson(personnummer: "${ident}") { avtaleId deltakerFnr } }` };
    const { body: before } = await api.call('POST', '/graphql', { body: graphql });
    const answers: { avtaler: { avtaleId: string; deltakerFnr: string }[] }[] = [
      await post('avtaler/sok', who),
      await post('avtaler/sok', { ...who, ...then }),
      await post('avtaler/utdrag', { ...who, felter: ['avtaleId', 'deltakerFnr'] }),
      { avtaler: before.data.avtalerForPerson },
      (await api.call('GET', `/api/v1/deltakere/${deltakerId(ident)}/avtaler`)).body,
    ];
    for (const { avtaler } of answers) expect(found(avtaler)).toEqual(THEIRS);
    const status = {
      personer: [
        { personident: OTHER, antall: 1 },
        { personident: ident, antall: 2 },
      ],
    };
    for (const when of [{}, then]) {
      const request = { personidenter: [OTHER, ident], dato: '2026-02-01', ...when };
      expect(await post('personer/tiltaksstatus', request)).toMatchObject(status);
    }
  },
);

test('a person who is asked for by several idents is told of each avtale once', async () => {
  const { personer } = await post('personer/tiltaksstatus', {
    personer: [{ personidenter: [NOT_HERE, DNR, FNR] }],
    dato: '2026-02-01',
  });
  expect(personer).toMatchObject([{ personident: NOT_HERE, antall: 2 }]);
});

test('both avtaler lead to one participant', async () => {
  const { avtaler } = await post('avtaler/sok', { personidenter: [FNR] });
  const links = (avtaler as unknown as { _links: { deltaker: { href: string } } }[]).map(
    ({ _links: { deltaker } }) => deltaker.href,
  );
  expect(links).toEqual([1, 2].map(() => `/api/v1/deltakere/${PERSON}/avtaler`));
});

test('an auditor finds a person by any ident, and by one that was the person’s for a while', async () => {
  const stranger = deltakerId(syntheticFnr(5));
  await api.owner.query(`insert into personident_foer values ($1, $2, '2026-01-15')`, [deltakerId(FNR), stranger]);
  const db = new pg.Client({ connectionString: api.database.url });
  await db.connect();
  try {
    await db.query('set role datadeling_revisor');
    for (const ident of IDENTS) {
      const { rows } = await db.query<{ ident: string; til: string | null }>(
        'select ident, til::date::text as til from innsynsidenter($1)',
        [deltakerId(ident)],
      );
      expect(new Set(rows.map((row) => `${row.ident} ${String(row.til)}`))).toEqual(
        new Set([...IDENTS.map((one) => `${deltakerId(one)} null`), `${stranger} 2026-01-15`]),
      );
    }
    await expect(db.query('select * from personident')).rejects.toThrow('permission denied');
  } finally {
    await db.end();
  }
});

test('who looks up can not read who has changed idents', async () => {
  const { host, port, database, queryApi } = api.database;
  const db = new pg.Client({ host, port, database, user: queryApi.username, password: queryApi.password });
  await db.connect();
  try {
    for (const table of ['personident', 'registerident', 'personident_foer']) {
      await expect(db.query(`select * from ${table}`)).rejects.toThrow('permission denied');
    }
  } finally {
    await db.end();
  }
});
