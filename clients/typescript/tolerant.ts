import { KNOWN_VALUES } from './known-values.schema.ts';

/** What the engine says of it quotes what was answered, which is about persons. */
export class NotJsonError extends Error {
  constructor() {
    super('What was answered is not JSON');
  }
}

/**
 * An answer's JSON. The source may name something new at any time: a value that is not in the document of this client's
 * release is read as `UKJENT`, and so whoever handles each value of an enum has handled all.
 *
 * @throws NotJsonError
 */
export function parseTolerant(text: string): unknown {
  return parse(text, (name, value: unknown) => {
    const known = Object.hasOwn(KNOWN_VALUES, name) ? KNOWN_VALUES[name] : undefined;
    if (!known) return value;
    if (Array.isArray(value)) return value.map((one: unknown) => knownOr(known, one));
    return knownOr(known, value);
  });
}

/** @throws NotJsonError */
export function requireJson(text: string): void {
  parse(text);
}

function parse(text: string, reviver?: (name: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(text, reviver) as unknown;
  } catch {
    throw new NotJsonError();
  }
}

function knownOr(known: readonly string[], value: unknown): unknown {
  return typeof value === 'string' && !known.includes(value) ? 'UKJENT' : value;
}
