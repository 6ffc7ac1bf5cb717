/** How much each consumer has under way of something, and the most that it may have: what one uses, others still have. */
export class Shares {
  private readonly taken = new Map<string, number>();

  /** @param max at the same time, of each */
  constructor(readonly max: number) {}

  /** Gives it back when called, once; undefined when the consumer has all that it may have. */
  take(who: string): (() => void) | undefined {
    const taken = this.taken.get(who) ?? 0;
    if (taken >= this.max) return undefined;
    this.taken.set(who, taken + 1);
    let held = true;
    return () => {
      if (held) this.giveBack(who);
      held = false;
    };
  }

  left(who: string): number {
    return this.max - (this.taken.get(who) ?? 0);
  }

  private giveBack(who: string): void {
    const rest = (this.taken.get(who) ?? 0) - 1;
    if (rest > 0) this.taken.set(who, rest);
    else this.taken.delete(who);
  }
}
