import { TokenBucket } from 'limiter';

/**
 * So many requests a second, and so many at once: a bucket that all processes draw from, as well as each of them knows.
 * What passes here is taken from it at once, what passed elsewhere when that is told, a moment later: then it may owe, and
 * nothing passes until that is made up for. So it comes to the quota in all, whichever process is asked. The share of this
 * process keeps several from taking the same twice meanwhile.
 */
export class Quota {
  /** requests since the process started, and those of them that passed */
  asked = 0;
  passed = 0;
  private readonly whole: TokenBucket;
  private readonly share: TokenBucket;

  constructor(
    readonly perSecond: number,
    readonly burst: number,
  ) {
    this.whole = new TokenBucket({ bucketSize: burst, tokensPerInterval: perSecond, interval: 'second' });
    this.share = new TokenBucket({
      bucketSize: burst,
      tokensPerInterval: perSecond,
      interval: 'second',
      parentBucket: this.whole,
    });
    this.whole.content = burst;
    this.share.content = burst;
  }

  /** Whether one more passes. */
  take(): boolean {
    this.asked++;
    if (!this.share.tryRemoveTokens(1)) return false;
    this.passed++;
    return true;
  }

  /** As many as would pass now. */
  get left(): number {
    return Math.max(0, Math.floor(Math.min(this.level, this.shareNow())));
  }

  /** What is left in all processes together; below zero when they have let through too much. */
  get level(): number {
    this.whole.drip();
    return this.whole.content;
  }

  /** Seconds until the next one passes. */
  get waitSeconds(): number {
    const seconds = (bucket: TokenBucket): number => Math.max(0, 1 - bucket.content) / bucket.tokensPerInterval;
    return this.left > 0 ? 0 : Math.max(seconds(this.whole), seconds(this.share));
  }

  /** Seconds until all of it is there again, when nobody asks meanwhile. */
  get fullAfterSeconds(): number {
    return (this.burst - this.level) / this.perSecond;
  }

  /** There is no more left than another process knows of: for one that has just started. */
  atMost(level: number): void {
    this.whole.content = Math.min(this.level, level);
  }

  /**
   * @param passed elsewhere, since this was last told
   * @param rates what each of the other processes is asked for, requests a second
   */
  others(passed: number, rates: readonly number[]): void {
    this.whole.content = this.level - passed;
    this.shareNow();
    const rate = shareOf(this.perSecond, rates);
    this.share.tokensPerInterval = rate;
    this.share.bucketSize = Math.max(1, (this.burst * rate) / this.perSecond);
    // What others did not take after all is shared anew. Never less than it had: it may take several rounds to make one.
    const ofRest = (this.level * rate) / this.perSecond;
    this.share.content = Math.min(Math.max(this.share.content, ofRest), this.share.bucketSize);
  }

  private shareNow(): number {
    this.share.drip();
    return this.share.content;
  }
}

/**
 * What is left for one that asks for all it can get, when each of the others gets what it asks for, and nobody more than
 * an equal part while somebody lacks.
 */
export function shareOf(total: number, others: readonly number[]): number {
  let rest = total;
  let sharers = others.length + 1;
  for (const rate of others.toSorted((a, b) => a - b)) {
    if (rate >= rest / sharers) break;
    rest -= rate;
    sharers--;
  }
  return rest / sharers;
}
