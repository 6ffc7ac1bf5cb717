import { PROBLEMS, Problem, SharedMemory } from '@tiltak/platform';

/**
 * Of all rows that are read and not made into answers yet, as estimated: half of the heap that the process has. Beyond it,
 * whoever reads is asked to come again.
 */
const MAX_BYTES = 64 * 1024 * 1024;
/** What a value takes beside its characters: its place in the row, and the text's own head. */
const BYTES_PER_VALUE = 40;
/** Told of at a time; and so little is held by any look-up, and refused to none. */
const STEP_BYTES = 64 * 1024;

/** Notes one more value that was read. @throws Problem 503 */
export type CountValue = (characters: number) => void;

/**
 * What rows take, of all requests together. They are counted as they are read: how many there will be, and how wide, is
 * not known before.
 */
export class HeldRows {
  private readonly memory: SharedMemory;

  constructor(maxBytes = MAX_BYTES) {
    this.memory = new SharedMemory(maxBytes);
  }

  /** Does what reads rows, and makes an answer of them. */
  async during<T>(who: string, work: (count: CountValue) => Promise<T>): Promise<T> {
    let held = 0;
    let untold = 0;
    const count: CountValue = (characters) => {
      untold += BYTES_PER_VALUE + characters;
      if (untold <= STEP_BYTES) return;
      if (!this.memory.take(who, untold)) throw tooMuch();
      held += untold;
      untold = 0;
    };
    try {
      return await work(count);
    } finally {
      this.memory.giveBack(who, held);
    }
  }
}

function tooMuch(): Problem {
  return new Problem(PROBLEMS.UTILGJENGELIG, 'Too much is being looked up', { retryAfter: 2 });
}
