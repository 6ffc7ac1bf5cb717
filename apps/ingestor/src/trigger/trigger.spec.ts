import { randomUUID } from 'node:crypto';
import {
  LOCKS,
  createTestTopic,
  syntheticFnr,
  syntheticNavIdent,
  testEnvironment,
  waitUntil,
  type TestTopic,
} from '@tiltak/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { TRIGGER_SCHEMA } from '../asyncapi/schemas.ts';
import { Publisher, type OutgoingMessage } from '../kafka/publisher.ts';
import { metrics } from '../metrics.ts';
import { applyRetention } from '../retention/retention.ts';
import { retentionRules } from '../retention/rules.ts';
import { readTopic } from '../testing/read-topic.ts';
import { splitByMonth } from '../testing/split-by-month.ts';
import { batch, message, startTestIngest, type TestIngest } from '../testing/test-ingest.ts';
import { Trigger } from './trigger.job.ts';
import { EVENT_TYPES, type TriggerEvent } from './trigger-event.ts';

/** The feed, and what is told of it on a real topic. */
let setup: TestIngest;
let topic: TestTopic;
let triggers: Trigger[];
let next: number;

beforeAll(async () => {
  setup = await startTestIngest();
});
afterAll(() => setup.stop());
beforeEach(async () => {
  topic = await createTestTopic({ partitions: 3 });
  triggers = [];
  next = 0;
  await setup.empty();
  await setup.owner.query(`update instans set beskaaret_til = '0'`);
});
afterEach(async () => {
  await Promise.all(triggers.map((trigger) => trigger.stop()));
  await topic.remove();
});

/** What the publisher does beside: it may fail, and leave things half done. */
type Disturbance = (
  publish: (messages: readonly OutgoingMessage[]) => Promise<void>,
  messages: readonly OutgoingMessage[],
) => Promise<void>;

class DisturbedPublisher extends Publisher {
  constructor(private readonly disturb: Disturbance) {
    super({ brokers: [testEnvironment().kafka], clientId: 'spec', retries: 3 }, topic.topic);
  }

  override publish(messages: readonly OutgoingMessage[]): Promise<void> {
    return this.disturb((some) => super.publish(some), messages);
  }
}

/** One that is positioned, as if in a process of its own. */
async function createTrigger(disturb: Disturbance = (publish, messages) => publish(messages)): Promise<Trigger> {
  const trigger = new Trigger(setup.ingestor.config, new DisturbedPublisher(disturb));
  triggers.push(trigger);
  await trigger.round();
  return trigger;
}

const ids = Array.from({ length: 20 }, () => randomUUID());

/** Changes of the avtaler, some of them deletions, in batches as the stream stores them. */
async function change(count: number, batches = 1): Promise<void> {
  for (let i = 0; i < batches; i++) {
    const messages = Array.from({ length: count }, () => {
      const offset = next++;
      const sistEndret = `2026-01-01T00:00:00.${String(offset).padStart(6, '0')}Z`;
      const deletes = offset % 7 === 3;
      return message(offset, {
        avtaleId: ids[(offset * 13) % ids.length],
        sistEndret,
        avtaleNr: offset,
        slettemerket: deletes,
      });
    });
    await setup.ingest(batch(messages));
  }
}

interface Line {
  avtaleId: string;
  type: keyof typeof EVENT_TYPES;
  sequence: string;
}

/** As the database has it. */
function feed(): Promise<Line[]> {
  return setup.owner.query<Line[]>(
    `select avtale_id as "avtaleId", type, lpad(tx::text, 19, '0') || '.' || lpad(lopenr::text, 19, '0') as sequence
     from endring order by tx, lopenr`,
  );
}

type Told = TriggerEvent & { raw: string; key: string; partition: number };

const fitsDocument = new Ajv2020({ strict: false, validateFormats: false }).compile(TRIGGER_SCHEMA);

async function told(): Promise<Told[]> {
  return (await readTopic(topic.topic)).map(({ key, value, partition }) => {
    const raw = value?.toString() ?? '';
    const event = JSON.parse(raw) as TriggerEvent;
    if (!fitsDocument(event)) throw new Error(JSON.stringify(fitsDocument.errors));
    return { ...event, raw, key: key?.toString() ?? '', partition };
  });
}

/** Those that are told for the first time. */
function withoutRepeats(events: Told[]): Told[] {
  const seen = new Map<string, Told>();
  for (const event of events) {
    const earlier = seen.get(event.id);
    if (earlier) expect(event).toEqual(earlier);
    else seen.set(event.id, event);
  }
  return [...seen.values()];
}

function byAvtale<T>(
  list: readonly T[],
  keyOf: (item: T) => string,
  valueOf: (item: T) => string,
): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const item of list) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), valueOf(item)]);
  return new Map([...groups].sort());
}

