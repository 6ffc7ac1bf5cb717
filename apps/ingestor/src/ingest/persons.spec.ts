import { setTimeout as wait } from 'node:timers/promises';
import {
  createEvents,
  createIdentEvents,
  expectedPersons,
  participantsIn,
  type SourceMessage,
} from '@tiltak/simulator';
import { LOCKS } from '@tiltak/testing';
import fc from 'fast-check';
import { IdenterConsumer, ingestIdents } from '../identer/identer.consumer.ts';
import type { MessageBatch, RawMessage } from '../kafka/batch.ts';
import {
  batch,
  deltakerId,
  ID,
  message,
  PARTITION,
  startTestIngest,
  TOPIC,
  type TestIngest,
} from '../testing/test-ingest.ts';
import { parkHeld } from '../operations/held/park.ts';
import { metrics } from '../metrics.ts';
import { encodeBatch } from '../testing/record-batch.ts';
import { ingestBatch } from './ingest-batch.ts';
import { forgetBatches } from './persons.queries.ts';
import { ConcurrentChangeError } from './try-again.ts';

let setup: TestIngest;

beforeAll(async () => {
  setup = await startTestIngest({ IDENT_TOPIC });
});
afterAll(() => setup.stop());

const IDENT_TOPIC = 'aktor';
const PARTITIONS = [0, 1, 2];
const IDENTS = Array.from({ length: 6 }, (_, n) => String(n).repeat(11));
const AKTOERER = Array.from({ length: 4 }, (_, n) => String(n).padStart(13, '1'));
const id = (n: number): string => ID.slice(0, -2) + String(10 + n);

const at = (list: readonly string[], n: number): string => list[n] ?? '';
const identMessage = (offset: number, aktoer: number, idents: readonly number[] | null): RawMessage => ({
  offset,
  key: Buffer.from(at(AKTOERER, aktoer)),
  value:
    idents &&
    Buffer.from(
      JSON.stringify({
        identifikatorer: [
          ...idents.map((n, i) => ({ idnummer: at(IDENTS, n), type: 'FOLKEREGISTERIDENT', gjeldende: i === 0 })),
          { idnummer: at(AKTOERER, aktoer), type: 'AKTORID', gjeldende: true },
        ],
      }),
    ),
});
const identBatch = (messages: readonly RawMessage[], partition = 0): MessageBatch => ({
  ...batch(messages),
  topic: IDENT_TOPIC,
  partition,
});
const avtale = (offset: number, n: number, ident: number, fields: Record<string, unknown> = {}): RawMessage =>
  message(offset, { avtaleId: id(n), deltakerFnr: at(IDENTS, ident), startDato: '2026-01-01', ...fields });

async function empty(): Promise<void> {
  await setup.empty();
  await setup.owner.query(
    `insert into konsum_offset select t, p, 0 from unnest($1::text[]) t, unnest($2::int[]) p on conflict do nothing`,
    [[TOPIC, IDENT_TOPIC], PARTITIONS],
  );
}
beforeEach(empty);

const identer = (messages: readonly RawMessage[]): Promise<unknown> =>
  ingestIdents(setup.personWriter, identBatch(messages));
const deltakere = async (): Promise<Record<string, string>> =>
  Object.fromEntries((await setup.dump()).avtale.map((row) => [row['avtale_id'], row['deltaker_id']]));
const told = async (): Promise<unknown[]> => {
  const rows = await setup.owner.query<{ avtale_id: string; type: string }[]>(
    'select avtale_id, type from endring order by tx, lopenr',
  );
  await setup.owner.query('truncate endring');
  return rows.map((row) => [row.avtale_id, row.type]);
};
/** The smallest of the opaque ids. */
const personOf = (...idents: number[]): string | undefined => idents.map((n) => deltakerId(at(IDENTS, n))).sort()[0];

