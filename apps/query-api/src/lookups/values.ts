/** What JSON calls the values of a type of the database. */
export type JsonType = 'number' | 'boolean' | 'string';

const NUMBERS = new Set([20, 21, 23, 700, 701]);
const BOOLEAN = 16;

export function jsonTypeOf(oid: number): JsonType {
  return NUMBERS.has(oid) ? 'number' : oid === BOOLEAN ? 'boolean' : 'string';
}

/** Numbers and booleans as such, all else as the database writes it. */
export function convert(type: JsonType, value: string): unknown {
  return type === 'number' ? Number(value) : type === 'boolean' ? value === 't' : value;
}
