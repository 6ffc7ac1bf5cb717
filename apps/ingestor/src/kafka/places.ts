/** As many as may work at the same time; the others wait, in the order in which they came. */
export class Places {
  private readonly waiting: (() => void)[] = [];
  private taken = 0;

  constructor(private readonly count: number) {}

  get isOneFree(): boolean {
    return this.taken < this.count;
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    // Who waited is given the place of who leaves: nobody that comes in between takes it.
    if (this.isOneFree) this.taken++;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.taken--;
    }
  }
}
