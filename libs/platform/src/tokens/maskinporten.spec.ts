import fc from 'fast-check';
import { isValidOrgnr, syntheticOrgnr } from '@tiltak/testing';
import { isOrganisasjonsnummer } from '../organisasjonsnummer.ts';

test('organisation numbers are those with a right check digit', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 7, maxLength: 11 });
  fc.assert(
    fc.property(fc.oneof(digits, fc.nat({ max: 9_999 }).map(syntheticOrgnr), fc.string()), (text) => {
      expect(isOrganisasjonsnummer(text)).toBe(/^[0-9]{9}$/.test(text) && isValidOrgnr(text));
    }),
    { numRuns: 2_000 },
  );
  expect(['889640782', '310100005'].every(isOrganisasjonsnummer)).toBe(true);
});
