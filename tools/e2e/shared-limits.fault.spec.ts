import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { waitUntil } from '@tiltak/testing';
import { stringify } from 'yaml';
import type { App } from '../local/apps.ts';
import { System } from './system.ts';

/** What one consumer may, in two processes together. */
const PER_SECOND = 20;
const BURST = 20;

const konsument = (name: string, more: object = {}): object => ({
  navn: name,
  azp: name,
  bruksvilkaar: 2,
  behandlingsgrunnlag: [{ id: 'B0', lenke: 'https://example.no/B0', operasjoner: 'alle', felter: 'alle' }],
  ...more,
});

let system: System;
let apps: [App, App];
const directory = mkdtempSync(join(tmpdir(), 'konsumenter-'));

beforeAll(async () => {
  const registry = join(directory, 'konsumenter.yaml');
  const quota = { kvote: { perSekund: PER_SECOND, burst: BURST } };
  writeFileSync(registry, stringify([konsument('alt'), konsument('kvotert', quota)]));
  system = await System.create({ partitions: 1 });
  await system.startIngestor();
  const start = (): Promise<App> => system.startQueryApi({ KONSUMENTER_FIL: registry, DB_POOL_SIZE: '2' });
  apps = [await start(), await start()];
  await waitUntil(async () => (await ask(apps[0], 'alt')).status === 200, { what: 'the first load' });
});
afterAll(async () => {
  await system.stop();
  rmSync(directory, { recursive: true });
});

const tokens = new Map<string, Promise<string>>();

function tokenOf(azp: string): Promise<string> {
  const token = tokens.get(azp) ?? system.token({ azp });
  tokens.set(azp, token);
  return token;
}

async function ask(app: App, as: string, path = '/api/v1/ferskhet'): Promise<Response> {
  const response = await fetch(app.url + path, { headers: { authorization: `Bearer ${await tokenOf(as)}` } });
  await response.text();
  return response;
}

/** Asks each of the processes far more often than the quota allows. @returns how many passed */
async function passedIn(seconds: number, asked: readonly App[]): Promise<number> {
  const until = performance.now() + seconds * 1_000;
  let passed = 0;
  const asker = async (app: App): Promise<void> => {
    while (performance.now() < until) {
      if ((await ask(app, 'kvotert')).status !== 429) passed++;
      await wait(5);
    }
  };
  await Promise.all(asked.flatMap((app) => [asker(app), asker(app)]));
  return passed;
}

const quotaLeft = ({ headers }: Response): number =>
  Number(/"kvote";r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]);

function expectAbout(passed: number, quota: number): void {
  expect([passed > quota * 0.8, passed < quota * 1.2, passed, quota]).toEqual([true, true, passed, quota]);
}

test('a quota comes to the same in all, whichever process is asked', async () => {
  const both = await passedIn(6, apps);
  const one = await passedIn(4, [apps[0]]);
  // What one process has let through, the other tells of.
  await waitUntil(async () => quotaLeft(await ask(apps[1], 'kvotert')) < BURST / 2, {
    what: 'the other process to know',
    maxMs: 5_000,
    everyMs: 20,
  });
  const other = await passedIn(4, [apps[1]]);
  expectAbout(both, BURST + 6 * PER_SECOND);
  expectAbout(one, 4 * PER_SECOND);
  expectAbout(other, 4 * PER_SECOND);
});

test('what a consumer has under way counts in all processes, until one of them ends', async () => {
  const waiting = '/api/v1/endringer?ventSekunder=30';
  const [first, second] = apps;
  let isRefused = false;
  // As a reader does, again and again: what one waits for ends, and so many at once are more than a consumer has requests.
  const follow = async (): Promise<void> => {
    while (!isRefused) {
      await ask(first, 'alt', waiting);
      await wait(200);
    }
  };
  const readers = Promise.allSettled(Array.from({ length: 200 }, follow));
  const refused = await waitUntil(
    async () => {
      const response = await Promise.race([ask(second, 'alt', waiting), wait(1_000)]);
      return response?.status === 429 && response.headers.get('retry-after') === '5' && response;
    },
    { what: 'the other process to refuse one more' },
  );
  isRefused = true;
  expect(refused.headers.get('retry-after')).toBe('5');

  await first.proc.kill();
  await readers;
  // It is forgotten, and its readers with it.
  await waitUntil(async () => (await ask(second, 'alt', '/api/v1/endringer?ventSekunder=1')).status === 200, {
    what: 'the dead process to be forgotten',
    maxMs: 10_000,
  });
});
