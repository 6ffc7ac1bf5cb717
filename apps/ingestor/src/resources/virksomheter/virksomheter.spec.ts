import { createPool } from '@tiltak/database';
import fc from 'fast-check';
import type { Pool } from 'pg';
import { databaseOptionsFrom } from '../../database/connect.ts';
import { ResourceWriter } from '../../ingest/resource-writer.ts';
import type { MessageBatch, RawMessage } from '../../kafka/batch.ts';
import { message, startTestIngest, TOPIC, type TestIngest } from '../../testing/test-ingest.ts';
import { expectedVirksomheter as expected, nr, raw, said, time, type Said } from '../../testing/said-virksomheter.ts';
import { ingestResource } from '../resource.consumer.ts';
import { checkHierarchy } from './hierarchy.ts';
import { HovedenhetTold } from './hovedenhet-told.job.ts';
import { MissingVirksomheter } from './missing.job.ts';
import { virksomheter } from './virksomheter.ts';

const OWN = 'virksomheter';
const PARTITIONS = 3;
let setup: TestIngest;
let otherPool: Pool;
let writers: ResourceWriter[];

beforeAll(async () => {
  setup = await startTestIngest({ VIRKSOMHET_TOPIC: OWN });
  otherPool = createPool(databaseOptionsFrom(setup.ingestor.config));
  writers = [new ResourceWriter(setup.pool, virksomheter), new ResourceWriter(otherPool, virksomheter)];
});
beforeEach(async () => {
  await setup.empty();
  await setup.owner.query(
    `insert into konsum_offset select $1, n, 0 from generate_series(0, ${String(PARTITIONS - 1)}) n`,
    [OWN],
  );
});
afterAll(async () => {
  await otherPool.end();
  await setup.stop();
});

function batch(partition: number, messages: readonly RawMessage[]): MessageBatch {
  const [fetchedFrom, end] = [messages[0]?.offset ?? 0, (messages.at(-1)?.offset ?? 0) + 1];
  return { topic: OWN, epoch: 0, partition, fetchedFrom, messages, nextOffset: end, endOffset: end };
}

const stored = (): Promise<{ nr: string; above: string | null; top: string | null; gone: boolean }[]> =>
  setup.owner.query(
    `select organisasjonsnummer as nr, overordnet_enhet as above, hovedenhet as top, slettet is not null as gone
     from virksomhet order by 1`,
  );

/** Of a subscription by these hovedenheter: each with itself and all that has it in a chain that has an end. */
function expectedMembers(tops: readonly number[], rows: ReturnType<typeof expected>): string[] {
  const above = new Map(rows.map((row) => [row.nr, row.above]));
  const chainOf = (unit: string): string[] => {
    const chain = [unit];
    for (let next = above.get(unit); next != null; next = above.get(next)) chain.push(next);
    return chain;
  };
  const below = (top: string): string[] =>
    rows.filter((row) => row.nr !== top && row.top !== null && chainOf(row.nr).includes(top)).map((row) => row.nr);
  return tops.flatMap((top) => [nr(top), ...below(nr(top))].map((unit) => `${nr(top)} ${unit}`)).sort();
}

const changeSubscription = (add: readonly number[], remove: readonly number[]): Promise<unknown> =>
  setup.owner.query(`select lagre_abonnement('k', 'b', 'n', true, null, $1, $2)`, [
    add.map((unit) => `H${nr(unit)}`),
    remove.map((unit) => `H${nr(unit)}`),
  ]);

test('whatever is said in whatever order, by two writers at once and twice, rows, hovedenhet and members by it are those from scratch', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(said, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 6 }),
      async (all, size, followed) => {
        await setup.owner.query(
          'truncate virksomhet, virksomhet_versjon, virksomhet_endring, hovedenhet_varsel, abonnement cascade',
        );
        await setup.owner.query('select foelg_avtaler()');
        await changeSubscription([3, 8], []);
        await setup.owner.query('update konsum_offset set neste_offset = 0 where topic = $1', [OWN]);
        const lanes = Map.groupBy(all, ({ unit }) => unit % PARTITIONS);
        const play = async ([partition, lane]: [number, Said[]]): Promise<void> => {
          const messages = lane.map(raw);
          for (let from = 0; from < messages.length; from += size) {
            const part = batch(partition, messages.slice(from, from + size));
            const writer = writers[partition % 2];
            if (!writer) throw new Error('There are two');
            await ingestResource(writer, part);
            // Given again, as after a kill: the position has passed it.
            await ingestResource(writer, part);
          }
        };
        // One more, and the one before it no more, while they write.
        const follow = async (): Promise<number[]> => {
          let tops = [3, 8];
          for (const top of followed) {
            const [first, ...rest] = tops;
            tops = [...rest.filter((one) => one !== top), top];
            await changeSubscription([top], first === undefined || first === top ? [] : [first]);
          }
          return tops;
        };
        const [tops] = await Promise.all([follow(), ...[...lanes].map(play)]);
        expect(await stored()).toEqual(expected(all));
        expect(await checkHierarchy(setup.pool, { repair: false })).toEqual([]);
        const members = await setup.owner.query<{ pair: string }[]>(
          `select hovedenhet || ' ' || substr(noekkel, 2) as pair from abonnement_medlem
           where fjernet is null and hovedenhet is not null order by 1`,
        );
        expect(members.map(({ pair }) => pair)).toEqual(expectedMembers(tops, expected(all)));
      },
    ),
    { numRuns: 40 },
  );
});

