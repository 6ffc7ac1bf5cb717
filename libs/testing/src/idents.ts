/**
 * Synthetic idents with valid check digits, in ranges that no person or company has.
 * A number makes an ident: the same one, always the same ident.
 */

const WEIGHT_1 = [3, 7, 6, 1, 8, 9, 4, 5, 2];
const WEIGHT_2 = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
const WEIGHT_ORG = [3, 2, 7, 6, 5, 4, 3, 2];

/** The mod-11 check digit; undefined where there is none. */
function checkDigit(digits: string, weights: number[]): number | undefined {
  const sum = weights.reduce((total, weight, i) => total + weight * Number(digits.charAt(i)), 0);
  const digit = (11 - (sum % 11)) % 11;
  return digit === 10 ? undefined : digit;
}

type Kind = 'TESTNORGE' | 'NAV' | 'DNR';

/**
 * A national ident, 11 digits: month + 80 (Tenor), month + 40 (NAV), or a D number (day + 40) with month + 80.
 * 2,352,000 numbers differ.
 */
export function syntheticFnr(n: number, kind: Kind = 'TESTNORGE'): string {
  for (let attempt = n * 7; ; attempt++) {
    const day = 1 + (attempt % 28) + (kind === 'DNR' ? 40 : 0);
    const month = 1 + (Math.floor(attempt / 28) % 12) + (kind === 'NAV' ? 40 : 80);
    const year = 50 + (Math.floor(attempt / 336) % 49);
    const serial = Math.floor(attempt / 16_464) % 1_000;
    const nineDigits = twoDigits(day) + twoDigits(month) + twoDigits(year) + String(serial).padStart(3, '0');
    const k1 = checkDigit(nineDigits, WEIGHT_1);
    const k2 = k1 === undefined ? undefined : checkDigit(nineDigits + String(k1), WEIGHT_2);
    if (k1 !== undefined && k2 !== undefined) return nineDigits + String(k1) + String(k2);
  }
}

/** An organisation number, 9 digits, in the series of the test registers: real ones begin with 8 or 9. 4,000,000 differ. */
export function syntheticOrgnr(n: number): string {
  const sixDigits = String(n % 1_000_000).padStart(6, '0');
  for (let series = 31 + 10 * (Math.floor(n / 1_000_000) % 4); ; series++) {
    const eightDigits = String(series) + sixDigits;
    const k = checkDigit(eightDigits, WEIGHT_ORG);
    if (k !== undefined) return eightDigits + String(k);
  }
}

/** Z and six digits. 9,999 differ. */
export function syntheticNavIdent(n: number): string {
  return `Z${String(990_000 + (n % 9_999)).padStart(6, '0')}`;
}

export function isValidFnr(fnr: string): boolean {
  const k1 = checkDigit(fnr, WEIGHT_1);
  const k2 = checkDigit(fnr, WEIGHT_2);
  return /^\d{11}$/.test(fnr) && String(k1) === fnr.charAt(9) && String(k2) === fnr.charAt(10);
}

export function isValidOrgnr(orgnr: string): boolean {
  return /^\d{9}$/.test(orgnr) && String(checkDigit(orgnr, WEIGHT_ORG)) === orgnr.charAt(8);
}

const twoDigits = (number: number): string => String(number).padStart(2, '0');
