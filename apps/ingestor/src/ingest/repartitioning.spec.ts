import { expected, type PositionedSourceMessage } from '@tiltak/simulator';
import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { startTestIngest, TOPIC, type TestIngest } from '../testing/test-ingest.ts';

let setup: TestIngest;
beforeAll(async () => {
  setup = await startTestIngest();
});
afterAll(() => setup.stop());

const partitionFor = Partitioners.DefaultPartitioner();
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** What the source does next: a message of one of four avtaler, or the topic changes. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ avtale: fc.nat(3), second: fc.nat(4), slettemerket: fc.constantFrom(false, false, true) }),
  },
  { weight: 3, arbitrary: fc.record({ avtale: fc.nat(3), tombstone: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.constantFrom('more partitions' as const, 'another topic' as const) },
);

type Placed = PositionedSourceMessage & { epoch: number; writtenAt: number; value: Buffer | null; key: Buffer };

/** As Kafka lays them: by the hash of the key, over as many partitions as there are by then. */
function publish(steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]): Placed[] {
  const ends = new Map<string, number>();
  let [partitions, epoch, clock] = [2, 0, Date.parse('2026-01-02T00:00:00Z')];
  return steps.flatMap((next, i): Placed[] => {
    clock += typeof next === 'string' ? 1 : i % 2;
    if (next === 'more partitions') partitions++;
    if (next === 'another topic') epoch++;
    if (typeof next === 'string') return [];
    const key = Buffer.from(id(next.avtale));
    const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({ partitionId, leader: 1 }));
    const partition = partitionFor({ topic: TOPIC, partitionMetadata, message: { key, value: null } } as never);
    const line = `${String(epoch)} ${String(partition)}`;
    const offset = ends.get(line) ?? 0;
    ends.set(line, offset + 1);
    const sistEndret = (second: number): string => `2026-01-01T00:00:0${String(second)}Z`;
    const value =
      'tombstone' in next
        ? null
        : Buffer.from(
            JSON.stringify({
              avtaleId: id(next.avtale),
              avtaleNr: i,
              sistEndret: sistEndret(next.second),
              slettemerket: next.slettemerket,
            }),
          );
    return [{ key, value, epoch, partition, offset, writtenAt: clock }];
  });
}

/** In one batch after the other, each of one partition; read again from before now and then. */
async function read(messages: readonly Placed[], choose: (count: number) => number): Promise<void> {
  const lines = [...Map.groupBy(messages, ({ epoch, partition }) => `${String(epoch)} ${String(partition)}`).values()];
  const next = lines.map(() => 0);
  while (lines.some((line, i) => (next[i] ?? 0) < line.length)) {
    const i = choose(lines.length);
    const [line = [], from = 0] = [lines[i], next[i]];
    const [first] = line;
    if (!first) continue;
    const start = choose(4) === 0 ? choose(from + 1) : from;
    const end = Math.min(line.length, start + 1 + choose(4));
    const { epoch, partition } = first;
    await setup.writer.write({
      ...{ topic: TOPIC, epoch, partition },
      select: () => Promise.resolve({ messages: line.slice(start, end), record: () => Promise.resolve(undefined) }),
    });
    next[i] = Math.max(from, end);
  }
}

test('whatever partitions come, whoever moves, in any order of reading: as read in the order in which it was written', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 4, maxLength: 24 }),
      fc.infiniteStream(fc.nat(1_000)),
      async (steps, choices) => {
        await setup.empty();
        const messages = publish(steps);
        await read(messages, (count) => (choices.next().value as number) % count);
        const { avtaler, slettet } = expected(messages);
        const { avtale } = await setup.dump();
        const stored = avtale.map((row) => [row['avtale_id'], row['slettet'] === null ? row['avtale_nr'] : 'deleted']);
        const oracle = [...avtaler].map(([avtaleId, { avtaleNr }]) => [avtaleId, avtaleNr] as const);
        expect(new Map(stored as never)).toEqual(
          new Map<string, unknown>([
            ...oracle,
            ...[...slettet.keys()].map((avtaleId) => [avtaleId, 'deleted'] as const),
          ]),
        );
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);
