import { LOCKS } from '@tiltak/database';
import { LOCKS as HELD, waitUntil } from '@tiltak/testing';
import fc from 'fast-check';
import { inTransaction } from '../../database/transaction.ts';
import { ResourceWriter } from '../../ingest/resource-writer.ts';
import { closeGaps } from '../../kafka/gaps.queries.ts';
import { ingestResource } from '../../resources/resource.consumer.ts';
import { checkHierarchy } from '../../resources/virksomheter/hierarchy.ts';
import { virksomheter } from '../../resources/virksomheter/virksomheter.ts';
import { ListedTopic } from '../../testing/listed-topic.ts';
import { expectedVirksomheter, nr, raw, said, type Said } from '../../testing/said-virksomheter.ts';
import { startTestIngest, type TestIngest } from '../../testing/test-ingest.ts';
import { metrics } from '../../metrics.ts';
import { readCondition } from '../condition/condition.queries.ts';
import type { Served } from '../served.ts';
import { rebuildResource } from './rebuildable.ts';
import { Rebuild, type RebuildOptions } from './rebuild.job.ts';
import { passRemoved } from './rebuild.queries.ts';

const OWN = 'virksomheter';
const PARTITIONS = 3;
const WHO = { hvem: 'somebody', klient: 'vaktklient' };
let setup: TestIngest;
let writer: ResourceWriter;
let topics: ListedTopic;
/** by partition and offset */
let messages: Said[][];

beforeAll(async () => {
  setup = await startTestIngest({ VIRKSOMHET_TOPIC: OWN });
  writer = new ResourceWriter(setup.pool, virksomheter);
});
afterAll(() => setup.stop());

async function empty(): Promise<void> {
  await setup.empty();
  await setup.owner.query('truncate gjenoppbygging cascade');
  await setup.owner.query(
    `insert into konsum_offset select $1, n, 0 from generate_series(0, ${String(PARTITIONS - 1)}) n`,
    [OWN],
  );
  await setup.owner.query(`insert into topic_epoke values ($1, 0, 'own') on conflict do nothing`, [OWN]);
  topics = new ListedTopic(OWN, PARTITIONS);
  messages = topics.lanes.map(() => []);
}

/** Published, and stored by the stream. */
async function publish(all: readonly Said[], size = 3): Promise<void> {
  for (const [partition, lane] of Map.groupBy(all, ({ unit }) => unit % PARTITIONS)) {
    messages[partition]?.push(...lane);
    for (const batch of topics.append(partition, lane, raw, size)) await ingestResource(writer, batch);
  }
}

function rebuildWith(onPiece: () => Promise<void>, maxPercent: number): Rebuild {
  const topic = topics.asTopic(onPiece);
  const beside = { writer: new ResourceWriter(setup.pool, virksomheter), topic, maxPercent };
  return new Rebuild(setup.pool, rebuildResource(setup.pool, virksomheter, beside), setup.ingestor.giveWay);
}

const { signal } = new AbortController();

/** With the process ended after so many pieces, and another that goes on, until it is done or waits to be confirmed. */
async function finish(
  kills: readonly number[],
  during: () => Promise<void>,
  maxPercent: number,
  options: RebuildOptions = {},
): Promise<Rebuild> {
  let rebuild = rebuildWith(() => Promise.resolve(), maxPercent);
  await rebuild.begin(WHO, options);
  for (const kill of kills) {
    const { promise: killed, resolve } = Promise.withResolvers<undefined>();
    let pieces = 0;
    rebuild = rebuildWith(() => {
      if (++pieces >= kill) resolve(undefined);
      return Promise.resolve();
    }, maxPercent);
    await rebuild.round(signal);
    await Promise.race([killed, new Promise((done) => setTimeout(done, 20))]);
    await rebuild.stop();
  }
  rebuild = rebuildWith(() => Promise.resolve(), maxPercent);
  await Promise.all([rebuild.round(signal), during()]);
  await goOn(rebuild);
  return rebuild;
}

async function goOn(rebuild: Rebuild): Promise<void> {
  for (let state = await rebuild.rebuilt.readProgress(); state?.tilstand === 'KJORER' && !state.awaitsConfirmation;) {
    await rebuild.round(signal);
    state = await rebuild.rebuilt.readProgress();
  }
}