/** For each avtale, the others that are the same person's: by trying every pair of keys until nothing more is joined. */
function oracle(
  register: ReadonlyMap<number, readonly number[]>,
  bearers: ReadonlyMap<number, number>,
): Record<string, string[]> {
  const groups = IDENTS.map((_, n) => new Set([n]));
  for (let again = true; again;) {
    again = false;
    for (const idents of register.values()) {
      const all = new Set(idents.flatMap((n) => [...(groups[n] ?? [])]));
      for (const n of all) if (groups[n]?.size !== all.size) [groups[n], again] = [all, true];
    }
  }
  return Object.fromEntries(
    [...bearers].map(([n, ident]) => [
      id(n),
      [...bearers]
        .filter(([, other]) => groups[ident]?.has(other))
        .map(([other]) => id(other))
        .sort(),
    ]),
  );
}

test('an ident that is changed takes the avtaler along: one participant, its links, and a line for each', async () => {
  await setup.ingest(batch([avtale(0, 1, 0), avtale(1, 2, 1), avtale(2, 3, 2)]));
  expect(await told()).toHaveLength(3);
  await identer([identMessage(0, 0, [0]), identMessage(1, 1, [3, 0, 1])]);
  const person = personOf(0, 1, 3);
  expect(await deltakere()).toEqual({ [id(1)]: person, [id(2)]: person, [id(3)]: personOf(2) });
  expect(
    (await setup.dump()).relasjon.map((row) => [row['fra'], row['relasjon'], row['til'], row['deltaker_id']]),
  ).toEqual([
    [id(1), 'samtidige', id(2), person],
    [id(2), 'samtidige', id(1), person],
  ]);
  expect(await told()).toEqual([
    [id(1), 'ENDRET'],
    [id(2), 'ENDRET'],
  ]);
  // One that comes later is the same person's, and one that the source sends again is no change.
  await setup.ingest(batch([avtale(3, 4, 3), avtale(4, 1, 0)]));
  expect((await deltakere())[id(4)]).toBe(person);
  expect(await told()).toEqual([
    [id(4), 'ENDRET'],
    [id(1), 'ENDRET'],
    [id(2), 'ENDRET'],
  ]);
});

test('a merge is undone by a split, and by a tombstone, in the history too', async () => {
  const before = async (): Promise<unknown> => {
    const { avtale: avtaler, avtale_versjon: versions, relasjon: links, personident: persons } = await setup.dump();
    return { avtaler, versions, links, persons };
  };
  await setup.ingest(batch([avtale(0, 1, 0), avtale(1, 2, 1, { feilregistrert: true }), avtale(2, 3, 2)]));
  const apart = await before();
  await identer([identMessage(0, 0, [0, 1, 2])]);
  const person = personOf(0, 1, 2);
  const { avtale_versjon: versions } = await setup.dump();
  expect([Object.values(await deltakere()), versions.map((row) => row['deltaker_id'])]).toEqual([
    [person, person, person],
    [person, person, person],
  ]);
  await identer([identMessage(1, 0, [0])]);
  expect(await before()).toEqual(apart);
  await identer([identMessage(2, 0, [0, 1, 2])]);
  await identer([identMessage(3, 0, null)]);
  expect(await before()).toEqual(apart);
  // Nothing in the register's tables says who they are.
  expect(JSON.stringify(await setup.owner.query('select * from registerident, personident_foer'))).not.toMatch(
    /\d{11}/,
  );
});

