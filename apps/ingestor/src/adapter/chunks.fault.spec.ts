import { randomUUID } from 'node:crypto';
import { createTestTopic, syntheticOrgnr, type TestTopic } from '@tiltak/testing';
import { CONTRACT, startTestAdapter, type TestAdapter } from '../testing/test-adapter.ts';
import { RESOURCES } from './pushed/resources.ts';

/** More than a full sync deletes at a time, and not a whole number of times as many. */
const COUNT = 11_000;
const PAGE = 5_500;
const KEPT = 7;
let api: TestAdapter;
let topic: TestTopic;

beforeAll(async () => {
  topic = await createTestTopic({ partitions: 2 });
  api = await startTestAdapter({ VIRKSOMHET_TOPIC: topic.topic });
  await api.send('PUT', 'kontrakt', { ...CONTRACT, ressurser: RESOURCES });
}, 120_000);
afterAll(async () => {
  await api.stop();
  await topic.remove();
});

const KINDS = [
  { resource: 'avtaler', newId: () => randomUUID(), table: 'avtale', key: 'avtale_id' },
  { resource: 'virksomheter', newId: syntheticOrgnr, table: 'virksomhet', key: 'organisasjonsnummer' },
];

test('each resource that is pushed is tried', () => {
  expect(KINDS.map(({ resource }) => resource).sort()).toEqual([...RESOURCES].sort());
});

test.each(KINDS)(
  'a full sync of $resource deletes all that it did not hold, in several goes',
  async ({ resource, newId, table, key }) => {
    const ids = Array.from({ length: COUNT }, (_, n) => newId(n));
    const first = randomUUID();
    for (const [index, from] of [0, PAGE].entries()) {
      const page = ids.slice(from, from + PAGE).map((id) => ({ id }));
      const header = { synkId: first, side: index + 1, antallSider: 2, antallTotalt: COUNT };
      expect((await api.sendPage('POST', header, page, resource)).status).toBe(201);
    }
    await api.waitFor(first, 'FULLFOERT', resource);
    const kept = ids.filter((_, n) => n % Math.ceil(COUNT / KEPT) === 0);
    const second = randomUUID();
    await api.sendPage(
      'POST',
      { synkId: second },
      kept.map((id) => ({ id })),
      resource,
    );
    await api.waitFor(second, 'VENTER_PAA_BEKREFTELSE', resource);
    await api.send('POST', `synk/${second}/bekreft`);
    await api.waitFor(second, 'FULLFOERT', resource);
    const rows = await api.owner.query<{ id: string }[]>(
      `select ${key}::text as id from ${table} where slettet is null`,
    );
    expect(rows.map(({ id }) => id).sort()).toEqual(kept.sort());
    const [{ n } = { n: 0 }] = await api.owner.query<{ n: number }[]>(`select count(*)::int as n from ${table}`);
    expect(n).toBe(COUNT);
  },
  240_000,
);
