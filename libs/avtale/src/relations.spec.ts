import fc from 'fast-check';
import type { Avtale } from './fields.ts';
import {
  toRelationAvtale,
  sameRelationAvtale,
  MAX_LINKED_AVTALER,
  relationsFor,
  type RelationAvtale,
  type Relation,
} from './relations.ts';

const create = (
  avtaleId: string,
  startDato: string,
  sluttDato: string | null,
  rest: Partial<RelationAvtale> = {},
): RelationAvtale => ({
  avtaleId,
  deltakerId: 'd',
  bedriftNr: 'X',
  tiltakstype: 'SOMMERJOBB',
  startDato,
  sluttDato,
  ...rest,
});
const asText = ({ fra: from, relasjon: relation, til: to }: Relation): string => `${from} ${relation} ${to}`;
const find = (...avtaler: RelationAvtale[]): string[] => relationsFor(avtaler).map(asText).sort();
const FOLLOWS = ['a neste b', 'b forrige a'];
const CONCURRENT = ['a samtidige b', 'b samtidige a'];

describe('forrige and neste', () => {
  test.each([
    ['the one that starts first', create('a', '2026-01-01', '2026-01-31'), create('b', '2026-02-01', null)],
    [
      'of equal start, the one that ends first',
      create('a', '2026-01-01', '2026-01-30'),
      create('b', '2026-01-01', '2026-01-31'),
    ],
    [
      'of equal start, the one that ends at all',
      create('a', '2026-01-01', '2099-12-31'),
      create('b', '2026-01-01', null),
    ],
    [
      'of equal days, the one with the lower id',
      create('a', '2026-01-01', '2026-01-31'),
      create('b', '2026-01-01', '2026-01-31'),
    ],
  ])('%s comes first', (_, a, b) => {
    expect(find(b, a).filter((text) => !text.includes('samtidige'))).toEqual(FOLLOWS);
  });
  test('one that ends before it starts has a start all the same', () =>
    expect(find(create('a', '2026-01-05', '2026-01-01'), create('b', '2026-01-06', null))).toEqual(FOLLOWS));
  test('link neighbours only, whatever else lies between them', () =>
    expect(
      find(
        create('c', '2026-05-01', '2026-05-31'),
        create('a', '2026-01-01', '2026-01-31'),
        create('x', '2026-02-01', '2026-02-02', { tiltakstype: 'VTAO' }),
        create('b', '2026-03-01', '2026-03-31'),
      ),
    ).toEqual(['a neste b', 'b forrige a', 'b neste c', 'c forrige b']));
  test.each([{ bedriftNr: 'Y' }, { bedriftNr: null }, { tiltakstype: 'VTAO' }, { tiltakstype: null }])(
    'do not link one with %j',
    (rest) => expect(find(create('a', '2026-01-01', '2026-01-31'), create('b', '2026-02-01', null, rest))).toEqual([]),
  );
  test('an employer or kind that neither has is not the same', () => {
    const none = { bedriftNr: null, tiltakstype: null };
    expect(find(create('a', '2026-01-01', '2026-01-31', none), create('b', '2026-02-01', null, none))).toEqual([]);
  });
});

describe('samtidige', () => {
  const other = { bedriftNr: 'Y' };
  test.each([
    ['share their only day', '2026-01-31', '2026-01-31', CONCURRENT],
    ['miss each other by a day', '2026-02-01', '2026-02-28', []],
    ['lie within', '2026-01-10', '2026-01-11', CONCURRENT],
    ['go on', '2025-01-01', null, CONCURRENT],
    ['end before they start', '2026-01-20', '2026-01-10', []],
  ])('those that %s', (_, start, end, expected) =>
    expect(find(create('b', start, end, other), create('a', '2026-01-01', '2026-01-31'))).toEqual(expected),
  );
});

