import { Gauge } from 'prom-client';

/** A pool of connections, as pg's tells of itself. */
export interface PoolStats {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

const pools = new Map<string, PoolStats>();

new Gauge({
  name: 'db_pool_forbindelser',
  help: 'Database connections by pool and state: I_BRUK, LEDIG; VENTER: work that waits for one',
  labelNames: ['pool', 'tilstand'] as const,
  collect() {
    for (const [pool, { totalCount, idleCount, waitingCount }] of pools) {
      this.set({ pool, tilstand: 'I_BRUK' }, totalCount - idleCount);
      this.set({ pool, tilstand: 'LEDIG' }, idleCount);
      this.set({ pool, tilstand: 'VENTER' }, waitingCount);
    }
  },
});

/** Shows the pools in the metrics, by name: those in use, idle, and the work that waits for one. */
export function measurePools(added: Record<string, PoolStats>): void {
  for (const [name, pool] of Object.entries(added)) pools.set(name, pool);
}
