/** The column that holds a field of an avtale: `avtaleNr` → `avtale_nr`. */
export function columnName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
