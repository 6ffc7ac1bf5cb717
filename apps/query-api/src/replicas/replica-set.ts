import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { isTransient } from '@tiltak/database';
import { logger, startJob, type BackgroundJob, type HostPort } from '@tiltak/platform';
import type { Pool } from 'pg';
import { MOMENT_SQL, resourceMomentSql } from '../freshness/moment.sql.ts';
import { metrics } from '../metrics.ts';
import { RESOURCES } from '../resources/resources.ts';
import { isLost } from './connection-errors.ts';

/** A server that look-ups may be read from. */
export interface Server {
  /** in the metrics, and in the log */
  name: string;
  host: string;
  port: number;
  /** whose certificate it must show: it is reached by its number */
  tlsName?: string;
}

/** Why a replica is out of the set. */
export type Reason = 'BORTE' | 'ETTER' | 'ANNEN_HISTORIE' | 'FEIL_OPPSETT';

interface Status {
  /** of avtaler and of each other resource, ms since 1970, up to when everything is included; null before the first load is done */
  momentsMs: (number | null)[];
  epoch: string;
}

interface Member {
  server: Server;
  probe: Pool;
  /** undefined: it is in use */
  reason: Reason | undefined;
  /** whether it is set up as it must be; asked again when it has been away */
  check: Promise<CheckResult> | undefined;
  /** rounds in a row in which it said nothing */
  silences: number;
}

type CheckResult = 'PASSED' | { error: unknown; at: number };

export interface ReplicaSetOptions {
  /** as they are configured: a name that stands for several servers is all of them */
  places: readonly HostPort[];
  defaultPort: number;
  /** a replica that is further behind than this leaves; it is back at half of it */
  maxBehindMs: number;
  primary: Server;
  /** One connection, for asking how the server is. */
  open: (server: Server) => Pool;
  /** @throws when it is not set up as what is read from must be */
  check: (server: Server) => Promise<void>;
  addressesOf?: (host: string) => Promise<string[]>;
}

const EVERY_MS = 1_000;
/** Of a server that is there, an answer to something so small takes no longer. */
const MAX_ANSWER_MS = 1_500;
/** Listened for in so many pieces: while this process is busy only one of them goes by, however long that lasts. */
const PIECES = 15;

/** One that once says nothing may have been kept waiting; what is under way on it would end with it. */
const MAX_SILENCES = 2;

/** After a check that failed. */
const CHECK_AGAIN_MS = 30_000;

const OUT = 'A replica is not read from';

const MOMENTS = [MOMENT_SQL, ...RESOURCES.map(resourceMomentSql)];
const STATUS = `select array[${MOMENTS.join(', ')}]::text[] as moments, endringsepoke()::text as epoke`;

/**
 * The replicas that look-ups may be read from. Once a second each is asked what it has come to, and so is the primary. One
 * that does not answer, that is behind, or that is of another history than the primary, leaves, and is back when it is as it
 * should be. When there is none, the primary is read.
 *
 * How far one is behind is told by the moments that the ingestor has stored: the same that an answer says it is as of. One
 * that is behind with any of them is behind: while one topic stands still, the others tell.
 */
export class ReplicaSet {
  /** Hears of one that no longer answers: what was asked of it will not be answered. */
  onAway: ((server: Server) => void)[] = [];
  /** Hears of one that is no longer among those that were configured. */
  onGone: ((server: Server) => void)[] = [];
  private members = new Map<string, Member>();
  private readonly addresses = new Map<string, string[]>();
  private readonly primaryProbe: Pool;
  private primaryEpoch: string | undefined;
  private isBeginning = false;

  constructor(private readonly options: ReplicaSetOptions) {
    this.primaryProbe = options.open(options.primary);
  }

  /** Those to read from; the primary alone when no replica can be used. */
  get usable(): readonly Server[] {
    const servers = [...this.members.values()].filter(({ reason }) => reason === undefined);
    return servers.length > 0 ? servers.map(({ server }) => server) : [this.options.primary];
  }

  /** Why each is out, by name; undefined of those in use. */
  get states(): ReadonlyMap<string, Reason | undefined> {
    return new Map(Array.from(this.members, ([name, { reason }]) => [name, reason]));
  }

  /**
   * The first round, which waits until it is known of each that answers whether it is set up as it must be.
   *
   * @throws what tells that one of them is not, which waiting would not help
   */
  async begin(): Promise<void> {
    this.isBeginning = true;
    try {
      await this.round();
    } finally {
      this.isBeginning = false;
    }
  }

  start(everyMs = EVERY_MS): BackgroundJob {
    return startJob({ name: 'replikaer', everyMs, run: () => this.round() });
  }

  async end(): Promise<void> {
    await Promise.all([this.primaryProbe, ...[...this.members.values()].map(({ probe }) => probe)].map((p) => p.end()));
  }

  /** It was found not to answer, by who asked it something else. */
  lost({ name }: Server): void {
    const member = this.members.get(name);
    if (member?.reason === undefined && member) this.leave(member, 'BORTE');
  }

  async round(): Promise<void> {
    await this.findMembers();
    const members = [...this.members.values()];
    const [primary, ...statuses] = await Promise.all(
      [this.primaryProbe, ...members.map(({ probe }) => probe)].map((probe) => statusOf(probe)),
    );
    const known = [primary, ...statuses].filter((status) => typeof status === 'object');
    this.primaryEpoch = typeof primary === 'object' ? primary.epoch : this.primaryEpoch;
    const newestMs = MOMENTS.map((_, i) => Math.max(0, ...known.map(({ momentsMs }) => momentsMs[i] ?? 0)));
    for (const [i, member] of members.entries()) await this.judge(member, statuses[i] ?? 'SILENT', newestMs);
  }

