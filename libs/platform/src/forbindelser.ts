import { Gauge } from 'prom-client';

/** A pool of connections, as pg's tells of itself. */
export interface Forbindelser {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** Shows the pools in the metrics, by name: those in use, idle, and the requests that wait for one. */
export function maalForbindelser(pooler: Record<string, Forbindelser>): void {
  new Gauge({
    name: 'db_pool_forbindelser',
    help: 'Database connections by pool and state: I_BRUK, LEDIG; VENTER: work that waits for one',
    labelNames: ['pool', 'tilstand'] as const,
    collect() {
      for (const [pool, { totalCount, idleCount, waitingCount }] of Object.entries(pooler)) {
        this.set({ pool, tilstand: 'I_BRUK' }, totalCount - idleCount);
        this.set({ pool, tilstand: 'LEDIG' }, idleCount);
        this.set({ pool, tilstand: 'VENTER' }, waitingCount);
      }
    },
  });
}
