import { todayInOslo } from '@tiltak/avtale';
import type { DataSource } from 'typeorm';
import type { QueryApiProcess } from './query-api.ts';
import { SOURCE } from './database.ts';

const EVERY_MS = 500;

/** The time that the query-api and its database go by, and up to when its data is said to be whole. */
export class SandboxClock {
  private aheadMs = 0;
  /** how old the data is said to be; undefined: as new as it can be, for ever */
  private staleAt: Date | undefined;
  private readonly timer: NodeJS.Timeout;
  private beat: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly owner: DataSource,
    private readonly queryApi: Pick<QueryApiProcess, 'setClock'>,
  ) {
    this.timer = setInterval(() => {
      this.beat = this.tellFreshness().catch(() => undefined);
    }, EVERY_MS);
  }

  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }

  today(): string {
    return todayInOslo(this.now());
  }

  /** Goes on from this moment. Data that is as new as it can be stays so. */
  async set(moment: Date): Promise<void> {
    await this.setAhead(moment.getTime() - Date.now());
  }

  async reset(): Promise<void> {
    this.staleAt = undefined;
    await this.setAhead(0);
  }

  /** Everything is included up to so many seconds ago, and no more comes to be: the age grows. 0: as new as it can be. */
  async setAge(seconds: number): Promise<void> {
    this.staleAt = seconds === 0 ? undefined : new Date(this.now().getTime() - seconds * 1_000);
    await this.tellFreshness();
  }

  get isStale(): boolean {
    return this.staleAt !== undefined;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.beat;
  }

  private async setAhead(aheadMs: number): Promise<void> {
    this.aheadMs = aheadMs;
    await this.owner.query('update sandkasse.klokke set foran = make_interval(secs => $1)', [aheadMs / 1_000]);
    await this.queryApi.setClock(aheadMs);
    await this.tellFreshness();
  }

  private async tellFreshness(): Promise<void> {
    const values = [SOURCE.topic, SOURCE.partition, this.staleAt ?? this.now()];
    for (const table of ['konsum_status', 'ressurs_status'])
      await this.owner.query(`update ${table} set oppdatert_til = $3 where topic = $1 and partisjon = $2`, values);
  }
}
