import { randomUUID } from 'node:crypto';
import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import type { Shares } from '../shared/shares.ts';
import type { ConsumerLimits } from './consumer-limits.ts';
import type { Konsumenter } from './konsumenter.ts';

/** How often a process tells the others. */
const EVERY_MS = 500;
/** While the database is away. */
const RETRY_MS = 2_000;
/** After so long without news of the others, a process goes by what it knows itself. The database forgets as soon. */
const FORGOTTEN_MS = 5_000;

/** What a consumer has used at one process: since it started, and of what is under way at once. */
interface Use {
  asked: number;
  passed: number;
  /** of the quota, in all processes, as this one knows it */
  level?: number | undefined;
  lookups: number;
  exports: number;
  waitingReaders: number;
}

type UseByKonsument = Record<string, Use>;

/** What another process last told. */
interface Report {
  /** by the clock of the database, seconds */
  at: number;
  use: UseByKonsument;
  /** what it was asked for lately, requests a second */
  rates: Record<string, number>;
}

/**
 * Makes the limits of consumers those of all query-apis together: each tells twice a second what it has let through, and
 * hears what the others have. No request waits for that, so it is right within what passes in such a moment; of a quota
 * that is made up for. While the database is away, each process goes by what it knows itself.
 */
export class SharedLimits {
  private readonly id = randomUUID();
  private others = new Map<string, Report>();
  private heardAt = -Infinity;
  private round: Promise<void> | undefined;
  private again = false;

  constructor(
    /** of its own, to the primary */
    private readonly pool: Pool,
    private readonly konsumenter: Konsumenter,
    private readonly limits: ConsumerLimits,
  ) {}

  start(everyMs = EVERY_MS): BackgroundJob {
    // They are few, and stay for long: the others had better know at once.
    this.limits.exports.onTake = () => this.tellSoon();
    return startJob({ name: 'forbruk', everyMs, retryMs: RETRY_MS, run: () => this.tell() });
  }

  /** One round, which whoever asks meanwhile shares. */
  tell(): Promise<void> {
    this.round ??= this.exchange().finally(() => (this.round = undefined));
    return this.round;
  }

  private tellSoon(): void {
    if (this.again) return;
    this.again = true;
    const next = async (): Promise<void> => {
      await this.round;
      this.again = false;
      await this.tell();
    };
    next().catch((error: unknown) => {
      this.again = false;
      logger.debug({ err: error }, 'The other processes could not be told of an export; the next round does');
    });
  }

  private async exchange(): Promise<void> {
    try {
      const { rows } = await this.pool.query<{ andre: string; meldt: number; bruk: UseByKonsument }>({
        name: 'meld_forbruk',
        text: 'select andre, meldt, bruk from meld_forbruk($1, $2)',
        values: [this.id, JSON.stringify(this.ownUse())],
      });
      this.hear(rows.map(({ andre, meldt, bruk }) => ({ id: andre, at: meldt, use: bruk })));
    } catch (error) {
      if (performance.now() - this.heardAt > FORGOTTEN_MS) this.hear([]);
      throw error;
    }
    this.heardAt = performance.now();
  }

  private ownUse(): UseByKonsument {
    const { lookups, exports, waitingReaders } = this.limits;
    const names = new Set([lookups, exports, waitingReaders].flatMap((shares) => shares.holders()));
    const quotas = new Map([...this.konsumenter.values()].map(({ navn, kvote: quota }) => [navn, quota]));
    for (const [name, quota] of quotas) if ((quota?.asked ?? 0) > 0) names.add(name);
    return Object.fromEntries(
      Array.from(names, (name) => {
        const quota = quotas.get(name);
        const use: Use = {
          asked: quota?.asked ?? 0,
          passed: quota?.passed ?? 0,
          level: quota?.level,
          lookups: lookups.has(name),
          exports: exports.has(name),
          waitingReaders: waitingReaders.has(name),
        };
        return [name, use];
      }),
    );
  }

  private hear(told: readonly { id: string; at: number; use: UseByKonsument }[]): void {
    // What they have used in all is news only to who has heard of them lately.
    const before = performance.now() - this.heardAt > FORGOTTEN_MS ? new Map<string, Report>() : this.others;
    const isNew = this.heardAt === -Infinity;
    this.others = new Map(told.map(({ id, at, use }) => [id, { at, use, rates: ratesSince(before.get(id), at, use) }]));
    for (const { navn: name, kvote: quota } of this.konsumenter.values()) {
      if (!quota) continue;
      let passed = 0;
      const rates: number[] = [];
      for (const [id, report] of this.others) {
        const use = report.use[name];
        if (!use) continue;
        const known = before.get(id);
        if (known) passed += since(known.use[name]?.passed, use.passed);
        if (isNew && use.level !== undefined) quota.atMost(use.level);
        rates.push(report.rates[name] ?? 0);
      }
      quota.others(passed, rates);
    }
    const { lookups, exports, waitingReaders } = this.limits;
    this.setElsewhere(lookups, ({ lookups: taken }) => taken);
    this.setElsewhere(exports, ({ exports: taken }) => taken);
    this.setElsewhere(waitingReaders, ({ waitingReaders: taken }) => taken);
  }

  private setElsewhere(shares: Shares, takenOf: (use: Use) => number): void {
    const elsewhere = new Map<string, number>();
    for (const { use } of this.others.values()) {
      for (const [name, used] of Object.entries(use)) elsewhere.set(name, (elsewhere.get(name) ?? 0) + takenOf(used));
    }
    shares.setElsewhere(elsewhere);
  }
}

/** Two counts of the same process: one that is lower was begun anew. */
function since(before = 0, now: number): number {
  return now >= before ? now - before : now;
}

/** How much of the news a rate is: it must not jump with a moment in which nothing happened to be asked. */
const WEIGHT = 0.5;

function ratesSince(before: Report | undefined, at: number, use: UseByKonsument): Record<string, number> {
  if (!before || at <= before.at) return before?.rates ?? {};
  const rate = (name: string, { asked }: Use): number => {
    const latest = since(before.use[name]?.asked, asked) / (at - before.at);
    return latest * WEIGHT + (before.rates[name] ?? latest) * (1 - WEIGHT);
  };
  return Object.fromEntries(Object.entries(use).map(([name, used]) => [name, rate(name, used)]));
}
