import { setTimeout as wait } from 'node:timers/promises';
import { percentile, timesOf, type Span, type Times } from '../measuring/statistics.ts';
import { encodeRequest, HttpConnection, type Answer, type HttpRequest } from './http-connection.ts';

export interface LoadOptions {
  url: string;
  headers: Record<string, string>;
  /** sent in turn */
  requests: HttpRequest[];
  connections: number;
  seconds: number;
  /**
   * at even intervals, whether or not earlier ones have been answered, as independent callers send them; undefined: each
   * connection sends its next request when the one before is answered
   */
  perSecond?: number;
  /** how often a request is sent again that was refused for now, or whose connection broke */
  retries?: number;
  /** of answers; undefined: all times are of the whole load */
  slowMs?: number;
}

export interface LoadResult {
  answers: number;
  seconds: number;
  perSecond: number;
  /** from when a request was due */
  times: Times;
  /** answered with something else than 200, or not at all, after the retries */
  failed: number;
  /** the same by status; `broken` without one */
  failures: Record<string, number>;
  /** how long after it was due the generator itself got to a request, ms; of an even load */
  lateness: { p99: number; max: number };
  /** when answers came that took longer than `slowMs`: epoch, ms */
  slow: { at: number; ms: number }[];
}

/** Stops a load before its time is out. */
export interface Stop {
  now: boolean;
}

export function runLoad(options: LoadOptions, stop: Stop = { now: false }): Promise<LoadResult> {
  return new Load(options, stop).run();
}

class Load {
  private readonly options: LoadOptions;
  private readonly stop: Stop;
  private readonly encoded: Buffer[];
  private readonly connections: HttpConnection[];
  private readonly free: HttpConnection[];
  private readonly due: number[] = [];
  private readonly spans: Span[] = [];
  private readonly late: number[] = [];
  private readonly slow: { at: number; ms: number }[] = [];
  private next = 0;
  private failed = 0;
  private readonly failures: Record<string, number> = {};
  private underWay = 0;
  private begun = 0;

  constructor(options: LoadOptions, stop: Stop) {
    this.options = options;
    this.stop = stop;
    this.encoded = options.requests.map((request) => encodeRequest(request, options.headers));
    this.connections = Array.from({ length: options.connections }, () => new HttpConnection(options.url));
    this.free = [...this.connections];
  }

  async run(): Promise<LoadResult> {
    const { perSecond, seconds } = this.options;
    this.begun = performance.now();
    const until = this.begun + seconds * 1_000;
    if (perSecond === undefined) await this.closedLoop(until);
    else await this.evenly(perSecond, until);
    const last = this.spans.reduce((latest, { to }) => Math.max(latest, to), this.begun);
    for (const connection of this.connections) connection.close();
    const took = (last - this.begun) / 1_000;
    return {
      answers: this.spans.length,
      seconds: took,
      perSecond: this.spans.length / took,
      times: timesOf(this.spans),
      failed: this.failed,
      failures: this.failures,
      lateness: { p99: percentile(this.late, 0.99), max: this.late.reduce((most, ms) => Math.max(most, ms), 0) },
      slow: this.slow,
    };
  }

  private async closedLoop(until: number): Promise<void> {
    const loops = this.connections.map(
      (connection) =>
        new Promise<void>((done) => {
          const again = (): void => {
            const now = performance.now();
            if (now >= until || this.stop.now) done();
            else this.send(connection, now, again);
          };
          again();
        }),
    );
    await Promise.all(loops);
  }

  private async evenly(perSecond: number, until: number): Promise<void> {
    for (let n = 0; ;) {
      const now = performance.now();
      for (; this.dueAt(n, perSecond) <= Math.min(now, until); n++) {
        const due = this.dueAt(n, perSecond);
        this.late.push(now - due);
        this.due.push(due);
      }
      this.sendDue();
      if (now >= until || this.stop.now) break;
      await wait(Math.max(1, this.dueAt(n, perSecond) - performance.now()));
    }
    while (this.due.length > 0 || this.underWay > 0) await wait(5);
  }

  private dueAt(n: number, perSecond: number): number {
    return this.begun + (n / perSecond) * 1_000;
  }

  private sendDue(): void {
    while (this.due.length > 0) {
      const connection = this.free.pop();
      if (!connection) return;
      const due = this.due.shift() ?? 0;
      this.send(connection, due, () => {
        this.free.push(connection);
        this.sendDue();
      });
    }
  }

  private send(connection: HttpConnection, due: number, then: () => void): void {
    const request = this.encoded[this.next++ % this.encoded.length] ?? Buffer.alloc(0);
    let left = this.options.retries ?? 0;
    this.underWay++;
    const attempt = (): void => connection.send(request, answered);
    const answered = (answer: Answer | undefined): void => {
      if (answer?.status === 200) return this.finish(due, then);
      if (left-- > 0 && mayHelp(answer)) {
        setTimeout(attempt, 100);
        return;
      }
      this.failed++;
      const kind = String(answer?.status ?? 'broken');
      this.failures[kind] = (this.failures[kind] ?? 0) + 1;
      this.finish(due, then);
    };
    attempt();
  }

  private finish(due: number, then: () => void): void {
    this.underWay--;
    const now = performance.now();
    this.spans.push({ from: due, to: now });
    const { slowMs } = this.options;
    if (slowMs !== undefined && now - due > slowMs) this.slow.push({ at: Date.now(), ms: now - due });
    then();
  }
}

const mayHelp = (answer: Answer | undefined): boolean =>
  answer === undefined || answer.status === 429 || answer.status >= 500;
