import fc from 'fast-check';
import type { Position } from '@tiltak/resource';
import type { Avtale } from './fields.ts';
import type { Message } from './message.ts';
import { foldMessages, type Fold, type Content, type PositionedMessage, type AvtaleState } from './ordering.ts';

const ID = '04d0033c-754b-4daa-b5ff-6531dc64582c';
const time = (n: number): string => `2026-01-01T00:00:00.${String(n).padStart(6, '0')}Z`;
const encode = (avtale: Avtale): Content => ({ fingerprint: JSON.stringify(avtale) });

interface Options {
  name?: string;
  feilregistrert?: boolean;
  avtaleInngaatt?: string | null;
  neverBegan?: boolean;
}
const avtale = (
  sistEndret: number,
  { name = 'a', feilregistrert = false, avtaleInngaatt = null, neverBegan = false }: Options = {},
): Message => ({
  type: 'AVTALE',
  avtale: { avtaleId: ID, sistEndret: time(sistEndret), bedriftNavn: name, feilregistrert, avtaleInngaatt } as Avtale,
  marks: { neverBegan, fromArena: false },
});
const deleted = (sistEndret: number): Message => ({ type: 'SLETTET', avtaleId: ID, sistEndret: time(sistEndret) });
const tombstone: Message = { type: 'GRAVSTEIN', avtaleId: ID };

const at = (partition: number, offset: number, writtenAt?: number, epoch = 0): Position => ({
  epoch,
  partition,
  offset,
  writtenAt,
});
const wins = (message: Message, position: Position, known?: AvtaleState): boolean =>
  play([{ message, position }], known).state !== undefined;
const onRow = (...messages: Message[]): PositionedMessage[] =>
  messages.map((message, offset) => ({ message, position: at(0, offset) }));
const play = (messages: PositionedMessage[], known?: AvtaleState): Fold<Content> =>
  foldMessages(ID, known, messages, encode);
const name = (fold: Fold<Content>): string | undefined =>
  (fold.content && (JSON.parse(fold.content.fingerprint) as Avtale).bedriftNavn) ?? undefined;

describe('what wins', () => {
  test('newer', () => expect(name(play(onRow(avtale(1, { name: 'a' }), avtale(2, { name: 'b' }))))).toBe('b'));
  test('equal and later', () =>
    expect(name(play(onRow(avtale(1, { name: 'a' }), avtale(1, { name: 'b' }))))).toBe('b'));
  test('never older, whatever its offset', () =>
    expect(name(play(onRow(avtale(2, { name: 'a' }), avtale(1, { name: 'b' }))))).toBe('a'));

  test('an older late message does not revive what was deleted', () =>
    expect(play(onRow(avtale(1), deleted(2), avtale(1))).state?.deleted).toBe('SLETTEMERKET'));
  test('a newer one does', () => expect(play(onRow(avtale(1), deleted(2), avtale(3))).state?.deleted).toBeNull());
  test('so does an equal one at a later place, after slettemerket', () =>
    expect(play(onRow(deleted(2), avtale(2))).state?.deleted).toBeNull());

  test('a tombstone beats everything before it', () =>
    expect(play(onRow(avtale(9), tombstone)).state).toMatchObject({ deleted: 'GRAVSTEIN', sistEndret: time(9) }));
  test('after a tombstone only what is newer than what was deleted revives', () => {
    expect(play(onRow(avtale(9), tombstone, avtale(9))).state?.deleted).toBe('GRAVSTEIN');
    expect(play(onRow(avtale(9), tombstone, avtale(10))).state?.deleted).toBeNull();
  });
  test('a tombstone for an avtale never seen: anything later counts, nothing earlier', () => {
    const { state } = play([{ message: tombstone, position: at(0, 5) }]);
    expect(wins(avtale(1), at(0, 6), state)).toBe(true);
    expect(wins(avtale(99), at(0, 4), state)).toBe(false);
  });
});

