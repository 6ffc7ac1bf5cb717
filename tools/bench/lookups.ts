import { waitUntil } from '@tiltak/testing';
import type { HttpRequest } from './generator/http-connection.ts';
import type { LoadResult } from './generator/load.ts';
import { CpuMeter, type Processes } from './measuring/machine.ts';
import { latenessOf, type Round } from './measuring/rounds.ts';
import type { Rig } from './rig.ts';
import { withClient } from './servers.ts';

export const PATHS = { tiltaksstatus: '/api/v1/personer/tiltaksstatus', sok: '/api/v1/avtaler/sok' };
export type Operation = keyof typeof PATHS;

/** A day on which many of the simulator's avtaler are under way. */
const DATE = '2026-03-01';

/** Where calls go, and as whom. */
export interface Target {
  url: string;
  headers: Record<string, string>;
}

/** Persons of all kinds, from all over the table. */
export async function readPersons(postgresUrl: string, count: number): Promise<string[]> {
  return withClient(postgresUrl, async (db) => {
    const { rows } = await db.query<{ fnr: string }>(
      `select fnr from (select distinct deltaker_fnr as fnr from avtale_synlig where deltaker_fnr is not null) p
       order by md5(fnr) limit $1`,
      [count],
    );
    if (rows.length === 0) throw new Error('There is nobody to look up');
    return rows.map(({ fnr }) => fnr);
  });
}

/** @param perCall persons in a call */
export function createRequests(operation: Operation, persons: readonly string[], perCall = 1): HttpRequest[] {
  const count = perCall === 1 ? persons.length : 50;
  return Array.from({ length: count }, (_, n) => {
    const personidenter = Array.from({ length: perCall }, (__, i) => persons[(n * perCall + i) % persons.length]);
    const body = { personidenter, ...(operation === 'tiltaksstatus' ? { dato: DATE } : {}) };
    return { method: 'POST', path: PATHS[operation], body: JSON.stringify(body) };
  });
}

/** Until the first load is done, nothing is answered. */
export async function waitForAnswer({ url, headers }: Target): Promise<void> {
  const search = { method: 'POST', headers, body: '{"antall":1}' };
  await waitUntil(() => fetch(`${url}${PATHS.sok}`, search).then(({ ok }) => ok), { what: 'the first load' });
}

/** @throws when any of the requests is answered otherwise by the one than by the other; an avtale of today changes at midnight */
export async function requireSameAnswers(
  system: Target,
  limit: Target,
  requests: readonly HttpRequest[],
): Promise<void> {
  for (const { path, body = '' } of requests) {
    const ask = async ({ url, headers }: Target): Promise<string> => {
      const response = await fetch(url + path, { method: 'POST', headers, body });
      if (response.status !== 200) throw new Error(`${path} answered ${String(response.status)}`);
      return response.text();
    };
    const [ours, theirs] = [await ask(system), await ask(limit)];
    if (ours !== theirs)
      throw new Error(`${path}: the limit does not answer the same bytes, ${firstDifference(ours, theirs)}`);
  }
}

/** Of texts that may hold personal data: only where they part. */
function firstDifference(a: string, b: string): string {
  const at = [...a].findIndex((letter, i) => letter !== b[i]);
  return `${String(a.length)} and ${String(b.length)} characters, from ${String(at)}, after ${/"(\w+)":[^"]*"?[^"]*$/.exec(a.slice(0, Math.max(0, at)))?.[1] ?? 'the start'}`;
}

export interface Measured {
  load: LoadResult;
  /** µs, by process */
  cpu: Record<string, number>;
}

/** Before anything is measured: the first seconds are the compiler's. */
const WARM_UP_SECONDS = 2;

export interface LoadShape {
  requests: HttpRequest[];
  connections: number;
  seconds: number;
  perSecond?: number;
}

export type EvenShape = LoadShape & { perSecond: number };

/** An answer that is not a success is a trouble of the round. */
export async function load(
  { generator }: Rig,
  round: Round,
  target: Target,
  shape: LoadShape,
  processes: Processes = {},
): Promise<Measured> {
  const options = { ...target, ...shape };
  await generator.run('load', { ...options, seconds: Math.min(WARM_UP_SECONDS, shape.seconds) });
  const meter = new CpuMeter({ ...processes, generator: generator.pid });
  const result = await generator.run('load', options);
  const cpu = meter.read();
  round.troubles.push(...failuresOf(result));
  return { load: result, cpu };
}

function failuresOf({ failed, failures, answers }: LoadResult): string[] {
  const kinds = Object.entries(failures).map(([status, count]) => `${String(count)} with ${status}`);
  return failed === 0 ? [] : [`${String(failed)} of ${String(answers)} look-ups failed, ${kinds.join(', ')}`];
}

/** An even load; a generator that was late is a trouble of the round. */
export async function evenLoad(rig: Rig, round: Round, target: Target, shape: EvenShape): Promise<LoadResult> {
  const { load: result } = await load(rig, round, target, shape);
  round.troubles.push(...latenessOf(result.lateness));
  return result;
}

/** As figures: `even.p99`, `even.stallsPerMinute`. */
export function evenFigures(prefix: string, { times, seconds }: LoadResult): Record<string, number> {
  const { p50, p90, p99, max, stalls } = times;
  return {
    [`${prefix}.p50`]: p50,
    [`${prefix}.p90`]: p90,
    [`${prefix}.p99`]: p99,
    [`${prefix}.max`]: max,
    [`${prefix}.stallsPerMinute`]: (stalls / seconds) * 60,
  };
}
