import { PROBLEMS } from '@tiltak/platform';
import { HeldRows } from './held-rows.ts';

const MIB = 1024 * 1024;

/** Reads so much, and holds it until it is told to let go. */
function read(rows: HeldRows, who: string, bytes: number): { result: Promise<string>; letGo: () => void } {
  let letGo = (): void => undefined;
  const held = new Promise<void>((done) => (letGo = done));
  const result = rows.during(who, async (count) => {
    for (let left = bytes; left > 0; left -= 1_000) count(960);
    await held;
    return 'an answer';
  });
  return { result, letGo };
}

test('rows of all look-ups together are bounded as they are read, and free when they are answers', async () => {
  const rows = new HeldRows(4 * MIB);
  const first = read(rows, 'a', 2 * MIB);
  await expect(read(rows, 'a', 2 * MIB).result).rejects.toMatchObject({
    problemType: PROBLEMS.UTILGJENGELIG,
    extras: { retryAfter: 2 },
  });
  const other = read(rows, 'b', 1.5 * MIB);
  const small = read(rows, 'c', 60_000);
  for (const { letGo } of [first, other, small]) letGo();
  expect(await Promise.all([first.result, other.result, small.result])).toEqual(Array(3).fill('an answer'));
  const again = read(rows, 'a', 2.5 * MIB);
  again.letGo();
  expect(await again.result).toBe('an answer');
});
