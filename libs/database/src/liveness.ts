import pg, { type PoolClient, type PoolConfig } from 'pg';

/** What pg keeps to itself, and tells in no other way. */
interface Internals {
  processID: number | null;
  /** false while the answer to a statement is waited for */
  readyForQuery: boolean;
  connection: {
    stream: { bytesRead: number; isPaused: () => boolean; destroy: (error: Error) => void };
    on: (event: 'errorMessage', listener: (message: { code?: string }) => void) => void;
  };
}

type Client = PoolClient & Internals;

/** What is known of a connection in use. */
interface Silence {
  bytesRead: number;
  /** without a byte while an answer was waited for */
  rounds: number;
  /** after so many the database is asked */
  askAfter: number;
  /** what the database last said of it */
  works: boolean | undefined;
  /** times in a row that the database said it is doing nothing for us */
  idleReports: number;
}

const ROUND_MS = 500;

/** After these the database is asked, over another connection, whether it is still at work; and after as many again. */
const SUSPICIOUS_ROUNDS = 8;

const HEARD_FROM = { rounds: 0, askAfter: SUSPICIOUS_ROUNDS, works: undefined, idleReports: 0 } as const;

/** What it was to answer may have been on its way when it was asked. */
const IDLE_REPORTS = 2;

const ASK_MS = 3_000;

/** The server has become read-only, or a standby: what takes its place is reached by a new connection only. */
const READ_ONLY = '25006';

/** A connection that answers no more: nobody said so, and what was under way on it may come to nothing. */
class SilentConnectionError extends Error {
  readonly code = 'ETIMEDOUT';

  constructor() {
    super('The database connection went silent');
  }
}

type WatchedConfig = PoolConfig & {
  /** a connection that is silent for so long, and of which the database says nothing, is given up, ms */
  silenceLimitMs: number;
};

/**
 * A pool no connection of which outlives the server at its other end. A network that swallows packets, as at a failover,
 * closes nothing: TCP alone would wait for many minutes, and a time limit tells nothing of a statement that may take an
 * hour. So when an answer is waited for and not a byte comes, the database is asked over a new connection what it is
 * doing for the old one. When that is nothing, the old one is given up, with those that are idle, and what is left of it
 * at the database is ended, with its locks.
 *
 * Neither this process being busy nor a reader that takes its time counts as silence.
 */
export class WatchedPool extends pg.Pool {
  private readonly inUse = new Map<Client, Silence>();
  private readonly idle = new Set<Client>();
  private timer: NodeJS.Timeout | undefined;
  private asking: Promise<void> | undefined;
  /** what answers has no sessions of ours: asking it tells nothing */
  private isPooled = false;

  private readonly config: WatchedConfig;

  constructor(config: WatchedConfig) {
    super(config);
    this.config = config;
    this.on('connect', (client) => {
      const { connection } = client as Client;
      connection.on('errorMessage', ({ code }) => {
        // After this message has become the error of its statement.
        if (code === READ_ONLY) setImmediate(() => this.giveUp(client as Client));
      });
    });
    this.on('acquire', (client) => {
      this.idle.delete(client as Client);
      this.inUse.set(client as Client, { bytesRead: -1, ...HEARD_FROM });
      this.timer ??= this.nextRound();
    });
    this.on('release', (error, client) => {
      this.inUse.delete(client as Client);
      // One that is let go with an error is not kept. The types say that there always is one.
      if (!(error as unknown)) this.idle.add(client as Client);
    });
    this.on('remove', (client) => {
      this.idle.delete(client as Client);
      this.inUse.delete(client as Client);
    });
  }

  /** Whatever is under way fails at once: the server is known not to answer. */
  abandon(): void {
    for (const client of [...this.inUse.keys(), ...this.idle])
      client.connection.stream.destroy(new SilentConnectionError());
  }

  private nextRound(): NodeJS.Timeout {
    return setTimeout(() => this.round(), ROUND_MS).unref();
  }

  private round(): void {
    for (const [client, silence] of this.inUse) {
      if (isSilent(client, silence)) silence.rounds++;
      const tooLong = silence.rounds * ROUND_MS >= this.config.silenceLimitMs && silence.works !== true;
      if (tooLong || silence.idleReports >= IDLE_REPORTS) this.giveUp(client);
    }
    const suspicious = [...this.inUse].filter(([, { rounds, askAfter }]) => rounds >= askAfter);
    // The rounds go on meanwhile: it may be that nobody answers at all.
    if (suspicious.length > 0 && !this.isPooled)
      this.asking ??= this.ask(suspicious).finally(() => (this.asking = undefined));
    this.timer = this.inUse.size > 0 ? this.nextRound() : undefined;
  }

  private giveUp(client: Client): void {
    client.connection.stream.destroy(new SilentConnectionError());
    // They are as old: who takes one of them would wait in its turn.
    for (const other of this.idle) other.connection.stream.destroy(new SilentConnectionError());
  }

  /** A database that can't be asked has said nothing, and neither has a pooler: its connections are of no one session. */
  private async ask(suspicious: [Client, Silence][]): Promise<void> {
    const { password } = this.config;
    const asked = new pg.Client({ ...this.config, password, connectionTimeoutMillis: ASK_MS, query_timeout: ASK_MS });
    asked.on('error', () => undefined);
    try {
      await asked.connect();
      const { rows } = await asked.query<{ pid: number }>(AT_WORK, [suspicious.map(([{ processID }]) => processID)]);
      const working = new Set(rows.map(({ pid }) => pid));
      this.isPooled = !working.has((asked as unknown as Internals).processID ?? -1);
      if (this.isPooled) return;
      for (const [client, silence] of suspicious) {
        // Something may have come meanwhile.
        if (!isSilent(client, silence)) continue;
        silence.works = working.has(client.processID ?? -1);
        silence.idleReports = silence.works ? 0 : silence.idleReports + 1;
        // Each asking is a connection, and the statement may take an hour.
        if (silence.works) silence.askAfter = silence.rounds + SUSPICIOUS_ROUNDS;
      }
      const forgotten = suspicious.filter(([, { idleReports }]) => idleReports >= IDLE_REPORTS);
      if (forgotten.length > 0) await asked.query(END, [forgotten.map(([{ processID }]) => processID)]);
    } catch {
      for (const [, silence] of suspicious) silence.works = undefined;
    } finally {
      await asked.end().catch(() => undefined);
    }
  }
}

const OURS = `application_name = current_setting('application_name') and usename = session_user`;

/** One that waits for the client, in the middle of a COPY say, does nothing. */
const AT_WORK = `
  select pid from pg_stat_activity
  where ${OURS} and state = 'active' and wait_event_type is distinct from 'Client'
    and (pid = any($1::int[]) or pid = pg_backend_pid())`;

const END = `
  select pg_terminate_backend(pid) from pg_stat_activity
  where ${OURS} and pid = any($1::int[]) and (state <> 'active' or wait_event_type = 'Client')`;

/** Whether nothing has come since the last time; else it starts from nothing. */
function isSilent({ connection: { stream }, readyForQuery }: Client, silence: Silence): boolean {
  const { bytesRead } = stream;
  if (!readyForQuery && !stream.isPaused() && bytesRead === silence.bytesRead) return true;
  Object.assign(silence, { bytesRead, ...HEARD_FROM });
  return false;
}
