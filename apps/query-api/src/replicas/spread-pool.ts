import type { PoolStats } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { isLost } from './connection-errors.ts';
import type { ReplicaSet, Server } from './replica-set.ts';

export interface SpreadOptions {
  open: (server: Server) => Pool;
  /** Ends the connections of one that no longer answers, whatever is under way on them; undefined: they end by themselves. */
  abandon?: (pool: Pool) => void;
  /** connections in use at once, of all servers together; who takes them sees to it */
  max: number;
}

/** Connections to the replicas that can be used: a new one is to the one of them that has least to do. */
export class SpreadPool implements PoolStats {
  readonly options: { max: number };
  private readonly pools = new Map<string, Pool>();
  private readonly homes = new WeakMap<PoolClient, Server>();
  private turn = 0;

  constructor(
    private readonly set: ReplicaSet,
    private readonly spread: SpreadOptions,
  ) {
    this.options = { max: spread.max };
    set.onAway.push((server) => {
      const pool = this.pools.get(server.name);
      if (pool) spread.abandon?.(pool);
    });
    set.onGone.push((server) => {
      void this.pools.get(server.name)?.end();
      this.pools.delete(server.name);
    });
  }

  /**
   * @param tried servers by name that had better not be asked, when there are others
   * @throws what pg throws when none of them can be reached
   */
  async connect(tried: ReadonlySet<string> = new Set()): Promise<PoolClient> {
    const failed = new Map<string, unknown>();
    for (;;) {
      const server = this.best(tried, failed);
      if (!server) throw [...failed.values()].at(-1);
      try {
        const db = await this.poolOf(server).connect();
        this.homes.set(db, server);
        return db;
      } catch (error) {
        failed.set(server.name, error);
        // What is under way there ends with it, so not for want of a free connection.
        if (isLost(error)) this.set.lost(server);
      }
    }
  }

  /** Which server the connection is to. */
  homeOf(db: PoolClient): Server | undefined {
    return this.homes.get(db);
  }

  /** Notes it when the connection was lost. @returns whether another replica may answer what this one did not */
  isLost(db: PoolClient, error: unknown): boolean {
    const home = this.homeOf(db);
    if (!home || !isLost(error)) return false;
    this.set.lost(home);
    return this.set.usable.some(({ name }) => name !== home.name);
  }

  async end(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.end()));
  }

  get totalCount(): number {
    return this.sum(({ totalCount }) => totalCount);
  }

  get idleCount(): number {
    return this.sum(({ idleCount }) => idleCount);
  }

  get waitingCount(): number {
    return this.sum(({ waitingCount }) => waitingCount);
  }

  private sum(count: (pool: Pool) => number): number {
    return [...this.pools.values()].reduce((total, pool) => total + count(pool), 0);
  }

  private best(tried: ReadonlySet<string>, failed: ReadonlyMap<string, unknown>): Server | undefined {
    const servers = this.set.usable.filter(({ name }) => !failed.has(name));
    const untried = servers.filter(({ name }) => !tried.has(name));
    const candidates = untried.length > 0 ? untried : servers;
    // Of those with as little to do, not always the same.
    const start = this.turn++ % Math.max(1, candidates.length);
    const inTurn = [...candidates.slice(start), ...candidates.slice(0, start)];
    return inTurn.toSorted((a, b) => this.busy(a) - this.busy(b))[0];
  }

  private busy({ name }: Server): number {
    const pool = this.pools.get(name);
    return pool ? pool.totalCount - pool.idleCount + pool.waitingCount : 0;
  }

  private poolOf(server: Server): Pool {
    const pool = this.pools.get(server.name) ?? this.spread.open(server);
    this.pools.set(server.name, pool);
    return pool;
  }
}
