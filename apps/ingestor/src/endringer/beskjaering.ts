import { logg } from '@tiltak/platform';
import type { DataSource } from 'typeorm';

const HVER_TIME_MS = 60 * 60_000;

/** Removes what is old from the change feed, and remembers how far: a reader from before that is told to start again. */
export class Beskjaering {
  private timer: NodeJS.Timeout | undefined;
  private iGang: Promise<void> = Promise.resolve();

  constructor(
    private readonly datakilde: DataSource,
    private readonly beholdesDager: number,
  ) {}

  start(intervallMs = HVER_TIME_MS): void {
    const runde = (): void => {
      this.iGang = this.beskjaer().catch((feil: unknown) => {
        logg.warn({ err: feil }, 'Old changes could not be removed from the feed; trying again later');
      });
    };
    this.timer = setInterval(runde, intervallMs);
    runde();
  }

  async stopp(): Promise<void> {
    clearInterval(this.timer);
    await this.iGang;
  }

  /**
   * Whole transactions, from the beginning of the feed to the first that is young enough. The last change always stays,
   * so that a reader who has read everything never is behind.
   */
  async beskjaer(): Promise<void> {
    await this.datakilde.query(
      `with grense as (
         select coalesce(
           (select min(tx) from endring where tidspunkt >= now() - make_interval(days => $1)),
           (select max(tx) from endring)) as tx
       ), husket as (
         update instans set beskaaret_til = grense.tx from grense
         where grense.tx > instans.beskaaret_til and exists (select from endring where endring.tx < grense.tx)
         returning beskaaret_til
       )
       delete from endring using husket where tx < husket.beskaaret_til`,
      [this.beholdesDager],
    );
  }
}