const LEVELS = 45;

test('where chains are as long as they may be, and longer, rows and members are those from scratch, whatever moves', async () => {
  const any = fc.record({
    unit: fc.integer({ min: 0, max: LEVELS }),
    above: fc.option(fc.integer({ min: 0, max: LEVELS })),
    at: fc.integer({ min: 2, max: 4 }),
    kind: fc.constantFrom<Said['kind'][]>('SAYS', 'SAYS', 'SAYS', 'DELETES', 'BURIES'),
  });
  const [writer] = writers;
  if (!writer) throw new Error('There are two');
  const first = Array.from({ length: LEVELS }, (_, unit): Said => ({ unit, above: unit + 1, at: 1, kind: 'SAYS' }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(any, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 60 }),
      async (moves, size) => {
        await setup.owner.query(
          'truncate virksomhet, virksomhet_versjon, virksomhet_endring, hovedenhet_varsel, abonnement cascade',
        );
        await setup.owner.query('select foelg_avtaler()');
        const tops = [10, 21, LEVELS];
        await changeSubscription(tops, []);
        await setup.owner.query('update konsum_offset set neste_offset = 0 where topic = $1', [OWN]);
        const all = [...first, ...moves];
        const messages = all.map(raw);
        for (let from = 0; from < messages.length; from += size)
          await ingestResource(writer, batch(0, messages.slice(from, from + size)));
        expect(await stored()).toEqual(expected(all));
        const members = await setup.owner.query<{ pair: string }[]>(
          `select hovedenhet || ' ' || substr(noekkel, 2) as pair from abonnement_medlem
         where fjernet is null and hovedenhet is not null order by 1`,
        );
        expect(members.map(({ pair }) => pair)).toEqual(expectedMembers(tops, expected(all)));
      },
    ),
    { numRuns: 20 },
  );
});

test('a unit that moves costs what is so near below it that it matters, however many levels there are', async () => {
  await setup.owner.query(
    `insert into virksomhet (organisasjonsnummer, overordnet_enhet, kilde_epoke, kilde_partisjon, kilde_offset)
     select (900000000 + n)::text, (900000001 + n)::text, 0, 0, 0 from generate_series(1, 5000) n`,
  );
  const looked = await setup.owner.transaction(async (db) => {
    // Of this session: also what it did before, and has not told of yet.
    const count = async (): Promise<number> => {
      const [row] = await db.query<{ n: number }[]>(
        `select idx_scan::int as n from pg_stat_xact_user_tables where relname = 'virksomhet'`,
      );
      return row?.n ?? NaN;
    };
    const before = await count();
    await db.query('select oppdater_hovedenheter($1)', [[nr(5_001)]]);
    await db.query('select flytt_abonnerte($1)', [[nr(5_001)]]);
    return (await count()) - before;
  });
  // Down from it, and up from each of the 21, by both.
  expect(looked).toBeGreaterThan(21);
  expect(looked).toBeLessThan(2 * (21 + 21 * 22) + 100);
});

test('of two writers at once, whoever began first: the last line of a unit says whether it is there', async () => {
  const [one, other] = writers;
  if (!one || !other) throw new Error('There are two');
  const say = (unit: number, above: number | null, at = 1): Said => ({ unit, above, at, kind: 'SAYS' });
  await ingestResource(one, batch(0, [raw(say(1, 2), 0)]));
  await ingestResource(one, batch(1, [raw(say(2, null), 0)]));
  // Its transaction has an id, and comes no further, while the other one moves what is above the unit that it deletes.
  const begun = Promise.withResolvers<undefined>();
  const goOn = Promise.withResolvers<undefined>();
  const write: ResourceWriter['write'] = (task) =>
    one.write({
      ...task,
      select: async (db, position) => {
        begun.resolve(undefined);
        await goOn.promise;
        return task.select(db, position);
      },
    });
  const stopped = Object.assign(Object.create(one) as ResourceWriter, { write });
  const deleting = ingestResource(stopped, batch(0, [raw({ ...say(1, null), kind: 'BURIES' }, 1)]));
  await begun.promise;
  const moving = ingestResource(other, batch(1, [raw(say(2, 3, 2), 1)]));
  await Promise.race([moving, new Promise((done) => setTimeout(done, 200))]);
  goOn.resolve(undefined);
  await Promise.all([deleting, moving]);
  const lines = await setup.owner.query(
    'select type from virksomhet_endring where organisasjonsnummer = $1 order by tx, lopenr',
    [nr(1)],
  );
  expect(lines.at(-1)).toEqual({ type: 'SLETTET' });
});

