import { waitUntil } from '@tiltak/testing';
import fc from 'fast-check';
import { ingestIdents } from '../../identer/identer.consumer.ts';
import type { RawMessage } from '../../kafka/batch.ts';
import { closeGaps } from '../../kafka/gaps.queries.ts';
import { ListedTopic } from '../../testing/listed-topic.ts';
import { batch, deltakerId, ID, message, startTestIngest, TOPIC, type TestIngest } from '../../testing/test-ingest.ts';
import { rebuildPersons } from './person-rebuild.ts';
import { Rebuild, type RebuildOptions } from './rebuild.job.ts';
import type { RebuildProgress } from './rebuild.queries.ts';

const OWN = 'aktor';
const PARTITIONS = 2;
const WHO = { hvem: 'somebody', klient: 'vaktklient' };
const IDENTS = Array.from({ length: 5 }, (_, n) => String(n).repeat(11));
const keyOf = (n: number): string => String(n).padStart(13, '1');
let setup: TestIngest;
let topic: ListedTopic;

beforeAll(async () => {
  setup = await startTestIngest({ IDENT_TOPIC: OWN });
});
afterAll(() => setup.stop());

/** A key, and what it has now; null: it is gone. */
interface Person {
  of: number;
  idents: readonly number[] | null;
}

async function empty(): Promise<void> {
  await setup.empty();
  await setup.owner.query('truncate gjenoppbygging cascade');
  await setup.owner.query(
    `insert into konsum_offset select t, n, 0 from unnest($1::text[]) t, generate_series(0, ${String(PARTITIONS)}) n on conflict do nothing`,
    [[OWN, TOPIC]],
  );
  await setup.owner.query(`insert into topic_epoke values ($1, 0, 'own') on conflict do nothing`, [OWN]);
  topic = new ListedTopic(OWN, PARTITIONS);
  const avtaler = IDENTS.map((deltakerFnr, n) => message(n, { avtaleId: ID.replace(/.$/, String(n)), deltakerFnr }));
  await setup.ingest(batch(avtaler));
}

function raw({ of, idents }: Person, offset: number): RawMessage {
  const said = idents?.map((n) => ({ idnummer: IDENTS[n], type: 'FOLKEREGISTERIDENT', gjeldende: true }));
  return {
    offset,
    key: Buffer.from(keyOf(of)),
    value: said ? Buffer.from(JSON.stringify({ identifikatorer: said })) : null,
  };
}

async function publish(all: readonly Person[]): Promise<void> {
  for (const [partition, lane] of Map.groupBy(all, ({ of }) => of % PARTITIONS)) {
    for (const one of topic.append(partition, lane, raw, 3)) await ingestIdents(setup.personWriter, one);
  }
}

const { signal } = new AbortController();

function rebuildWith(onPiece: () => Promise<void>, maxPercent: number): Rebuild {
  const { giveWay } = setup.ingestor;
  const beside = { topic: topic.asTopic(onPiece), giveWay, maxPercent };
  return new Rebuild(setup.pool, rebuildPersons(setup.pool, setup.personWriter, beside), giveWay);
}

/** With the process ended after the first piece, and another that goes on. */
async function finish(during: () => Promise<void>, maxPercent: number, options: RebuildOptions = {}): Promise<Rebuild> {
  const { promise: read, resolve } = Promise.withResolvers<undefined>();
  const first = rebuildWith(() => Promise.resolve(resolve(undefined)), maxPercent);
  await first.begin(WHO, options);
  await first.round(signal);
  await Promise.race([read, new Promise((done) => setTimeout(done, 20))]);
  await first.stop();
  const rebuild = rebuildWith(() => Promise.resolve(), maxPercent);
  await Promise.all([rebuild.round(signal), during()]);
  for (let state = await rebuild.rebuilt.readProgress(); state?.tilstand === 'KJORER' && !state.awaitsConfirmation;) {
    await rebuild.round(signal);
    state = await rebuild.rebuilt.readProgress();
  }
  return rebuild;
}

/** What is known of persons, and whose the avtaler are. */
async function stored(): Promise<unknown> {
  const { registerident, personident } = await setup.dump();
  const avtaler = await setup.owner.query('select avtale_id, deltaker_id from avtale order by 1');
  return { registerident, personident, avtaler };
}

const person = fc.record({
  of: fc.integer({ min: 0, max: 3 }),
  idents: fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }), { freq: 5 }),
});
const some = fc.array(person, { maxLength: 5 });

