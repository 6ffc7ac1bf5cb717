import { logg } from '@tiltak/platform';
import type { Lesing } from '../database/lesing.ts';
import { erEtter, hentSiste } from './endringer.queries.ts';
import type { Posisjon } from './posisjon.ts';

interface Ventende {
  etter: Posisjon;
  slipp: () => void;
}

/**
 * Lets readers wait for something to read. While anyone waits, the end of the feed is looked up at a steady pace, once
 * for all of them and on no connection of their own. Asked and not told: a notification comes when a transaction
 * commits, but what it wrote can be read only when all before it have ended, which nobody tells; and a read replica
 * gets no notifications at all.
 */
export class Stromvakt {
  private readonly ventende = new Set<Ventende>();
  private timer: NodeJS.Timeout | undefined;
  private stoppet = false;

  constructor(
    private readonly lesing: Lesing,
    private readonly intervallMs = 50,
  ) {}

  /** Returns when there may be something after the position, when the time is out, or when the reader has gone. */
  async vent(etter: Posisjon, sekunder: number, avbrutt: AbortSignal): Promise<void> {
    if (this.stoppet || avbrutt.aborted) return;
    await new Promise<void>((slipp) => {
      const ventende = { etter, slipp };
      this.ventende.add(ventende);
      const ferdig = (): void => {
        clearTimeout(frist);
        avbrutt.removeEventListener('abort', ferdig);
        this.ventende.delete(ventende);
        slipp();
      };
      ventende.slipp = ferdig;
      const frist = setTimeout(ferdig, sekunder * 1_000);
      avbrutt.addEventListener('abort', ferdig);
      this.timer ??= setTimeout(() => void this.se(), this.intervallMs);
    });
  }

  /** Those who wait are let go with what there is. */
  stopp(): void {
    this.stoppet = true;
    clearTimeout(this.timer);
    for (const { slipp } of [...this.ventende]) slipp();
  }

  private async se(): Promise<void> {
    try {
      const siste = await hentSiste(this.lesing);
      for (const { etter, slipp } of siste ? [...this.ventende] : []) if (siste && erEtter(siste, etter)) slipp();
    } catch (feil) {
      logg.warn({ err: feil }, 'The end of the change feed could not be read; trying again');
    }
    this.timer =
      this.ventende.size > 0 && !this.stoppet ? setTimeout(() => void this.se(), this.intervallMs) : undefined;
  }
}
