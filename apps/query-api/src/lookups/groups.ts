import { NoPlaceError } from './fair-queue.ts';

/** What waits to be done together with others. */
export interface Member {
  /** the consumer */
  who: string;
  /** @param error why nothing is done about it */
  giveUp: (error: unknown) => void;
}

export interface GroupOptions<Item extends Member, Place> {
  /** Does the work when there is a place for the caller. @throws NoPlaceError; when there can be none, why */
  inTurn: (who: string, work: (place: Place) => Promise<void>) => Promise<void>;
  /** Does all of it, and tells each. What it throws, all have been told. */
  handle: (items: Item[], place: Place) => Promise<void>;
  /** groups under way that one consumer can be in */
  maxEach: number;
  /** the longest that one waits, ms */
  maxWaitMs: number;
  /** what one is told that has waited for so long */
  tooLong: () => Error;
}

interface Waiting<Item> {
  item: Item;
  since: number;
}

interface Kind<Item> {
  max: number;
  /** whose turn it is, first; none of them without an item */
  callers: Map<string, Waiting<Item>[]>;
  /** who waits for a place to take a group in */
  leaders: Set<string>;
  /** a group is under way that is not slow */
  isBusy: boolean;
}

/** Then the next does not wait for it. Most take a millisecond or two. */
const SLOW_MS = 20;
const SWEEP_MS = 250;

/**
 * Gathers what can be done together. Alone, an item goes at once; what comes while one group of its kind is under way is
 * the next group. A group takes from the callers in turn, so that the one with the longest line has no more of it than the
 * others, and a caller whose work is slow is not in all groups.
 */
export class Groups<Item extends Member, Place> {
  waitingCount = 0;
  private readonly kinds = new Map<string, Kind<Item>>();
  /** groups under way that a caller is in */
  private readonly underWay = new Map<string, number>();
  private sweep: NodeJS.Timeout | undefined;

  constructor(private readonly options: GroupOptions<Item, Place>) {}

  /** @param max items in a group of this kind */
  add(key: string, max: number, item: Item): void {
    const kind = this.kinds.get(key) ?? {
      max,
      callers: new Map<string, Waiting<Item>[]>(),
      leaders: new Set(),
      isBusy: false,
    };
    this.kinds.set(key, kind);
    const line = kind.callers.get(item.who) ?? [];
    kind.callers.set(item.who, line);
    line.push({ item, since: performance.now() });
    this.waitingCount++;
    this.sweep ??= this.nextSweep();
    this.next(key, kind);
  }

  /** Each caller waits for a place of its own: one that has used up its places holds no other. */
  private next(key: string, kind: Kind<Item>): void {
    if (kind.isBusy) return;
    for (const who of kind.callers.keys()) {
      if (!kind.leaders.has(who) && this.mayJoin(who)) void this.lead(key, kind, who);
    }
    const isIdle = kind.callers.size === 0 && kind.leaders.size === 0 && !kind.isBusy;
    // Of the same name there may be another by now: this one was let go while a slow group of it went on.
    if (isIdle && this.kinds.get(key) === kind) this.kinds.delete(key);
  }

  private async lead(key: string, kind: Kind<Item>, leader: string): Promise<void> {
    kind.leaders.add(leader);
    let hasPlace = false;
    try {
      await this.options.inTurn(leader, async (place) => {
        hasPlace = true;
        kind.leaders.delete(leader);
        // Another may have taken them meanwhile.
        if (!kind.isBusy) await this.handle(key, kind, this.take(kind, leader), place);
      });
    } catch (error) {
      kind.leaders.delete(leader);
      if (!hasPlace) this.giveUp(kind, leader, error);
    }
    this.next(key, kind);
  }

  private async handle(key: string, kind: Kind<Item>, items: Item[], place: Place): Promise<void> {
    if (items.length === 0) return;
    kind.isBusy = true;
    let isPassed = false;
    const pass = (): void => {
      if (isPassed) return;
      isPassed = true;
      kind.isBusy = false;
      this.next(key, kind);
    };
    const slow = setTimeout(pass, SLOW_MS);
    try {
      await this.options.handle(items, place);
    } finally {
      clearTimeout(slow);
      this.left(items);
      pass();
    }
  }

  private giveUp(kind: Kind<Item>, leader: string, error: unknown): void {
    if (error instanceof NoPlaceError) {
      this.giveUpOld();
      return;
    }
    const items = this.take(kind, leader);
    this.left(items);
    for (const item of items) item.giveUp(error);
  }

  /** One of each caller in turn, the leader first. */
  private take(kind: Kind<Item>, leader: string): Item[] {
    const items: Item[] = [];
    const inOrder = [...kind.callers].filter(([who]) => this.mayJoin(who));
    const callers = [...inOrder.filter(([who]) => who === leader), ...inOrder.filter(([who]) => who !== leader)];
    for (let isMore = true; isMore && items.length < kind.max;) {
      isMore = false;
      for (const [, line] of callers) {
        const first = items.length < kind.max ? line.shift() : undefined;
        if (!first) continue;
        items.push(first.item);
        isMore = true;
      }
    }
    this.waitingCount -= items.length;
    for (const [who, line] of callers.slice(0, kind.max)) {
      // Next time it is the others' turn.
      kind.callers.delete(who);
      if (line.length > 0) kind.callers.set(who, line);
      this.underWay.set(who, this.groupsOf(who) + 1);
    }
    return items;
  }

  /** Those whom a caller's slow groups held back may go on. */
  private left(items: readonly Item[]): void {
    let wasFull = false;
    for (const who of new Set(items.map((item) => item.who))) {
      const groups = this.groupsOf(who);
      if (groups >= this.options.maxEach) wasFull = true;
      if (groups > 1) this.underWay.set(who, groups - 1);
      else this.underWay.delete(who);
    }
    if (wasFull) for (const [key, kind] of [...this.kinds]) this.next(key, kind);
  }

  private groupsOf(who: string): number {
    return this.underWay.get(who) ?? 0;
  }

  private mayJoin(who: string): boolean {
    return this.groupsOf(who) < this.options.maxEach;
  }

  private nextSweep(): NodeJS.Timeout {
    return setTimeout(() => {
      this.sweep = undefined;
      this.giveUpOld();
      if (this.waitingCount > 0) this.sweep = this.nextSweep();
    }, SWEEP_MS).unref();
  }

  private giveUpOld(): void {
    const before = performance.now() - this.options.maxWaitMs;
    for (const kind of this.kinds.values()) {
      for (const [who, line] of kind.callers) {
        const old = line.findIndex(({ since }) => since > before);
        const given = line.splice(0, old === -1 ? line.length : old);
        this.waitingCount -= given.length;
        if (line.length === 0) kind.callers.delete(who);
        for (const { item } of given) item.giveUp(this.options.tooLong());
      }
    }
  }
}
