import fc from 'fast-check';
import type { Avtale } from './avtale.ts';
import { ledd, likeLedd, MAKS_AVTALER_MED_LENKER, relasjonerFor, type Ledd, type Relasjon } from './relasjoner.ts';

const lag = (avtaleId: string, startDato: string, sluttDato: string | null, rest: Partial<Ledd> = {}): Ledd => ({
  avtaleId,
  deltakerId: 'd',
  bedriftNr: 'X',
  tiltakstype: 'SOMMERJOBB',
  startDato,
  sluttDato,
  ...rest,
});
const somTekst = ({ fra, relasjon, til }: Relasjon): string => `${fra} ${relasjon} ${til}`;
const finn = (...avtaler: Ledd[]): string[] => relasjonerFor(avtaler).map(somTekst).sort();
const FOELGER = ['a neste b', 'b forrige a'];
const SAMTIDIGE = ['a samtidige b', 'b samtidige a'];

describe('forrige and neste', () => {
  test.each([
    ['the one that starts first', lag('a', '2026-01-01', '2026-01-31'), lag('b', '2026-02-01', null)],
    [
      'of equal start, the one that ends first',
      lag('a', '2026-01-01', '2026-01-30'),
      lag('b', '2026-01-01', '2026-01-31'),
    ],
    ['of equal start, the one that ends at all', lag('a', '2026-01-01', '2099-12-31'), lag('b', '2026-01-01', null)],
    [
      'of equal days, the one with the lower id',
      lag('a', '2026-01-01', '2026-01-31'),
      lag('b', '2026-01-01', '2026-01-31'),
    ],
  ])('%s comes first', (_, a, b) => {
    expect(finn(b, a).filter((tekst) => !tekst.includes('samtidige'))).toEqual(FOELGER);
  });
  test('one that ends before it starts has a start all the same', () =>
    expect(finn(lag('a', '2026-01-05', '2026-01-01'), lag('b', '2026-01-06', null))).toEqual(FOELGER));
  test('link neighbours only, whatever else lies between them', () =>
    expect(
      finn(
        lag('c', '2026-05-01', '2026-05-31'),
        lag('a', '2026-01-01', '2026-01-31'),
        lag('x', '2026-02-01', '2026-02-02', { tiltakstype: 'VTAO' }),
        lag('b', '2026-03-01', '2026-03-31'),
      ),
    ).toEqual(['a neste b', 'b forrige a', 'b neste c', 'c forrige b']));
  test.each([{ bedriftNr: 'Y' }, { bedriftNr: null }, { tiltakstype: 'VTAO' }, { tiltakstype: null }])(
    'do not link one with %j',
    (rest) => expect(finn(lag('a', '2026-01-01', '2026-01-31'), lag('b', '2026-02-01', null, rest))).toEqual([]),
  );
  test('an employer or kind that neither has is not the same', () => {
    const ingen = { bedriftNr: null, tiltakstype: null };
    expect(finn(lag('a', '2026-01-01', '2026-01-31', ingen), lag('b', '2026-02-01', null, ingen))).toEqual([]);
  });
});

describe('samtidige', () => {
  const annen = { bedriftNr: 'Y' };
  test.each([
    ['share their only day', '2026-01-31', '2026-01-31', SAMTIDIGE],
    ['miss each other by a day', '2026-02-01', '2026-02-28', []],
    ['lie within', '2026-01-10', '2026-01-11', SAMTIDIGE],
    ['go on', '2025-01-01', null, SAMTIDIGE],
    ['end before they start', '2026-01-20', '2026-01-10', []],
  ])('those that %s', (_, start, slutt, ventet) =>
    expect(finn(lag('b', start, slutt, annen), lag('a', '2026-01-01', '2026-01-31'))).toEqual(ventet),
  );
});

