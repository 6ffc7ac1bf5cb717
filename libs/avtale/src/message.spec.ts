import type { ParkingReason } from '@tiltak/resource';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { AVTALE_FIELDS, FIELDS, type Avtale } from './fields.ts';
import { parseMessage } from './message.ts';

const ID = '04d0033c-754b-4daa-b5ff-6531dc64582c';
const bytes = (text: string): Buffer => Buffer.from(text);

const SOURCE = {
  hendelseType: 'ENDRET',
  avtaleId: ID,
  avtaleNr: 322,
  deltakerFnr: '18820177572',
  bedriftNr: '910825518',
  bedriftNavn: 'MAURA OG KOLBU REGNSKAP',
  veilederNavIdent: 'Z992785',
  tiltakstype: 'SOMMERJOBB',
  avtaleStatus: 'PÅBEGYNT',
  versjon: 1,
  opprettetTidspunkt: '2022-01-18T08:43:53.256512',
  sistEndret: '2022-02-04T08:46:39.573884Z',
  annullertTidspunkt: null,
  slettemerket: false,
  feilregistrert: false,
  startDato: '2021-06-01',
  sluttDato: '2021-06-29',
  stillingprosent: 87.5,
  antallDagerPerUke: 5,
  stillingstype: 'MIDLERTIDIG',
  godkjentAvDeltaker: '2022-01-20T10:00:00.5',
  godkjentAvArbeidsgiver: null,
  godkjentAvVeileder: null,
  godkjentAvBeslutter: null,
  avtaleInngått: null,
  godkjentAvNavIdent: null,
  godkjentAvBeslutterNavIdent: null,
  godkjentPaVegneAv: true,
  godkjentPaVegneAvArbeidsgiver: false,
  opphav: 'VEILEDER',
};

function avtale(change: Record<string, unknown> = {}): Avtale {
  const parsed = parseMessage(bytes(ID), bytes(JSON.stringify({ ...SOURCE, ...change })));
  if (!parsed.ok || parsed.message.type !== 'AVTALE') throw new Error('not an avtale');
  return parsed.message.avtale;
}

function reason(key: Uint8Array | null, value: Uint8Array | null): ParkingReason {
  const parsed = parseMessage(key, value);
  if (parsed.ok) throw new Error('not parked');
  return parsed.reason;
}

test.each([
  [{}, { neverBegan: false, fromArena: false }],
  [{ annullertGrunn: 'Ikke møtt' }, { neverBegan: true, fromArena: false }],
  [
    { annullertGrunn: 'Avtalen finnes ikke i Arena', opphav: 'ARENA' },
    { neverBegan: true, fromArena: true },
  ],
  [{ annullertGrunn: 'Syk' }, { neverBegan: false, fromArena: false }],
  [{ godkjentPaVegneGrunn: { arenaMigreringDeltaker: true } }, { neverBegan: false, fromArena: true }],
  [
    { godkjentPaVegneAvArbeidsgiverGrunn: { arenaMigreringArbeidsgiver: true } },
    { neverBegan: false, fromArena: true },
  ],
  // Of another form they are nothing to us: the message can be used.
  [
    { annullertGrunn: 7, godkjentPaVegneGrunn: ['x'] },
    { neverBegan: false, fromArena: false },
  ],
])('what the phase needs beside the avtale, and never the reason: %j', (fields, marks) => {
  const parsed = parseMessage(Buffer.from(ID), Buffer.from(JSON.stringify({ ...SOURCE, opphav: null, ...fields })));
  expect(parsed).toMatchObject({ ok: true, message: { marks } });
});

test('the reduced dataset, and nothing else', () => {
  expect(avtale({ deltakerFornavn: 'Syntetisk', etNyttFelt: { with: ['innhold'] } })).toEqual({
    avtaleId: ID,
    avtaleNr: 322,
    deltakerFnr: SOURCE.deltakerFnr,
    bedriftNr: '910825518',
    bedriftNavn: 'MAURA OG KOLBU REGNSKAP',
    veilederNavIdent: 'Z992785',
    tiltakstype: 'SOMMERJOBB',
    versjon: 1,
    avtaleStatus: 'PÅBEGYNT',
    avtaleInngaatt: null,
    startDato: '2021-06-01',
    sluttDato: '2021-06-29',
    stillingprosent: 87.5,
    antallDagerPerUke: 5,
    stillingstype: 'MIDLERTIDIG',
    godkjentAvDeltaker: '2022-01-20T09:00:00.500000Z',
    godkjentAvArbeidsgiver: null,
    godkjentAvVeileder: null,
    godkjentAvBeslutter: null,
    godkjentAvNavIdent: null,
    godkjentAvBeslutterNavIdent: null,
    godkjentPaaVegneAv: true,
    godkjentPaaVegneAvArbeidsgiver: false,
    opphav: 'VEILEDER',
    opprettetTidspunkt: '2022-01-18T07:43:53.256512Z',
    annullertTidspunkt: null,
    feilregistrert: false,
    sistEndret: '2022-02-04T08:46:39.573884Z',
  });
});

