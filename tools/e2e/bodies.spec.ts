import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ROOT, waitUntil } from '@tiltak/testing';
import { parse } from 'yaml';
import { peakMemory } from '../bench/measuring/machine.ts';
import type { App } from '../local/apps.ts';
import { System } from './system.ts';

/** Bodies that would take more memory than the built apps have; others are answered meanwhile. */
const MIB = 1024 * 1024;
const EMPTY_LISTS = `{"ressurser":[${'[],'.repeat((7 * MIB) / 3)}[]]}`;
const PAGES_AT_ONCE = 4;

let system: System;
let ingestor: App;
let queryApi: App;
let adapter: string;

beforeAll(async () => {
  system = await System.create({ partitions: 1 });
  ingestor = await system.startIngestor();
  queryApi = await system.startQueryApi();
  adapter = await system.tokenForAdapter();
  const contract = {
    adapterId: 'spec-adapter',
    heartbeatIntervallMinutter: 15,
    fullSynkIntervallDager: 7,
    deltaSynk: 'STRAKS',
    ressurser: ['avtaler'],
  };
  expect((await send(ingestor, 'PUT', '/adapter/v1/kontrakt', adapter, JSON.stringify(contract))).status).toBe(200);
}, 60_000);
afterAll(() => system.stop());

const send = (app: App, method: string, path: string, token: string, body?: string): Promise<Response> =>
  fetch(app.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  });

/** Asks again and again for as long as the work goes on: each is answered. */
async function whileOthersAreAnswered<T>(ask: () => Promise<Response>, work: Promise<T>): Promise<T> {
  let done = false;
  const others = (async () => {
    let answered = 0;
    do {
      expect((await ask()).status).toBe(200);
      answered++;
      await wait(50);
    } while (!done);
    return answered;
  })();
  const result = await work.finally(() => (done = true));
  expect(await others).toBeGreaterThan(0);
  return result;
}

const status = (): Promise<Response> => send(ingestor, 'GET', '/adapter/v1/status', adapter);

/** One byte in a while, of a body that says it is large; the status of the answer. */
async function drip(app: App, method: string, path: string, token: string): Promise<number | undefined> {
  const call = request(app.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': 10_000 },
  });
  const timer = setInterval(() => call.write(' '), 200);
  try {
    call.on('error', () => undefined);
    const [{ statusCode }] = (await once(call, 'response')) as [{ statusCode?: number }];
    return statusCode;
  } finally {
    clearInterval(timer);
    call.destroy();
  }
}

/** 32 MiB as near as can be, all of it kept, in letters that take most room. */
function largestPage(): string {
  const ids = Array.from({ length: 10_000 }, () => randomUUID());
  const metadata = { synkId: randomUUID(), side: 1, antallSider: 1, antallTotalt: ids.length };
  const entry = (id: string): object => ({
    id,
    ressurs: {
      ...{ avtaleId: id, sistEndret: '2026-01-01T00:00:00Z' },
      ...{ bedriftNavn: '’'.repeat(1_000), tiltakstype: 'x'.repeat(100) },
    },
  });
  return JSON.stringify({ metadata, ressurser: ids.map(entry) });
}

/** What the pod of the app may use, as its manifest says. */
function memoryLimit(app: 'ingestor' | 'query-api'): number {
  const manifest = parse(readFileSync(join(ROOT, 'nais', 'nav', `${app}-prod.yaml`), 'utf8')) as {
    spec: { resources: { limits: { memory: string } } };
  };
  return Number(/^(\d+)Mi$/.exec(manifest.spec.resources.limits.memory)?.[1]);
}

test('7 MiB of empty lists, without the role and with it, end no ingestor', async () => {
  const stranger = await system.token({ azp: 'en-fremmed' });
  const answers = await whileOthersAreAnswered(
    status,
    Promise.all(
      [stranger, adapter].flatMap((token) =>
        Array.from({ length: 4 }, () => send(ingestor, 'POST', '/adapter/v1/avtaler/synk', token, EMPTY_LISTS)),
      ),
    ),
  );
  expect(answers.map((answer) => answer.status)).toEqual([
    ...Array<number>(4).fill(403),
    ...Array<number>(4).fill(413),
  ]);
});

test('several of the largest pages at once: one is taken, the others are asked to come again', async () => {
  const page = largestPage();
  expect(Buffer.byteLength(page)).toBeGreaterThan(31 * MIB);
  const sendPage = (): Promise<Response> => send(ingestor, 'PATCH', '/adapter/v1/avtaler/synk', adapter, page);
  const answers = await whileOthersAreAnswered(status, Promise.all(Array.from({ length: PAGES_AT_ONCE }, sendPage)));
  const busy = answers.filter((answer) => answer.status === 503 && Number(answer.headers.get('retry-after')) > 0);
  const taken = answers.filter((answer) => answer.status === 201);
  expect([busy.length > 0, busy.length + taken.length]).toEqual([true, PAGES_AT_ONCE]);
  await waitUntil(async () => (await sendPage()).status === 201, { what: 'the page to be taken', maxMs: 60_000 });
}, 120_000);

test('bodies that drip in are ended with 408, in both apps', async () => {
  const { authorization = '' } = await system.as('alt');
  const statuses = await whileOthersAreAnswered(
    status,
    Promise.all([
      drip(ingestor, 'POST', '/adapter/v1/avtaler/synk', adapter),
      drip(queryApi, 'POST', '/api/v1/avtaler/sok', authorization.slice('Bearer '.length)),
    ]),
  );
  expect(statuses).toEqual([408, 408]);
}, 30_000);

test('a query-api reads no body of who is not registered, and counts that of who is', async () => {
  const stranger = await system.token({ azp: 'en-fremmed' });
  const { authorization = '' } = await system.as('alt');
  const body = `{"personidenter":[${'[],'.repeat(MIB / 3 - 20)}[]]}`;
  const answers = await whileOthersAreAnswered(
    () => fetch(`${queryApi.url}/internal/isalive`),
    Promise.all([
      ...Array.from({ length: 20 }, () => send(queryApi, 'POST', '/api/v1/avtaler/sok', stranger, EMPTY_LISTS)),
      ...Array.from({ length: 20 }, () =>
        send(queryApi, 'POST', '/api/v1/avtaler/sok', authorization.slice('Bearer '.length), body),
      ),
    ]),
  );
  expect(answers.map((answer) => answer.status)).toEqual([
    ...Array<number>(20).fill(403),
    ...Array<number>(20).fill(413),
  ]);
});

test('all of it fits in the memory that the manifests give', () => {
  expect(peakMemory(ingestor.proc.pid)).toBeLessThan(memoryLimit('ingestor'));
  expect(peakMemory(queryApi.proc.pid)).toBeLessThan(memoryLimit('query-api'));
});
