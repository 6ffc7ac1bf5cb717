import { startTestIngest, type TestIngest } from '../testing/test-ingest.ts';
import { stallPartition } from './held.queries.ts';

let setup: TestIngest;
beforeAll(async () => {
  setup = await startTestIngest();
});
afterAll(() => setup.stop());

test('a batch that is held is kept as it was fetched last, and keeps its id', async () => {
  await setup.owner.query(`insert into konsum_offset (topic, partisjon, neste_offset, epoke) values ('a', 0, 5, 0)`);
  const place = { topic: 'a', epoch: 0, partition: 0 };
  const read = (): Promise<unknown[]> => setup.owner.query('select id, aarsak, innhold from stanset_partisjon');
  const fetched = { first: 5, last: 6 };
  expect(await stallPartition(setup.owner, place, { ...fetched, reason: 'a', bytes: Buffer.from('damaged') })).toBe(5);
  const [first] = (await read()) as { id: string }[];
  expect(await stallPartition(setup.owner, place, { ...fetched, reason: 'b', bytes: Buffer.from('whole') })).toBe(5);
  expect(await read()).toEqual([{ id: first?.id, aarsak: 'b', innhold: Buffer.from('whole') }]);
});