test('only avtaleId and sistEndret are needed', () => {
  const least = { avtaleId: ID, sistEndret: '2022-02-04T08:46:39Z' };
  const parsed = parseMessage(bytes(ID), bytes(JSON.stringify(least)));
  expect(parsed).toMatchObject({
    ok: true,
    message: { avtale: { avtaleNr: null, feilregistrert: false, opphav: null } },
  });
});

test("the mentor's position is not the participant's", () => {
  expect(avtale({ tiltakstype: 'MENTOR' })).toMatchObject({ stillingprosent: null, antallDagerPerUke: null });
});

test('values unknown today are kept as they came', () => {
  const fresh = { tiltakstype: 'NYTT_TILTAK', avtaleStatus: 'PÅ_VENT', stillingstype: 'DELT', opphav: 'ALTINN' };
  expect(avtale({ ...fresh, hendelseType: 17 })).toMatchObject(fresh);
});

test.each([
  { deltakerFnr: null },
  { deltakerFnr: '12345678911' },
  { bedriftNr: '' },
  { avtaleNr: null },
  { startDato: null, sluttDato: null },
])('%p is stored', (fields) => expect(avtale(fields)).toMatchObject(fields));

test.each([{ slettemerket: true }, { hendelseType: 'AVTALE_SLETTET' }])('%p deletes', (fields) => {
  expect(parseMessage(bytes(ID), bytes(JSON.stringify({ ...SOURCE, ...fields })))).toEqual({
    ok: true,
    message: { type: 'SLETTET', avtaleId: ID, sistEndret: '2022-02-04T08:46:39.573884Z' },
  });
});

test('a tombstone', () => {
  expect(parseMessage(bytes(ID), null)).toEqual({ ok: true, message: { type: 'GRAVSTEIN', avtaleId: ID } });
});

