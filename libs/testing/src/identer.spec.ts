import fc from 'fast-check';
import { erGyldigFnr, erGyldigOrgnr, syntetiskFnr, syntetiskNavIdent, syntetiskOrgnr } from './identer.ts';

const nummer = fc.nat(1_000_000);

test('national idents have valid check digits, in synthetic ranges', () => {
  fc.assert(
    fc.property(nummer, fc.constantFrom('TESTNORGE' as const, 'NAV' as const, 'DNR' as const), (n, slag) => {
      const fnr = syntetiskFnr(n, slag);
      expect(erGyldigFnr(fnr)).toBe(true);
      expect(Number(fnr.slice(2, 4))).toBeGreaterThan(40);
      expect(Number(fnr.slice(0, 2)) > 40).toBe(slag === 'DNR');
    }),
  );
  expect(erGyldigFnr('18820177573')).toBe(false);
});

test('another number is another person or company, whatever the kind of ident', () => {
  const ulike = (lag: (n: number) => string): number => new Set(Array.from({ length: 20_000 }, (_, n) => lag(n))).size;
  expect(ulike((n) => syntetiskFnr(n))).toBe(20_000);
  expect(ulike((n) => syntetiskFnr(n, n % 2 === 0 ? 'NAV' : 'DNR'))).toBe(20_000);
  expect(ulike((n) => syntetiskOrgnr(n))).toBe(20_000);
});

test('organisation numbers and NAV-idents have their form', () => {
  fc.assert(
    fc.property(nummer, (n) => {
      expect(erGyldigOrgnr(syntetiskOrgnr(n))).toBe(true);
      expect(syntetiskOrgnr(n)).toMatch(/^3\d{8}$/);
      expect(syntetiskNavIdent(n)).toMatch(/^Z99\d{4}$/);
    }),
  );
});