describe('mentor and mentorFor', () => {
  const mentor = { tiltakstype: 'MENTOR' };
  test('link a mentor with what it overlaps at the same employer', () =>
    expect(finn(lag('a', '2026-01-31', null, mentor), lag('b', '2026-01-01', '2026-01-31'))).toEqual([
      'a mentorFor b',
      ...SAMTIDIGE.slice(0, 1),
      'b mentor a',
      ...SAMTIDIGE.slice(1),
    ]));
  test.each([
    ['another employer', lag('b', '2026-01-01', null, { bedriftNr: 'Y' })],
    ['no employer', lag('b', '2026-01-01', null, { bedriftNr: null })],
    ['another mentor', lag('b', '2026-01-01', null, mentor)],
    ['no day in common', lag('b', '2027-01-01', null)],
  ])('but not with %s', (_, b) =>
    expect(finn(lag('a', '2026-01-01', '2026-12-31', mentor), b).join()).not.toMatch(/mentor/),
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
  ])('%s', (_, felter) => expect(ledd({ ...avtale, ...felter }, 'd')).toBeUndefined());
  test('and no rule can tell two that take no part from each other, nor from one that is as it was', () => {
    const a = lag('a', '2026-01-01', null);
    expect([likeLedd(undefined, undefined), likeLedd(a, undefined), likeLedd(a, { ...a })]).toEqual([
      true,
      false,
      true,
    ]);
    for (const felt of ['deltakerId', 'bedriftNr', 'tiltakstype', 'startDato', 'sluttDato']) {
      expect(likeLedd(a, { ...a, [felt]: 'z' })).toBe(false);
    }
  });
  test('without a participant', () => expect(ledd(avtale, null)).toBeUndefined());
  test('any other does; an empty employer is none', () =>
    expect(ledd({ ...avtale, avtaleStatus: 'PÅBEGYNT', bedriftNr: '', tiltakstype: 'VTAO' }, 'd')).toEqual(
      lag('a', '2026-01-01', null, { bedriftNr: null, tiltakstype: 'VTAO' }),
    ));
});

describe('of any avtaler', () => {
  const dato = fc.integer({ min: 1, max: 12 }).map((n) => `2026-01-${String(n).padStart(2, '0')}`);
  const avtaler = fc.uniqueArray(
    fc.record({
      avtaleId: fc.nat(99).map(String),
      deltakerId: fc.constant('d'),
      bedriftNr: fc.constantFrom('X', 'Y', null),
      tiltakstype: fc.constantFrom('MENTOR', 'VTAO', null),
      startDato: dato,
      sluttDato: fc.option(dato),
    }),
    { selector: ({ avtaleId }) => avtaleId, maxLength: 12 },
  );

  test('the links are the same in whatever order they come, each once, never to itself, each with its opposite', () => {
    const motsatt = {
      neste: 'forrige',
      forrige: 'neste',
      samtidige: 'samtidige',
      mentor: 'mentorFor',
      mentorFor: 'mentor',
    } as const;
    fc.assert(
      fc.property(avtaler, fc.infiniteStream(fc.nat()), (liste, tilfeldig) => {
        const stokket = liste.map((a) => [tilfeldig.next().value, a] as const).sort(([a], [b]) => a - b);
        const funnet = relasjonerFor(liste);
        const tekster = new Set(funnet.map(somTekst));
        expect(new Set(relasjonerFor(stokket.map(([, a]) => a)).map(somTekst))).toEqual(tekster);
        expect(tekster.size).toBe(funnet.length);
        for (const { fra, relasjon, til } of funnet) {
          expect(fra).not.toBe(til);
          expect(tekster).toContain(`${til} ${motsatt[relasjon]} ${fra}`);
        }
      }),
    );
  });
});

test('one with more avtaler than a person can have gets no links', () => {
  const mange = Array.from({ length: MAKS_AVTALER_MED_LENKER + 1 }, (_, n) => lag(String(n), '2026-01-01', null));
  expect(relasjonerFor(mange.slice(1)).length).toBeGreaterThan(MAKS_AVTALER_MED_LENKER ** 2 / 2);
  expect(relasjonerFor(mange)).toEqual([]);
});
