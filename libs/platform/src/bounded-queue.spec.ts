import { BoundedQueue } from './bounded-queue.ts';

function queue(handle: (group: number[]) => Promise<void>, limits = {}): BoundedQueue<number> {
  return new BoundedQueue({
    maxWaiting: 4,
    maxGroup: 3,
    concurrency: 1,
    full: () => new Error('full'),
    handle,
    ...limits,
  });
}

test('alone, an item goes at once; those that come meanwhile share the next groups, in order', async () => {
  const groups: number[][] = [];
  let release: () => void = () => undefined;
  const gate = new Promise<void>((open) => (release = open));
  const items = queue(async (group) => {
    groups.push(group);
    await gate;
  });
  const added = [1, 2, 3, 4, 5].map((item) => items.add(item));
  await expect(items.add(6)).rejects.toThrow('full');
  release();
  await Promise.all(added);
  expect(groups).toEqual([[1], [2, 3, 4], [5]]);
});

test('a group that fails fails each of its items, and none of another group', async () => {
  const items = queue((group) => (group.includes(2) ? Promise.reject(new Error('no')) : Promise.resolve()));
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map((item) => items.add(item)));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
  await expect(items.add(9)).resolves.toBeUndefined();
});
