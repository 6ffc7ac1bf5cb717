/**
 * An account of memory that many take from: so much in all, and three quarters of it for one, so that what one holds
 * leaves the others theirs.
 */
export class SharedMemory {
  private total = 0;
  private readonly held = new Map<string, number>();
  private readonly maxEach: number;

  /** @param max bytes */
  constructor(private readonly max: number) {
    this.maxEach = (max * 3) / 4;
  }

  /** False when that would be too much, and nothing is taken. Who holds nothing gets what there is, however much it is. */
  take(who: string, bytes: number): boolean {
    const held = this.held.get(who) ?? 0;
    const isAlone = this.total === 0;
    if (!isAlone && (this.total + bytes > this.max || held + bytes > this.maxEach)) return false;
    this.total += bytes;
    this.held.set(who, held + bytes);
    return true;
  }

  giveBack(who: string, bytes: number): void {
    this.total -= bytes;
    const rest = (this.held.get(who) ?? 0) - bytes;
    if (rest > 0) this.held.set(who, rest);
    else this.held.delete(who);
  }
}
