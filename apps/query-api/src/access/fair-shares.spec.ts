import { setTimeout as wait } from 'node:timers/promises';
import { waitUntil } from '@tiltak/testing';
import { startTestApi, type TestApi, type TestResponse } from '../testing/test-api.ts';

/** What one consumer does with all its might, and what the others notice of it: nothing. */
let api: TestApi;
const SEARCH = '/api/v1/avtaler/sok';
const OTHER = { as: 'to-formal', headers: { behandlingsgrunnlag: 'B1' } };

beforeAll(async () => {
  api = await startTestApi({ DB_POOL_SIZE: '2', DB_STATEMENT_TIMEOUT_MS: '10000' });
  await api.setFreshness(new Date());
  await api.insertAvtale({ avtale_id: '00000000-0000-4000-8000-000000000001', avtale_nr: 1 });
});
afterAll(() => api.stop());

/** While every search waits in the database. */
async function whileSearchesHang(run: () => Promise<void>): Promise<void> {
  const runner = api.owner.createQueryRunner();
  await runner.startTransaction();
  await runner.query('lock table avtale in access exclusive mode');
  try {
    await run();
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}

test('look-ups of one consumer that hang leave the others connections, and are limited', async () => {
  const token = await api.issuer.token({ azp: 'alt' });
  const statuses: number[] = [];
  const calls: Promise<TestResponse>[] = [];
  await whileSearchesHang(async () => {
    // The first are told to come again after two seconds: on a slow machine that may be before the last have come.
    const limited = await waitUntil(
      async () => {
        calls.push(...Array.from({ length: 110 }, () => api.call('POST', SEARCH, { token, body: {} })));
        const settled = await Promise.race([Promise.all(calls), firstWith(429, calls)]);
        return [settled].flat().find(({ status }) => status === 429);
      },
      { what: 'the limit to be reached' },
    );
    expect([limited.body.detail, limited.headers.get('retry-after')]).toEqual([
      'A consumer can have 100 requests under way at the same time',
      '1',
    ]);
    const others = await Promise.all(Array.from({ length: 5 }, () => api.call('GET', '/api/v1/endringer', OTHER)));
    statuses.push(...others.map(({ status }) => status));
  });
  expect(statuses).toEqual([200, 200, 200, 200, 200]);
  // All is given back.
  await Promise.all(calls);
  expect((await api.call('POST', SEARCH, { body: {} })).headers.get('ratelimit')).toBe('"samtidige";r=99');
}, 60_000);

function firstWith(status: number, calls: Promise<TestResponse>[]): Promise<TestResponse> {
  return new Promise((resolve) => {
    for (const call of calls) {
      void call.then((response) => {
        if (response.status === status) resolve(response);
      });
    }
  });
}

test('readers of one consumer that wait are limited, and others can wait', async () => {
  const authorization = `Bearer ${await api.issuer.token({ azp: 'alt' })}`;
  const follow = async (): Promise<Response> => {
    const response = await fetch(`${api.url}/api/v1/endringer?ventSekunder=30`, { headers: { authorization } });
    // So many at once are more than a consumer has requests: until one waits, it is one.
    if (response.status !== 429 || response.headers.get('retry-after') !== '1') return response;
    await wait(50);
    return follow();
  };
  const waiting = Array.from({ length: 201 }, follow);
  const tooMany = await Promise.race(waiting);
  expect([tooMany.status, tooMany.headers.get('retry-after')]).toEqual([429, '5']);
  expect((await api.call('GET', '/api/v1/endringer?ventSekunder=1', OTHER)).status).toBe(200);
  await api.owner.query(`insert into endring (avtale_id, type) values (gen_random_uuid(), 'ENDRET')`);
  expect((await Promise.all(waiting)).filter(({ status }) => status === 200)).toHaveLength(200);
});

test('HEAD starts nothing, wherever there is a GET; health answers it', async () => {
  const { body } = await api.call('GET', '/openapi.json', { token: null });
  const paths = Object.entries(body.paths as Record<string, Record<string, unknown>>).flatMap(([path, methods]) =>
    'get' in methods
      ? [
          {
            path: path.replace('{avtaleNr}', '1').replace(/\{\w+\}/, '00000000-0000-4000-8000-000000000001'),
            allowed: Object.keys(methods).map((method) => method.toUpperCase()),
          },
        ]
      : [],
  );
  expect(paths.length).toBeGreaterThanOrEqual(8);
  await api.forgetAudit();
  for (const { path, allowed } of paths) {
    const { status, headers } = await api.call('HEAD', path, { headers: { 'nav-call-id': 'hode' } });
    // What else there is at the path differs, and HEAD is nowhere among it.
    expect([path, status, headers.get('allow')?.split(', ').sort()]).toEqual([path, 405, allowed.sort()]);
  }
  expect((await api.audit(0)).filter((row) => row['call_id'] === 'hode')).toEqual([]);
  expect((await api.call('HEAD', '/internal/isalive', { token: null })).status).toBe(200);
});

describe('the limits and what is left of them', () => {
  test('stand on every answer to a consumer, also one that is refused or wrong', async () => {
    const responses = [
      await api.call('GET', '/api/v1/ferskhet'),
      await api.call('GET', '/api/v1/eksport'),
      await api.call('POST', SEARCH, { body: { antall: 0 } }),
      await api.call('POST', SEARCH, { body: '<', headers: { 'content-type': 'text/xml' } }),
      await api.call('POST', SEARCH, { as: 'faa-felter', body: {} }),
      await api.call('GET', '/api/v1/avtaler/00000000-0000-4000-8000-000000000009'),
      await api.call('GET', '/finnes-ikke'),
      await api.call('DELETE', SEARCH),
    ];
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 400, 415, 403, 404, 404, 405]);
    for (const { headers } of responses) {
      expect(headers.get('ratelimit-policy')).toBe('"samtidige";q=100;qu="concurrent-requests"');
      expect(headers.get('ratelimit')).toMatch(/^"samtidige";r=(99|100)$/);
    }
    expect((await api.call('GET', '/api/v1/ferskhet', { as: 'ukjent' })).headers.get('ratelimit')).toBeNull();
  });

  test('tell of a quota until it is used up', async () => {
    const ask = (): Promise<TestResponse> => api.call('GET', '/api/v1/ferskhet', { as: 'graadig' });
    const first = await ask();
    expect(first.headers.get('ratelimit-policy')).toBe('"kvote";q=3;w=3, "samtidige";q=100;qu="concurrent-requests"');
    expect(first.headers.get('ratelimit')).toBe('"kvote";r=2;t=1, "samtidige";r=99');
    const used = (await Promise.all(Array.from({ length: 10 }, ask))).find(({ status }) => status === 429);
    expect(used?.headers.get('ratelimit')).toMatch(/^"kvote";r=0;t=3, /);
    expect(used?.headers.get('retry-after')).toBe('1');
  });
});