test('a message that can not be used is parked, and stops nothing; one after it of the same key discards it', async () => {
  const bad = (offset: number, value: unknown, key = at(AKTOERER, 0)): RawMessage => ({
    offset,
    key: Buffer.from(key),
    value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  });
  const fnr = { type: 'FOLKEREGISTERIDENT', gjeldende: true };
  await identer([
    bad(0, '{'),
    bad(1, []),
    bad(2, { identifikatorer: [{ ...fnr, idnummer: 7 }] }),
    bad(3, {
      identifikatorer: Array.from({ length: 51 }, (_, n) => ({ ...fnr, idnummer: String(n).padStart(11, '0') })),
    }),
    bad(4, { identifikatorer: [] }, 'x'),
    { ...bad(5, ''), value: Buffer.from([0x7b, 0xff]) },
    identMessage(6, 1, [0, 1]),
  ]);
  const parked = async (): Promise<unknown[]> =>
    (await setup.dump()).parkert_melding.map((row) => [
      row['kode'],
      row['felt'],
      row['tilstand'],
      row['verdi'] === null,
    ]);
  expect(await parked()).toEqual([
    ['IKKE_OBJEKT', null, 'PARKERT', false],
    ['IKKE_OBJEKT', null, 'PARKERT', false],
    ['UGYLDIG_FELT', 'idnummer', 'PARKERT', false],
    ['UGYLDIG_FELT', 'identifikatorer', 'PARKERT', false],
    ['UGYLDIG_NOKKEL', 'key', 'PARKERT', false],
    ['IKKE_UTF8', null, 'PARKERT', false],
  ]);
  expect((await setup.dump()).personident).toHaveLength(2);
  await identer([identMessage(7, 0, [2, 3])]);
  expect((await parked()).map((row) => (row as unknown[]).slice(2))).toEqual(
    [true, true, true, true, false, true].map((gone) => (gone ? ['FORKASTET', true] : ['PARKERT', false])),
  );
});

test('a parked message that can be used now is replayed as what it is, and never over a later one', async () => {
  const park = async (raw: RawMessage): Promise<string> => {
    const [row] = await setup.owner.query<{ id: string }[]>(
      `insert into parkert_melding (topic, partisjon, kafka_offset, nokkel, verdi, avtrykk, kode, aarsak)
       values ($1, 0, $2, $3, $4, sha256($4), 'IKKE_OBJEKT', 'was not understood then') returning id`,
      [IDENT_TOPIC, raw.offset, raw.key, raw.value],
    );
    return row?.id ?? '';
  };
  const who = { hvem: 'vakt', klient: 'spec' };
  const replay = (parked: string): Promise<string> => setup.ingestor.parkedReplay.replay(parked, who);
  const [first, second] = [await park(identMessage(0, 0, [0, 1])), await park(identMessage(1, 1, [2, 3]))];
  await setup.ingest(batch([avtale(0, 1, 0), avtale(1, 2, 1)]));
  expect(await replay(first)).toBe('TATT_INN');
  expect(await deltakere()).toEqual({ [id(1)]: personOf(0, 1), [id(2)]: personOf(0, 1) });
  await ingestIdents(setup.personWriter, { ...identBatch([identMessage(2, 1, [2])]), fetchedFrom: 0 });
  await expect(replay(second)).rejects.toThrow('FORKASTET');
});

