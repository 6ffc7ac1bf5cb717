import fc from 'fast-check';
import { isValidFnr, isValidOrgnr, syntheticFnr, syntheticNavIdent, syntheticOrgnr } from './idents.ts';

const anyNumber = fc.nat(3_999_999);

test('national idents have valid check digits, in synthetic ranges', () => {
  fc.assert(
    fc.property(anyNumber, fc.constantFrom('TESTNORGE' as const, 'NAV' as const, 'DNR' as const), (n, kind) => {
      const fnr = syntheticFnr(n, kind);
      expect(isValidFnr(fnr)).toBe(true);
      expect(Number(fnr.slice(2, 4))).toBeGreaterThan(40);
      expect(Number(fnr.slice(0, 2)) > 40).toBe(kind === 'DNR');
    }),
  );
  expect(isValidFnr('18820177573')).toBe(false);
});

test('another number is another person or company, whatever the kind of ident', () => {
  const different = (create: (n: number) => string): number =>
    new Set(Array.from({ length: 20_000 }, (_, n) => create(n))).size;
  expect(different((n) => syntheticFnr(n))).toBe(20_000);
  expect(different((n) => syntheticFnr(n, n % 2 === 0 ? 'NAV' : 'DNR'))).toBe(20_000);
  expect(different((n) => syntheticOrgnr(n))).toBe(20_000);
});

test('organisation numbers and NAV-idents have their form', () => {
  fc.assert(
    fc.property(anyNumber, (n) => {
      expect(isValidOrgnr(syntheticOrgnr(n))).toBe(true);
      expect(syntheticOrgnr(n)).toMatch(/^[3-6]\d{8}$/);
      expect(syntheticNavIdent(n)).toMatch(/^Z99\d{4}$/);
    }),
  );
});