describe('what is told', () => {
  const told = (...messages: Message[]): (string | null)[][] =>
    play(onRow(...messages)).changes.map(({ type, reason }) => [type, reason]);

  test('one line per real change', () => {
    expect(told(avtale(1), avtale(1), avtale(2), avtale(1))).toEqual([
      ['ENDRET', null],
      ['ENDRET', null],
    ]);
  });
  test('wrongly registered is gone, and comes back', () => {
    expect(
      told(avtale(1), avtale(2, { feilregistrert: true }), avtale(3, { feilregistrert: true }), avtale(4)),
    ).toEqual([
      ['ENDRET', null],
      ['SLETTET', 'FEILREGISTRERT'],
      ['ENDRET', null],
    ]);
  });
  test('a delete is told once, and only of what was seen', () => {
    expect(told(deleted(1), deleted(2))).toEqual([]);
    expect(told(avtale(1), deleted(2), tombstone)).toEqual([
      ['ENDRET', null],
      ['SLETTET', 'SLETTET'],
    ]);
  });
  test('nothing from before an erasure stays in the history', () => {
    const fold = play(onRow(avtale(1), avtale(2), deleted(3), avtale(4, { name: 'ny' })));
    expect(fold).toMatchObject({ eraseHistory: true, versions: [{ position: { offset: 3 } }] });
  });
});

describe('what the phase needs beside the content', () => {
  test('that it was entered into is remembered, until it is erased', () => {
    const entered = avtale(1, { avtaleInngaatt: time(0) });
    expect(play(onRow(entered, avtale(2, { name: 'b' }))).state?.everEntered).toBe(true);
    expect(play(onRow(entered, deleted(2), avtale(3))).state?.everEntered).toBe(false);
    expect(play(onRow(avtale(2), entered)).state?.everEntered).toBe(false);
  });
  test('a mark that becomes known is no change; one that becomes another is', () => {
    const { state } = play(onRow(avtale(1)));
    if (!state) throw new Error('It was stored');
    const later = [{ message: avtale(1, { neverBegan: true }), position: at(0, 9) }];
    expect(play(later, { ...state, marks: null })).toMatchObject({
      changes: [],
      state: { marks: { neverBegan: true } },
    });
    expect(play(later, state).changes).toHaveLength(1);
  });
});

describe('for any history', () => {
  const message = fc.oneof(
    fc
      .record({
        sistEndret: fc.integer({ min: 0, max: 4 }),
        name: fc.constantFrom('a', 'b'),
        feilregistrert: fc.boolean(),
        avtaleInngaatt: fc.constantFrom(null, time(0)),
        neverBegan: fc.boolean(),
      })
      .map(({ sistEndret, ...options }) => avtale(sistEndret, options)),
    fc.integer({ min: 0, max: 4 }).map(deleted),
    fc.constant(tombstone),
  );
  const history = fc.array(message, { minLength: 1, maxLength: 12 }).map((messages) => onRow(...messages));

  test('one batch or several: the same', () => {
    fc.assert(
      fc.property(history, fc.nat(12), (messages, shared) => {
        const [before, after] = [messages.slice(0, shared), messages.slice(shared)];
        const collected = play(messages);
        const first = play(before);
        const others = play(after, first.state);
        expect(others.state ?? first.state).toEqual(collected.state);
        expect([...first.changes, ...others.changes]).toEqual(collected.changes);
        const versions = others.eraseHistory ? others.versions : [...first.versions, ...others.versions];
        expect(versions).toEqual(collected.versions);
      }),
    );
  });

  test('playing it again changes nothing', () => {
    fc.assert(
      fc.property(history, (messages) => {
        const { state } = play(messages);
        expect(play(messages, state)).toMatchObject({ state: undefined, versions: [], changes: [] });
      }),
    );
  });
});

