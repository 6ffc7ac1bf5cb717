/** An answer that takes longer than this is a stall. */
export const STALL_MS = 100;

/** When something was due, and when it was there, ms. */
export interface Span {
  from: number;
  to: number;
}

/** Of times in ms. */
export interface Times {
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  max: number;
  /** how often answers stood still: those that waited at the same time did so for one stall */
  stalls: number;
}

/** The smallest value that at least this share of all values do not exceed; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ofSorted(sorted, share);
}

function ofSorted(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function timesOf(spans: readonly Span[]): Times {
  const sorted = spans.map(({ from, to }) => to - from).sort((a, b) => a - b);
  return {
    p50: ofSorted(sorted, 0.5),
    p90: ofSorted(sorted, 0.9),
    p95: ofSorted(sorted, 0.95),
    p99: ofSorted(sorted, 0.99),
    max: sorted.at(-1) ?? Number.NaN,
    stalls: stallsIn(spans),
  };
}

/** Groups of slow answers that overlap in time. */
export function stallsIn(spans: readonly Span[], limitMs = STALL_MS): number {
  let stalls = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const { from, to } of spans.filter((span) => span.to - span.from > limitMs).sort((a, b) => a.from - b.from)) {
    if (from > until) stalls++;
    until = Math.max(until, to);
  }
  return stalls;
}
