import { setTimeout as wait } from 'node:timers/promises';

/** What comes first. */
export interface Foreground {
  /** ends when nothing waits any more; undefined when nothing does */
  readonly underWay: Promise<void> | undefined;
  /** when something last was, by `performance.now()` */
  readonly lastUnderWay: number;
}

/** How many at a time: adjusts itself to what a piece may take. */
export interface PieceSize {
  first: number;
  least: number;
  most: number;
  /** of work that holds no lock that the stream asks for: how long a piece may take while the stream has nothing to do */
  idleMs?: number;
}

/**
 * Of messages of the topic. No fewer, since it is told by their number whether the database refuses bad messages or all of
 * them: see `Refusals`.
 */
export const MESSAGES_IN_PIECE: PieceSize = { first: 50, least: 50, most: 1_000 };

/** What the stream may have to wait for a piece: it holds locks, or the process itself. */
const PIECE_MS = 20;
/** A stream that never has nothing to do does not end all else. */
const MAX_WAIT_MS = 250;
/** The stream counts as busy for so long after it last was. */
const BUSY_MS = 1_000;
/** After a piece beside a busy stream nothing is done for so many times as long. */
const REST = 3;
const MAX_REST_MS = 500;

/**
 * What is done beside the stream gives way to it: in pieces that are short, one at a time over all there is in this
 * process, each when the stream has nothing under way, and with a rest after it while the stream is busy. It gets on
 * whatever the stream does: a piece waits for a quarter of a second, no longer. Beside a stream with nothing to do there are
 * no rests, and only the pieces stay short.
 *
 * Ingestors do not know of each other: what another one's stream waits for is a piece, too.
 */
export class GiveWay {
  private turn: Promise<void> = Promise.resolve();
  private restUntil = 0;

  constructor(private readonly stream: Foreground) {}

  /** For one kind of work. */
  inPieces(size: PieceSize): Pieces {
    return new Pieces(
      (work, signal) => this.take(work, signal),
      size,
      () => this.isBusy,
    );
  }

  /** @throws AbortError, and what the work throws */
  private async take<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<{ value: T; ms: number }> {
    const before = this.turn;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.turn = promise;
    try {
      await before;
      await this.waitForStream(signal);
      signal?.throwIfAborted();
      const begun = performance.now();
      const value = await work();
      const ms = performance.now() - begun;
      this.restUntil = this.isBusy ? performance.now() + Math.min(REST * ms, MAX_REST_MS) : 0;
      return { value, ms };
    } finally {
      resolve(undefined);
    }
  }

  private async waitForStream(signal: AbortSignal | undefined): Promise<void> {
    await pause(this.restUntil - performance.now(), signal);
    const deadline = performance.now() + MAX_WAIT_MS;
    for (let { underWay } = this.stream; underWay && !signal?.aborted; { underWay } = this.stream) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      await within(underWay, left);
    }
  }

  private get isBusy(): boolean {
    const { underWay, lastUnderWay } = this.stream;
    return underWay !== undefined || performance.now() - lastUnderWay < BUSY_MS;
  }
}

type Take = <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<{ value: T; ms: number }>;

/** Work of one kind. A piece must not take another while it is under way: nobody would get on. */
export class Pieces {
  private size: number;

  constructor(
    private readonly takeTurn: Take,
    private readonly limits: PieceSize,
    private readonly isBusy: () => boolean,
  ) {
    this.size = limits.first;
  }

  /**
   * The next piece, when it is its turn.
   *
   * @param work is told how many it may take
   * @throws AbortError, and what the work throws
   */
  async take<T>(work: (most: number) => Promise<T>, signal?: AbortSignal): Promise<T> {
    let most = this.size;
    const { value, ms } = await this.takeTurn(() => work((most = this.size)), signal);
    const { least, most: largest, idleMs = PIECE_MS } = this.limits;
    const goal = this.isBusy() ? PIECE_MS : idleMs;
    const fitting = ms > goal ? most * Math.max(goal / ms, 0.5) : most * 1.25 + 1;
    this.size = Math.max(least, Math.min(largest, Math.floor(fitting)));
    return value;
  }

  /** All of them, in their order. @throws AbortError, and what the work throws */
  async each<T>(
    items: readonly T[],
    work: (piece: readonly T[]) => Promise<unknown>,
    signal?: AbortSignal,
  ): Promise<void> {
    for (let from = 0; from < items.length;) {
      await this.take(async (most) => {
        const piece = items.slice(from, from + most);
        await work(piece);
        from += piece.length;
      }, signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms > 0) await wait(ms, undefined, signal && { signal });
}

/** Until it ends, or for that long. */
async function within(work: Promise<void>, ms: number): Promise<void> {
  const end = new AbortController();
  const { signal } = end;
  await Promise.race([work, wait(ms, undefined, { signal }).catch(() => undefined)]);
  end.abort();
}
