import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { AVTALE_FIELDS, FIELDS, type Avtale } from '@tiltak/avtale';
import { createEvents } from '@tiltak/simulator';
import type { RawMessage } from '../kafka/batch.ts';
import { encodeContent } from './avtaler.rows.ts';
import { parseMessages } from './parse.ts';

const SOURCE = { epoch: 0, partition: 3 };
const EVENTS = [...createEvents({ count: 3_100, seed: 12, poison: true })].map(({ key, value }, offset) =>
  rawMessage(offset, toBytes(key), toBytes(value)),
);

function toBytes(text: string | Buffer | null): Buffer | null {
  return text === null ? null : Buffer.from(text);
}

function rawMessage(offset: number, key: Buffer | null, value: Buffer | null): RawMessage {
  return { offset, key, value, writtenAt: Date.UTC(2026, 10, 26, 12) + offset };
}

/** As a consumer gives it: the bytes are made objects only when they are asked for. */
function withTexts(raw: RawMessage): RawMessage & { asked: boolean } {
  return {
    offset: raw.offset,
    ...(raw.writtenAt === undefined ? {} : { writtenAt: raw.writtenAt }),
    ...(raw.deleteBefore === undefined ? {} : { deleteBefore: raw.deleteBefore }),
    keyText: raw.key?.toString('latin1') ?? null,
    valueText: raw.value?.toString('utf8') ?? null,
    asked: false,
    get key() {
      this.asked = true;
      return raw.key;
    },
    get value() {
      this.asked = true;
      return raw.value;
    },
  };
}

describe('messages of which the consumer has the text', () => {
  test('are read as their bytes are, and parked for the same reasons', () => {
    const texts = EVENTS.map(withTexts);
    const fromBytes = parseMessages(EVENTS, SOURCE);
    // Jest's own comparison takes its time over so much.
    expect(isDeepStrictEqual(parseMessages(texts, SOURCE), fromBytes)).toBe(true);
    expect(new Set(fromBytes.parked.map(({ code }) => code)).size).toBeGreaterThanOrEqual(6);
    // No bytes are made objects for what can be used.
    const parked = new Set(fromBytes.parked.map(({ position }) => position.offset));
    expect(texts.filter(({ asked, offset }) => asked !== parked.has(offset))).toEqual([]);
  });

  const byte = fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('\0\\"{}[]:,0-9eTZ\xff')));
  const spoiling = fc.record({ at: fc.nat(), bytes: fc.array(byte, { maxLength: 4 }), cut: fc.nat(3) });
  const inserted = fc.constantFrom(
    '\ufffd',
    '\ufeff',
    '"startDato":"2024-02-30",',
    '"versjon":1e400,',
    '"__proto__":{"avtaleId":1},',
    '"hendelseType":"AVTALE_SLETTET",',
    '"periode":{"startDato":"2024-01-01"},',
    '"bedriftNavn":"a\\u0000b",',
    '"bedriftNavn":"\\ud800",',
    `"x":${'['.repeat(9_000)}${']'.repeat(9_000)},`,
  );

  test('also when anything is wrong with them', () => {
    const spoilt = fc
      .tuple(fc.constantFrom(...EVENTS), fc.option(spoiling), fc.option(inserted), fc.option(spoiling))
      .map(([raw, ofValue, member, ofKey]): RawMessage => {
        const value = raw.value && member ? Buffer.from(raw.value.toString().replace('{', `{${member}`)) : raw.value;
        return { ...raw, key: spoil(raw.key, ofKey), value: spoil(value, ofValue) };
      });
    fc.assert(
      fc.property(spoilt, (raw) => {
        const [fromText, fromBytes] = [parseMessages([withTexts(raw)], SOURCE), parseMessages([raw], SOURCE)];
        if (!isDeepStrictEqual(fromText, fromBytes)) expect(fromText).toEqual(fromBytes);
      }),
      { numRuns: 500 },
    );
  });

  function spoil(bytes: Buffer | null, how: { at: number; bytes: number[]; cut: number } | null): Buffer | null {
    if (!bytes || !how) return bytes;
    const at = how.at % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(how.bytes), bytes.subarray(at + how.cut)]);
  }
});

describe('the row of an avtale', () => {
  const avtaler = [...parseMessages(EVENTS, SOURCE).perAvtale.values()]
    .flat()
    .flatMap(({ message }) => (message.type === 'AVTALE' ? message.avtale : []));
  const id = (ident: string): string => createHash('md5').update(ident).digest('hex');
  const text = fc.string({ unit: fc.constantFrom('\\', 'N', '\t', '\n', '\r', 'a', 'Å', '😀') });
  const avtale = fc
    .tuple(fc.constantFrom(...avtaler), fc.option(text), fc.option(text))
    .map(([one, bedriftNavn, deltakerFnr]): Avtale => ({ ...one, bedriftNavn, deltakerFnr }));

  test('says in the text of COPY what the avtale says, whatever is in it', () => {
    fc.assert(
      fc.property(avtale, (one) => {
        const { columns, fingerprint } = encodeContent(one, id);
        const said = columns.split('\t').map(readColumn);
        const meant = AVTALE_FIELDS.map((name) => (one[name] === null ? null : String(one[name])));
        expect(said).toEqual([...meant, one.deltakerFnr === null ? null : id(one.deltakerFnr)]);
        const sha256 = createHash('sha256').update(columns).digest('hex');
        expect(fingerprint.replaceAll('-', '')).toBe(sha256.slice(0, 32));
      }),
    );
  });

  test('has the fingerprint that it has had since the first release', () => {
    const fields = AVTALE_FIELDS.map((name) => [name, FIELDS[name].read === 'boolean' ? false : null]);
    const least = { ...Object.fromEntries(fields), avtaleId: '04d0033c-754b-4daa-b5ff-6531dc64582c' } as Avtale;
    const content = { ...least, bedriftNavn: 'A\tB\\', versjon: 3, stillingprosent: 37.5, deltakerFnr: 'x' };
    expect(encodeContent(content, () => 'id').fingerprint).toBe('867f277d-ff8b-4528-5c00-483676ce6c07');
  });

  /** As Postgres documents the text format. */
  function readColumn(column: string): string | null {
    const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
    return column === '\\N' ? null : column.replace(/\\(.)/g, (_, char: string) => escapes[char] ?? char);
  }
});