const visible = (): Promise<unknown[]> =>
  setup.owner.query(
    `select organisasjonsnummer as nr, navn, overordnet_enhet as above, hovedenhet as top from virksomhet
     where slettet is null order by 1`,
  );

/** Of each unit the last that was said of its newest time, as the topic had it: by lists, not by the rule's own code. */
function expected(all: readonly Said[]): unknown[] {
  return expectedVirksomheter(all)
    .filter(({ gone }) => !gone)
    .map(({ nr: number, above, top }) => {
      const own = all.filter(({ unit }) => nr(unit) === number);
      const since = own.slice(own.findLastIndex(({ kind }) => kind === 'BURIES') + 1);
      const at = Math.max(...since.map((one) => one.at));
      return { nr: number, navn: `Unit ${String(Number(number) - 900_000_000)} ${String(at)}`, above, top };
    });
}

/** What compaction leaves is at least the last of each unit; of those that are lost, nothing. */
function forget(lost: ReadonlySet<number>, keep: readonly boolean[]): void {
  let n = 0;
  topics.lanes = topics.lanes.map((lane) => {
    const last = new Map(lane.map(({ key, offset }) => [String(key), offset]));
    return lane.filter(({ key, offset }) => {
      if (lost.has(Number(String(key)) - 900_000_000)) return false;
      return last.get(String(key)) === offset || keep[n++ % keep.length];
    });
  });
}

/** As by hand: those that can be put right, since the topic still has what decided them. */
async function corrupt(units: readonly number[]): Promise<void> {
  const kept = topics.lanes.flatMap((lane, partition) =>
    lane.map(({ offset }) => `${String(partition)} ${String(offset)}`),
  );
  await setup.owner.query(
    `update virksomhet set navn = 'wrong', overordnet_enhet = '900000009', hovedenhet = '900000007'
     where organisasjonsnummer = any($1) and slettet is null and kilde_partisjon || ' ' || kilde_offset = any($2)`,
    [units.map(nr), kept],
  );
  await setup.owner.query(`update virksomhet set hovedenhet = '900000007' where organisasjonsnummer = $1`, [nr(0)]);
}

const some = fc.array(said, { maxLength: 12 });
const random = fc.record({
  before: fc.array(said, { minLength: 1, maxLength: 40 }),
  during: some,
  late: some,
  after: some,
  lost: fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { maxLength: 4 }),
  keep: fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
  wrong: fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { maxLength: 4 }),
  /** by hand: the rows of these are taken away, and the lines of those */
  taken: fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { maxLength: 3 }),
  untold: fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { maxLength: 3 }),
  kills: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
});

/** What one has who follows the feed: those whose last line says that they are there. */
const toldOf = async (): Promise<unknown[]> => {
  const rows = await setup.owner.query<{ nr: string }[]>(
    `select nr from (select distinct on (organisasjonsnummer) organisasjonsnummer as nr, type from virksomhet_endring
     order by organisasjonsnummer, tx desc, lopenr desc) siste where type = 'ENDRET' order by 1`,
  );
  return rows.map((row) => row.nr);
};
const numbersOf = (rows: readonly unknown[]): unknown[] => rows.map((row) => (row as { nr: string }).nr);

