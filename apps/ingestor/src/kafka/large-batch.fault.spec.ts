import { startJavaProducer, waitUntil, type JavaProducer } from '@tiltak/testing';
import { startTestAdapter, type TestAdapter } from '../testing/test-adapter.ts';

/** A batch with more records than an array can be spread into a call: nothing of the stream's way may do so. */
let setup: TestAdapter;
let java: JavaProducer;
beforeAll(async () => {
  setup = await startTestAdapter();
  java = await startJavaProducer(setup.topic.topic);
}, 180_000);
afterAll(async () => {
  await java.stop();
  await setup.stop();
});

const [GONE, AFTER] = ['00000000-0000-4000-8000-000000000500', '00000000-0000-4000-8000-000000000501'];
const value = (avtaleId: string, avtaleNr: number): string =>
  JSON.stringify({ avtaleId, sistEndret: '2026-01-01T00:00:00Z', avtaleNr });

test('200,000 small records of one batch are read', async () => {
  await setup.topic.publish([{ key: GONE, value: value(GONE, 500), partition: 0 }]);
  await java.produce(
    { codec: 'zstd' },
    { key: GONE, value: null, partition: 0, times: 200_000 },
    { key: AFTER, value: value(AFTER, 501), partition: 0 },
  );
  const visible = await waitUntil(
    async () => {
      const now = await setup.visible();
      return now[AFTER] === undefined ? undefined : now;
    },
    { what: 'what comes after the batch', maxMs: 150_000 },
  );
  expect([visible[GONE], visible[AFTER]]).toEqual([undefined, 501]);
}, 180_000);
