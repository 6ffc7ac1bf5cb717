interface Pending<T> {
  item: T;
  done: () => void;
  failed: (error: unknown) => void;
}

export interface QueueOptions<T> {
  /** items that wait before new ones are turned away */
  maxWaiting: number;
  /** items in one group */
  maxGroup: number;
  /** groups under way at the same time: while one waits for the disk, the next is gathered */
  concurrency: number;
  /** why an item is turned away when the queue is full */
  full: () => Error;
  /** Handles a group as one; when it throws, so does each item's `add`. */
  handle: (group: T[]) => Promise<void>;
}

/**
 * Gathers items while earlier ones are handled, and hands them on in groups: alone, an item goes at once; under load,
 * many share one commit.
 */
export class BoundedQueue<T> {
  private readonly waiting: Pending<T>[] = [];
  private running = 0;

  constructor(private readonly options: QueueOptions<T>) {}

  /** Resolves when the item's group has been handled. */
  add(item: T): Promise<void> {
    if (this.waiting.length >= this.options.maxWaiting) return Promise.reject(this.options.full());
    return new Promise((done, failed) => {
      this.waiting.push({ item, done, failed });
      void this.drain();
    });
  }

  private async drain(): Promise<void> {
    if (this.running >= this.options.concurrency) return;
    this.running++;
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0, this.options.maxGroup);
      try {
        await this.options.handle(group.map(({ item }) => item));
        for (const { done } of group) done();
      } catch (error) {
        for (const { failed } of group) failed(error);
      }
    }
    this.running--;
  }
}