test('whatever the topic has lost, whoever is killed and whatever the stream brings meanwhile, it comes to what the topic tells, and so does the feed', async () => {
  await fc.assert(
    fc.asyncProperty(
      random,
      async ({ before, during, late, after, lost: names, keep, wrong, taken, untold, kills }) => {
        await empty();
        await publish(before);
        const shown = new Set(expected(before).map((row) => (row as { nr: string }).nr));
        // A deletion is remembered, also when the topic has forgotten it.
        const lost = new Set(names.filter((unit) => shown.has(nr(unit))));
        forget(lost, keep);
        await corrupt(wrong);
        for (const [table, units] of Object.entries({ virksomhet: taken, virksomhet_endring: untold })) {
          await setup.owner.query(`delete from ${table} where organisasjonsnummer = any($1)`, [units.map(nr)]);
        }
        // Of these only what is left tells.
        const left = topics.lanes.flatMap((lane, partition) => lane.map(({ offset }) => messages[partition]?.[offset]));
        const rebuild = await finish(kills, () => publish(during), 0);
        const { awaitsConfirmation, usette } = (await rebuild.rebuilt.readProgress()) ?? {};
        const told = new Set([...during, ...(awaitsConfirmation ? late : [])].map(({ unit }) => unit));
        await publish(late);
        if (awaitsConfirmation) {
          await rebuild.confirm(usette ?? 0, WHO);
          await rebuild.round(signal);
        }
        await rebuild.stop();
        const fresh = [...lost].filter((unit) => !told.has(unit) && !taken.includes(unit));
        expect(await rebuild.rebuilt.readProgress()).toMatchObject({ tilstand: 'FERDIG', fjernet: fresh.length });
        const known = before.filter((one) =>
          taken.includes(one.unit) ? left.includes(one) : !fresh.includes(one.unit),
        );
        expect(await visible()).toEqual(expected([...known, ...during, ...late]));
        expect(await toldOf()).toEqual(numbersOf(await visible()));
        await publish(after);
        expect(await visible()).toEqual(expected([...known, ...during, ...late, ...after]));
        expect(await toldOf()).toEqual(numbersOf(await visible()));
        expect(await checkHierarchy(setup.pool, { repair: false })).toEqual([]);
      },
    ),
    { numRuns: 25 },
  );
}, 60_000);

test('what follows from all rows is counted with it when it is put right, though another process ends the rebuild', async () => {
  await empty();
  await publish([1, 2].map((unit) => ({ unit, above: null, at: 1, kind: 'SAYS' })));
  await setup.owner.query(`update virksomhet set hovedenhet = '900000007'`);
  const killed = rebuildWith(() => Promise.resolve(), 0);
  await killed.begin(WHO);
  const { id } = (await killed.rebuilt.readProgress()) ?? {};
  expect(await killed.rebuilt.removal?.check(id ?? '', { repair: true })).toBe(0);
  const other = rebuildWith(() => Promise.resolve(), 0);
  await goOn(other);
  await other.stop();
  expect(await other.rebuilt.readProgress()).toMatchObject({ tilstand: 'FERDIG', rettet: 2 });
});

test('two processes that are about to remove the same count it once', async () => {
  await empty();
  await publish([1, 2, 3].map((unit) => ({ unit, above: null, at: 1, kind: 'SAYS' })));
  forget(new Set([1, 2]), [true]);
  const rebuild = await finish([], () => Promise.resolve(), 0);
  await rebuild.confirm(2, WHO);
  const { id = '' } = (await rebuild.rebuilt.readProgress()) ?? {};
  const remove = (): Promise<unknown> => rebuild.rebuilt.removal?.remove(id, 10) ?? Promise.reject(new Error('It can'));
  const holder = await setup.pool.connect();
  await holder.query(`begin; select pg_advisory_xact_lock(${LOCKS.HIERARCHY})`);
  const both = Promise.all([remove(), remove()]);
  const waiting = `select from ${HELD} where not granted`;
  await waitUntil(async () => (await setup.owner.query<unknown[]>(waiting)).length === 2, {
    what: 'both to have read',
  });
  await holder.query('commit');
  holder.release();
  await both;
  expect(await rebuild.rebuilt.readProgress()).toMatchObject({ usette: 2, fjernet: 2 });
  await rebuild.stop();
});

test('a process that has named them after somebody has confirmed it has nobody asked again', async () => {
  await empty();
  await publish([1, 2, 3].map((unit) => ({ unit, above: null, at: 1, kind: 'SAYS' })));
  forget(new Set([1, 2]), [true]);
  const rebuild = await finish([], () => Promise.resolve(), 0);
  await rebuild.confirm(2, WHO);
  const { id = '' } = (await rebuild.rebuilt.readProgress()) ?? {};
  expect(await rebuild.rebuilt.removal?.setNamed(id)).toEqual({ isConfirmed: true });
  await goOn(rebuild);
  await rebuild.stop();
  expect(await rebuild.rebuilt.readProgress()).toMatchObject({ tilstand: 'FERDIG', fjernet: 2 });
});

