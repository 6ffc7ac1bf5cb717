interface Waiting {
  enter: () => void;
  timer: NodeJS.Timeout | undefined;
}

interface Caller {
  /** places that it has */
  held: number;
  waiting: Set<Waiting>;
}

/** No place came free in time. */
export class NoPlaceError extends Error {}

/**
 * Hands out a number of places. Callers that wait get one in turn, however much each of them asks for, and none can have
 * all of them: somebody who has asked for nothing yet finds one free, or gets the next that comes free.
 */
export class FairQueue {
  waitingCount = 0;
  private free: number;
  /** places that one caller can have */
  readonly maxEach: number;
  /** whose turn it is, first */
  private readonly callers = new Map<string, Caller>();

  constructor(
    places: number,
    private readonly maxWaitMs: number,
  ) {
    this.free = places;
    this.maxEach = Math.max(1, places - Math.ceil(places / 4));
  }

  /**
   * Does the work when there is a place for it.
   *
   * @throws NoPlaceError
   */
  async run<T>(who: string, work: () => Promise<T>): Promise<T> {
    await this.enter(who);
    try {
      return await work();
    } finally {
      this.leave(who);
    }
  }

  private enter(who: string): Promise<void> {
    const caller = this.callers.get(who) ?? { held: 0, waiting: new Set() };
    this.callers.set(who, caller);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { enter: resolve, timer: undefined };
      caller.waiting.add(waiting);
      this.waitingCount++;
      this.handOut();
      if (!caller.waiting.has(waiting)) return;
      waiting.timer = setTimeout(() => {
        caller.waiting.delete(waiting);
        this.waitingCount--;
        this.forgetIdle(who, caller);
        reject(new NoPlaceError());
      }, this.maxWaitMs);
    });
  }

  private leave(who: string): void {
    this.free++;
    const caller = this.callers.get(who);
    if (caller) {
      caller.held--;
      this.forgetIdle(who, caller);
    }
    this.handOut();
  }

  private handOut(): void {
    while (this.free > 0) {
      const next = [...this.callers].find(([, { held, waiting }]) => waiting.size > 0 && held < this.maxEach);
      const [who, caller] = next ?? [];
      const [first] = caller?.waiting ?? [];
      if (who === undefined || !caller || !first) return;
      // Next time it is the others' turn.
      this.callers.delete(who);
      this.callers.set(who, caller);
      caller.held++;
      this.free--;
      caller.waiting.delete(first);
      this.waitingCount--;
      clearTimeout(first.timer);
      first.enter();
    }
  }

  private forgetIdle(who: string, { held, waiting }: Caller): void {
    if (held === 0 && waiting.size === 0) this.callers.delete(who);
  }
}