describe('mentor and mentorFor', () => {
  const mentor = { tiltakstype: 'MENTOR' };
  test('link a mentor with what it overlaps at the same employer', () =>
    expect(find(create('a', '2026-01-31', null, mentor), create('b', '2026-01-01', '2026-01-31'))).toEqual([
      'a mentorFor b',
      ...CONCURRENT.slice(0, 1),
      'b mentor a',
      ...CONCURRENT.slice(1),
    ]));
  test.each([
    ['another employer', create('b', '2026-01-01', null, { bedriftNr: 'Y' })],
    ['no employer', create('b', '2026-01-01', null, { bedriftNr: null })],
    ['another mentor', create('b', '2026-01-01', null, mentor)],
    ['no day in common', create('b', '2027-01-01', null)],
  ])('but not with %s', (_, b) =>
    expect(find(create('a', '2026-01-01', '2026-12-31', mentor), b).join()).not.toMatch(/mentor/),
  );
});

describe('takes no part', () => {
  const avtale = {
    avtaleId: 'a',
    startDato: '2026-01-01',
    sluttDato: null,
    annullertTidspunkt: null,
    feilregistrert: false,
  } as Avtale;
  test.each<[string, Partial<Avtale>]>([
    ['wrongly registered', { feilregistrert: true }],
    ['annulled by status', { avtaleStatus: 'ANNULLERT' }],
    ['aborted, which the source now calls annulled', { avtaleStatus: 'AVBRUTT' }],
    ['annulled at a time', { annullertTidspunkt: '2026-01-01T00:00:00.000000Z' }],
    ['without a start', { startDato: null }],
  ])('%s', (_, fields) => expect(toRelationAvtale({ ...avtale, ...fields }, 'd')).toBeUndefined());
  test('and no rule can tell two that take no part from each other, nor from one that is as it was', () => {
    const a = create('a', '2026-01-01', null);
    expect([
      sameRelationAvtale(undefined, undefined),
      sameRelationAvtale(a, undefined),
      sameRelationAvtale(a, { ...a }),
    ]).toEqual([true, false, true]);
    for (const field of ['deltakerId', 'bedriftNr', 'tiltakstype', 'startDato', 'sluttDato']) {
      expect(sameRelationAvtale(a, { ...a, [field]: 'z' })).toBe(false);
    }
  });
  test('without a participant', () => expect(toRelationAvtale(avtale, null)).toBeUndefined());
  test('any other does; an empty employer is none', () =>
    expect(toRelationAvtale({ ...avtale, avtaleStatus: 'PÅBEGYNT', bedriftNr: '', tiltakstype: 'VTAO' }, 'd')).toEqual(
      create('a', '2026-01-01', null, { bedriftNr: null, tiltakstype: 'VTAO' }),
    ));
});

describe('of any avtaler', () => {
  const date = fc.integer({ min: 1, max: 12 }).map((n) => `2026-01-${String(n).padStart(2, '0')}`);
  const avtaler = fc.uniqueArray(
    fc.record({
      avtaleId: fc.nat(99).map(String),
      deltakerId: fc.constant('d'),
      bedriftNr: fc.constantFrom('X', 'Y', null),
      tiltakstype: fc.constantFrom('MENTOR', 'VTAO', null),
      startDato: date,
      sluttDato: fc.option(date),
    }),
    { selector: ({ avtaleId }) => avtaleId, maxLength: 12 },
  );

  test('the links are the same in whatever order they come, each once, never to itself, each with its opposite', () => {
    const opposite = {
      neste: 'forrige',
      forrige: 'neste',
      samtidige: 'samtidige',
      mentor: 'mentorFor',
      mentorFor: 'mentor',
    } as const;
    fc.assert(
      fc.property(avtaler, fc.infiniteStream(fc.nat()), (list, random) => {
        const shuffled = list.map((a) => [random.next().value, a] as const).sort(([a], [b]) => a - b);
        const found = relationsFor(list);
        const texts = new Set(found.map(asText));
        expect(new Set(relationsFor(shuffled.map(([, a]) => a)).map(asText))).toEqual(texts);
        expect(texts.size).toBe(found.length);
        for (const { fra: from, relasjon: relation, til: to } of found) {
          expect(from).not.toBe(to);
          expect(texts).toContain(`${to} ${opposite[relation]} ${from}`);
        }
      }),
    );
  });
});

test('one with more avtaler than a person can have gets no links', () => {
  const many = Array.from({ length: MAX_LINKED_AVTALER + 1 }, (_, n) => create(String(n), '2026-01-01', null));
  expect(relationsFor(many.slice(1)).length).toBeGreaterThan(MAX_LINKED_AVTALER ** 2 / 2);
  expect(relationsFor(many)).toEqual([]);
});