const step = fc.oneof(
  fc.record({
    about: fc.constant('avtale' as const),
    n: fc.nat(7),
    ident: fc.nat(5),
    time: fc.nat(9),
    fields: fc.record({
      startDato: fc.constantFrom('2026-01-01', '2026-01-05', null),
      bedriftNr: fc.constantFrom('910825518', '910712330'),
      feilregistrert: fc.constantFrom(false, false, false, true),
      slettemerket: fc.constantFrom(false, false, false, false, true),
    }),
  }),
  fc.record({
    about: fc.constant('ident' as const),
    aktoer: fc.nat(3),
    idents: fc.option(fc.uniqueArray(fc.nat(5), { maxLength: 3 }), { freq: 6 }),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** An avtale, and a key of the register, lives on one partition; its messages are numbered there. */
function distribute(steps: readonly Step[]): { topic: string; partition: number; messages: RawMessage[] }[] {
  const toMessage = (offset: number, s: Step): RawMessage =>
    s.about === 'ident'
      ? identMessage(offset, s.aktoer, s.idents)
      : avtale(offset, s.n, s.ident, {
          ...s.fields,
          sistEndret: `2026-01-01T00:00:00.${String(s.time).padStart(6, '0')}Z`,
        });
  return PARTITIONS.flatMap((partition) =>
    (['avtale', 'ident'] as const).map((about) => ({
      topic: about === 'avtale' ? TOPIC : IDENT_TOPIC,
      partition,
      messages: steps
        .filter((s) => s.about === about && (s.about === 'avtale' ? s.n : s.aktoer) % PARTITIONS.length === partition)
        .map((s, offset) => toMessage(offset, s)),
    })),
  );
}

type Stream = ReturnType<typeof distribute>[number];

async function read({ topic, partition, messages }: Stream, size: number, other: boolean, pauseMs = 0): Promise<void> {
  for (let from = 0; from < messages.length;) {
    const part = { ...batch(messages.slice(from, from + size), from), topic, partition, endOffset: messages.length };
    try {
      const result =
        topic === TOPIC
          ? await ingestBatch(other ? setup.otherWriter : setup.writer, part)
          : await ingestIdents(other ? setup.otherPersonWriter : setup.personWriter, part);
      from = result.nextOffset;
    } catch (error) {
      // Whoever changes the same avtaler is first: tried again, as the consumer does.
      if (!(error instanceof ConcurrentChangeError)) throw error;
    }
    await wait(pauseMs);
  }
}

/** What any order must end in: everything but how it came there. */
async function tables(): Promise<Record<string, unknown>> {
  const { avtale: avtaler, avtale_versjon: versions, relasjon: links, registerident, personident } = await setup.dump();
  return { avtaler, versions, links, registerident, personident };
}

/** What is told last of each avtale, and whether it is told that it is as it is now. */
async function feedEndsRight(): Promise<void> {
  const rows = await setup.owner.query<{ visible: boolean; type: string | null }[]>(
    `select slettet is null and not feilregistrert as visible,
       (select type from endring e where e.avtale_id = a.avtale_id order by tx desc, lopenr desc limit 1) as type from avtale a`,
  );
  for (const { visible, type } of rows) expect(type ?? 'SLETTET').toBe(visible ? 'ENDRET' : 'SLETTET');
}

const PARALLEL = { minLength: 6, maxLength: 6 };

test('any order of ident and avtale messages ends in the same tables', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 30 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(2), fc.nat(1_000)), PARALLEL),
      async (steps, plan) => {
        const streams = distribute(steps);
        await empty();
        // One stream after the other, avtaler first.
        for (const stream of streams.toSorted((a, b) => (a.topic > b.topic ? -1 : 1))) await read(stream, 100, false);
        const expected = await tables();
        expect(await together()).toEqual(oracle(...lastOf(steps)));

        await empty();
        // All at once, by two ingestors that both believe they own every partition.
        await Promise.all(
          streams.flatMap((stream, i) => {
            const [size = 1, pause = 0] = plan[i] ?? [];
            return [read(stream, size, false, pause), read(stream, 7 - size, true, pause)];
          }),
        );
        expect(await tables()).toEqual(expected);
        expect(await setup.wronglyMarked()).toEqual([]);
        await feedEndsRight();

        // Played again, one stream after another in any order.
        await setup.owner.query('update konsum_offset set neste_offset = 0');
        const order = streams.map((stream, i) => ({ stream, place: plan[i]?.[2] ?? 0 }));
        for (const { stream } of order.sort((a, b) => a.place - b.place)) await read(stream, 3, false);
        expect(await tables()).toEqual(expected);
        await feedEndsRight();
      },
    ),
    { numRuns: 12, endOnFailure: true },
  );
}, 120_000);

/** For each avtale that is there, those of the same participant. */
async function together(): Promise<Record<string, string[]>> {
  const { avtale: avtaler } = await setup.dump();
  const present = avtaler.filter((row) => row['deltaker_id'] !== null);
  return Object.fromEntries(
    present.map((row) => [
      row['avtale_id'],
      present
        .filter((other) => other['deltaker_id'] === row['deltaker_id'])
        .map((other) => other['avtale_id'] as string),
    ]),
  );
}

