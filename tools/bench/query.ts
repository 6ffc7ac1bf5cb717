import { join } from 'node:path';
import autocannon from 'autocannon';
import { freePort, createWorkDir, ROOT, startProcess, syntheticFnr, waitUntil } from '@tiltak/testing';
import { deltakerIdOf, System } from '../e2e/system.ts';
import { APP_ENV } from '../local/options.ts';
import { steadyLoad } from './steady-load.ts';
import { ratio, median, type Rounds } from './measure.ts';
import { withClient, startRig } from './rig.ts';

const OPERATIONS = { tiltaksstatus: '/api/v1/personer/tiltaksstatus', sok: '/api/v1/avtaler/sok' };
const SECONDS = 5;
const DATE = '2026-03-01';

interface Load {
  /** requests per second */
  perSekund: number;
  p99Ms: number;
}

/** Where calls go, and as whom. */
export interface Target {
  url: string;
  headers: Record<string, string>;
}

/**
 * Look-ups of one person, with token check, grants and audit, against the limit: bare Fastify and a prepared statement.
 * `bulk` asks for 1,000 persons in a call instead, against one.
 */
export async function query(options: { avtaler: number; rounds: number; bulk: boolean }): Promise<unknown> {
  const rig = await startRig();
  const system = await System.create({ partitions: 1, postgres: rig.postgres.url, brokers: rig.kafka.brokers });
  const { directory, clean } = createWorkDir('bench-bar');
  const port = await freePort();
  try {
    await system.startIngestor();
    const { url } = await system.startQueryApi({ DB_POOL_SIZE: '10', LOG_LEVEL: 'warn' });
    await fill(system.url, options.avtaler);
    const bare = startProcess(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(ROOT, 'tools', 'bench', 'baseline-server.ts')],
      join(directory, 'bar.log'),
      {
        env: { ...APP_ENV, PORT: String(port), DATABASE_URL: system.url, POOL_SIZE: '10' },
      },
    );
    try {
      const limit: Target = {
        url: `http://127.0.0.1:${String(port)}`,
        headers: { 'content-type': 'application/json' },
      };
      const api: Target = { url, headers: await system.as('alt') };
      await waitUntil(
        () =>
          fetch(`${limit.url}/internal/isready`).then(
            ({ ok }) => ok,
            () => false,
          ),
        { what: 'the bare server' },
      );
      await waitForAnswer(api);
      await check(api);
      return options.bulk ? await bulk(api, options) : await oneByOne(api, limit, options);
    } finally {
      await bare.stop();
    }
  } finally {
    await system.stop();
    await rig.stop();
    clean();
  }
}

async function oneByOne(
  api: Target,
  limit: Target,
  { avtaler, rounds }: { avtaler: number; rounds: number },
): Promise<unknown> {
  const results: Record<string, unknown> = { avtaler };
  for (const operation of Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]) {
    for (const connections of [32, 256]) {
      // Warm-up: the first second is the compiler's.
      await load(api, operation, { connections, seconds: 2, avtaler });
      await load(limit, operation, { connections, seconds: 2, avtaler });
      const loads: [Load, Load, Load][] = [];
      for (let n = 0; n < rounds; n++) {
        const full = await load(api, operation, { connections, avtaler });
        const bare = await load(limit, operation, { connections, avtaler });
        const calm = await steadyLoad(api, createRequests(operation, { avtaler }), {
          connections,
          takt: full.perSekund * 0.7,
          seconds: SECONDS,
        });
        loads.push([full, bare, calm]);
      }
      const [ours, limits] = [loads.map(([full]) => full.perSekund), loads.map(([, bare]) => bare.perSekund)];
      results[`${operation}-${String(connections)}`] = {
        perSekund: median(ours),
        limitPerSecond: median(limits),
        ratioToLimit: ratio(ours, limits),
        p99MsAtFull: median(loads.map(([full]) => full.p99Ms)),
        p99MsAt70Percent: median(loads.map(([, , calm]) => calm.p99Ms)),
      };
    }
  }
  return results;
}