/** That the topic tells of the feed: of each avtale all of it, once but for repeats, in its order. */
function expectFeed(events: Told[], lines: readonly Line[]): void {
  const first = withoutRepeats(events);
  expect(
    byAvtale(
      first,
      (event) => event.subject,
      (event) => `${event.sequence} ${event.type}`,
    ),
  ).toEqual(
    byAvtale(
      lines,
      (line) => line.avtaleId,
      (line) => `${line.sequence} ${EVENT_TYPES[line.type]}`,
    ),
  );
  for (const { key, subject, partitionkey, data } of first)
    expect([key, partitionkey, data.avtaleId]).toEqual([subject, subject, subject]);
}

/** Ends the session of whoever publishes, as when its process is killed. */
async function killPublisher(): Promise<void> {
  await setup.owner.query(
    `select pg_terminate_backend(pid) from ${LOCKS}
     where locktype = 'advisory' and granted and pid <> pg_backend_pid()`,
  );
}

test('two ingestors tell of each change once, one at a time, in the order of the feed', async () => {
  let atOnce = 0;
  const most: number[] = [];
  const counted: Disturbance = async (publish, messages) => {
    most.push(++atOnce);
    await publish(messages);
    atOnce--;
  };
  const both = [await createTrigger(counted), await createTrigger(counted)];
  for (const trigger of both) trigger.start();
  await change(30, 20);
  const lines = await feed();
  await tellAll(...both);
  const events = await told();
  expect(events).toHaveLength(lines.length);
  expect(Math.max(...most)).toBe(1);
  expectFeed(events, lines);
});

const UNREAD = 'select from endring where tx >= pg_snapshot_xmin(pg_current_snapshot())';

/** Until the feed is told of to its end; whoever is disturbed tries again. */
async function tellAll(...some: Trigger[]): Promise<void> {
  await waitUntil(
    async () => {
      await Promise.allSettled(some.map((trigger) => trigger.round()));
      return isTold();
    },
    { what: 'all of the feed to be told of' },
  );
}

/** Whether the position is at the end of the feed. */
async function isTold(): Promise<boolean> {
  const [row] = await setup.owner.query<{ done: boolean }[]>(
    `select not exists (select from endring e, trigger_posisjon p where p.topic = $1 and (e.tx, e.lopenr) > (p.tx, p.lopenr))
       and exists (select from trigger_posisjon where topic = $1 and tx < pg_snapshot_xmax(pg_current_snapshot())) as done`,
    [topic.topic],
  );
  return row?.done ?? false;
}

test('whoever is killed, and whenever: nothing is missing, the order holds, and a repeat is the same to the byte', async () => {
  let round = 0;
  const disturbances: Disturbance[] = [
    // Killed between what is published and what is stored of it, by one who has published all of it, or some.
    (publish, messages) => publish(messages).then(killPublisher),
    (publish, messages) => publish(messages.slice(0, messages.length / 2)).then(() => Promise.reject(new Error('cut'))),
    () => Promise.reject(new Error('Kafka is away')),
    // Taken for dead, it publishes on while another does so too.
    async (publish, messages) => {
      await killPublisher();
      await publish(messages);
    },
    (publish, messages) => publish(messages),
  ];
  const disturb: Disturbance = (publish, messages) =>
    disturbances[round++ % disturbances.length]?.(publish, messages) ?? publish(messages);
  const both = [await createTrigger(disturb), await createTrigger(disturb)];
  for (let i = 0; i < 20; i++) {
    await change(15);
    await Promise.allSettled(both.map((trigger) => trigger.round()));
  }
  round = disturbances.length - 1;
  await tellAll(...both);
  const events = await told();
  expect(events.length).toBeGreaterThan((await feed()).length);
  expectFeed(events, await feed());
});

test('a database that was put back tells again of what it has, and never by an id that stood for something else', async () => {
  const trigger = await createTrigger();
  await change(10);
  const [before] = await setup.owner.query<{ position: string }[]>(
    'select to_jsonb(p)::text as position from trigger_posisjon p where topic = $1',
    [topic.topic],
  );
  await change(10);
  await tellAll(trigger);
  const firstTimes = await told();
  // As a backup of before the second batch, on which other changes take the numbers that those had.
  await setup.owner.query('delete from trigger_posisjon where topic = $1', [topic.topic]);
  await setup.owner.query(
    'insert into trigger_posisjon select * from jsonb_populate_record(null::trigger_posisjon, $1::jsonb)',
    [before?.position],
  );
  await setup.owner.query('update instans set epoke = gen_random_uuid()');
  await setup.owner.query('update endring set avtale_id = $1', [ids[0]]);
  await tellAll(trigger);
  const events = await told();
  const again = events.filter(({ id }) => !firstTimes.some((event) => event.id === id));
  expect(again).toHaveLength((await feed()).length);
  expect(new Set(again.map(({ subject }) => subject))).toEqual(new Set([ids[0]]));
  expect(again[0]?.data.epoke).not.toBe(firstTimes[0]?.data.epoke);

  // In another cluster, whose transaction ids are far below.
  await setup.owner.query(
    `update trigger_posisjon set tx = '999999999999', epoke = gen_random_uuid() where topic = $1`,
    [topic.topic],
  );
  await tellAll(trigger);
  expect(await told()).toHaveLength(events.length + (await feed()).length);
});

