import { createPool } from '@tiltak/database';
import { register } from 'prom-client';
import { AnswerMoment } from '../freshness/answer-moment.ts';
import { deltakerId, startTestApi, type TestApi } from '../testing/test-api.ts';
import { AuditLog } from './audit-log.ts';
import { DenialLog } from './denial-log.ts';

let api: TestApi;
const KARI = '1'.repeat(11);
const SEARCH = '/api/v1/avtaler/sok';

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
});
afterAll(() => api.stop());
beforeEach(() => api.forgetAudit());

const pool = (): ReturnType<typeof createPool> =>
  createPool({
    ...{ host: api.database.host, port: api.database.port, database: api.database.database, ...api.database.queryApi },
    ...{ sslmode: 'disable', applicationName: 'spec', poolSize: 1, statementTimeoutMs: 5_000, connectTimeoutMs: 5_000 },
  });

const lost = async (): Promise<number> => {
  const metric = await register.getSingleMetric('query_avslag_ikke_revidert_total')?.get();
  return metric?.values[0]?.value ?? 0;
};

test('a refusal is answered before it is written, and written as soon as it can be', async () => {
  const runner = api.owner.createQueryRunner();
  await runner.startTransaction();
  await runner.query('lock table oppslag in access exclusive mode');
  const response = await api.call('POST', SEARCH, { as: 'smal', body: { personidenter: [KARI] } });
  expect(response.status).toBe(403);
  await runner.rollbackTransaction();
  await runner.release();
  expect(await api.audit(1)).toMatchObject([
    {
      konsument: 'smal',
      behandlingsgrunnlag: 'B0',
      tillatt: false,
      avslag: 'ikke-tilgang',
      personer: [deltakerId(KARI)],
    },
  ]);
});

test('refusals beyond what can wait are counted, and look-ups are audited meanwhile', async () => {
  const [own, others] = [pool(), pool()];
  const busy = await own.connect();
  const denials = new DenialLog(own, deltakerId, 10);
  const before = await lost();
  for (let n = 0; n < 50; n++) denials.record({ konsument: 'a', operation: 'sokAvtaler' }, { persons: [KARI] });
  expect((await lost()) - before).toBe(40);
  const grant = {
    konsument: 'b',
    behandlingsgrunnlag: 'B',
    operation: 'sokAvtaler',
    dialect: 'ny',
    moment: new AnswerMoment(),
    fields: new Set([]),
  } as const;
  await new AuditLog(others, deltakerId).record(grant, { fields: [], hits: 0 });
  expect(await api.audit(1)).toMatchObject([{ konsument: 'b', tillatt: true }]);
  busy.release();
  await denials.stop();
  expect(await api.audit(11)).toHaveLength(11);
  await Promise.all([own.end(), others.end()]);
});

test('a client that is not registered is audited, without the persons of its body', async () => {
  await api.call('POST', SEARCH, { as: 'ukjent', body: { personidenter: [KARI] } });
  expect(await api.audit(1)).toMatchObject([
    { konsument: 'azp:ukjent', operasjon: 'sokAvtaler', tillatt: false, personer: [] },
  ]);
});

test('a participant in the path is named by a refusal too', async () => {
  await api.call('GET', `/api/v1/deltakere/${deltakerId(KARI)}/avtaler`, { as: 'smal' });
  expect(await api.audit(1)).toMatchObject([{ operasjon: 'hentDeltakersAvtaler', personer: [deltakerId(KARI)] }]);
});

test('bad tokens and quotas that are used up are counted, and written at the latest when the process stops', async () => {
  const own = await startTestApi();
  await own.setFreshness(new Date());
  await own.owner.query('truncate oppslagslinje');
  for (const token of ['a.b.c', 'tull', null]) await own.call('POST', SEARCH, { token, body: {} });
  const statuses = await Promise.all(
    Array.from({ length: 8 }, async () => (await own.call('POST', SEARCH, { as: 'graadig', body: {} })).status),
  );
  const tooMany = statuses.filter((status) => status === 429).length;
  await own.stopApp();
  const denied = (await own.audit(1)).filter(({ tillatt: granted }) => granted === false);
  expect(denied).toMatchObject([
    { konsument: 'ukjent', avslag: 'ugyldig-token', antall_kall: 3, personer: [] },
    { konsument: 'graadig', operasjon: 'sokAvtaler', avslag: 'for-mange', antall_kall: tooMany, personer: [] },
  ]);
  expect(tooMany).toBeGreaterThan(0);
  await own.stop();
});

test('a stop does not wait for a database that says nothing', async () => {
  const own = pool();
  const log = new DenialLog(own, deltakerId);
  const runner = api.owner.createQueryRunner();
  await runner.startTransaction();
  await runner.query('lock table oppslag in access exclusive mode');
  const write = new Promise<void>((done) => own.once('acquire', () => done()));
  log.record({ konsument: 'smal', operation: 'sokAvtaler' }, { persons: [KARI] });
  await write;
  await log.stop(100);
  // The statement is still under way: its connection has not been given back.
  expect(own.idleCount).toBe(0);
  await runner.rollbackTransaction();
  await runner.release();
  await own.end();
});
