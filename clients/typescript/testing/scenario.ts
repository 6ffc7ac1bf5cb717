import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parse } from 'yaml';
import type { Answer } from './service.ts';

/** What stands in clients/conformance/scenarios.yaml; its README explains the words. */
export interface Scenario {
  name: string;
  do: string;
  with?: Record<string, unknown>;
  client?: { budgetMs?: number; timeoutMs?: number; behandlingsgrunnlag?: string; credentials?: boolean };
  answers?: Told[];
  result?: unknown;
  error?: Record<string, unknown>;
  absent?: string[];
  requests?: { method?: string; path?: string; headers?: Record<string, string>; body?: unknown }[];
  requestCount?: number;
  oneCall?: boolean;
  letGo?: boolean;
  waits?: string[];
  atLeastMs?: number;
}

interface Told {
  status?: number;
  headers?: Record<string, string>;
  delayMs?: number;
  json?: unknown;
  text?: string;
  problem?: string;
  feil?: unknown;
  nyStart?: unknown;
  lines?: unknown[];
  avtaler?: number;
  then?: string;
  end?: 'breaks' | 'stops';
  fault?: 'silent' | 'hangsUp' | 'cutOff' | 'stops';
}

type Templates = Record<'avtale' | 'endring', object>;

export function readScenarios(): Scenario[] {
  const file = join(import.meta.dirname, '..', '..', 'conformance', 'scenarios.yaml');
  const { templates, scenarios } = parse(readFileSync(file, 'utf8')) as { templates: Templates; scenarios: unknown };
  return expand(scenarios, templates) as Scenario[];
}

export function idOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

export function numberOf(avtaleId: string): number {
  return Number(avtaleId.slice(-12));
}

/** `$avtale: 7` and `$endring: 7` with what stands beside, and `$id: 7`; an export's `avtaler: 3` are more lines. */
function expand(value: unknown, templates: Templates): unknown {
  if (Array.isArray(value)) return value.map((one) => expand(one, templates));
  if (typeof value !== 'object' || value === null) return value;
  const { $avtale, $endring, $id, ...members } = value as Record<string, unknown>;
  const rest = Object.fromEntries(Object.entries(members).map(([name, one]) => [name, expand(one, templates)]));
  if ($id !== undefined) return idOf(Number($id));
  if ($avtale !== undefined) return { avtaleId: idOf(Number($avtale)), ...templates.avtale, ...rest };
  if ($endring !== undefined) return { avtaleId: idOf(Number($endring)), ...templates.endring, ...rest };
  if ('lines' in rest && typeof rest['avtaler'] === 'number') {
    const more = Array.from({ length: rest['avtaler'] }, (_, i) => ({ avtaleId: idOf(i + 1), ...templates.avtale }));
    return { ...rest, lines: [...(rest['lines'] as unknown[]), ...more] };
  }
  return rest;
}

export function answerFrom(told: Told): Answer {
  return async (_, response) => {
    const { status = 200, fault, delayMs, lines, then = '' } = told;
    if (delayMs !== undefined) await wait(delayMs);
    if (fault === 'silent') return;
    if (fault === 'hangsUp') return void response.destroy();
    const headers = Object.fromEntries(Object.entries(told.headers ?? {}).map(([name, text]) => [name, dateOr(text)]));
    if (status < 400) headers['data-oppdatert'] = '2026-03-01T12:00:00.123456Z';
    headers['content-type'] = typeOf(told);
    if (fault === 'cutOff') headers['content-length'] = '40';
    response.writeHead(status, headers);
    if (fault) response.write('{"avtaler":[');
    if (fault === 'cutOff') setTimeout(() => response.destroy(), 20);
    if (fault) return;
    if (!lines) return void response.end(bodyOf(told));
    // Headers go out without anything after them too.
    response.flushHeaders();
    response.write(lines.map((line) => `${JSON.stringify(line)}\n`).join('') + then);
    if (told.end === 'stops') return;
    if (told.end === 'breaks') setTimeout(() => response.destroy(), 20);
    else response.end();
  };
}

function dateOr(text: string): string {
  const seconds = /^\$in (\d+) seconds$/.exec(text)?.[1];
  return seconds === undefined ? text : new Date(Date.now() + Number(seconds) * 1_000).toUTCString();
}

function typeOf({ problem, text, lines }: Told): string {
  if (lines) return 'application/x-ndjson';
  if (text !== undefined) return 'text/html';
  return problem === undefined ? 'application/json' : 'application/problem+json';
}

function bodyOf({ status, problem, json, text, feil, nyStart }: Told): string {
  if (problem === undefined) return text ?? JSON.stringify(json);
  const type = `urn:tiltak-datadeling:feil:${problem}`;
  return JSON.stringify({
    type,
    title: problem,
    status,
    detail: 'As the scenario says',
    callId: 'id-1',
    feil,
    nyStart,
  });
}
