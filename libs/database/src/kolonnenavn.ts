/** The column that holds a field of an avtale: `avtaleNr` → `avtale_nr`. */
export function kolonnenavn(felt: string): string {
  return felt.replace(/[A-Z]/g, (bokstav) => `_${bokstav.toLowerCase()}`);
}
