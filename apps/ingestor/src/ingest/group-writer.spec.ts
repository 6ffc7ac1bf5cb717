import { LOCKS, waitUntil } from '@tiltak/testing';
import fc from 'fast-check';
import type { Pool, PoolClient } from 'pg';
import { UNKNOWN_POSITION } from '../kafka/batch-consumer.ts';
import type { MessageBatch, Outcome, RawMessage } from '../kafka/batch.ts';
import { metrics } from '../metrics.ts';
import { batch, deltakerId, ID, message, startTestIngest, TOPIC, type TestIngest } from '../testing/test-ingest.ts';
import { GroupWriter } from './group-writer.ts';
import { ingestBatch } from './ingest-batch.ts';

let setup: TestIngest;

beforeAll(async () => {
  setup = await startTestIngest();
});
afterAll(() => setup.stop());
beforeEach(empty);

const PARTITIONS = [0, 1, 2];
const id = (n: number): string => ID.slice(0, -2) + String(10 + n);

async function empty(): Promise<void> {
  await setup.empty();
  await setup.owner.query('insert into konsum_offset select $1, p, 0 from unnest($2::int[]) p on conflict do nothing', [
    TOPIC,
    PARTITIONS,
  ]);
}

/** Of a group, or how often groups have been stored batch by batch. */
async function countGroups(maate: 'SAMLET' | 'HVER_FOR_SEG'): Promise<number> {
  const { values } = await metrics.groups.get();
  return values.find(({ labels }) => labels.maate === maate)?.value ?? 0;
}

type Dump = Record<string, unknown[]>;

/** Of the feed, how often the same is said of an avtale in a row depends on how the messages fall into batches. */
async function tables(): Promise<Dump> {
  const { endring: changes, parkert_melding: parked, konsum_offset: positions, ...rest } = await setup.dump();
  const lines = changes.map((line) => JSON.stringify(line));
  const sorted = (rows: unknown[]): unknown[] => rows.map((row) => JSON.stringify(row)).sort();
  return {
    ...rest,
    endring: lines.filter((line, i) => line !== lines[i - 1]),
    parkert_melding: sorted(parked),
    konsum_offset: sorted(positions),
  };
}

const groupsOf = async (
  groups: readonly (readonly MessageBatch[])[],
  writer = setup.groupWriter,
): Promise<Outcome[]> => {
  const outcomes: Outcome[] = [];
  for (const group of groups) outcomes.push(...(await writer.write(group)));
  return outcomes;
};

/** The oracle: each batch by itself, step by step. */
async function batchByBatch(groups: readonly (readonly MessageBatch[])[], writer = setup.writer): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const one of groups.flat()) outcomes.push((await ingestBatch(writer, one)).nextOffset);
  return outcomes;
}

const fields = fc.record({
  sistEndret: fc.nat(20).map((n) => `2026-01-01T00:00:00.${String(n).padStart(6, '0')}Z`),
  deltakerFnr: fc.constantFrom('1', '1', '2', '3', null),
  bedriftNr: fc.constantFrom('910825518', '910712330', ''),
  bedriftNavn: fc.constantFrom('a', 'tab\tnew\nline\\', null),
  tiltakstype: fc.constantFrom('MENTOR', 'VTAO', 'NYTT_TILTAK', null),
  avtaleStatus: fc.constantFrom('GJENNOMFØRES', 'AVSLUTTET', 'ANNULLERT'),
  avtaleInngått: fc.constantFrom(null, '2026-01-01T12:00:00'),
  annullertGrunn: fc.constantFrom(undefined, 'Ikke møtt'),
  startDato: fc.constantFrom('2026-01-01', '2026-01-05', null),
  sluttDato: fc.constantFrom('2026-01-03', '2026-02-01', null),
  feilregistrert: fc.constantFrom(false, false, false, true),
});

interface Event {
  avtale: number;
  /** for an avtale that has moved between partitions */
  partition: number;
  kind: string;
  fields: Record<string, unknown>;
}

const event: fc.Arbitrary<Event> = fc.record({
  avtale: fc.nat(8),
  partition: fc.constantFrom(...PARTITIONS),
  kind: fc.constantFrom(
    ...Array<string>(8).fill('AVTALE'),
    ...['SLETTEMERKET', 'GRAVSTEIN', 'FULL_SYNK', 'STOR_NOEKKEL', 'UGYLDIG', 'UTEN_NOEKKEL', 'ANNEN_NOEKKEL'],
  ),
  fields,
});

