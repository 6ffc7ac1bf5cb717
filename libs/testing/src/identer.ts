/**
 * Synthetic idents with valid check digits, in ranges that no person or company has.
 * A number makes an ident: the same one, always the same ident.
 */

const VEKT_1 = [3, 7, 6, 1, 8, 9, 4, 5, 2];
const VEKT_2 = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
const VEKT_ORG = [3, 2, 7, 6, 5, 4, 3, 2];

/** The mod-11 check digit; undefined where there is none. */
function kontrollsiffer(siffer: string, vekter: number[]): number | undefined {
  const sum = vekter.reduce((total, vekt, i) => total + vekt * Number(siffer.charAt(i)), 0);
  const rest = (11 - (sum % 11)) % 11;
  return rest === 10 ? undefined : rest;
}

type Slag = 'TESTNORGE' | 'NAV' | 'DNR';

/**
 * A national ident, 11 digits: month + 80 (Tenor), month + 40 (NAV), or a D number (day + 40) with month + 80.
 * 1,176,000 numbers differ.
 */
export function syntetiskFnr(nummer: number, slag: Slag = 'TESTNORGE'): string {
  for (let forsoek = nummer * 7; ; forsoek++) {
    const dag = 1 + (forsoek % 28) + (slag === 'DNR' ? 40 : 0);
    const maaned = 1 + (Math.floor(forsoek / 28) % 12) + (slag === 'NAV' ? 40 : 80);
    const aar = 50 + (Math.floor(forsoek / 336) % 49);
    const individ = Math.floor(forsoek / 16_464) % 500;
    const ni = to(dag) + to(maaned) + to(aar) + String(individ).padStart(3, '0');
    const k1 = kontrollsiffer(ni, VEKT_1);
    const k2 = k1 === undefined ? undefined : kontrollsiffer(ni + String(k1), VEKT_2);
    if (k1 !== undefined && k2 !== undefined) return ni + String(k1) + String(k2);
  }
}

/** An organisation number, 9 digits, in the series of the test registers: real ones begin with 8 or 9. 1,000,000 differ. */
export function syntetiskOrgnr(nummer: number): string {
  const sekssifret = String(nummer % 1_000_000).padStart(6, '0');
  for (let serie = 31; ; serie++) {
    const aatte = String(serie) + sekssifret;
    const k = kontrollsiffer(aatte, VEKT_ORG);
    if (k !== undefined) return aatte + String(k);
  }
}

/** Z and six digits. 9,999 differ. */
export function syntetiskNavIdent(nummer: number): string {
  return `Z${String(990_000 + (nummer % 9_999)).padStart(6, '0')}`;
}

export function erGyldigFnr(fnr: string): boolean {
  const k1 = kontrollsiffer(fnr, VEKT_1);
  const k2 = kontrollsiffer(fnr, VEKT_2);
  return /^\d{11}$/.test(fnr) && String(k1) === fnr.charAt(9) && String(k2) === fnr.charAt(10);
}

export function erGyldigOrgnr(orgnr: string): boolean {
  return /^\d{9}$/.test(orgnr) && String(kontrollsiffer(orgnr, VEKT_ORG)) === orgnr.charAt(8);
}

const to = (tall: number): string => String(tall).padStart(2, '0');
