import { randomInt, randomUUID } from 'node:crypto';
import { createEvents } from '@tiltak/simulator';
import type { App } from '../local/apps.ts';
import type { PublishedMessage, System } from '../e2e/system.ts';
import type { Seen } from './consumer.ts';

export const events = (count: number, seed: number): PublishedMessage[] => [...createEvents({ count, seed })];

export const ms = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(value < 10 ? 1 : 0)} ms` : '–');
export const seconds = (value: number): string => (Number.isFinite(value) ? `${(value / 1_000).toFixed(1)} s` : '–');

/** «2,351 answered, 12 of them asked again, 30 told to come back» */
export function answersOf({ answers, again, away, failed, why }: Seen): string {
  const parts = [`${answers.toLocaleString('en')} answered`];
  if (again > away + failed) parts.push(`${String(again)} when asked again`);
  if (away > 0) parts.push(`${String(away)} told to come back`);
  if (failed > 0) parts.push(`${String(failed)} failed (${why})`);
  return parts.join(', ');
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** One of those published last; another, which nobody has, before there are any. */
export function anyAvtale({ history }: System): () => string {
  return () => {
    // The keys of poison are no avtaleIder.
    const known = history.latest(200).filter((key) => UUID.test(key));
    return known[randomInt(known.length || 1)] ?? randomUUID();
  };
}

/** What somebody on duty, or an adapter, asks of the ingestor. */
export async function callIngestor<T>(
  app: App,
  token: string,
  path: string,
  { method = 'GET', body, type = 'application/json' }: { method?: string; body?: string; type?: string } = {},
): Promise<T> {
  const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': type }) };
  const response = await fetch(`${app.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${String(response.status)}: ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
