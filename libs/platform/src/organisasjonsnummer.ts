const WEIGHTS = [3, 2, 7, 6, 5, 4, 3, 2];

/** Nine digits, of which the last is the check digit of the others, modulo 11. */
export function isOrganisasjonsnummer(text: string): boolean {
  if (!/^\d{9}$/.test(text)) return false;
  const sum = WEIGHTS.reduce((total, weight, i) => total + weight * Number(text[i]), 0);
  return (11 - (sum % 11)) % 11 === Number(text[8]);
}