function toMessage({ avtale, kind, fields: content }: Event, offset: number, writtenAt: number): RawMessage {
  const raw = {
    ...message(offset, { ...content, avtaleId: id(avtale), slettemerket: kind === 'SLETTEMERKET' }),
    writtenAt,
  };
  const bad = Buffer.from(`{"avtaleId":"${id(avtale)}","startDato":`);
  switch (kind) {
    case 'GRAVSTEIN':
      return { ...raw, value: null };
    case 'FULL_SYNK':
      return { ...raw, value: null, deleteBefore: Math.floor(offset / 2) };
    case 'STOR_NOEKKEL':
      return { ...raw, key: Buffer.from(id(avtale).toUpperCase()) };
    case 'UGYLDIG':
      return { ...raw, value: bad };
    case 'UTEN_NOEKKEL':
      return { ...raw, key: null };
    case 'ANNEN_NOEKKEL':
      return { ...raw, key: Buffer.from([0xff, 0x41]) };
    default:
      return raw;
  }
}

/**
 * Avtale 8 has moved. What parks or deletes it stays on one partition: of a message that is parked when the avtale is back,
 * after a deletion on another partition, it depends on the order of the batches whether its bytes go.
 */
const partitionOf = ({ avtale, kind, partition }: Event): number =>
  avtale < 8 ? avtale % PARTITIONS.length : kind === 'AVTALE' ? partition : 0;

/** Each partition's messages in pieces, and of these one of each partition, or none, in a group. */
function toGroups(events: readonly Event[], sizes: readonly number[]): MessageBatch[][] {
  const start = Date.parse('2026-01-01T00:00:00Z');
  const queues = PARTITIONS.map((partition) =>
    events
      .filter((one) => partitionOf(one) === partition)
      .map((one, offset) => toMessage(one, offset, start + events.indexOf(one))),
  );
  const groups: MessageBatch[][] = [];
  const from = PARTITIONS.map(() => 0);
  for (let i = 0; queues.some((queue, p) => (from[p] ?? 0) < queue.length); i++) {
    const group = PARTITIONS.flatMap((partition) => {
      const [at, size] = [from[partition] ?? 0, sizes[(i * PARTITIONS.length + partition) % sizes.length] ?? 1];
      const messages = queues[partition]?.slice(at, at + size) ?? [];
      if (messages.length === 0) return [];
      from[partition] = at + messages.length;
      return [{ ...batch(messages, at), partition, endOffset: queues[partition]?.length ?? 0 }];
    });
    if (group.length > 0) groups.push(group);
  }
  return groups;
}

test('any groups of batches come to what the batches come to one by one, also when all is played again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 5, maxLength: 60 }).chain((list) =>
        // The source sends one save several times, and old ones again.
        fc
          .array(fc.nat(list.length - 1), { maxLength: 15 })
          .map((again) => [...list, ...again.flatMap((i) => (list[i] ? [{ ...list[i] }] : []))]),
      ),
      fc
        .array(fc.integer({ min: 1, max: 12 }), { minLength: 3, maxLength: 7 })
        .filter((sizes) => sizes.some((n) => n > 0)),
      fc.boolean(),
      async (events, sizes, hasPersons) => {
        const groups = toGroups(events, sizes);
        const register = async (): Promise<void> => {
          if (!hasPersons) return;
          const idents = [deltakerId('1'), deltakerId('2')].sort();
          await setup.owner.query('insert into personident select i, $2 from unnest($1::uuid[]) i', [
            idents,
            idents[0],
          ]);
        };
        await empty();
        await register();
        const wanted = await batchByBatch(groups);
        const oracle = await tables();
        const again = async (play: (of: typeof groups) => Promise<Outcome[]>): Promise<Dump> => {
          await setup.owner.query('update konsum_offset set neste_offset = 0');
          await play(groups);
          return tables();
        };
        expect(await again(batchByBatch)).toEqual(oracle);

        await empty();
        await register();
        const before = await countGroups('SAMLET');
        expect(await groupsOf(groups)).toEqual(wanted);
        expect(await tables()).toEqual(oracle);
        expect(await setup.wronglyMarked()).toEqual([]);
        expect(await again(groupsOf)).toEqual(oracle);
        // Nothing of this needs the way round.
        expect((await countGroups('SAMLET')) - before).toBe(2 * groups.length);
      },
    ),
    { numRuns: 15 },
  );
}, 300_000);

/** Three avtaler of one participant, one on each partition, with links between them; each has been changed once. */
const linked = (n = 0, more: Record<string, unknown> = {}): MessageBatch[] =>
  PARTITIONS.map((partition) => ({
    ...batch(
      [0, 1].map((i) =>
        message(2 * n + i, {
          ...{ avtaleId: id(partition), avtaleNr: 10 * partition + i, deltakerFnr: '1', startDato: '2026-01-01' },
          ...{ bedriftNavn: 'HEMMELIG', sistEndret: `2026-01-0${String(n + 1)}T00:00:0${String(i)}Z` },
          ...more,
        }),
      ),
    ),
    partition,
  }));