test('what the topic has removed is passed by without the rebuild, which who plays a piece locks after its partition', async () => {
  await empty();
  const say = (at: number): Said => ({ unit: 0, above: null, at, kind: 'SAYS' });
  await publish([say(1), say(2)]);
  const rebuild = rebuildWith(() => Promise.resolve(), 0);
  await rebuild.begin(WHO);
  await inTransaction(setup.pool, async (db) => {
    await db.query(`select from gjenoppbygging for update`);
    await passRemoved(setup.pool, OWN, { epoch: 0, partitions: [{ partition: 0, start: 1, end: 2, stableEnd: 2 }] });
  });
  expect(await rebuild.rebuilt.readProgress()).toMatchObject({ lest: 1 });
  await rebuild.cancel(WHO);
});

test('of more than are named each is counted once, also when another piece has another of its messages', async () => {
  await empty();
  await publish([1, 2, 3].map((at) => ({ unit: 1, above: null, at, kind: 'SAYS' })));
  await setup.owner.query('delete from virksomhet');
  const report = rebuildWith(() => Promise.resolve(), 0);
  await report.begin(WHO, { isReport: true });
  await setup.owner.query(
    `insert into gjenoppbygging_ressurs_rettet select id, 'named ' || n from gjenoppbygging, generate_series(1, 10000) n`,
  );
  await report.round(signal);
  await goOn(report);
  const { id, ...told } = (await report.rebuilt.readProgress()) ?? {};
  expect(told).toMatchObject({ tilstand: 'FERDIG', rettet: 1 });
  expect(await report.rebuilt.removal?.readRepaired(id ?? '', null, 20_000)).toHaveLength(10_000);
  await report.round(signal);
  await report.stop();
  expect(await setup.owner.query('select from gjenoppbygging_ressurs_talt')).toEqual([]);
});

test('what was told while another transaction was open is held against the rows too', async () => {
  await empty();
  const open = await setup.pool.connect();
  try {
    await open.query('begin');
    await open.query('select pg_current_xact_id()');
    await publish([{ unit: 1, above: null, at: 1, kind: 'SAYS' }]);
    await setup.owner.query('delete from virksomhet');
    topics.lanes = topics.lanes.map(() => []);
    const rebuild = finish([], () => Promise.resolve(), 0);
    await Promise.race([rebuild, new Promise((done) => setTimeout(done, 500))]);
    await open.query('commit');
    await (await rebuild).stop();
  } finally {
    open.release();
  }
  expect(await toldOf()).toEqual([]);
});

test('what goes is told of in the feed, leaves no history and moves those below it; too many wait for somebody', async () => {
  await empty();
  const say = (unit: number, above: number | null): Said => ({ unit, above, at: 1, kind: 'SAYS' });
  await publish([say(1, 2), say(2, 3), say(3, null), say(4, null), say(5, null), say(6, null)]);
  forget(new Set([2]), [true]);
  const first = await finish([], () => Promise.resolve(), 10);
  expect(await first.rebuilt.readProgress()).toMatchObject({
    tilstand: 'KJORER',
    awaitsConfirmation: true,
    usette: 1,
    fjernet: 0,
  });
  await first.round(signal);
  expect((await metrics.rebuildAwaits.get()).values).toEqual([{ labels: { ressurs: 'virksomheter' }, value: 1 }]);
  const served = { organisasjon: 'nav', topic: OWN } as Served;
  expect((await readCondition(setup.pool, served, setup.ingestor.adapter.syncs.deadlines)).sjekker).toContainEqual(
    expect.objectContaining({ kode: 'GjenoppbyggingVenter', tilstand: 'OBS', verdi: 1 }),
  );
  await expect(first.confirm(2, WHO)).rejects.toMatchObject({ problemType: { status: 409 } });
  await first.cancel(WHO);
  await first.stop();
  expect(await visible()).toHaveLength(6);
  const second = await finish([], () => Promise.resolve(), 20);
  await second.stop();
  expect(await second.rebuilt.readProgress()).toMatchObject({ tilstand: 'FERDIG', usette: 1, fjernet: 1, rettet: 0 });
  expect(await visible()).toMatchObject([{ nr: nr(1), above: nr(2), top: nr(2) }, { nr: nr(3) }, {}, {}, {}]);
  expect(
    await setup.owner.query(
      'select organisasjonsnummer as nr, type from virksomhet_endring order by tx, lopenr offset 6',
    ),
  ).toEqual(
    expect.arrayContaining([
      { nr: nr(2), type: 'SLETTET' },
      { nr: nr(1), type: 'ENDRET' },
    ]),
  );
  expect(await setup.owner.query('select from virksomhet_versjon where organisasjonsnummer = $1', [nr(2)])).toEqual([]);
  // The same again is as new, since nobody has deleted it.
  await publish([say(2, 3)]);
  expect(await visible()).toHaveLength(6);
});

