import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Front } from './front.ts';
import { startPostgres, type LocalPostgres } from './postgres.ts';
import { freePort } from './process.ts';
import { startStandby, type Standby } from './standby.ts';

interface GroupOptions {
  /** of the address that the apps know; a free one when left out */
  port?: number | undefined;
  /** the servers' data; whose data counts is kept between runs, also when another was promoted */
  directory: string;
  /** of one of the servers */
  logFile: (name: string) => string;
  /** with a read replica */
  replica?: boolean;
  /** with a standby, and an address that stays when it is promoted */
  standby?: boolean;
  /** told of each server that has started */
  onStart?: (server: StartedServer) => void;
}

interface StartedServer {
  name: string;
  server: LocalPostgres;
  logFile: string;
  /** whether its end was meant: another has taken its place */
  lost: () => boolean;
}

/** In the directory: the name of the server whose data counts. */
const CURRENT = 'primary';
const FIRST = 'postgres';
const REPLICA = 'replica';

/** A database as a platform offers it: a primary, and on demand a standby that takes over and a replica to read from. */
export class PostgresGroup {
  primary: LocalPostgres;
  standby: Standby | undefined;
  replica: Standby | undefined;
  /** in front of the primary; only when there is a standby: the way to a server that stays is shorter without */
  readonly front: Front | undefined;
  private readonly options: GroupOptions;
  private readonly lost = new Set<LocalPostgres>();

  private constructor(options: GroupOptions, primary: LocalPostgres, front: Front | undefined) {
    this.options = options;
    this.primary = primary;
    this.front = front;
    if (front) front.targets = () => [this.primary.port];
  }

  static async start(options: GroupOptions): Promise<PostgresGroup> {
    const { directory, logFile, standby = false, replica = false } = options;
    mkdirSync(directory, { recursive: true });
    const name = currentIn(directory);
    const port = options.port ?? (await freePort());
    const dataDir = join(directory, name);
    const primary = await startPostgres({ port: standby ? await freePort() : port, dataDir, logFile: logFile(name) });
    const group = new PostgresGroup(options, primary, standby ? await Front.start(port, () => []) : undefined);
    group.tell(name, primary);
    try {
      if (standby) await group.addStandby();
      if (replica) await group.addReplica();
    } catch (error) {
      await group.stop();
      throw error;
    }
    return group;
  }

  /** as superuser, to the database `postgres`, where the apps find it too */
  get url(): string {
    const url = new URL(this.primary.url);
    if (this.front) url.port = String(this.front.port);
    return url.href;
  }

  /** All that run, by what they are now. */
  get servers(): { name: 'postgres' | 'standby' | 'replica'; server: LocalPostgres }[] {
    const { primary, standby, replica } = this;
    return [
      { name: 'postgres', server: primary },
      ...(standby ? [{ name: 'standby' as const, server: standby }] : []),
      ...(replica ? [{ name: 'replica' as const, server: replica }] : []),
    ];
  }

  /**
   * The primary is lost, and the standby takes its place at the same address. What had been committed and not yet sent to
   * it is gone, as it is where a standby is not waited for. There is no standby after it, until one is added.
   *
   * @param silent the connections of before learn of nothing: no end, no reset
   */
  async failOver({ silent = false } = {}): Promise<void> {
    const { standby } = this;
    if (!standby) throw new Error('There is no standby to promote');
    if (silent) this.front?.silence();
    this.lost.add(this.primary);
    await this.primary.kill();
    await standby.promote();
    this.primary = standby;
    this.standby = undefined;
    const { directory } = this.options;
    writeFileSync(join(directory, CURRENT), standby.dataDir.slice(directory.length + 1));
    if (silent) this.front?.restore();
  }

  /** One that has caught up. A replica follows it from now on: else it could be ahead of who is promoted next. */
  async addStandby(): Promise<Standby> {
    const { directory, logFile } = this.options;
    const taken = new Set(this.servers.map(({ server }) => server.dataDir));
    const names = Array.from({ length: 3 }, (_, n) => (n === 0 ? FIRST : `${FIRST}-${String(n + 1)}`));
    const name = names.find((each) => !taken.has(join(directory, each))) ?? FIRST;
    const standby = await startStandby(this.primary, {
      port: await freePort(),
      dataDir: join(directory, name),
      logFile: logFile(name),
    });
    this.standby = standby;
    this.tell(name, standby);
    await standby.caughtUp();
    await this.replica?.follow(standby);
    return standby;
  }

  async stop(): Promise<void> {
    await this.front?.stop();
    for (const { server } of this.servers.reverse()) await server.stop();
  }

  private async addReplica(): Promise<void> {
    this.replica = await startStandby(this.standby ?? this.primary, {
      port: await freePort(),
      dataDir: join(this.options.directory, REPLICA),
      logFile: this.options.logFile(REPLICA),
    });
    this.tell(REPLICA, this.replica);
    await this.replica.caughtUp();
  }

  private tell(name: string, server: LocalPostgres): void {
    const { onStart, logFile } = this.options;
    onStart?.({ name, server, logFile: logFile(name), lost: () => this.lost.has(server) });
  }
}

/** Removes what the standbys of an earlier run left: they are made anew. */
function currentIn(directory: string): string {
  const file = join(directory, CURRENT);
  const current = existsSync(file) ? readFileSync(file, 'utf8') : FIRST;
  for (const name of readdirSync(directory)) {
    const isStandby = name.startsWith(FIRST) || name === REPLICA;
    if (isStandby && name !== current && name !== `${current}.passord`)
      rmSync(join(directory, name), { recursive: true });
  }
  return current;
}
