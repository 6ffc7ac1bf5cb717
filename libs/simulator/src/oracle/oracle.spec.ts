import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { createEvents } from '../events.ts';
import { expected, type PositionedSourceMessage } from './oracle.ts';

const ID = '04d0033c-754b-4daa-b5ff-6531dc64582c';
const T = (second: number, fraction = ''): string => `2026-02-01T10:00:${String(second).padStart(2, '0')}${fraction}Z`;

type Fields = Record<string, unknown>;
type Position = { partition?: number; offset: number };

const message = (fields: Fields, { partition = 0, offset }: Position): PositionedSourceMessage => ({
  key: ID,
  value: JSON.stringify({ avtaleId: ID, sistEndret: T(1), ...fields }),
  partition,
  offset,
});
const tombstone = ({ partition = 0, offset }: Position): PositionedSourceMessage => ({
  key: ID,
  value: null,
  partition,
  offset,
});

/** null: a tombstone; in the order of their offsets */
function after(...messages: (Fields | null)[]): ReturnType<typeof expected> {
  return expected(messages.map((m, offset) => (m === null ? tombstone({ offset }) : message(m, { offset }))));
}
const stored = (...messages: (Fields | null)[]): object | undefined => after(...messages).avtaler.get(ID);
const winner = (...messages: (Fields | null)[]): unknown =>
  (stored(...messages) as { avtaleNr: unknown } | undefined)?.avtaleNr;

test('rule 9: the reduced dataset, and what is missing', () => {
  expect(stored({ deltakerFornavn: 'Syntetisk', mentorFnr: '1' })).toEqual({
    avtaleId: ID,
    avtaleNr: null,
    deltakerFnr: null,
    bedriftNr: null,
    bedriftNavn: null,
    veilederNavIdent: null,
    tiltakstype: null,
    versjon: null,
    avtaleStatus: null,
    avtaleInngaatt: null,
    startDato: null,
    sluttDato: null,
    stillingprosent: null,
    antallDagerPerUke: null,
    stillingstype: null,
    godkjentAvDeltaker: null,
    godkjentAvArbeidsgiver: null,
    godkjentAvVeileder: null,
    godkjentAvBeslutter: null,
    godkjentAvNavIdent: null,
    godkjentAvBeslutterNavIdent: null,
    godkjentPaaVegneAv: false,
    godkjentPaaVegneAvArbeidsgiver: false,
    opphav: null,
    opprettetTidspunkt: null,
    annullertTidspunkt: null,
    feilregistrert: false,
    sistEndret: '2026-02-01T10:00:01.000000Z',
  });
  expect(stored({ avtaleInngått: '2026-01-31T11:00:00', godkjentPaVegneAv: true, bedriftNr: '' })).toMatchObject({
    avtaleInngaatt: '2026-01-31T10:00:00.000000Z',
    godkjentPaaVegneAv: true,
    bedriftNr: '',
  });
});

describe('rule 2: order', () => {
  test.each<[string, (Fields | null)[], number]>([
    ['newer wins', [{ avtaleNr: 1 }, { avtaleNr: 2, sistEndret: T(2) }], 2],
    ['older loses at a later offset', [{ avtaleNr: 1, sistEndret: T(2) }, { avtaleNr: 2 }], 1],
    ['equal: the later offset wins', [{ avtaleNr: 1 }, { avtaleNr: 2 }], 2],
    [
      'a PATCH that is 0.4 µs older is equal',
      [
        { avtaleNr: 1, sistEndret: T(1, '.123456400') },
        { avtaleNr: 2, sistEndret: T(1, '.123456') },
      ],
      2,
    ],
    [
      'half a microsecond is rounded up',
      [
        { avtaleNr: 1, sistEndret: T(1, '.1234565') },
        { avtaleNr: 2, sistEndret: T(1, '.123456499') },
      ],
      1,
    ],
    [
      'also into the next second',
      [
        { avtaleNr: 1, sistEndret: T(1, '.9999995') },
        { avtaleNr: 2, sistEndret: T(2) },
      ],
      2,
    ],
    [
      'hendelseType decides nothing',
      [
        { avtaleNr: 1, hendelseType: 7 },
        { avtaleNr: 2, hendelseType: {} },
      ],
      2,
    ],
  ])('%s', (_, messages, avtaleNr) => expect(winner(...messages)).toBe(avtaleNr));
});