async function bulk(api: Target, { avtaler, rounds }: { avtaler: number; rounds: number }): Promise<unknown> {
  const single: number[] = [];
  const together: number[] = [];
  for (let n = 0; n < rounds; n++) {
    single.push((await load(api, 'tiltaksstatus', { connections: 32, avtaler })).perSekund);
    together.push((await load(api, 'tiltaksstatus', { connections: 8, avtaler, personer: 1_000 })).perSekund * 1_000);
  }
  const times: Rounds = ratio(together, single);
  return { avtaler, personerPerSecondOneByOne: median(single), personerPerSecondCollected: median(together), times };
}

/** Until the first load is done, nothing is answered. */
export async function waitForAnswer({ url, headers }: Target): Promise<void> {
  const search = { method: 'POST', headers, body: '{"antall":1}' };
  await waitUntil(() => fetch(`${url}${OPERATIONS.sok}`, search).then(({ ok }) => ok), { what: 'the first load' });
}

/** @throws when any answer is not a success */
async function load(
  { url, headers }: Target,
  operation: keyof typeof OPERATIONS,
  {
    connections,
    avtaler,
    seconds = SECONDS,
    personer = 1,
  }: { connections: number; avtaler: number; seconds?: number; personer?: number },
): Promise<Load> {
  const requests = createRequests(operation, { avtaler, personer }).map((request) => ({
    method: 'POST' as const,
    headers,
    ...request,
  }));
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    requests,
  });
  if (result.non2xx + result.errors + result.timeouts > 0) {
    throw new Error(
      `${operation}: ${String(result.non2xx)} refused, ${String(result.errors)} failed, ${String(result.timeouts)} timed out`,
    );
  }
  return { perSekund: result.requests.total / result.duration, p99Ms: result.latency.p99 };
}

/** Two hundred look-ups, of persons all over the table. */
export function createRequests(
  operation: keyof typeof OPERATIONS,
  { avtaler, personer = 1 }: { avtaler: number; personer?: number },
): { path: string; body: string }[] {
  return Array.from({ length: 200 }, (_, n) => ({
    path: OPERATIONS[operation],
    body: JSON.stringify({
      personidenter: Array.from({ length: personer }, (__, i) =>
        syntheticFnr((n * 7_919 + i * 31) % Math.floor(avtaler / 3)),
      ),
      ...(operation === 'tiltaksstatus' ? { dato: DATE } : {}),
    }),
  }));
}

/** Three avtaler a person, straight into the table: how they got there does not matter to a look-up. */
export async function fill(url: string, avtaler: number): Promise<void> {
  await withClient(url, async (db) => {
    const personer = Array.from({ length: Math.floor(avtaler / 3) }, (_, n) => syntheticFnr(n));
    await db.query(
      `insert into avtale (avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, bedrift_navn, tiltakstype, versjon,
         avtale_status, avtale_inngaatt, start_dato, slutt_dato, stillingprosent, godkjent_paa_vegne_av,
         godkjent_paa_vegne_av_arbeidsgiver, opprettet_tidspunkt, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
       select gen_random_uuid(), n * 3 + i, fnr, id, (910000000 + n / 20)::text, 'BEDRIFT AS', 'ARBEIDSTRENING', 1,
         'GJENNOMFØRES', now(), date '2025-12-01' + i * 30, date '2026-06-01' + i * 30, 100, false, false, now(), false,
         now() - n * interval '1 second', 0, 0
       from unnest($1::text[], $2::uuid[]) with ordinality as p(fnr, id, n), generate_series(0, 2) as i`,
      [personer, personer.map(deltakerIdOf)],
    );
    await db.query('vacuum analyze avtale');
  });
}

/** That the answer is the right one, before its speed is measured. */
async function check({ url, headers }: Target): Promise<void> {
  const call = async (path: string, body: unknown): Promise<unknown> =>
    (await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  const personidenter = [syntheticFnr(1)];
  const status = (await call(OPERATIONS.tiltaksstatus, { personidenter, dato: DATE })) as {
    personer: { antall: number }[];
  };
  const found = (await call(OPERATIONS.sok, { personidenter })) as { avtaler: unknown[] };
  const count = status.personer[0]?.antall ?? 0;
  if (count < 3 || found.avtaler.length !== count) throw new Error('The look-ups do not answer as they should');
}
