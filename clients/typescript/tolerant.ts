import { KNOWN_VALUES } from './known-values.schema.ts';

/**
 * An answer's JSON. The source may name something new at any time: a value that is not in the document of this client's
 * release is read as `UKJENT`, and so whoever handles each value of an enum has handled all.
 */
export function parseTolerant(text: string): unknown {
  return JSON.parse(text, (name, value: unknown) => {
    const known = Object.hasOwn(KNOWN_VALUES, name) ? KNOWN_VALUES[name] : undefined;
    if (!known) return value;
    if (Array.isArray(value)) return value.map((one: unknown) => knownOr(known, one));
    return knownOr(known, value);
  });
}

function knownOr(known: readonly string[], value: unknown): unknown {
  return typeof value === 'string' && !known.includes(value) ? 'UKJENT' : value;
}
