/** How much each consumer has under way of something, and the most that it may have: what one uses, others still have. */
export class Shares {
  /** hears of each that is taken */
  onTake: () => void = () => undefined;
  private readonly taken = new Map<string, number>();
  private elsewhere: ReadonlyMap<string, number> = new Map();

  /** @param max at the same time, of each */
  constructor(readonly max: number) {}

  /** Gives it back when called, once; undefined when the consumer has all that it may have. */
  take(who: string): (() => void) | undefined {
    if (this.left(who) <= 0) return undefined;
    this.set(who, this.has(who) + 1);
    this.onTake();
    let held = true;
    return () => {
      if (held) this.giveBack(who);
      held = false;
    };
  }

  /**
   * Lets the consumer use one that it has for something else, until what this gives is called: it may then have more than
   * `max` for a moment.
   */
  pause(who: string): () => void {
    this.giveBack(who);
    return () => this.set(who, this.has(who) + 1);
  }

  /** In this process. */
  has(who: string): number {
    return this.taken.get(who) ?? 0;
  }

  left(who: string): number {
    return Math.max(0, this.max - this.has(who) - (this.elsewhere.get(who) ?? 0));
  }

  /** From now on, this is what each has in the other processes. */
  setElsewhere(elsewhere: ReadonlyMap<string, number>): void {
    this.elsewhere = elsewhere;
  }

  /** Those who have any here. */
  holders(): string[] {
    return [...this.taken.keys()];
  }

  private giveBack(who: string): void {
    this.set(who, this.has(who) - 1);
  }

  /** Below zero, for a moment, when one that is paused is given back. */
  private set(who: string, count: number): void {
    if (count === 0) this.taken.delete(who);
    else this.taken.set(who, count);
  }
}
