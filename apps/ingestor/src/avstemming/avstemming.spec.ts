import { request } from 'node:http';
import fc from 'fast-check';
import { LOCKS, ON_DUTY_NAV_IDENT, waitUntil } from '@tiltak/testing';
import { batch, message, TOPIC } from '../testing/test-ingest.ts';
import { oneAtATime } from './avstemming.ts';
import { AvstemmingSchedule } from './schedule.job.ts';
import { startTestIngestor, type TestResponse, type TestIngestor } from '../testing/test-ingestor.ts';

/** The list and the report over HTTP. What the topic is needed for stands in `tools/e2e/avstemming.fault.spec.ts`. */
let ingestor: TestIngestor;

beforeAll(async () => {
  ingestor = await startTestIngestor();
});
afterAll(() => ingestor.stop());
beforeEach(() => ingestor.empty());

const PATH = '/drift/v1/avstemming';
const BEFORE = '2026-01-01T00:00:00Z';
const id = (nr: number): string => `00000000-0000-4000-8000-${String(nr).padStart(12, '0')}`;
const line = (nr: number, sistEndret = BEFORE): string => `${JSON.stringify({ avtaleId: id(nr), sistEndret })}\n`;
const avstem = (...lines: string[]): Promise<TestResponse> => ingestor.call('POST', PATH, lines.join(''));

type DifferenceNumbers = Record<'antall' | 'ferske', number>;
/** Of each type that there are any of: those that count and those that don't. */
const number = ({ body }: TestResponse): Record<string, [number, number]> =>
  Object.fromEntries(
    body.differanser
      .filter(({ antall: count, ferske: fresh }: DifferenceNumbers) => count + fresh > 0)
      .map(({ type, antall: count, ferske: fresh }: DifferenceNumbers & { type: string }) => [type, [count, fresh]]),
  );

/** The avtaler 1 to `antall`. */
async function save(count: number): Promise<void> {
  await ingestor.ingest(batch(Array.from({ length: count }, (_, i) => message(i, { avtaleId: id(i + 1) }))));
  ingestor.setTopicEnd(count);
}

async function differences(report: string, type: string, fresh = false): Promise<string[]> {
  const { body } = await ingestor.call('GET', `${PATH}/${report}/differanser?type=${type}&ferske=${String(fresh)}`);
  return body.differanser.map(({ avtaleId }: { avtaleId: string }) => avtaleId);
}

afterEach(() => {
  ingestor.setTopicEnd(0);
  ingestor.setStreamWait(60_000);
});

test('two sides that agree differ in nothing, however the list is ordered and often it names them', async () => {
  await save(3);
  const response = await avstem(line(3), line(1), '\r\n', line(2), line(2, '2025-01-01T00:00:00Z'));
  expect(response.status).toBe(201);
  expect(response.body).toMatchObject({ kilde: 'LISTE', antallHosKilden: 3, startetAv: ON_DUTY_NAV_IDENT });
  expect(response.body.differanser).toEqual(
    ['MANGLER', 'UTDATERT', 'FREMMED', 'NYERE'].map((type) => ({
      type,
      antall: 0,
      rettet: 0,
      ferske: 0,
      eldsteAlderSekunder: null,
    })),
  );
});