/** The tables as they are when nothing comes between. */
async function undisturbed(groups: readonly MessageBatch[][]): Promise<Dump> {
  await batchByBatch(groups);
  const dump = await tables();
  await empty();
  return dump;
}

test('a row that the database refuses is parked alone, and the other partitions of the group are stored', async () => {
  await setup.owner.query('alter table avtale_versjon add constraint ikke_elleve check (avtale_nr <> 11)');
  try {
    const wanted = await undisturbed([linked()]);
    const before = await countGroups('HVER_FOR_SEG');
    expect(await setup.groupWriter.write(linked())).toEqual([2, 2, 2]);
    expect(await countGroups('HVER_FOR_SEG')).toBe(before + 1);
    expect(await tables()).toEqual(wanted);
    expect(wanted['parkert_melding']).toHaveLength(1);
    // The next one goes together again, on a new connection.
    expect(await setup.groupWriter.write(linked(1, { avtaleNr: 1 }))).toEqual([4, 4, 4]);
    expect(await countGroups('HVER_FOR_SEG')).toBe(before + 1);
  } finally {
    await setup.owner.query('alter table avtale_versjon drop constraint ikke_elleve');
  }
});

test('what passes by waiting holds its own partition, and no other', async () => {
  await setup.owner.query(`
    create function opptatt() returns trigger language plpgsql as
      $$ begin raise exception 'HEMMELIG' using errcode = '55P03'; end $$;
    create trigger opptatt before insert on avtale for each row when (new.avtale_id = '${id(1)}') execute function opptatt()`);
  try {
    const outcomes = await setup.groupWriter.write(linked());
    expect(outcomes).toEqual([2, { error: expect.objectContaining({ code: '55P03' }) as unknown }, 2]);
    expect((await setup.dump()).parkert_melding).toEqual([]);
  } finally {
    await setup.owner.query('drop function opptatt() cascade');
  }
  const wanted = await undisturbed([linked()]);
  const [first, second, third] = linked();
  await setup.groupWriter.write([first, third].filter((one) => one !== undefined));
  await setup.groupWriter.write(linked());
  expect(second?.partition).toBe(1);
  expect(await tables()).toEqual(wanted);
});

test('a COPY that fails in the middle of a send leaves nothing behind, and nothing that the next one meets', async () => {
  const wanted = await undisturbed([linked()]);
  await setup.owner.query('revoke insert on endring from datadeling_skriver');
  try {
    const outcomes = await setup.groupWriter.write(linked());
    expect(outcomes).toEqual(PARTITIONS.map(() => ({ error: expect.objectContaining({ code: '42501' }) as unknown })));
    const { avtale, avtale_versjon: versions } = await setup.dump();
    expect([avtale, versions]).toEqual([[], []]);
  } finally {
    await setup.owner.query('grant insert on endring to datadeling_skriver');
  }
  const before = await countGroups('HVER_FOR_SEG');
  expect(await setup.groupWriter.write(linked())).toEqual([2, 2, 2]);
  expect(await countGroups('HVER_FOR_SEG')).toBe(before);
  expect(await tables()).toEqual(wanted);
});

test('an unknown position is said of its own partition, and the others are stored', async () => {
  const [first, second, third] = linked();
  if (!first || !second || !third) throw new Error('three');
  await setup.owner.query('update konsum_offset set epoke = 1 where partisjon = 1');
  const beyond = { ...third, fetchedFrom: 7 };
  expect(await setup.groupWriter.write([first, second, beyond])).toEqual([2, UNKNOWN_POSITION, UNKNOWN_POSITION]);
  expect((await setup.dump()).avtale).toMatchObject([{ avtale_id: id(0) }]);
});

