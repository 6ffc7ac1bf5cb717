import { FairQueue, NoPlaceError } from './fair-queue.ts';

/** Work that ends when it is told to. */
function controlled(): { work: () => Promise<void>; end: () => void; started: () => boolean } {
  let [end, started] = [(): void => undefined, false];
  const done = new Promise<void>((resolve) => (end = resolve));
  const work = (): Promise<void> => {
    started = true;
    return done;
  };
  return { work, end: () => end(), started: () => started };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('one caller never has all places, and another finds one free', async () => {
  const queue = new FairQueue(4, 10_000);
  const greedy = Array.from({ length: 10 }, controlled);
  const done = greedy.map(({ work }) => queue.run('greedy', work));
  await settled();
  expect(greedy.filter(({ started }) => started())).toHaveLength(3);
  await queue.run('other', () => Promise.resolve());
  expect(queue.waitingCount).toBe(7);
  for (const { end } of greedy) end();
  await Promise.all(done);
});

test('what comes free goes to the others in turn, however long the line of one is', async () => {
  const queue = new FairQueue(2, 10_000);
  const order: string[] = [];
  const first = controlled();
  const all = [queue.run('a', first.work)];
  for (const who of ['a', 'a', 'a', 'b', 'b', 'c']) {
    all.push(
      queue.run(who, async () => {
        order.push(who);
        await settled();
      }),
    );
  }
  await settled();
  first.end();
  await Promise.all(all);
  // «a» has asked first and most, and is not served before the others' first.
  expect(order.indexOf('c')).toBeLessThan(order.lastIndexOf('a'));
  expect([...order].sort()).toEqual(['a', 'a', 'a', 'b', 'b', 'c']);
});

test('who waits for too long is told so, and work that fails gives its place back', async () => {
  const queue = new FairQueue(2, 20);
  const first = controlled();
  const held = queue.run('a', first.work);
  await expect(queue.run('a', () => Promise.resolve())).rejects.toThrow(NoPlaceError);
  first.end();
  await held;
  await expect(queue.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await queue.run('a', () => Promise.resolve());
  expect(queue.waitingCount).toBe(0);
});
