import { setTimeout as wait } from 'node:timers/promises';
import { percentile } from '../bench/measuring/statistics.ts';

/** What a consumer saw in a while. */
export interface Seen {
  answers: number;
  /** of those, answered only when asked again */
  again: number;
  /** told plainly to come again later (503 with Retry-After), also after all attempts */
  away: number;
  /** neither answered nor told so */
  failed: number;
  /** how the last of those failed: a status, or what the connection said */
  why: string;
  p50: number;
  p99: number;
  /** the oldest data that an answer was made of, ms; NaN without an answer */
  ageMs: number;
}

interface Asked {
  at: number;
  ms: number;
  outcome: 'OK' | 'AWAY' | 'FAILED';
  again: boolean;
  ageMs: number;
  why: string;
}

interface ConsumerOptions {
  url: string;
  headers: () => Promise<Record<string, string>>;
  /** one of the avtaler that there are */
  avtaleId: () => string;
  perSecond?: number;
  attempts?: number;
}

const PAUSE_MS = 150;
const MAX_ANSWER_MS = 10_000;

/** Asks at even intervals, whether or not earlier calls have been answered, as independent callers do. */
export class Consumer {
  readonly name: string;
  private readonly options: ConsumerOptions;
  private readonly asked: Asked[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private taken = 0;
  private stopping = false;
  private readonly work: Promise<void>;

  constructor(options: ConsumerOptions, name: string) {
    this.options = options;
    this.name = name;
    this.work = this.askOnAndOn();
  }

  /** What it has seen since the last time that it was asked, or since it began. */
  take(): Seen {
    const since = this.asked.slice(this.taken);
    this.taken = this.asked.length;
    return summary(since);
  }

  lately(ms: number): Seen {
    const from = performance.now() - ms;
    return summary(this.asked.slice(-2_000).filter(({ at }) => at >= from));
  }

  /** When all that it has asked is answered. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.work;
    await Promise.all(this.underWay);
  }

  private async askOnAndOn(): Promise<void> {
    const { perSecond = 50 } = this.options;
    const headers = await this.options.headers();
    const begun = performance.now();
    for (let n = 1; !this.stopping; n++) {
      const due = performance.now();
      const call = this.ask(due, headers).finally(() => this.underWay.delete(call));
      this.underWay.add(call);
      await wait(Math.max(0, begun + (n / perSecond) * 1_000 - performance.now()));
    }
  }

  private async ask(due: number, headers: Record<string, string>): Promise<void> {
    const { attempts = 5 } = this.options;
    const path = `${this.options.url}/api/v1/avtaler/${this.options.avtaleId()}`;
    let outcome: Asked['outcome'] = 'FAILED';
    let why = '';
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await wait(PAUSE_MS);
      const response = await fetch(path, { headers, signal: AbortSignal.timeout(MAX_ANSWER_MS) }).catch(
        (error: unknown) => {
          why = nameOf(error);
          return undefined;
        },
      );
      await response?.arrayBuffer().catch(() => undefined);
      if (response?.status === 200 || response?.status === 404) {
        const ageMs = Date.now() - Date.parse(response.headers.get('data-oppdatert') ?? '');
        return this.note({ due, outcome: 'OK', again: attempt > 0, ageMs, why: '' });
      }
      if (response) why = String(response.status);
      outcome = response?.headers.has('retry-after') ? 'AWAY' : 'FAILED';
    }
    this.note({ due, outcome, again: true, ageMs: Number.NaN, why });
  }

  private note({ due, ...asked }: Omit<Asked, 'at' | 'ms'> & { due: number }): void {
    const at = performance.now();
    this.asked.push({ at, ms: at - due, ...asked });
  }
}

function summary(asked: readonly Asked[]): Seen {
  const answered = asked.filter(({ outcome }) => outcome === 'OK');
  const count = (which: Asked['outcome']): number => asked.filter(({ outcome }) => outcome === which).length;
  const times = answered.map(({ ms }) => ms);
  const ages = answered.map(({ ageMs }) => ageMs).filter(Number.isFinite);
  return {
    answers: answered.length,
    again: answered.filter(({ again }) => again).length,
    away: count('AWAY'),
    failed: count('FAILED'),
    why: asked.findLast(({ outcome }) => outcome === 'FAILED')?.why ?? '',
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    ageMs: ages.length === 0 ? Number.NaN : Math.max(...ages),
  };
}

function nameOf(error: unknown): string {
  const { name, cause } = error as Error & { cause?: { code?: string } };
  return cause?.code ?? name;
}
