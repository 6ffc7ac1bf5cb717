import fc from 'fast-check';
import { encodeBatch } from '../testing/record-batch.ts';
import { gatherGroup, GROUP_BYTES, GROUP_MESSAGES } from './group.ts';
import { Lane } from './lane.ts';
import { RecordSet } from './record-set.ts';

/** Of nobody: nothing is fetched here. */
const consumer = { seek: () => undefined, pause: () => undefined, resume: () => undefined };

const LARGEST = 700_000;

interface Waiting {
  lane: Lane;
  /** what was pushed and not stored yet */
  offsets: number[];
  next: number;
  size: number;
}

function createLane(partition: number, size: number): Waiting {
  const lane = new Lane(consumer, 't', partition);
  lane.readFrom = { epoch: 0, topicId: 'x' };
  lane.restart(0);
  return { lane, offsets: [], next: 0, size };
}

function push(waiting: Waiting, count: number): void {
  const { next: first, size } = waiting;
  if (count === 0) return;
  const records = Array.from({ length: count }, (_, n) => ({
    ...{ offset: first + n, timestamp: 1, key: null, value: Buffer.alloc(size), headers: [] },
  }));
  const plain = { producerId: -1, transactional: false, control: false, codec: 0 };
  const set = new RecordSet(encodeBatch({ ...plain, first, last: first + count - 1, records }), [], first + count);
  set.isConfirmed = true;
  waiting.lane.push(set);
  waiting.next += count;
  waiting.offsets.push(...records.map(({ offset }) => offset));
}

const steps = fc.array(
  fc.record({
    /** so many messages come, by lane */
    pushes: fc.array(fc.nat(8), { maxLength: 8 }),
    /** which lanes of the group are not stored, and which that were not may be tried again */
    fails: fc.array(fc.nat(7), { maxLength: 3 }),
    again: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);

test('a group is bounded, takes of each partition in its order, starves none, and tries alone what was not stored', () => {
  let bounded = 0;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(10, 20_000, LARGEST), { minLength: 1, maxLength: 8 }), steps, (sizes, all) => {
      const lanes = sizes.map((size, n) => createLane(n, size));
      const byLane = new Map(lanes.map((one) => [one.lane, one]));
      const waitedFor = new Map<Lane, number>();
      let turn = 0;
      const end: typeof all = Array.from({ length: 3 }, () => ({ pushes: [], fails: [], again: true }));
      for (const { pushes, fails, again } of [...all, ...end]) {
        for (const [n, count] of pushes.entries()) if (lanes[n]) push(lanes[n], count);
        if (again) for (const { lane } of lanes) lane.isAside = false;
        const ready = lanes.filter(({ lane }) => lane.isReady);
        const group = gatherGroup(
          lanes.map(({ lane }) => lane),
          ++turn,
        );
        expect(group.length > 0).toBe(ready.length > 0);
        expect(new Set(group.map(({ lane }) => lane)).size).toBe(group.length);
        const bytes = group.map(({ batch, lane }) => batch.messages.length * (byLane.get(lane)?.size ?? 0));
        const total = bytes.reduce((sum, one) => sum + one, 0);
        // Each may have one message that is larger than its share.
        expect(total).toBeLessThanOrEqual(GROUP_BYTES + group.length * LARGEST);
        if (total > GROUP_BYTES / 2) bounded++;
        expect(group.reduce((sum, { batch }) => sum + batch.messages.length, 0)).toBeLessThanOrEqual(GROUP_MESSAGES);
        if (group.some(({ lane }) => lane.stuck)) expect(group).toHaveLength(1);
        const taken = new Set(group.map(({ lane }) => lane));
        for (const { lane } of ready) {
          waitedFor.set(lane, taken.has(lane) ? 0 : (waitedFor.get(lane) ?? 0) + 1);
          // Lanes that are tried alone take a turn each; then the others have theirs.
          expect(waitedFor.get(lane)).toBeLessThanOrEqual(2 * sizes.length);
        }
        for (const { lane, batch } of group) {
          const waiting = byLane.get(lane);
          const offsets = batch.messages.map(({ offset }) => offset);
          expect(offsets).toEqual(waiting?.offsets.slice(0, offsets.length));
          expect(batch.fetchedFrom).toBe(offsets[0]);
          const failed = fails.includes(lane.partition);
          lane.settle(!failed);
          lane.isAside = failed;
          lane.stuck = failed ? { since: 0, why: 'IKKE_LAGRET', attempts: 1 } : undefined;
          if (!failed) waiting?.offsets.splice(0, offsets.length);
        }
      }
    }),
    { numRuns: 15 },
  );
  expect(bounded).toBeGreaterThan(2);
});

test('a partition with little shares a group with those that have much, which share the rest', () => {
  const lanes = [1_000, 1_000, 1_000].map((size, n) => createLane(n, size));
  for (const [n, count] of [10, 4_000, 4_000].entries()) if (lanes[n]) push(lanes[n], count);
  const group = gatherGroup(
    lanes.map(({ lane }) => lane),
    1,
  );
  const counts = group.map(({ batch }) => batch.messages.length);
  expect(counts[0]).toBe(10);
  expect(counts[1]).toBeGreaterThan(700);
  expect(Math.abs((counts[1] ?? 0) - (counts[2] ?? 0))).toBeLessThan(10);
});