describe('parked', () => {
  test.each([
    ['avtaleId', { avtaleId: null }],
    ['avtaleId', { avtaleId: 'tull' }],
    ['sistEndret', { sistEndret: null }],
    ['sistEndret', { sistEndret: '2022-02-04T08:46:39' }],
    ['startDato', { startDato: '2024-02-31' }],
    ['startDato', { startDato: '' }],
    ['versjon', { versjon: 'x' }],
    ['versjon', { versjon: 2 ** 31 }],
    ['avtaleNr', { avtaleNr: 1.5 }],
    ['bedriftNr', { bedriftNr: 12 }],
    ['deltakerFnr', { deltakerFnr: 12 }],
    ['slettemerket', { slettemerket: 'ja' }],
    ['feilregistrert', { feilregistrert: 1 }],
    ['tiltakstype', { tiltakstype: {} }],
    ['stillingprosent', { stillingprosent: '100' }],
    ['stillingprosent', { tiltakstype: 'MENTOR', stillingprosent: '100' }],
    ['avtaleInngått', { avtaleInngått: '2022-13-01T00:00:00' }],
    ['annullertTidspunkt', { annullertTidspunkt: '2022-01-01T00:00:00' }],
    ['bedriftNavn', { bedriftNavn: 'a\0b' }],
    ['deltakerFornavn', { deltakerFornavn: 'a\0b' }],
    ['bedriftNavn', { bedriftNavn: 'a\ud800b' }],
  ])('%s: %p', (field, fields) => {
    expect(reason(bytes(ID), bytes(JSON.stringify({ ...SOURCE, ...fields })))).toMatchObject({
      code: 'UGYLDIG_FELT',
      field,
    });
  });

  test.each(AVTALE_FIELDS.filter((name) => FIELDS[name].maxLength !== undefined))(
    '%s beyond its length, which is counted in characters',
    (name) => {
      const { source, maxLength = 0 } = FIELDS[name];
      expect(avtale({ [source]: '😀'.repeat(maxLength) })[name]).toHaveLength(2 * maxLength);
      for (const text of ['x'.repeat(maxLength + 1), '😀'.repeat(maxLength + 1), 'x'.repeat(1_000_000)]) {
        expect(reason(bytes(ID), bytes(JSON.stringify({ ...SOURCE, [source]: text })))).toEqual({
          code: 'UGYLDIG_FELT',
          field: source,
          reason: `is longer than ${String(maxLength)} characters`,
        });
      }
    },
  );

  test.each([
    ['stillingprosent', 1_000_001],
    ['antallDagerPerUke', -1e300],
    ['versjon', 2 ** 53 + 1],
    ['avtaleNr', -(2 ** 31) - 1],
  ])('%s beyond its range: %d', (field, number) =>
    expect(reason(bytes(ID), bytes(JSON.stringify({ ...SOURCE, [field]: number })))).toMatchObject({ field }),
  );

  test.each([
    ['IKKE_JSON', '{"avtaleId":'],
    ['IKKE_JSON', ''],
    ['IKKE_OBJEKT', '[]'],
    ['IKKE_OBJEKT', 'null'],
    ['IKKE_OBJEKT', '"tekst"'],
  ])('%s: %s', (code, text) => expect(reason(bytes(ID), bytes(text))).toMatchObject({ code, field: null }));

  test('a number that JSON can write and nobody can read', () => {
    const value = JSON.stringify(SOURCE).replace('87.5', '1e999');
    expect(reason(bytes(ID), bytes(value))).toMatchObject({ field: 'stillingprosent' });
  });

  test('an escaped backslash is not U+0000', () =>
    expect(avtale({ bedriftNavn: 'C:\\u0000' }).bedriftNavn).toBe('C:\\u0000'));

  test('invalid UTF-8', () => {
    const value = Buffer.concat([bytes('{"bedriftNavn":"'), Buffer.from([0xc3, 0x28]), bytes('"}')]);
    expect(reason(bytes(ID), value)).toMatchObject({ code: 'IKKE_UTF8' });
  });

  test.each([
    ['another avtale', bytes('00000000-0000-4000-8000-000000000000')],
    ['no key', null],
  ])('%s as key', (_, key) => {
    expect(reason(key, bytes(JSON.stringify(SOURCE)))).toMatchObject({ code: 'UGYLDIG_NOKKEL', field: 'key' });
    expect(key === null ? reason(null, null).field : 'key').toBe('key');
  });

  test('never throws, and never tells a value, whatever the message', () => {
    const secret = 'HEMMELIG';
    const value = fc.oneof(fc.jsonValue(), fc.constant(secret), fc.constant([secret]), fc.constant({ a: secret }));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(SOURCE)), value), fc.boolean(), (fields, withId) => {
        const message = withId ? { ...fields, avtaleId: ID } : fields;
        const parsed = parseMessage(bytes(ID), bytes(JSON.stringify(message)));
        if (!parsed.ok) expect(parsed.reason.reason).not.toContain(secret);
      }),
      { numRuns: 1_000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => void parseMessage(raw, raw)));
    const anyTime = fc.oneof(fc.maxSafeInteger(), fc.double());
    fc.assert(
      fc.property(anyTime, (writtenAt) => void parseMessage(bytes(ID), bytes(JSON.stringify(SOURCE)), { writtenAt })),
    );
  });
});

test('U+0000 is found, and not found, however deep a message is nested', () => {
  const deep = (end: string): string => `"ukjent":${'['.repeat(20_000)}${end}${']'.repeat(20_000)}`;
  const read = (more: string): ReturnType<typeof parseMessage> =>
    parseMessage(bytes(ID), bytes(`${JSON.stringify(SOURCE).slice(0, -1)},${more}}`));
  expect(read(`${deep('1')},"tekst":"\\\\u0000"`)).toMatchObject({ ok: true });
  expect(read(deep('"\\u0000"'))).toMatchObject({ ok: false, reason: { code: 'UGYLDIG_FELT', field: 'ukjent' } });
});

