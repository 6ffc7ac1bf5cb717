import { KonsumStatus } from '@tiltak/database';
import { logg } from '@tiltak/platform';
import type { DataSource } from 'typeorm';
import { metrikker } from '../metrikker.ts';

/**
 * Keeps in mind the moment up to which everything published is included, as the ingestors have stored it. What is kept
 * is older than what an answer then reads, never newer, so `Data-Oppdatert` never promises too much; when the ingestors
 * are down, the moment stands still.
 */
export class Ferskhet {
  /** as last read */
  partisjoner: readonly KonsumStatus[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly datakilde: DataSource) {}

  start(intervallMs = 250): void {
    const runde = (): void => {
      void this.les()
        .catch((feil: unknown) => logg.warn({ err: feil }, 'Freshness could not be read; trying again'))
        .then(() => {
          if (this.timer) this.timer = setTimeout(runde, intervallMs);
        });
    };
    this.timer = setTimeout(runde, 0);
  }

  stopp(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Reads it now. */
  async les(): Promise<void> {
    this.partisjoner = await this.datakilde.getRepository(KonsumStatus).find({ order: { partisjon: 'asc' } });
    const oppdatert = this.dataOppdatert;
    if (oppdatert) metrikker.dataAlder.set((Date.now() - oppdatert.getTime()) / 1000);
  }

  /** undefined until each partition has once been read to its end */
  get dataOppdatert(): Date | undefined {
    return eldste(this.partisjoner);
  }
}

export function eldste(partisjoner: readonly KonsumStatus[]): Date | undefined {
  const tider = partisjoner.map(({ oppdatertTil }) => oppdatertTil?.getTime());
  if (tider.length === 0 || tider.includes(undefined)) return undefined;
  return new Date(Math.min(...(tider as number[])));
}
