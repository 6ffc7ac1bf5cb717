import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { tolkMelding, type Parkeringsgrunn } from './melding.ts';
import type { Avtale } from './avtale.ts';

const ID = '04d0033c-754b-4daa-b5ff-6531dc64582c';
const bytes = (tekst: string): Buffer => Buffer.from(tekst);

const KILDE = {
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

function avtale(endring: Record<string, unknown> = {}): Avtale {
  const tolket = tolkMelding(bytes(ID), bytes(JSON.stringify({ ...KILDE, ...endring })));
  if (!tolket.ok || tolket.melding.type !== 'AVTALE') throw new Error('not an avtale');
  return tolket.melding.avtale;
}

function grunn(nokkel: Uint8Array | null, verdi: Uint8Array | null): Parkeringsgrunn {
  const tolket = tolkMelding(nokkel, verdi);
  if (tolket.ok) throw new Error('not parked');
  return tolket.grunn;
}

test('the reduced dataset, and nothing else', () => {
  expect(avtale({ deltakerFornavn: 'Syntetisk', etNyttFelt: { med: ['innhold'] } })).toEqual({
    avtaleId: ID,
    avtaleNr: 322,
    deltakerFnr: KILDE.deltakerFnr,
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
  const minst = { avtaleId: ID, sistEndret: '2022-02-04T08:46:39Z' };
  const tolket = tolkMelding(bytes(ID), bytes(JSON.stringify(minst)));
  expect(tolket).toMatchObject({
    ok: true,
    melding: { avtale: { avtaleNr: null, feilregistrert: false, opphav: null } },
  });
});

test("the mentor's position is not the participant's", () => {
  expect(avtale({ tiltakstype: 'MENTOR' })).toMatchObject({ stillingprosent: null, antallDagerPerUke: null });
});

test('values unknown today are kept as they came', () => {
  const nye = { tiltakstype: 'NYTT_TILTAK', avtaleStatus: 'PÅ_VENT', stillingstype: 'DELT', opphav: 'ALTINN' };
  expect(avtale({ ...nye, hendelseType: 17 })).toMatchObject(nye);
});

test.each([
  { deltakerFnr: null },
  { deltakerFnr: '12345678911' },
  { bedriftNr: '' },
  { avtaleNr: null },
  { startDato: null, sluttDato: null },
])('%p is stored', (felter) => expect(avtale(felter)).toMatchObject(felter));

test.each([{ slettemerket: true }, { hendelseType: 'AVTALE_SLETTET' }])('%p deletes', (felter) => {
  expect(tolkMelding(bytes(ID), bytes(JSON.stringify({ ...KILDE, ...felter })))).toEqual({
    ok: true,
    melding: { type: 'SLETTET', avtaleId: ID, sistEndret: '2022-02-04T08:46:39.573884Z' },
  });
});

test('a tombstone', () => {
  expect(tolkMelding(bytes(ID), null)).toEqual({ ok: true, melding: { type: 'GRAVSTEIN', avtaleId: ID } });
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
  ])('%s: %p', (felt, felter) => {
    expect(grunn(bytes(ID), bytes(JSON.stringify({ ...KILDE, ...felter })))).toMatchObject({
      kode: 'UGYLDIG_FELT',
      felt,
    });
  });

  test.each([
    ['IKKE_JSON', '{"avtaleId":'],
    ['IKKE_JSON', ''],
    ['IKKE_OBJEKT', '[]'],
    ['IKKE_OBJEKT', 'null'],
    ['IKKE_OBJEKT', '"tekst"'],
  ])('%s: %s', (kode, tekst) => expect(grunn(bytes(ID), bytes(tekst))).toMatchObject({ kode, felt: null }));

  test('a number that JSON can write and nobody can read', () => {
    const verdi = JSON.stringify(KILDE).replace('87.5', '1e999');
    expect(grunn(bytes(ID), bytes(verdi))).toMatchObject({ felt: 'stillingprosent' });
  });

  test('an escaped backslash is not U+0000', () =>
    expect(avtale({ bedriftNavn: 'C:\\u0000' }).bedriftNavn).toBe('C:\\u0000'));

  test('invalid UTF-8', () => {
    const verdi = Buffer.concat([bytes('{"bedriftNavn":"'), Buffer.from([0xc3, 0x28]), bytes('"}')]);
    expect(grunn(bytes(ID), verdi)).toMatchObject({ kode: 'IKKE_UTF8' });
  });

  test.each([
    ['another avtale', bytes('00000000-0000-4000-8000-000000000000')],
    ['no key', null],
  ])('%s as key', (_, nokkel) => {
    expect(grunn(nokkel, bytes(JSON.stringify(KILDE)))).toMatchObject({ kode: 'UGYLDIG_NOKKEL', felt: 'key' });
    expect(nokkel === null ? grunn(null, null).felt : 'key').toBe('key');
  });

  test('never throws, and never tells a value, whatever the message', () => {
    const hemmelig = 'HEMMELIG';
    const verdi = fc.oneof(
      fc.jsonValue(),
      fc.constant(hemmelig),
      fc.constant([hemmelig]),
      fc.constant({ a: hemmelig }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(KILDE)), verdi), fc.boolean(), (felter, medId) => {
        const melding = medId ? { ...felter, avtaleId: ID } : felter;
        const tolket = tolkMelding(bytes(ID), bytes(JSON.stringify(melding)));
        if (!tolket.ok) expect(tolket.grunn.aarsak).not.toContain(hemmelig);
      }),
      { numRuns: 1_000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (raa) => void tolkMelding(raa, raa)));
  });
});

test('every message seen from the source is usable', () => {
  const fil = new URL('../../../tools/simulator/data/avtale-hendelser.jsonl', import.meta.url);
  const linjer = readFileSync(fil, 'utf8').trim().split('\n');
  const uleste = linjer.filter((linje) => {
    const { avtaleId } = JSON.parse(linje) as { avtaleId: string };
    return !tolkMelding(bytes(avtaleId), bytes(linje)).ok;
  });
  expect(linjer).toHaveLength(365);
  expect(uleste).toEqual([]);
});