test('a message with a field that can not be used is parked with its reason, and the others are stored', async () => {
  const [writer] = writers;
  if (!writer) throw new Error('There are two');
  const wrong = {
    offset: 1,
    key: Buffer.from(nr(2)),
    value: Buffer.from(`{"organisasjonsnummer":"12","sistEndret":"${time(1)}"}`),
  };
  await ingestResource(writer, batch(0, [raw({ unit: 1, above: null, at: 1, kind: 'SAYS' }, 0), wrong]));
  expect((await stored()).map((row) => row.nr)).toEqual([nr(1)]);
  const [parked] = await setup.owner.query<{ id: string }[]>('select id, topic, kode, felt from parkert_melding');
  expect(parked).toMatchObject({ topic: OWN, kode: 'UGYLDIG_FELT', felt: 'organisasjonsnummer' });
  const who = { hvem: 'somebody', klient: 'vaktklient' };
  expect(await setup.ingestor.parkedReplay.replay(String(parked?.id), who)).toBe('PARKERT');
});

test('an avtale gets a line when the top of its employer becomes another, and what is named and missing is noted', async () => {
  const [writer] = writers;
  if (!writer) throw new Error('There are two');
  const lines = (): Promise<unknown[]> => setup.owner.query('select type from endring order by tx, lopenr');
  await setup.ingest({ ...batch(0, [message(0, { bedriftNr: nr(1) })]), topic: TOPIC });
  await ingestResource(writer, batch(0, [raw({ unit: 1, above: 2, at: 1, kind: 'SAYS' }, 0)]));
  const told = new HovedenhetTold(setup.pool, setup.ingestor.giveWay);
  await told.round();
  expect(await lines()).toEqual([{ type: 'ENDRET' }, { type: 'ENDRET' }]);
  await ingestResource(writer, batch(1, [raw({ unit: 2, above: 3, at: 1, kind: 'SAYS' }, 0)]));
  await told.round();
  await told.round();
  expect(await lines()).toHaveLength(3);
  expect(await setup.owner.query('select hovedenhet from avtale_synlig')).toEqual([{ hovedenhet: nr(3) }]);
  expect(await setup.owner.query('select virksomheter_under($1) as nr order by 1', [nr(3)])).toEqual(
    [nr(1), nr(2), nr(3)].map((one) => ({ nr: one })),
  );
  // The unit below the one that moved shows another top, too.
  expect(
    await setup.owner.query('select organisasjonsnummer as nr from virksomhet_endring order by tx, lopenr'),
  ).toEqual([nr(1), nr(2), nr(1)].map((one) => ({ nr: one })));
  const missing = new MissingVirksomheter(setup.pool);
  await missing.round();
  const noted = 'select organisasjonsnummer as nr, avtaler, virksomheter from manglende_virksomhet';
  expect(await setup.owner.query(noted)).toEqual([{ nr: nr(3), avtaler: 0, virksomheter: 1 }]);
  await ingestResource(writer, batch(0, [raw({ unit: 3, above: null, at: 1, kind: 'SAYS' }, 1)]));
  await missing.round();
  expect(await setup.owner.query(noted)).toEqual([]);
});

test('a hovedenhet that somebody has changed by hand is found, put right and told of', async () => {
  const [writer] = writers;
  if (!writer) throw new Error('There are two');
  await ingestResource(writer, batch(0, [raw({ unit: 1, above: 2, at: 1, kind: 'SAYS' }, 0)]));
  await setup.owner.query('update virksomhet set hovedenhet = $1', [nr(9)]);
  const deviation = { organisasjonsnummer: nr(1), stored: nr(9), right: nr(2) };
  expect(await checkHierarchy(setup.pool, { repair: true })).toEqual([deviation]);
  expect(await checkHierarchy(setup.pool, { repair: false })).toEqual([]);
  expect(await setup.owner.query('select count(*)::int as n from virksomhet_endring')).toEqual([{ n: 2 }]);
});
