import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { GiveWay, type Foreground } from './give-way.ts';

const SIZE = { first: 4, least: 2, most: 100 };
const QUIET: Foreground = { underWay: undefined, lastUnderWay: Number.NEGATIVE_INFINITY };

/** A stream that is told when it has something to do. */
class Stream implements Foreground {
  underWay: Promise<void> | undefined;
  lastUnderWay = Number.NEGATIVE_INFINITY;
  private done: () => void = () => undefined;

  begin(): void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.underWay = promise;
    this.done = () => resolve(undefined);
  }

  end(): void {
    this.underWay = undefined;
    this.lastUnderWay = performance.now();
    this.done();
  }
}

test('nothing begins while the stream has something under way, until it has waited long enough', async () => {
  const stream = new Stream();
  const pieces = new GiveWay(stream).inPieces(SIZE);
  stream.begin();
  let begun = false;
  const first = pieces.take(() => Promise.resolve((begun = true)));
  await wait(20);
  expect(begun).toBe(false);
  stream.end();
  await first;

  // It never ends: the work gets on all the same.
  stream.begin();
  await pieces.take(() => Promise.resolve());
});

test('any works at once: one piece at a time, each in its order and whole, also when some fail', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ count: fc.nat(20), failsAt: fc.option(fc.nat(20)) }), { maxLength: 5 }),
      async (works) => {
        const giveWay = new GiveWay(QUIET);
        let under = 0;
        const done = works.map(() => [] as number[]);
        const results = await Promise.allSettled(
          works.map(({ count, failsAt }, nr) => {
            const items = Array.from({ length: count }, (_, i) => i);
            return giveWay.inPieces(SIZE).each(items, async (piece) => {
              expect(++under).toBe(1);
              await Promise.resolve();
              under--;
              if (failsAt !== null && piece.includes(failsAt)) throw new Error('meant');
              done[nr]?.push(...piece);
            });
          }),
        );
        for (const [nr, { count, failsAt }] of works.entries()) {
          const isFailed = failsAt !== null && failsAt < count;
          expect(results[nr]?.status).toBe(isFailed ? 'rejected' : 'fulfilled');
          const all = Array.from({ length: count }, (_, i) => i);
          expect(done[nr]).toEqual(isFailed ? all.slice(0, done[nr]?.length) : all);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('pieces that take long become small, and small ones grow again', async () => {
  const pieces = new GiveWay(QUIET).inPieces({ first: 64, least: 2, most: 100 });
  const sizes: number[] = [];
  const slow = (most: number): Promise<void> => wait(30, undefined).then(() => void sizes.push(most));
  for (let i = 0; i < 8; i++) await pieces.take(slow);
  expect(sizes[0]).toBe(64);
  expect(sizes.at(-1)).toBeLessThan(32);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(2);
  let most = 0;
  for (let i = 0; i < 200 && most < 100; i++)
    await pieces.take((n) => Promise.resolve((most = n)).then(() => undefined));
  expect(most).toBe(100);
});

test('what is broken off waits no longer, and others get on', async () => {
  const stream = new Stream();
  const giveWay = new GiveWay(stream);
  stream.begin();
  const end = new AbortController();
  const broken = giveWay.inPieces(SIZE).take(() => Promise.resolve(), end.signal);
  end.abort();
  stream.end();
  await expect(broken).rejects.toThrow();
  await giveWay.inPieces(SIZE).take(() => Promise.resolve());
});