test('changes that left the feed untold are said to have, and the rest is told', async () => {
  const trigger = await createTrigger();
  await change(10);
  await setup.owner.query(`update endring set tidspunkt = now() - interval '140 days'`);
  await splitByMonth(setup.owner);
  await change(10);
  await trigger.measure();
  expect((await metrics.triggerAge.get()).values[0]?.value).toBeGreaterThan(99 * 86_400);
  const whole = (await feed()).length;
  const rules = retentionRules({ ENDRINGER_BEHOLDES_DAGER: 90, OPPSLAG_DAGER: undefined });
  const isPruned = async (): Promise<boolean> => {
    await applyRetention(setup.pool, rules);
    // A month goes a minute after the feed is cut before it.
    await setup.owner.query(`update instans set beskaaret_tidspunkt = beskaaret_tidspunkt - interval '2 minutes'`);
    return (await feed()).length < whole;
  };
  // Nothing goes while a transaction of others in this server is older.
  await waitUntil(isPruned, { what: 'the old lines to go' });
  const lines = await feed();
  await tellAll(trigger);
  await trigger.measure();
  expectFeed(await told(), lines);
  expect((await metrics.triggerAge.get()).values[0]?.value).toBe(0);
  const { value: gapAt = 0 } = (await metrics.triggerGap.get()).values[0] ?? {};
  expect(Math.abs(gapAt - Date.now() / 1_000)).toBeLessThan(60);
});

test('a position that is gone under a running process is made anew, and that changes may be left out is seen', async () => {
  const trigger = await createTrigger();
  await change(5);
  await setup.owner.query('delete from trigger_posisjon where topic = $1', [topic.topic]);
  await trigger.measure();
  const { value: gapAt = 0 } = (await metrics.triggerGap.get()).values[0] ?? {};
  expect(Math.abs(gapAt - Date.now() / 1_000)).toBeLessThan(60);

  await setup.owner.query('delete from trigger_posisjon where topic = $1', [topic.topic]);
  await trigger.round();
  const last = async (): Promise<bigint> => {
    const [row] = await setup.owner.query<{ tx: string }[]>('select tx from trigger_posisjon where topic = $1', [
      topic.topic,
    ]);
    return BigInt(row?.tx ?? 0);
  };
  const from = await last();
  await change(5);
  await tellAll(trigger);
  // A transaction of another database of the server keeps the position further back, and more is told then.
  expectFeed(
    (await told()).filter(({ sequence }) => BigInt(sequence.split('.')[0] ?? '') > from),
    (await feed()).filter(({ sequence }) => BigInt(sequence.split('.')[0] ?? '') > from),
  );
});

test('what waits behind an open transaction is late, and is not told of before what may come before it', async () => {
  const trigger = await createTrigger();
  const open = setup.owner.createQueryRunner();
  await open.startTransaction();
  await open.query(`insert into endring (avtale_id, type) values ($1, 'ENDRET')`, [ids[1]]);
  await change(5);
  await setup.owner.query(`update endring set tidspunkt = now() - interval '1 hour'`);
  await trigger.round();
  await trigger.measure();
  expect(await told()).toEqual([]);
  expect((await metrics.triggerAge.get()).values[0]?.value).toBeGreaterThan(3_599);
  await open.commitTransaction();
  await open.release();
  await tellAll(trigger);
  expectFeed(await told(), await feed());
});

test('an event says which avtale, and nothing of it or of anybody', async () => {
  const trigger = await createTrigger();
  const secrets = {
    deltakerFnr: syntheticFnr(7),
    veilederNavIdent: syntheticNavIdent(7),
    bedriftNr: '910825518',
    bedriftNavn: 'Kari Nordmann',
  };
  await setup.ingest(batch([message(0, { ...secrets, tiltakstype: 'MENTOR', avtaleNr: 4711 })]));
  await tellAll(trigger);
  const [event] = await told();
  const id = '00000000-0000-4000-8000-000000000001';
  expect(JSON.parse(event?.raw ?? '')).toEqual({
    specversion: '1.0',
    id: event?.data.posisjon,
    source: '/tiltak-datadeling/nav',
    type: 'no.nav.tiltak.avtale.endret',
    subject: id,
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
    sequence: expect.stringMatching(/^\d{19}\.\d{19}$/),
    partitionkey: id,
    datacontenttype: 'application/json',
    data: { avtaleId: id, posisjon: expect.any(String), epoke: expect.any(String) },
  });
});

test('begins with what comes after it was turned on', async () => {
  await change(10);
  const before = await feed();
  // What others do in this Postgres keeps it from being read.
  await waitUntil(async () => (await setup.owner.query<unknown[]>(UNREAD)).length === 0, { what: 'the feed' });
  const trigger = await createTrigger();
  await change(3);
  await tellAll(trigger);
  expectFeed(await told(), (await feed()).slice(before.length));
});