test('each planted difference is found, and nothing else', async () => {
  await save(6);
  await ingestor.owner.query(`update avtale set slettet = 'SLETTEMERKET' where avtale_id = any($1)`, [[id(4), id(5)]]);
  await ingestor.owner.query(`update avtale set slettet = 'GRAVSTEIN', mottatt = $2 where avtale_id = $1`, [
    id(6),
    BEFORE,
  ]);
  const response = await avstem(
    line(1, '2026-01-01T00:00:00.000001Z'),
    line(2, '2025-12-31T23:59:59.999999Z'),
    line(4),
    line(5, '2026-01-02T00:00:00Z'),
    line(6),
    line(7),
  );
  expect(number(response)).toEqual({ MANGLER: [3, 0], UTDATERT: [1, 0], FREMMED: [1, 0], NYERE: [1, 0] });
  const report = response.body.id as string;
  expect(await differences(report, 'MANGLER')).toEqual([id(5), id(6), id(7)]);
  expect(await differences(report, 'UTDATERT')).toEqual([id(1)]);
  expect(await differences(report, 'NYERE')).toEqual([id(2)]);
  expect(await differences(report, 'FREMMED')).toEqual([id(3)]);
  expect((await ingestor.call('GET', PATH)).body.avstemminger).toEqual([response.body]);
  expect((await ingestor.call('GET', `${PATH}/${report}`)).body).toEqual(response.body);
  expect((await ingestor.call('GET', '/drift/v1/handlinger')).body.handlinger).toMatchObject([
    { handling: 'AVSTEM', gjelder: report, antall: 6 },
  ]);
});

test('what the source is to send again has the form of its list, to the microsecond', async () => {
  await save(1);
  const { body } = await avstem(line(1, '2026-01-01T00:00:00.000001Z'), line(2));
  const response = await fetch(`${ingestor.url}${PATH}/${String(body.id)}/sendes-paa-nytt`, {
    headers: { authorization: `Bearer ${await ingestor.token()}` },
  });
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  const text = await response.text();
  expect(text).toBe(line(1, '2026-01-01T00:00:00.000001Z') + line(2, '2026-01-01T00:00:00.000000Z'));
  expect(number(await avstem(text))).toEqual(number({ status: 201, body }));
});

describe('too fresh to count, shown apart', () => {
  const minutesSince = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

  test('what either side changed shortly before the list, or since', async () => {
    await save(2);
    await ingestor.owner.query('update avtale set sist_endret = now() where avtale_id = $1', [id(1)]);
    const response = await avstem(line(3, minutesSince(1)), line(4, minutesSince(10)));
    expect(number(response)).toEqual({ MANGLER: [1, 1], FREMMED: [1, 1] });
    expect(await differences(response.body.id, 'MANGLER')).toEqual([id(4)]);
    expect(await differences(response.body.id, 'MANGLER', true)).toEqual([id(3)]);
    expect(response.body.differanser[0].eldsteAlderSekunder).toBeGreaterThanOrEqual(600);
  });

  test('what was learned after the moment of the list', async () => {
    await save(1);
    const per = encodeURIComponent(minutesSince(60));
    const response = await ingestor.call('POST', `${PATH}?per=${per}`, line(2));
    expect(number(response)).toEqual({ MANGLER: [1, 0], FREMMED: [0, 1] });
  });

  test('what a message decided that came while the list did', async () => {
    await save(2);
    ingestor.setTopicEnd(1);
    const response = await avstem(line(3));
    expect(number(response)).toEqual({ MANGLER: [1, 0], FREMMED: [1, 1] });
    expect(await differences(response.body.id, 'FREMMED')).toEqual([id(1)]);
  });
});

test('what lies beyond the end of a topic that was made anew counts', async () => {
  await save(3);
  await ingestor.owner.query('update konsum_offset set neste_offset = 1 where topic = $1', [TOPIC]);
  ingestor.setTopicEnd(1);
  expect(number(await avstem(line(1)))).toEqual({ FREMMED: [2, 0] });
});