describe('rule 3: deleted', () => {
  const marked = { slettemerket: true, sistEndret: T(5) };
  test.each<[string, (Fields | null)[], number | undefined]>([
    ['slettemerket', [{ avtaleNr: 1 }, marked], undefined],
    [
      'AVTALE_SLETTET',
      [{ avtaleNr: 1 }, { ...marked, slettemerket: false, hendelseType: 'AVTALE_SLETTET' }],
      undefined,
    ],
    ['an older one later does not revive', [marked, { avtaleNr: 1, sistEndret: T(4) }], undefined],
    ['an equal one later revives', [marked, { avtaleNr: 1, sistEndret: T(5) }], 1],
    ['an older mark loses', [{ avtaleNr: 1, sistEndret: T(6) }, marked], 1],
    ['a tombstone beats what is before it, however new', [{ avtaleNr: 1, sistEndret: T(9) }, null], undefined],
    ['after a tombstone an equal one does not revive', [{ avtaleNr: 1 }, null, { avtaleNr: 2 }], undefined],
    ['but a newer one does', [{ avtaleNr: 1 }, null, { avtaleNr: 2, sistEndret: T(2) }], 2],
    [
      'newer than the newest that was deleted',
      [{ sistEndret: T(9) }, { avtaleNr: 1 }, null, { avtaleNr: 2, sistEndret: T(8) }],
      undefined,
    ],
    ['also when the tombstone deletes what was marked', [marked, null, { avtaleNr: 2, sistEndret: T(5) }], undefined],
    ['two tombstones are as one', [{ avtaleNr: 1 }, null, null, { avtaleNr: 2 }], undefined],
    ['after a tombstone for what was never known anything revives', [null, { avtaleNr: 1, sistEndret: T(0) }], 1],
  ])('%s', (_, messages, avtaleNr) => expect(winner(...messages)).toBe(avtaleNr));

  test('a marker stays, with the time to beat', () => {
    expect(after({ sistEndret: T(9) }, null).slettet).toEqual(new Map([[ID, '2026-02-01T10:00:09.000000Z']]));
    expect(after(null).slettet).toEqual(new Map([[ID, null]]));
  });
});

test('rule 4: what is wrongly registered stays, and says so', () => {
  expect(stored({ feilregistrert: true })).toMatchObject({ feilregistrert: true });
  expect(stored({ feilregistrert: true }, { feilregistrert: false, sistEndret: T(2) })).toMatchObject({
    feilregistrert: false,
  });
});

test('rule 5: unknown values are kept as they came', () => {
  const unknown = { tiltakstype: 'NYTT', avtaleStatus: 'PÅ_VENT', stillingstype: 'DELT', opphav: 'ALTINN' };
  expect(stored({ ...unknown, etNyttFelt: { a: 1 } })).toMatchObject(unknown);
});

describe('rules 1 and 6: parked', () => {
  test.each<[string, Fields]>([
    ['avtaleId', { avtaleId: null }],
    ['avtaleId', { avtaleId: 'tull' }],
    ['avtaleId', { avtaleId: 12 }],
    ['key', { avtaleId: ID.replace('04d0', '04d1') }],
    ['sistEndret', { sistEndret: null }],
    ['sistEndret', { sistEndret: '2026-02-01T10:00:00' }],
    ['sistEndret', { sistEndret: 1_700_000_000 }],
    ['startDato', { startDato: '2024-02-31' }],
    ['sluttDato', { sluttDato: '' }],
    ['avtaleInngått', { avtaleInngått: '2025-02-30T10:00:00' }],
    ['avtaleInngått', { avtaleInngått: '2025-02-03T24:00:00' }],
    ['opprettetTidspunkt', { opprettetTidspunkt: '2026-01-01T10:00:00.1234567890' }],
    ['annullertTidspunkt', { annullertTidspunkt: '2026-01-01T10:00:00' }],
    ['versjon', { versjon: 'x' }],
    ['avtaleNr', { avtaleNr: 1.5 }],
    ['avtaleNr', { avtaleNr: 2 ** 31 }],
    ['bedriftNr', { bedriftNr: 12 }],
    ['slettemerket', { slettemerket: 'ja' }],
    ['feilregistrert', { feilregistrert: 0 }],
    ['stillingprosent', { stillingprosent: '50' }],
    ['stillingprosent', { stillingprosent: '50', tiltakstype: 'MENTOR' }],
    ['bedriftNavn', { bedriftNavn: 'a\0b' }],
    ['bedriftNavn', { bedriftNavn: 'a\ud800b' }],
    ['maal', { maal: [{ beskrivelse: '\0' }] }],
  ])('%s: %j', (field, fields) => {
    expect(after(fields)).toEqual({
      avtaler: new Map(),
      lives: new Map(),
      slettet: new Map(),
      parkert: [{ partisjon: 0, offset: 0, felt: field }],
    });
  });

  test.each([
    [null, ID, '{"avtaleId":'],
    [null, ID, ''],
    [null, ID, '[]'],
    [null, ID, 'null'],
    [null, ID, Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d])],
    ['key', null, JSON.stringify({ avtaleId: ID, sistEndret: T(1) })],
    ['key', Buffer.from([0xff]), JSON.stringify({ avtaleId: ID, sistEndret: T(1) })],
    ['key', 'ikke-en-uuid', null],
    ['key', null, null],
  ])('%s: key %s, value %s', (field, key, value) => {
    expect(expected([{ key, value, partition: 3, offset: 9 }]).parkert).toEqual([
      { partisjon: 3, offset: 9, felt: field },
    ]);
  });

  test('and nothing else', () => {
    const allowed = {
      avtaleNr: -(2 ** 31),
      deltakerFnr: '1'.repeat(11),
      bedriftNavn: '\\u0000',
      stillingprosent: 33.3,
      startDato: '2024-02-29',
      slettemerket: null,
    };
    const { slettemerket: _, ...remaining } = allowed;
    expect(stored({ ...allowed, utførtAv: 12 })).toMatchObject(remaining);
  });
});