describe('others who write between the reading of a group and its writing', () => {
  /** A group writer that is held up, once, after it has read what is stored. */
  const interrupted = (act: () => Promise<unknown>): GroupWriter => {
    const pool = setup.ingestor.groupPool;
    const connect = async (): Promise<PoolClient> => {
      const client = await pool.connect();
      const query = client.query.bind(client) as (statement: { name?: string }) => Promise<unknown>;
      const replaced = async (statement: { name?: string }): Promise<unknown> => {
        const answer = await query(statement);
        if (statement.name === 'les_tilstander') {
          Object.assign(client, { query });
          await act();
        }
        return answer;
      };
      // What is no promise, a pipeline's send, goes as it is.
      Object.assign(client, { query: (one: { name?: string }) => (one.name ? replaced(one) : query(one)) });
      return client;
    };
    return new GroupWriter({ connect } as unknown as Pool, setup.writer);
  };
  const one = (partition: number, n = 0): MessageBatch => {
    const found = linked(n)[partition];
    if (!found) throw new Error('no such partition');
    return found;
  };

  test.each<[string, () => Promise<unknown>]>([
    ['the position of one has been moved', () => ingestBatch(setup.otherWriter, one(1))],
    ['all of it has been stored', () => batchByBatch([linked()], setup.otherWriter)],
    [
      'an avtale that was new is there',
      () =>
        setup.otherWriter.write({
          ...{ topic: TOPIC, epoch: 0, partition: 1 },
          select: () => Promise.resolve({ messages: one(1).messages.slice(0, 1), record: () => Promise.resolve() }),
        }),
    ],
  ])('are seen: %s', async (_, act) => {
    const wanted = await undisturbed([linked()]);
    const before = await countGroups('HVER_FOR_SEG');
    expect(await interrupted(act).write(linked())).toEqual([2, 2, 2]);
    expect(await countGroups('HVER_FOR_SEG')).toBe(before + 1);
    expect(await tables()).toEqual(wanted);
  });

  test('are seen: a stored avtale has been replaced, by a message that is later than all of these', async () => {
    const later = message(9, { avtaleId: id(1), avtaleNr: 99, sistEndret: '2026-06-01T00:00:00Z' });
    await setup.groupWriter.write(linked());
    const replace = (): Promise<unknown> =>
      setup.otherWriter.write({
        ...{ topic: TOPIC, epoch: 0, partition: 1 },
        select: () => Promise.resolve({ messages: [later], record: () => Promise.resolve() }),
      });
    expect(await interrupted(replace).write(linked(1))).toEqual([4, 4, 4]);
    expect((await setup.dump()).avtale).toMatchObject([{ avtale_nr: 1 }, { avtale_nr: 99 }, { avtale_nr: 21 }]);
  });

  test('are seen: a stored avtale is another person’s, at the place where it was', async () => {
    await setup.groupWriter.write(linked());
    const before = await countGroups('HVER_FOR_SEG');
    const move = (): Promise<unknown> =>
      setup.owner.query('update avtale set deltaker_id = $1 where avtale_id = $2', [deltakerId('3'), id(1)]);
    expect(await interrupted(move).write(linked(1))).toEqual([4, 4, 4]);
    expect(await countGroups('HVER_FOR_SEG')).toBe(before + 1);
  });

  test.each<[string, string, string]>([
    ['have become one person', '', `insert into personident select i, $1 from unnest($2::uuid[]) i`],
    [
      'are two persons again',
      `insert into personident select i, $1 from unnest($2::uuid[]) i`,
      'delete from personident',
    ],
  ])('are seen: idents %s', async (_, first, then) => {
    const idents = [deltakerId('1'), deltakerId('2')].sort();
    const register = async (sql: string): Promise<void> => {
      if (sql) await setup.owner.query(sql, sql.includes('$') ? [idents[0], idents] : []);
    };
    await register(then);
    const group = [...linked().slice(0, 2), ...linked(0, { deltakerFnr: '2' }).slice(2)];
    const wanted = await undisturbed([group]);
    await setup.owner.query('truncate personident');
    await register(first);
    expect(await interrupted(() => register(then)).write(group)).toEqual([2, 2, 2]);
    const [found, expected] = [await tables(), wanted].map(({ personident: _persons, ...rest }) => rest);
    expect(found).toEqual(expected);
  });
});

test.each(['konsum_offset', 'avtale', 'avtale_versjon', 'endring', 'relasjon'])(
  'a connection that is ended while it writes %s: nothing is lost, and nothing there twice',
  async (table) => {
    const wanted = await undisturbed([linked(), linked(1)]);
    await setup.groupWriter.write(linked());
    if (table === 'relasjon') await setup.owner.query('delete from relasjon');
    const holder = await setup.pool.connect();
    await holder.query('begin');
    await holder.query(`lock table ${table} in share mode`);
    const writing = setup.groupWriter.write(
      // Its links are seen to when its dates have changed.
      table === 'relasjon' ? linked(1, { startDato: '2026-01-02' }) : linked(1),
    );
    try {
      const held = await waitUntil(
        async () => {
          const [row] = await setup.owner.query<{ pid: number }[]>(
            `select pid from ${LOCKS} where not granted limit 1`,
          );
          return row?.pid;
        },
        { what: 'the write to be held up' },
      );
      await holder.query('select pg_terminate_backend($1)', [held]);
    } finally {
      await holder.query('commit');
      holder.release();
    }
    expect(await writing).toEqual([4, 4, 4]);
    const found = await tables();
    if (table === 'relasjon') expect(found['relasjon']).toEqual(wanted['relasjon']);
    else expect(found).toEqual(wanted);
  },
);