test('random sides: exactly what differs is found', async () => {
  const time = fc.integer({ min: 0, max: 3 }).map((day) => `2026-01-0${String(day + 1)}T00:00:00Z`);
  const page = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 12 }), time), { selector: ([nr]) => nr });
  await fc.assert(
    fc.asyncProperty(page, page, async (here, atSource) => {
      await ingestor.empty();
      ingestor.setTopicEnd(here.length);
      const messages = here.map(([nr, sistEndret], i) => message(i, { avtaleId: id(nr), sistEndret }));
      if (here.length > 0) await ingestor.ingest(batch(messages));
      const response = await avstem(...atSource.map(([nr, sistEndret]) => line(nr, sistEndret)));
      const source = new Map(atSource);
      const stored = new Map(here);
      const expected = {
        MANGLER: atSource.filter(([nr]) => !stored.has(nr)),
        UTDATERT: here.filter(([nr, latest]) => latest < (source.get(nr) ?? latest)),
        FREMMED: here.filter(([nr]) => !source.has(nr)),
        NYERE: here.filter(([nr, latest]) => latest > (source.get(nr) ?? latest)),
      };
      for (const [type, avtaler] of Object.entries(expected)) {
        expect(await differences(response.body.id, type)).toEqual(avtaler.map(([nr]) => id(nr)).sort());
      }
    }),
    { numRuns: 15 },
  );
}, 30_000);

test('differences are paged through once', async () => {
  const { body } = await avstem(...Array.from({ length: 5 }, (_, i) => line(i + 1)));
  const seen: string[] = [];
  for (let next = '', more = true; more;) {
    const page = await ingestor.call('GET', `${PATH}/${String(body.id)}/differanser?type=MANGLER&antall=2${next}`);
    seen.push(...page.body.differanser.map(({ avtaleId }: { avtaleId: string }) => avtaleId));
    next = `&neste=${String(page.body.neste)}`;
    more = page.body.neste !== undefined;
  }
  expect(seen).toEqual([1, 2, 3, 4, 5].map(id));
});

test('only the last fifty reports are kept', async () => {
  for (let i = 0; i < 52; i++) await avstem(line(1));
  const { body } = await ingestor.call('GET', `${PATH}?antall=200`);
  expect(body.avstemminger).toHaveLength(50);
  expect(body.avstemminger[0].id).toBe('52');
  expect(await ingestor.call('GET', `${PATH}/2`)).toMatchObject({ status: 404 });
});

