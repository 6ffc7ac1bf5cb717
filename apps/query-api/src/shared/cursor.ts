import { createHash } from 'node:crypto';
import { PROBLEMS, Problem } from '@tiltak/platform';

/**
 * The keyset cursor of every paged answer: where the last page ended, bound to the search it came from.
 * Opaque to consumers; holds no personal data.
 */
export function encodeCursor(search: unknown, after: string): string {
  return Buffer.from(`${fingerprint(search)}${after}`).toString('base64url');
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/**
 * @param form of what the page ended with
 * @throws Problem 400 for a cursor that is made up or comes from another search
 */
export function decodeCursor(search: unknown, cursor: string, form = UUID): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const [, from, after] = new RegExp(`^(.{16})(${form.source})$`).exec(text) ?? [];
  if (from === undefined || after === undefined) throw invalidCursor('is not a cursor from an answer');
  if (from !== fingerprint(search)) throw invalidCursor('belongs to another search');
  return after;
}

function fingerprint(search: unknown): string {
  return createHash('sha256').update(JSON.stringify(search)).digest('base64url').slice(0, 16);
}

function invalidCursor(message: string): Problem {
  return new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The cursor can not be used', {
    feil: [{ felt: 'neste', melding: message }],
  });
}