test('what the topic lost is made up for by a rebuild that begins after it was found, and of which it is said that the source has sent all', async () => {
  await empty();
  await publish([{ unit: 1, above: null, at: 1, kind: 'SAYS' }]);
  const rebuild = async (options: RebuildOptions): Promise<void> =>
    (await finish([], () => Promise.resolve(), 20, options)).stop();
  const close = (): Promise<number> => closeGaps(setup.owner.manager, { topic: OWN, resource: 'virksomheter' });
  const lose = (): Promise<unknown> =>
    setup.owner.query(
      'insert into konsum_hull (topic, epoke, partisjon, fra_offset, til_offset) values ($1, 0, 0, 0, 1)',
      [OWN],
    );
  await rebuild({ closesGaps: true });
  await lose();
  expect(await close()).toBe(0);
  await rebuild({});
  expect(await close()).toBe(0);
  await rebuild({ closesGaps: true });
  await lose();
  expect(await close()).toBe(1);
  const gaps = await setup.owner.query('select lukket_av as by from konsum_hull order by id');
  expect(gaps).toEqual([{ by: expect.stringMatching(/^gjenoppbygging [0-9]+$/) }, { by: null }]);
});

/** All that there is of virksomheter, and what is parked. */
async function tables(): Promise<unknown[]> {
  const names = ['virksomhet', 'virksomhet_versjon', 'virksomhet_endring', 'hovedenhet_varsel', 'parkert_melding'];
  return Promise.all(names.map((name) => setup.owner.query(`select to_jsonb(t) as row from ${name} t order by 1`)));
}

test('a report changes nothing, and tells what the rebuild after it then does', async () => {
  await fc.assert(
    fc.asyncProperty(random, async ({ before, lost: names, keep, wrong, kills }) => {
      await empty();
      await publish(before);
      const shown = new Set(expected(before).map((row) => (row as { nr: string }).nr));
      const lost = new Set(names.filter((unit) => shown.has(nr(unit))));
      forget(lost, keep);
      await corrupt(wrong);
      // One that is gone is what no message that is left says, too.
      await setup.owner.query('delete from virksomhet where organisasjonsnummer = $1', [nr(5)]);
      const stored = await tables();
      const report = await finish(kills, () => Promise.resolve(), 0, { isReport: true });
      await report.stop();
      expect(await tables()).toEqual(stored);
      const told = await report.rebuilt.readProgress();
      expect(told).toMatchObject({ tilstand: 'FERDIG', isReport: true, fjernet: 0, awaitsConfirmation: false });
      const keysOf = async ({ rebuilt }: Rebuild, id = ''): Promise<unknown[]> => [
        await rebuilt.removal?.readRepaired(id, null, 100),
        await rebuilt.readUnseen(id, null, 100),
      ];
      const named = await keysOf(report, told?.id);

      const rebuild = await finish([], () => Promise.resolve(), 100);
      if ((await rebuild.rebuilt.readProgress())?.awaitsConfirmation) {
        await rebuild.confirm(told?.usette ?? 0, WHO);
        await rebuild.round(signal);
      }
      await rebuild.stop();
      const done = await rebuild.rebuilt.readProgress();
      expect(done).toMatchObject({ tilstand: 'FERDIG', usette: told?.usette });
      expect(await keysOf(rebuild, done?.id)).toEqual(named);
    }),
    { numRuns: 10 },
  );
  await expect(
    rebuildWith(() => Promise.resolve(), 0).begin(WHO, { isReport: true, closesGaps: true }),
  ).rejects.toThrow();
}, 60_000);