test('whatever the topic has lost, and whatever the stream brings meanwhile, persons are those that the topic tells of', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(person, { minLength: 1, maxLength: 15 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
      some,
      async (before, lost, keep, wrong, during) => {
        await empty();
        await publish(before);
        let n = 0;
        topic.lanes = topic.lanes.map((lane) => {
          const last = new Map(lane.map(({ key, offset }) => [String(key), offset]));
          return lane.filter(
            ({ key, offset }) =>
              !lost.some((of) => keyOf(of) === String(key)) &&
              (last.get(String(key)) === offset || keep[n++ % keep.length]),
          );
        });
        // By hand.
        await setup.owner.query('delete from registerident where registernoekkel = any($1)', [
          wrong.filter((of) => !lost.includes(of)).map((of) => deltakerId(keyOf(of))),
        ]);
        const rebuild = await finish(() => publish(during), 0);
        const { awaitsConfirmation, usette } = (await rebuild.rebuilt.readProgress()) ?? {};
        if (awaitsConfirmation) {
          await rebuild.confirm(usette ?? 0, WHO);
          await rebuild.round(signal);
        }
        await rebuild.stop();
        expect(await rebuild.rebuilt.readProgress()).toMatchObject({ tilstand: 'FERDIG' });
        const rebuilt = await stored();

        const told = topic.lanes;
        await empty();
        for (const [partition, lane] of told.entries()) {
          if (lane.length > 0) await ingestIdents(setup.personWriter, topic.batchOf(partition, lane, 0));
        }
        expect(rebuilt).toEqual(await stored());
      },
    ),
    { numRuns: 12 },
  );
}, 60_000);

/** As many as are named. */
const NAMED = 10_000;

test.each([
  [true, 0],
  [false, 0],
  [true, NAMED],
  [false, NAMED],
])(
  'what is put right, or would be, is counted though another process ends the rebuild; a report: %s, after %i',
  async (isReport, named) => {
    await empty();
    await publish([0, 1].map((of) => ({ of, idents: [2 * of, 2 * of + 1] })));
    await setup.owner.query('delete from registerident');
    // Not all is read before the round is over: it would end the rebuild itself.
    const { promise: over, resolve } = Promise.withResolvers<undefined>();
    const killed = rebuildWith(() => over, 0);
    await killed.begin(WHO, { isReport });
    await setup.owner.query(
      `insert into gjenoppbygging_ressurs_rettet select id, 'named ' || n from gjenoppbygging, generate_series(1, $1) n`,
      [named],
    );
    await killed.round(signal);
    resolve(undefined);
    const readProgress = async (): Promise<RebuildProgress> => {
      const progress = await killed.rebuilt.readProgress();
      if (!progress) throw new Error('There is one');
      return progress;
    };
    await waitUntil(async () => (({ lest, antall }) => lest === antall)(await readProgress()), { what: 'all of it' });
    await killed.rebuilt.removal?.check((await readProgress()).id, { repair: !isReport });
    await killed.stop();
    const other = rebuildWith(() => Promise.resolve(), 0);
    await other.round(signal);
    const { id, ...progress } = await readProgress();
    expect(progress).toMatchObject({ tilstand: 'FERDIG', rettet: 2 });
    const told = await other.rebuilt.removal?.readRepaired(id, null, 2 * NAMED);
    expect(told).toHaveLength(Math.max(named, 2));
    await other.round(signal);
    await other.stop();
    expect(await setup.owner.query('select from gjenoppbygging_ressurs_talt')).toEqual([]);
  },
);

test('a report changes nothing, too many wait, and a gap is closed when it is said that the register has sent all', async () => {
  await empty();
  await publish([
    { of: 0, idents: [0, 1] },
    { of: 1, idents: [2, 3] },
    { of: 2, idents: [4] },
  ]);
  topic.lanes = topic.lanes.map((lane, partition) => (partition === 1 ? [] : lane));
  await setup.owner.query('delete from registerident where registernoekkel = $1', [deltakerId(keyOf(0))]);
  await setup.owner.query(
    'insert into konsum_hull (topic, epoke, partisjon, fra_offset, til_offset) values ($1, 0, 0, 0, 1)',
    [OWN],
  );
  const before = await stored();
  const report = await finish(() => Promise.resolve(), 10, { isReport: true });
  await report.stop();
  const told = await report.rebuilt.readProgress();
  expect(told).toMatchObject({ tilstand: 'FERDIG', rettet: 1, usette: 1, fjernet: 0 });
  expect(await report.rebuilt.readUnseen(told?.id ?? '', null, 10)).toEqual([deltakerId(keyOf(1))]);
  expect(await stored()).toEqual(before);

  const rebuild = await finish(() => Promise.resolve(), 10, { closesGaps: true });
  expect(await rebuild.rebuilt.readProgress()).toMatchObject({ awaitsConfirmation: true, usette: 1 });
  const close = (): Promise<number> => closeGaps(setup.owner.manager, { topic: OWN, resource: 'identer' });
  expect(await close()).toBe(0);
  await rebuild.confirm(1, WHO);
  await rebuild.round(signal);
  await rebuild.round(signal);
  await rebuild.stop();
  expect(await rebuild.rebuilt.readProgress()).toMatchObject({ tilstand: 'FERDIG', rettet: 1, fjernet: 1 });
  expect(await close()).toBe(1);
  const { registerident } = await setup.dump();
  expect(new Set(registerident.map((row) => row['registernoekkel']))).toEqual(new Set([deltakerId(keyOf(0))]));
  expect(await setup.owner.query('select from gjenoppbygging_person')).toEqual([]);
});
