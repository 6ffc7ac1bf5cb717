import { setTimeout as vent } from 'node:timers/promises';
import { logg } from '@tiltak/platform';
import type { Pool } from 'pg';
import { iTransaksjon } from '../transaksjon.ts';
import { ALLE, fortellOm, laasBygging, laasDeltakere, nesteDeltakere, settBygging } from './relasjoner.sql.ts';
import { rettRelasjoner } from './relasjoner.ts';

const DELTAKERE_PER_GANG = 500;

/**
 * Computes, once in the life of a database, the relations of avtaler that were stored before relations were kept. In the
 * background, while messages are read: what these change is computed anew anyway. Goes on where it was when the process
 * ended; several processes take turns.
 */
export class Relasjonsbygging {
  private readonly avbryt = new AbortController();
  private iGang: Promise<void> = Promise.resolve();

  constructor(private readonly pool: Pool) {}

  start(): void {
    this.iGang = this.bygg();
  }

  async stopp(): Promise<void> {
    this.avbryt.abort();
    await this.iGang;
  }

  private async bygg(): Promise<void> {
    const { signal } = this.avbryt;
    while (!signal.aborted) {
      try {
        if (await byggNeste(this.pool)) return;
      } catch (feil) {
        logg.warn({ err: feil }, 'Relations could not be computed; trying again');
        await vent(5_000, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}

/** @returns whether there was nothing left */
export function byggNeste(pool: Pool, antall = DELTAKERE_PER_GANG): Promise<boolean> {
  return iTransaksjon(pool, async (db) => {
    const bygget = await laasBygging(db);
    if (bygget === ALLE) return true;
    const deltakere = await nesteDeltakere(db, bygget, antall);
    await laasDeltakere(db, deltakere);
    await fortellOm(db, [...(await rettRelasjoner(db, deltakere))]);
    await settBygging(db, deltakere.at(-1) ?? ALLE);
    return deltakere.length === 0;
  });
}