describe('whatever a source writes', () => {
  /** Pieces of JSON, and of what looks like it: of any depth, width, length, precision and character. */
  const { piece } = fc.letrec<{ piece: string }>((tie) => ({
    piece: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('1e400', '-1e400', '-0', '1e-400', '9'.repeat(99), '0x10', '01', '1.5', '9007199254740993'),
      fc.constantFrom(
        'null',
        'true',
        'NaN',
        'Infinity',
        '""',
        '"2026-01-01"',
        '"0000-01-01T00:00:00Z"',
        ',',
        '"',
        '\\',
      ),
      fc.constantFrom(...[0, 0x1f, 0xd800, 0xdfff, 0xfeff].map((n) => `"a\\u${n.toString(16).padStart(4, '0')}"`)),
      fc.constantFrom('\ufeff', '"\\x41"', '"\n"', '"\u2028"', '"😀"'),
      fc.string({ unit: 'binary', maxLength: 300 }).map((text) => JSON.stringify(text)),
      fc.integer({ min: 0, max: 5_000 }).map((n) => JSON.stringify('x'.repeat(n))),
      fc
        .tuple(fc.integer({ min: 1, max: 30_000 }), tie('piece'))
        .map(([n, p]) => `${'['.repeat(n)}${p}${']'.repeat(n)}`),
      fc
        .tuple(fc.integer({ min: 1, max: 9_000 }), tie('piece'))
        .map(([n, p]) => `${'{"a":'.repeat(n)}${p}${'}'.repeat(n)}`),
      fc.array(tie('piece'), { maxLength: 5 }).map((parts) => `[${parts.join(',')}]`),
      fc
        .tuple(fc.integer({ min: 1, max: 3_000 }), tie('piece'))
        .map(([n, p]) => `[${`${p.slice(0, 20)},`.repeat(n)}0]`),
    ),
  }));
  const name = fc.oneof(
    fc.constantFrom(...Object.keys(SOURCE), 'annullertGrunn', 'godkjentPaVegneGrunn'),
    fc.constantFrom('__proto__', 'constructor', 'hasOwnProperty', 'toString', '', '\\u0000', '18820177572'),
    fc.string({ unit: 'binary', maxLength: 100 }).map((text) => JSON.stringify(text).slice(1, -1)),
  );
  const message = fc.array(fc.tuple(name, piece), { maxLength: 6 }).map((members) => {
    const good = JSON.stringify(SOURCE).slice(0, -1);
    return `${good}${members.map(([n, p]) => `,"${n}":${p}`).join('')}}`;
  });

  test('is taken, or parked with a reason that names no more than a field: never an exception', () => {
    fc.assert(
      fc.property(message, fc.option(fc.nat(), { nil: undefined }), (text, spoiltAt) => {
        const value = bytes(text);
        if (spoiltAt !== undefined) value[spoiltAt % value.length] = 0xc3;
        const parsed = parseMessage(bytes(ID), value);
        if (!parsed.ok) {
          const { field } = parsed.reason;
          expect(field ?? 'key').toMatch(/^[\wæøå]{1,60}$/i);
          expect(field ?? 'key').not.toMatch(/\d{6}/);
          expect(parsed.reason.reason.length).toBeLessThan(80);
        } else if (parsed.message.type === 'AVTALE') {
          for (const one of Object.values(parsed.message.avtale)) expect(JSON.stringify(one)).not.toContain('\\u0000');
        }
      }),
      { numRuns: 500 },
    );
  }, 60_000);

  test('may be a million deep, or wide', () => {
    const within = (x: string): Buffer => bytes(`${JSON.stringify(SOURCE).slice(0, -1)},"x":${x}}`);
    const million = 1_000_000;
    const nested = (open: string, close: string, n: number): Buffer =>
      within(`${open.repeat(n)}"\\u0000"${close.repeat(n)}`);
    for (const value of [
      nested('[', ']', million),
      nested('{"a":', '}', million / 10),
      within(`[${'0,'.repeat(million / 4)}"\\u0000"]`),
    ]) {
      expect(reason(bytes(ID), value)).toMatchObject({ code: 'UGYLDIG_FELT', field: 'x' });
    }
  });
});

test('every message seen from the source is usable', () => {
  const file = new URL('../../simulator/src/data/avtale-events.jsonl', import.meta.url);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const unread = lines.filter((line) => {
    const { avtaleId } = JSON.parse(line) as { avtaleId: string };
    return !parseMessage(bytes(avtaleId), bytes(line)).ok;
  });
  expect(lines).toHaveLength(365);
  expect(unread).toEqual([]);
});