  private async judge(member: Member, status: Status | NoStatus, newestMs: readonly number[]): Promise<void> {
    member.silences = status === 'SILENT' ? member.silences + 1 : 0;
    if (typeof status === 'string') {
      if (status === 'LOST' || member.silences >= MAX_SILENCES) this.leave(member, 'BORTE');
      return;
    }
    const behindMs = Math.max(...newestMs.map((newest, i) => newest - (status.momentsMs[i] ?? 0)));
    metrics.replicaLag.set({ replika: member.server.name }, behindMs / 1_000);
    const { maxBehindMs } = this.options;
    if (this.primaryEpoch !== undefined && status.epoch !== this.primaryEpoch) this.leave(member, 'ANNEN_HISTORIE');
    else if (behindMs > (member.reason === undefined ? maxBehindMs : maxBehindMs / 2)) this.leave(member, 'ETTER');
    else if (member.reason !== undefined) await this.join(member);
  }

  private async join(member: Member): Promise<void> {
    member.check ??= this.check(member.server);
    // It may take a while: after the first round, the others are not kept waiting for it.
    const result = this.isBeginning
      ? await member.check
      : await Promise.race([member.check, nextTurn('UNDER_WAY' as const)]);
    if (result === 'UNDER_WAY') return;
    if (result === 'PASSED') {
      member.reason = undefined;
      metrics.replicaInUse.set({ replika: member.server.name }, 1);
      logger.info({ replika: member.server.name }, 'A replica is read from');
      return;
    }
    if (this.isBeginning && isStartupError(result.error)) throw result.error;
    if (!isStartupError(result.error) && isTransient(result.error)) {
      // It says nothing of how it is set up: the next round looks again.
      member.check = undefined;
      logger.warn({ replika: member.server.name, err: result.error }, 'A replica could not be looked at; trying again');
      return;
    }
    // Who sets it right should not have to start this process again.
    if (performance.now() - result.at > CHECK_AGAIN_MS) member.check = undefined;
    this.leave(member, 'FEIL_OPPSETT', result.error);
  }

  private check(server: Server): Promise<CheckResult> {
    return this.options.check(server).then(
      () => 'PASSED',
      (error: unknown) => ({ error, at: performance.now() }),
    );
  }

  private leave(member: Member, reason: Reason, error?: unknown): void {
    const { server, reason: before } = member;
    // Another may be there when it is back.
    if (reason === 'BORTE') member.check = undefined;
    if (before === reason) return;
    member.reason = reason;
    metrics.replicaInUse.set({ replika: server.name }, 0);
    logger.warn({ replika: server.name, grunn: reason, ...(error === undefined ? {} : { err: error }) }, OUT);
    if (before === undefined && reason === 'BORTE') for (const hear of this.onAway) hear(server);
  }

  private async findMembers(): Promise<void> {
    const servers = (await Promise.all(this.options.places.map((place) => this.serversAt(place)))).flat();
    const names = new Set(servers.map(({ name }) => name));
    for (const [name, member] of this.members) {
      if (names.has(name)) continue;
      this.members.delete(name);
      metrics.replicaInUse.remove({ replika: name });
      metrics.replicaLag.remove({ replika: name });
      for (const hear of this.onGone) hear(member.server);
      void member.probe.end();
    }
    for (const server of servers) {
      if (this.members.has(server.name)) continue;
      const probe = this.options.open(server);
      this.members.set(server.name, { server, probe, reason: 'BORTE', check: undefined, silences: 0 });
      metrics.replicaInUse.set({ replika: server.name }, 0);
    }
  }

  /**
   * A name that can't be looked up for the moment stands for what it stood for before. Each is called by its address, also
   * while there is only one: else it would be another when a second comes, and what is under way on it would be lost.
   */
  private async serversAt({ host, port = this.options.defaultPort }: HostPort): Promise<Server[]> {
    const whole: Server = { name: `${host}:${String(port)}`, host, port };
    if (isIP(host) !== 0) return [whole];
    const { addressesOf = ipAddressesOf } = this.options;
    const found = await Promise.race([addressesOf(host), inVain(MAX_ANSWER_MS)]).catch(() => undefined);
    if (found) this.addresses.set(host, found);
    const addresses = this.addresses.get(host) ?? [];
    if (addresses.length === 0) return [whole];
    return addresses.map((address) => ({ name: `${address}:${String(port)}`, host: address, port, tlsName: host }));
  }
}

/** A machine has one of each kind: they are not two servers. */
async function ipAddressesOf(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true });
  return found.filter(({ family }) => family === found[0]?.family).map(({ address }) => address);
}

const isStartupError = (error: unknown): boolean => error instanceof Error && 'startupError' in error;

const inVain = (ms: number): Promise<undefined> => wait(ms, undefined, { ref: false });

type NoStatus = 'SILENT' | 'LOST';

async function statusOf(probe: Pool): Promise<Status | NoStatus> {
  try {
    const asked = probe.query<{ moments: (string | null)[]; epoke: string }>(STATUS);
    for (let piece = 0; piece < PIECES; piece++) {
      const row = (await Promise.race([asked, inVain(MAX_ANSWER_MS / PIECES)]))?.rows[0];
      if (row) return { momentsMs: row.moments.map((ms) => (ms === null ? null : Number(ms))), epoch: row.epoke };
    }
    return 'SILENT';
  } catch (error) {
    return isLost(error) ? 'LOST' : 'SILENT';
  }
}