test.each([
  ['2026-01-31T11:00:00', '2026-01-31T10:00:00.000000Z'],
  ['2026-07-31T11:00:00.1234565', '2026-07-31T09:00:00.123457Z'],
  ['2026-07-31T11:00:00.1234564999', undefined],
  ['2025-10-26T01:59:59', '2025-10-25T23:59:59.000000Z'],
  ['2025-10-26T02:30:00', '2025-10-26T00:30:00.000000Z'],
  ['2025-10-26T03:00:00', '2025-10-26T02:00:00.000000Z'],
  ['2025-03-30T01:59:59.9999999', '2025-03-30T01:00:00.000000Z'],
  ['2025-03-30T02:30:00', '2025-03-30T01:30:00.000000Z'],
  ['2025-03-30T03:00:00', '2025-03-30T01:00:00.000000Z'],
])('rule 7: %s in Oslo is %s', (local, utc) => {
  const avtale = stored({ avtaleInngått: local }) as { avtaleInngaatt: string } | undefined;
  expect(avtale?.avtaleInngaatt).toBe(utc);
});

test("rule 8: a mentor's position is not the participant's", () => {
  const stilling = { stillingprosent: 50, antallDagerPerUke: 3 };
  expect(stored({ ...stilling, tiltakstype: 'VTAO' })).toMatchObject(stilling);
  expect(stored({ ...stilling, tiltakstype: 'MENTOR' })).toMatchObject({
    stillingprosent: null,
    antallDagerPerUke: null,
  });
});

describe('the order of arrival', () => {
  const position = fc.record({ partition: fc.nat(1), offset: fc.nat(40) });
  const content = fc.oneof(
    { weight: 5, arbitrary: fc.record({ sistEndret: fc.integer({ min: 1, max: 4 }).map((s) => T(s)) }) },
    { weight: 1, arbitrary: fc.record({ sistEndret: fc.constant(T(3)), slettemerket: fc.constant(true) }) },
    { weight: 2, arbitrary: fc.constant(null) },
  );
  const messages = fc
    .uniqueArray(fc.tuple(position, content), {
      selector: ([{ partition, offset }]) => partition * 100 + offset,
    })
    .map((list) =>
      list.map(([place, fields], n) =>
        fields === null ? tombstone(place) : message({ ...fields, avtaleNr: n }, place),
      ),
    );

  test('does not matter: places decide, and a message given twice is one', () => {
    const order = messages.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 })),
    );
    fc.assert(
      fc.property(order, ([list, shuffled]) => expect(expected(shuffled)).toEqual(expected(list))),
      { numRuns: 500 },
    );
  });

  test('does not matter for what the simulator sends', () => {
    const list = Array.from(createEvents({ count: 3_000, seed: 5, poison: true }), (m, offset) => ({
      ...m,
      partition: 0,
      offset,
    }));
    const a = expected(list);
    const b = expected(list.toReversed());
    expect(b).toEqual({ ...a, parkert: a.parkert.toReversed() });
    expect(expected([...list, ...list]).avtaler).toEqual(a.avtaler);
  });
});

test('of the messages that were seen from the source: 306 avtaler, two of them deleted, none parked', () => {
  const lines = readFileSync(new URL('../data/avtale-events.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
  const {
    avtaler,
    slettet: deleted,
    parkert: parked,
  } = expected(
    lines.map((value, offset) => ({
      key: (JSON.parse(value) as { avtaleId: string }).avtaleId,
      value,
      partition: 0,
      offset,
    })),
  );
  expect([lines.length, avtaler.size, deleted.size, parked]).toEqual([365, 304, 2, []]);
});
