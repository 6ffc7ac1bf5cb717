/** Eleven digits: how a national ident looks, wherever it stands. */
const LOOKS_LIKE_IDENT = /(?<!\d)\d{11}(?!\d)/g;

/**
 * Month + 80 (the test register of Skatteetaten, Tenor) or + 40 (Dolly): no person has ever been given such a number, nor a
 * D number with it. Anything else that looks like an ident may be somebody's, and has no place among made-up data.
 */
export function isSynthetic(ident: string): boolean {
  const month = Number(ident.slice(2, 4));
  return /^\d{11}$/.test(ident) && ((month >= 81 && month <= 92) || (month >= 41 && month <= 52));
}

export const SYNTHETIC_ONLY =
  'must be synthetic: eleven digits with 80 (Tenor) or 40 (Dolly) added to the month; any other number may be a person’s';

/** Whether nothing in a text could be the ident of a person. */
export function tellsOfNobody(text: string): boolean {
  return [...text.matchAll(LOOKS_LIKE_IDENT)].every(([ident]) => isSynthetic(ident));
}
