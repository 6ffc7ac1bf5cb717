import type { SourceMessage } from './source/source-message.ts';
import { DAY_SECONDS } from './source/clock.ts';
import { BEGINNING, END } from './source/epochs.ts';
import { Random } from './source/random.ts';
import { poison, tombstone } from './poison.ts';
import { lifecycle } from './lifecycle/lifecycle.ts';

export interface EventOptions {
  /** how many messages */
  count: number;
  /** whole number, 32 bits of it count */
  seed?: number;
  /** also what the source never sends: messages that can't be used, and tombstones */
  poison?: boolean;
}

/**
 * Exactly `count` messages as the source would publish them: many avtaler living at the same time, each through its
 * life. The same numbers give the same bytes. Lazy, and of constant memory.
 */
export function* createEvents({ count, seed = 1, poison: withPoison = false }: EventOptions): Generator<SourceMessage> {
  const random = new Random(seed + 7);
  let n = 0;
  if (count < 1) return;
  for (const message of lifecycle(seed, count)) {
    if (withPoison && n % 97 === 96) yield poison(random, message, Math.floor(n / 97));
    else if (withPoison && n % 211 === 210) yield tombstone(message);
    else yield message;
    if (++n === count) return;
  }
}

/**
 * After the simulated time, in the same order, and all within a day: newer than all that was sent before, and not so far
 * ahead that it would be parked.
 */
const later = (seconds: number): number => (END + 1) * DAY_SECONDS + (seconds - BEGINNING * DAY_SECONDS) / 1_000;
const earlier = (seconds: number): number => seconds - 400 * DAY_SECONDS;

/**
 * The avtaler of `createEvents` with the same numbers, changed again: seven in ten newer than anything before, the rest
 * resent to the byte, or older.
 */
export function* createUpdates({ count, seed = 1 }: Omit<EventOptions, 'poison'>): Generator<SourceMessage> {
  const random = new Random(seed + 1_000_003);
  for (const { key, value } of createEvents({ count, seed })) {
    const fate = random.next();
    const changed = (move: typeof later): string => moved(String(value), move, String(random.number(0, 99)));
    yield { key, value: fate < 0.15 ? value : changed(fate < 0.3 ? earlier : later) };
  }
}

/** The same message with another sistEndret, and another name of the employer. */
function moved(value: string, move: (seconds: number) => number, mark: string): string {
  return value
    .replace(/"sistEndret":"([^"]{19})/, (_, time: string) => {
      const movedTo = new Date(move(Date.parse(`${time}Z`) / 1_000) * 1_000).toISOString();
      return `"sistEndret":"${movedTo.slice(0, 19)}`;
    })
    .replace('"bedriftNavn":"', `"bedriftNavn":"${mark} `);
}
