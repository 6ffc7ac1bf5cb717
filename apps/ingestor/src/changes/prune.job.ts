import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { DataSource } from 'typeorm';

const HOURLY_MS = 60 * 60_000;

/** Removes what is old from the change feed, and remembers how far: a reader from before that is told to start again. */
export class ChangeFeedPruning {
  private job: BackgroundJob | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly keptDays: number,
  ) {}

  start(): void {
    this.job = startJob({ name: 'beskjaering', everyMs: HOURLY_MS, run: () => this.prune() });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }

  /**
   * Whole transactions, from the beginning of the feed to the first that is young enough, and none that readers can't see
   * yet: one that is open may still write below what is seen. The last change always stays, so that a reader who has read
   * everything never is behind.
   */
  async prune(): Promise<void> {
    await this.dataSource.query(
      `with grense as (
         select least(pg_snapshot_xmin(pg_current_snapshot()), coalesce(
           (select min(tx) from endring where tidspunkt >= now() - make_interval(days => $1)),
           (select max(tx) from endring))) as tx
       ), husket as (
         update instans set beskaaret_til = grense.tx from grense
         where grense.tx > instans.beskaaret_til and exists (select from endring where endring.tx < grense.tx)
         returning beskaaret_til
       ), for_abonnement as (
         delete from avtale_endring using husket where avtale_endring.tx < husket.beskaaret_til
       )
       delete from endring using husket where endring.tx < husket.beskaaret_til`,
      [this.keptDays],
    );
  }
}