describe('an avtale that has moved between partitions', () => {
  /** Each batch is of one partition; `known` lies at place 5 of partition 2, said at 1,000 ms. */
  const known = play([{ message: avtale(5), position: at(2, 5, 1_000) }]).state;

  test.each([
    ['by a tombstone in a lower partition', at(0, 0, 1_001), true],
    ['not by one from before it', at(3, 99, 999), false],
    ['by one of the same time in a higher partition', at(3, 0, 1_000), true],
    ['not by one of the same time in a lower partition', at(1, 99, 1_000), false],
    ['not by one whose time is unknown', at(3, 99), false],
    ['in its own partition, by one that lies after it, whatever its time', at(2, 6, 1), true],
    ['by one on the topic that was made anew', at(0, 0, 1, 1), true],
    ['not by one on the topic before this one', at(2, 99, 9_999, -1), false],
  ])('is deleted %s', (_, place, expected) => {
    expect(play([{ message: tombstone, position: place }], known).state?.deleted === 'GRAVSTEIN').toBe(expected);
  });

  test('stored before times were kept: anything with a time is after it', () => {
    const { state } = play([{ message: avtale(5), position: at(2, 5) }]);
    expect(wins(tombstone, at(0, 0, 1), state)).toBe(true);
  });

  /** An avtale's messages in the order in which they were written; where each lies follows from how many partitions there are. */
  const written = fc.array(
    fc.record({
      message: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }).map((n) => ({ type: 'AVTALE' as const, n })) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 }).map((n) => ({ type: 'SLETTET' as const, n })) },
        { weight: 2, arbitrary: fc.constant({ type: 'GRAVSTEIN' as const, n: 0 }) },
      ),
      before: fc.constantFrom('nothing', 'nothing', 'a moment', 'more partitions', 'another topic'),
    }),
    { minLength: 1, maxLength: 10 },
  );
  const hash = fc.integer({ min: 0, max: 59 });

  function place(
    history: typeof written extends fc.Arbitrary<infer T> ? T : never,
    keyHash: number,
  ): PositionedMessage[] {
    let [partitions, epoch, clock] = [1, 0, 1_000];
    const ends = new Map<string, number>();
    return history.map(({ message: { type, n }, before }, i) => {
      if (before !== 'nothing') clock++;
      if (before === 'more partitions') partitions++;
      if (before === 'another topic') epoch++;
      const partition = keyHash % partitions;
      const end = ends.get(`${String(epoch)} ${String(partition)}`) ?? 0;
      ends.set(`${String(epoch)} ${String(partition)}`, end + 1);
      const message = type === 'AVTALE' ? avtale(n, { name: String(i) }) : type === 'SLETTET' ? deleted(n) : tombstone;
      return { message, position: at(partition, end, clock, epoch) };
    });
  }

  /** Rules 2 and 3 read aloud, for messages in the order in which they were written. */
  function outcome(messages: readonly PositionedMessage[]): {
    deleted: boolean;
    sistEndret: string | null;
    name: string | undefined;
  } {
    let now: { deleted: boolean; buried: boolean; sistEndret: string | null; name: string | undefined } | undefined;
    for (const { message } of messages) {
      if (message.type === 'GRAVSTEIN') {
        now = { deleted: true, buried: true, sistEndret: now?.sistEndret ?? null, name: undefined };
        continue;
      }
      const { sistEndret, bedriftNavn } =
        message.type === 'AVTALE' ? message.avtale : { ...message, bedriftNavn: null };
      const isNewer = !now || now.sistEndret === null || sistEndret > now.sistEndret;
      if (!isNewer && (sistEndret !== now?.sistEndret || now.buried)) continue;
      now = { deleted: message.type === 'SLETTET', buried: false, sistEndret, name: bedriftNavn ?? undefined };
    }
    return { deleted: now?.deleted ?? false, sistEndret: now?.sistEndret ?? null, name: now?.name };
  }

  test('comes to the same in whatever order its partitions are read, and read again', () => {
    fc.assert(
      fc.property(written, hash, fc.infiniteStream(fc.nat(1_000)), (history, keyHash, choices) => {
        const messages = place(history, keyHash);
        const choose = (count: number): number => (choices.next().value as number) % count;
        const lines = [
          ...Map.groupBy(
            messages,
            ({ position }) => `${String(position.epoch)} ${String(position.partition)}`,
          ).values(),
        ];
        const next = lines.map(() => 0);
        let state: AvtaleState | undefined;
        let content: string | undefined;
        while (lines.some((line, i) => (next[i] ?? 0) < line.length)) {
          const i = choose(lines.length);
          const [line = [], from = 0] = [lines[i], next[i]];
          // A consumer that takes over may begin before where the last one came to.
          const start = choose(4) === 0 ? choose(from + 1) : from;
          const end = Math.min(line.length, start + choose(4));
          const fold = play(line.slice(start, end), state);
          if (fold.state) content = name(fold);
          state = fold.state ?? fold.remembered ?? state;
          next[i] = Math.max(from, end);
        }
        const { deleted: isDeleted, sistEndret } = { deleted: null, sistEndret: null, ...state };
        expect({ deleted: isDeleted !== null, sistEndret, name: content }).toEqual(outcome(messages));
      }),
      { numRuns: 3_000 },
    );
  });

  /** As parked messages are, that somebody replays after what came behind them. */
  test('comes to the same in whatever order its messages are replayed, one by one, and some again', () => {
    fc.assert(
      fc.property(written, hash, fc.infiniteStream(fc.nat(1_000)), (history, keyHash, choices) => {
        const messages = place(history, keyHash);
        const choose = (count: number): number => (choices.next().value as number) % count;
        const left = [...messages];
        let state: AvtaleState | undefined;
        let content: string | undefined;
        for (const done: PositionedMessage[] = []; left.length > 0;) {
          const [one] =
            choose(5) === 0 && done.length > 0 ? [done[choose(done.length)]] : left.splice(choose(left.length), 1);
          if (!one) throw new Error('There is one');
          done.push(one);
          const fold = play([one], state);
          if (fold.state) content = name(fold);
          state = fold.state ?? fold.remembered ?? state;
        }
        const { deleted: isDeleted, sistEndret } = { deleted: null, sistEndret: null, ...state };
        expect({ deleted: isDeleted !== null, sistEndret, name: content }).toEqual(outcome(messages));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a tombstone of a full sync', () => {
  const tombstone: Message = { type: 'GRAVSTEIN', avtaleId: 'a', before: 10 };
  const knownAt = (partition: number, offset: number): AvtaleState => ({
    sistEndret: '2026-01-01T00:00:00.000000Z',
    position: at(partition, offset, 1_000),
    deleted: null,
    feilregistrert: false,
    fingerprint: 'x',
    everEntered: false,
    marks: null,
  });

  test.each([
    ['deletes what lies before its limit', knownAt(1, 9), true],
    ['spares what lies at its limit', knownAt(1, 10), false],
    ['spares what lies after it', knownAt(1, 15), false],
    ['spares what lies in another partition', knownAt(0, 9), false],
    ['does not come into force again', knownAt(1, 20), false],
    ['marks what was never seen', undefined, true],
  ])('%s', (_, known, expected) => {
    expect(wins(tombstone, at(1, 20, 2_000), known)).toBe(expected);
  });

  test('deletes what lies on the topic before this one', () =>
    expect(wins(tombstone, at(0, 20, 2_000, 1), knownAt(1, 15))).toBe(true));
  test('spares what lies between its limit and itself, also when that is replayed after it', () => {
    const { state } = play([{ message: tombstone, position: at(1, 20, 2_000) }], knownAt(1, 9));
    expect(play([{ message: avtale(1), position: at(1, 9, 1_000) }], state).state).toBeUndefined();
    expect(play([{ message: avtale(1), position: at(1, 15, 1_500) }], state).state?.deleted).toBeNull();
  });
  test('spares what comes from another partition after it, whenever it was written', () => {
    const { state } = play([{ message: tombstone, position: at(1, 20, 2_000) }], knownAt(1, 9));
    expect(state?.position).toEqual({ ...at(1, 20), deletesBefore: 10 });
    expect(wins(avtale(9, { name: 'moved' }), at(0, 0, 1_500), state)).toBe(true);
  });
});
