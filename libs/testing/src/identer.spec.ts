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

test('persons seldom share an ident', () => {
  expect(new Set(Array.from({ length: 20_000 }, (_, n) => syntetiskFnr(n))).size).toBeGreaterThan(17_000);
});

test('organisation numbers and NAV-idents have their form', () => {
  fc.assert(
    fc.property(nummer, (n) => {
      expect(erGyldigOrgnr(syntetiskOrgnr(n))).toBe(true);
      expect(syntetiskNavIdent(n)).toMatch(/^Z99\d{4}$/);
    }),
  );
});