/** What the register says of each key at the end, and whose ident each avtale bears. */
function lastOf(steps: readonly Step[]): [Map<number, readonly number[]>, Map<number, number>] {
  const register = new Map<number, readonly number[]>();
  const avtaler = new Map<number, { time: number; ident: number | null }>();
  for (const s of steps) {
    if (s.about === 'ident') register.set(s.aktoer, s.idents ?? []);
    else if (s.time >= (avtaler.get(s.n)?.time ?? 0)) {
      avtaler.set(s.n, { time: s.time, ident: s.fields.slettemerket ? null : s.ident });
    }
  }
  const bearers = [...avtaler].flatMap(([n, { ident }]) => (ident === null ? [] : [[n, ident] as const]));
  return [register, new Map(bearers.sort(([a], [b]) => a - b))];
}

async function locksWaitedFor(count: number): Promise<void> {
  for (let n = -1; n < count; await wait(5)) {
    const [row] = await setup.owner.query<{ n: number }[]>(`select count(*)::int as n from ${LOCKS} where not granted`);
    n = row?.n ?? 0;
  }
}

test('an ident is changed while an avtale that bears it is being stored: the avtale follows', async () => {
  const holder = await setup.pool.connect();
  await holder.query('begin');
  await holder.query('lock table avtale_versjon in share mode');
  // Held up after it has found out whose the ident is.
  const storing = setup.ingest(batch([avtale(0, 1, 0), avtale(1, 2, 1)]));
  await locksWaitedFor(1);
  const joining = ingestIdents(setup.otherPersonWriter, identBatch([identMessage(0, 0, [0, 1])]));
  await locksWaitedFor(2);
  await holder.query('commit');
  holder.release();
  await Promise.all([storing, joining]);
  expect(await deltakere()).toEqual({ [id(1)]: personOf(0, 1), [id(2)]: personOf(0, 1) });
});

const WHO = { hvem: 'somebody', klient: 'vaktklient' };

/** As a batch that could not be read. @returns the id that it has among the parked messages */
async function park(messages: readonly RawMessage[]): Promise<string> {
  const [first, last] = [messages[0]?.offset ?? 0, messages.at(-1)?.offset ?? 0];
  const records = messages.map(({ key, value, offset }) => ({ offset, key, value, timestamp: 1, headers: [] }));
  const plain = { producerId: -1, transactional: false, control: false, codec: 0, first, last };
  const [stopped] = await setup.owner.query<{ id: string }[]>(
    `insert into stanset_partisjon (topic, epoke, partisjon, fra_offset, til_offset, innhold, aarsak)
     values ($1, 0, 0, $2, $3, $4, 'could not be read') returning id`,
    [IDENT_TOPIC, first, last, encodeBatch({ ...plain, records })],
  );
  return parkHeld(setup.pool, IDENT_TOPIC, String(stopped?.id), WHO);
}

test('a batch that nobody waits for any more is forgotten while another is replayed, which is stored', async () => {
  const [first, second] = [[identMessage(0, 0, [0, 1])], [identMessage(1, 1, [2, 3])]];
  const discarded = await park(first);
  const replayed = await park(second);
  await setup.ingestor.parkedReplay.discard(discarded, 'ANNET', WHO);
  const forgetting = await setup.pool.connect();
  await forgetting.query('begin');
  await forgetBatches(forgetting);
  const replaying = setup.ingestor.parkedReplay.replay(replayed, WHO);
  await locksWaitedFor(1);
  await forgetting.query('commit');
  forgetting.release();
  expect(await replaying).toBe('TATT_INN');
  const keys = (await setup.dump()).registerident.map((row) => row['registernoekkel']);
  expect(keys).toEqual([deltakerId(at(AKTOERER, 1)), deltakerId(at(AKTOERER, 1))]);
});

