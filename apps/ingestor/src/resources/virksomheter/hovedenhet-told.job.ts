import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import type { GiveWay, PieceSize } from '../../background/give-way.ts';
import { inAttempts } from '../../ingest/try-again.ts';
import { insertLinkChanges } from '../../relations/relations.queries.ts';
import { lockAvtalerOf, takeMoved } from './hierarchy.queries.ts';

/** Virksomheter; most have a few avtaler. */
const IN_PIECE: PieceSize = { first: 20, least: 1, most: 1_000 };

/**
 * Tells in the change feed of avtaler whose hovedenhet has become another: in a transaction after the one that changed it.
 * In that one an avtale that was written at the same time would be missed, and its own line read before the change.
 */
export class HovedenhetTold {
  private job: BackgroundJob | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly giveWay: GiveWay,
  ) {}

  start(): void {
    this.job = startJob({ name: 'hovedenhet', everyMs: 1_000, run: (signal) => this.round(signal) });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }

  async round(signal?: AbortSignal): Promise<void> {
    const pieces = this.giveWay.inPieces(IN_PIECE);
    for (let isMore = true; isMore && !signal?.aborted;) isMore = await pieces.take((most) => this.tell(most), signal);
  }

  private tell(most: number): Promise<boolean> {
    return inAttempts(this.pool, async (db) => {
      const moved = await takeMoved(db, most);
      if (moved.length > 0) await insertLinkChanges(db, await lockAvtalerOf(db, moved));
      return moved.length > 0;
    });
  }
}
