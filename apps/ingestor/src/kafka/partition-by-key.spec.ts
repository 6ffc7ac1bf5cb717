import fc from 'fast-check';
import { Partitioners, type PartitionerArgs } from 'kafkajs';
import { murmur2, partitionByKey } from './partition-by-key.ts';

test.each([
  // From the tests of Kafka's own client.
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('of %s the hash is what it is in Java', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash);
});

test('whatever the key, a message lies where KafkaJS would put it', () => {
  const [ours, theirs] = [partitionByKey(), Partitioners.DefaultPartitioner()];
  const key = fc.oneof(fc.uuid(), fc.string({ unit: 'binary' }), fc.uint8Array().map(Buffer.from));
  const partition = fc.option(fc.nat(100), { nil: undefined });
  fc.assert(
    fc.property(key, partition, fc.integer({ min: 1, max: 200 }), (someKey, chosen, count) => {
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader: 0 }));
      const message = { key: someKey, value: null, ...(chosen === undefined ? {} : { partition: chosen }) };
      const args = { topic: 't', partitionMetadata, message } as unknown as PartitionerArgs;
      expect(ours(args)).toBe(theirs(args));
    }),
  );
});