test('a batch that could not be read is replayed, but for what has been said since, also when somebody was removed', async () => {
  const said = fc.array(
    fc.record({
      aktoer: fc.nat(3),
      idents: fc.option(fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 3 }), { freq: 3 }),
    }),
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(said, said, said, async (before, held, since) => {
      const messages = [...before, ...held, ...since].map(({ aktoer, idents }, offset) =>
        identMessage(offset, aktoer, idents),
      );
      const [first, end] = [before.length, before.length + held.length];
      await empty();
      await identer(messages.slice(0, first));
      const parked = await park(messages.slice(first, end));
      await identer(messages.slice(end));
      await setup.ingestor.parkedReplay.replay(parked, WHO);
      const persons = async (): Promise<unknown> => {
        const { registerident, personident } = await setup.dump();
        return { registerident, personident };
      };
      const replayed = await persons();
      await forgetBatches(setup.pool);
      expect(await setup.owner.query('select from registernoekkel_siden')).toEqual([]);
      await empty();
      await identer(messages);
      expect(replayed).toEqual(await persons());
    }),
    { numRuns: 15 },
  );
});

test('what is parked of a large batch is counted when its piece is stored, though a later one fails', async () => {
  const consumer = new IdenterConsumer(setup.personWriter, setup.ingestor.giveWay);
  const parked = async (): Promise<number> =>
    (await metrics.parked.get()).values.reduce(
      (sum, { labels, value }) => sum + (labels.kode === 'IKKE_OBJEKT' ? value : 0),
      0,
    );
  const messages = Array.from({ length: 60 }, (_, offset) => identMessage(offset, 0, [0]));
  const [first] = messages;
  messages[0] = { offset: 0, key: first?.key ?? null, value: Buffer.from('[]') };
  messages[59] = identMessage(59, 1, [1, 2]);
  const before = await parked();
  await setup.owner.query('alter table registerident add constraint ingen check (false) not valid');
  const [outcome] = await consumer.receive([identBatch(messages)]);
  await setup.owner.query('alter table registerident drop constraint ingen');
  expect(outcome).toMatchObject({ error: { constraint: 'ingen' } });
  expect((await setup.dump()).parkert_melding).toHaveLength(1);
  expect(await parked()).toBe(before + 1);
});

test('the messages of the simulator end in the persons that it expects', async () => {
  const raw = (messages: Iterable<SourceMessage>): RawMessage[] =>
    Array.from(messages, ({ key, value }, offset) => ({
      offset,
      key: Buffer.from(key ?? ''),
      value: value === null ? null : Buffer.from(value),
    }));
  const avtaler = [...createEvents({ count: 300, seed: 3 })];
  const register = [...createIdentEvents(await participantsIn(avtaler), 3)];
  expect(register.some(({ value }) => value === null)).toBe(true);
  const streams = [
    { topic: TOPIC, partition: 0, messages: raw(avtaler) },
    { topic: IDENT_TOPIC, partition: 0, messages: raw(register) },
  ];
  await Promise.all(streams.map((stream) => read(stream, 40, false)));
  const rows = await setup.owner.query<{ fnr: string; id: string }[]>(
    'select distinct deltaker_fnr as fnr, deltaker_id as id from avtale where deltaker_fnr is not null',
  );
  const persons = expectedPersons(register);
  const expected = rows.map(({ fnr }) => [fnr, [...(persons.get(fnr) ?? [fnr])].map(deltakerId).sort()[0]]);
  expect(rows.map(({ fnr, id: person }) => [fnr, person])).toEqual(expected);
  expect(rows.some(({ fnr, id: person }) => deltakerId(fnr) !== person)).toBe(true);
  expect((await setup.dump()).parkert_melding).toEqual([]);
});

test('the position of the register is kept in the same transaction', async () => {
  const { nextOffset } = await ingestIdents(setup.personWriter, identBatch([identMessage(0, 0, [0, 1])]));
  expect(nextOffset).toBe(1);
  await setup.owner.query('alter table personident add constraint ingen check (false) not valid');
  await expect(identer([identMessage(1, 0, [0, 1, 2])])).rejects.toThrow('ingen');
  await setup.owner.query('alter table personident drop constraint ingen');
  const rows = await setup.owner.query<{ next: string }[]>(
    `select neste_offset as next from konsum_offset where topic = $1 and partisjon = $2`,
    [IDENT_TOPIC, PARTITION],
  );
  expect(rows).toEqual([{ next: '1' }]);
  expect((await setup.dump()).registerident).toHaveLength(2);
});
