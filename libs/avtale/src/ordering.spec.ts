import fc from 'fast-check';
import type { Avtale } from './fields.ts';
import type { Message } from './message.ts';
import {
  foldMessages,
  supersedes,
  type Fold,
  type Content,
  type PositionedMessage,
  type AvtaleState,
} from './ordering.ts';

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

const onRow = (...messages: Message[]): PositionedMessage[] =>
  messages.map((message, offset) => ({ message, position: { partition: 0, offset } }));
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
    const { state } = play([{ message: tombstone, position: { partition: 0, offset: 5 } }]);
    expect(supersedes(avtale(1), { partition: 0, offset: 6 }, state)).toBe(true);
    expect(supersedes(avtale(99), { partition: 0, offset: 4 }, state)).toBe(false);
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
    const later = [{ message: avtale(1, { neverBegan: true }), position: { partition: 0, offset: 9 } }];
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

  test('without tombstones, the greatest (sistEndret, partition, offset) decides, in any order of arrival', () => {
    const scattered = fc.uniqueArray(
      fc.record({ sistEndret: fc.nat(3), partisjon: fc.nat(2), offset: fc.nat(20), deletes: fc.boolean() }),
      {
        selector: ({ partisjon: partition, offset }) => `${String(partition)}-${String(offset)}`,
        minLength: 1,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(scattered, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (parts, random) => {
        const messages = parts.map(({ sistEndret, partisjon: partition, offset, deletes }) => ({
          sistEndret,
          position: { partition, offset },
          message: deletes
            ? deleted(sistEndret)
            : avtale(sistEndret, { name: `${String(partition)}-${String(offset)}` }),
        }));
        const shuffled = messages
          .map((m) => ({ m, n: random.next().value as number }))
          .sort((a, b) => a.n - b.n)
          .map(({ m }) => m);
        const largest = [...messages]
          .sort(
            (a, b) =>
              a.sistEndret - b.sistEndret ||
              a.position.partition - b.position.partition ||
              a.position.offset - b.position.offset,
          )
          .at(-1);
        expect(play(shuffled).state).toMatchObject({ position: largest?.position });
      }),
    );
  });
});

describe('a tombstone of a full sync', () => {
  const tombstone: Message = { type: 'GRAVSTEIN', avtaleId: 'a', before: 10 };
  const knownAt = (partition: number, offset: number): AvtaleState => ({
    sistEndret: '2026-01-01T00:00:00.000000Z',
    position: { partition, offset },
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
    expect(supersedes(tombstone, { partition: 1, offset: 20 }, known)).toBe(expected);
  });
});