describe('refused, and nothing kept', () => {
  afterEach(async () => {
    expect((await ingestor.call('GET', PATH)).body.avstemminger).toEqual([]);
  });

  test.each([
    ['{', '2.linje'],
    ['[]', '2.linje'],
    ['null', '2.linje'],
    [JSON.stringify({ avtaleId: 'x', sistEndret: BEFORE }), '2.avtaleId'],
    [JSON.stringify({ avtaleId: id(2) }), '2.sistEndret'],
    [JSON.stringify({ avtaleId: id(2), sistEndret: '2026-01-01T00:00:00' }), '2.sistEndret'],
    [JSON.stringify({ avtaleId: id(2), sistEndret: '2026-02-30T00:00:00Z' }), '2.sistEndret'],
  ])('%s', async (bad, field) => {
    const response = await avstem(line(1), `${bad}\n`, line(3));
    expect(response).toMatchObject({ status: 400, body: { feil: [{ felt: field }] } });
  });

  test('too many lines, of which most were never read', async () => {
    expect(await avstem(line(1).repeat(100_000))).toMatchObject({ status: 413 });
  });

  test('a line without end', async () => {
    expect(await avstem('x'.repeat(3_000_000))).toMatchObject({ status: 413 });
  });

  test.each([
    ['POST', PATH, { a: 1 }, 415],
    ['POST', PATH, undefined, 415],
    ['POST', '/drift/v1/parkerte/spill-av', '{"alle":true}', 415],
    ['POST', `${PATH}?kilde=TOPIC`, line(1), 400],
    ['POST', `${PATH}?kilde=ANNET`, line(1), 400],
    ['POST', `${PATH}?per=2026-01-01T00:00:00`, line(1), 400],
    ['POST', `${PATH}?per=2026-01-01T00:00:00-24:00`, line(1), 400],
    ['POST', `${PATH}?per=2026-01-01T00:00:00-15:59`, 'x', 400],
    ['POST', `${PATH}?per=2026-02-30T00:00:00Z`, line(1), 400],
    ['GET', `${PATH}/1`, undefined, 404],
    ['GET', `${PATH}/1/differanser?type=MANGLER`, undefined, 404],
    ['GET', `${PATH}/1/differanser`, undefined, 400],
    ['GET', `${PATH}/1/sendes-paa-nytt`, undefined, 404],
    ['POST', `${PATH}/1/rett`, { type: 'MANGLER' }, 404],
    ['POST', `${PATH}/1/rett`, { type: 'FREMMED', bekreft: 0 }, 404],
    ['POST', `${PATH}/1/rett`, { type: 'FREMMED' }, 400],
    ['POST', `${PATH}/1/rett`, { type: 'NYERE' }, 400],
  ] as const)('%s %s', async (method, path, body, status) => {
    expect(await ingestor.call(method, path, body)).toMatchObject({ status });
  });

  test('while another one runs', async () => {
    const db = await ingestor.pool.connect();
    try {
      await db.query(`select pg_advisory_lock(hashtext('tiltak-datadeling avstemming'))`);
      expect(await avstem(line(1))).toMatchObject({ status: 409 });
    } finally {
      db.release(true);
    }
  });

  test('a list that breaks off, after which the next one is compared', async () => {
    const sending = request(`${ingestor.url}${PATH}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await ingestor.token()}`, 'content-type': 'application/x-ndjson' },
    });
    sending.on('error', () => undefined);
    sending.write(line(1).repeat(10_000));
    const locks = (): Promise<boolean> =>
      ingestor.owner
        .query(`select 1 from ${LOCKS} where locktype = 'advisory' and granted`)
        .then((rows: unknown[]) => rows.length > 0);
    await waitUntil(locks, { what: 'the list to be read' });
    sending.destroy();
    await waitUntil(async () => !(await locks()), { what: 'the list to be given up' });
  });

  test('a deletion of another number than there are', async () => {
    await save(2);
    const { body } = await avstem(line(1));
    expect(
      await ingestor.call('POST', `${PATH}/${String(body.id)}/rett`, { type: 'FREMMED', bekreft: 2 }),
    ).toMatchObject({
      status: 409,
      body: { detail: 'There are 1 to delete, and bekreft says another number' },
    });
    await ingestor.empty();
  });
});

test('what is on the topic and not stored yet is waited for', async () => {
  await ingestor.owner.query('update konsum_offset set neste_offset = 0 where topic = $1', [TOPIC]);
  ingestor.setTopicEnd(1);
  ingestor.setStreamWait(0);
  // Also at once after one that failed, another may run.
  for (let nr = 0; nr < 20; nr++) expect(await avstem(line(1))).toMatchObject({ status: 503 });
  ingestor.setStreamWait(60_000);
  const response = avstem(line(1));
  await ingestor.ingest(batch([message(0, { avtaleId: id(1) })]));
  expect(number(await response)).toEqual({});
});

test('by itself it reconciles with the topic when it is time, and not while another does; what fails is not done', async () => {
  const schedule = new AvstemmingSchedule(ingestor.pool, ingestor.ingestor.avstemming, {
    everyHours: 24,
    client: 'ingestor',
  });
  const reports = async (): Promise<unknown[]> => {
    const { body } = await ingestor.call('GET', PATH);
    return body.avstemminger.map(({ kilde, startetAv }: Record<string, unknown>) => [kilde, startetAv]);
  };
  await oneAtATime(ingestor.pool, () => schedule.round());
  // There is something on the topic, and nobody who gives it.
  ingestor.setTopicEnd(1);
  ingestor.setStreamWait(0);
  await expect(schedule.round()).rejects.toThrow();
  expect(await reports()).toEqual([]);
  ingestor.setTopicEnd(0);
  await schedule.round();
  await schedule.round();
  expect(await reports()).toEqual([['TOPIC', 'tidsplan']]);
  await ingestor.owner.query(`update avstemming set avsluttet = avsluttet - interval '25 hours'`);
  await schedule.round();
  expect(await reports()).toHaveLength(2);
});
