import { createHmac } from 'node:crypto';
import { deltakerIdWith } from './deltaker-id.ts';

test('an id is of its ident and the key alone, however many idents were asked for between', () => {
  const key = '5a'.repeat(32);
  const deltakerId = deltakerIdWith(key);
  const idents = Array.from({ length: 25_000 }, (_, n) => `ident-${String(n)}`);
  const expected = idents.map((ident) => {
    const hmac = createHmac('sha256', Buffer.from(key, 'hex')).update(ident).digest();
    hmac[6] = (hmac.readUInt8(6) & 0x0f) | 0x80;
    hmac[8] = (hmac.readUInt8(8) & 0x3f) | 0x80;
    return hmac.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  });
  expect(idents.map(deltakerId)).toEqual(expected);
  expect(idents.toReversed().map(deltakerId)).toEqual(expected.toReversed());
  expect(deltakerIdWith('5b'.repeat(32))('ident-0')).not.toBe(expected[0]);
});
