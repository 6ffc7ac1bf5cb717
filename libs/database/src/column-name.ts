/** Of the fields there are, which are few. */
const names = new Map<string, string>();

/** The column that holds a field of an avtale: `avtaleNr` → `avtale_nr`. */
export function columnName(field: string): string {
  const known = names.get(field);
  if (known !== undefined) return known;
  const name = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  names.set(field, name);
  return name;
}
