import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge } from 'prom-client';

/** How often a timer looks whether its turn came in time. */
const RESOLUTION_MS = 10;
/** What is told is of the last minute, whoever asks, and how often: it is kept in parts, and the oldest is dropped. */
const PART_MS = 10_000;
const PARTS = 6;
const QUANTILES = [0.5, 0.99, 1];

let histogram: ReturnType<typeof monitorEventLoopDelay> | undefined;
/** of each part that is over, by quantile, seconds */
const parts: number[][] = [];

new Gauge({
  name: 'event_loop_delay_sekunder',
  help: 'How long the process kept everything waiting that had its turn, in the last minute; kvantil 1 is the longest',
  labelNames: ['kvantil'] as const,
  collect() {
    const all = [...parts, read()];
    for (const [i, quantile] of QUANTILES.entries()) {
      this.set({ kvantil: String(quantile) }, Math.max(...all.map((part) => part[i] ?? 0)));
    }
  },
});

/**
 * Measures from now on how long the event loop keeps everybody waiting. The default metrics have such figures too, but
 * who reads those begins them anew: of two that read, one misses the stall.
 */
export function measureEventLoop(): void {
  if (histogram) return;
  histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  setInterval(() => {
    parts.push(read());
    if (parts.length >= PARTS) parts.shift();
    histogram?.reset();
  }, PART_MS).unref();
}

function read(): number[] {
  return QUANTILES.map((quantile) => {
    if (!histogram || histogram.count === 0) return 0;
    const ns = quantile === 1 ? histogram.max : histogram.percentile(quantile * 100);
    // Between two looks there is meant to be some time.
    return Math.max(0, ns / 1e6 - RESOLUTION_MS) / 1_000;
  });
}
