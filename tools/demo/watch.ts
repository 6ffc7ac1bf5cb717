import { setTimeout as wait } from 'node:timers/promises';
import type { App } from '../local/apps.ts';
import { Consumer } from './consumer.ts';
import type { Line } from './show.ts';

const EVERY_MS = 500;
const MAX_SCRAPE_MS = 2_000;
/** Of what consumers saw, for one point of a line. */
const WINDOW_MS = 2_000;

interface Watched {
  name: string;
  app: App;
  kind: 'ingestor' | 'query-api';
  lookups: number | undefined;
  at: number;
}

/** Looks at the processes' own metrics, and at what consumers see, twice a second, and draws lines of it. */
export class Watch {
  private readonly lines: Line[];
  private readonly apps: Watched[] = [];
  private readonly consumers: Consumer[] = [];
  private stopping = false;
  private readonly work: Promise<void>;

  constructor(lines: Line[]) {
    this.lines = lines;
    this.work = this.lookOnAndOn();
  }

  app(kind: Watched['kind'], name: string, app: App): App {
    this.apps.push({ name, app, kind, lookups: undefined, at: 0 });
    return app;
  }

  /** One that asks evenly until the scene is over, or it is stopped. */
  consumer(name: string, options: ConstructorParameters<typeof Consumer>[0]): Consumer {
    const consumer = new Consumer(options, name);
    this.consumers.push(consumer);
    return consumer;
  }

  point(chart: string, unit: string, of: string, value: number, at = Date.now()): void {
    if (!Number.isFinite(value)) return;
    let line = this.lines.find((each) => each.chart === chart && each.of === of);
    if (!line) this.lines.push((line = { chart, unit, of, points: [] }));
    line.points.push([at, Math.round(value * 100) / 100]);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all([this.work, ...this.consumers.map((consumer) => consumer.stop())]);
  }

  private async lookOnAndOn(): Promise<void> {
    while (!this.stopping) {
      await Promise.all([wait(EVERY_MS), ...this.apps.map((app) => this.lookAt(app))]);
      for (const consumer of this.consumers) this.lookAtConsumer(consumer);
    }
  }

  private lookAtConsumer(consumer: Consumer): void {
    const { p99, ageMs } = consumer.lately(WINDOW_MS);
    this.point('p99 of answers', 'ms', consumer.name, p99);
    this.point('Age of the data (Data-Oppdatert)', 's', consumer.name, ageMs / 1_000);
  }

  private async lookAt(watched: Watched): Promise<void> {
    const { app, kind, name } = watched;
    if (app.proc.ended()) return;
    const metrics = await readMetrics(app);
    if (!metrics) return;
    const now = Date.now();
    if (kind === 'ingestor')
      return this.point('Messages not yet stored', '', name, sumOf(metrics, 'ingestor_etterslep_meldinger'));
    const lookups = sumOf(metrics, 'query_oppslag_total');
    if (watched.lookups !== undefined)
      this.point('Look-ups a second', '/s', name, ((lookups - watched.lookups) / (now - watched.at)) * 1_000);
    Object.assign(watched, { lookups, at: now });
  }
}

/** The process's own metrics as it publishes them; undefined while it does not answer. */
export async function readMetrics({ url }: App): Promise<string | undefined> {
  const signal = AbortSignal.timeout(MAX_SCRAPE_MS);
  return fetch(`${url}/internal/prometheus`, { signal }).then(
    (response) => response.text(),
    () => undefined,
  );
}

/** Of all labels of one metric. */
export function sumOf(metrics: string, name: string): number {
  let sum = 0;
  for (const [, value] of metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))) sum += Number(value);
  return sum;
}
