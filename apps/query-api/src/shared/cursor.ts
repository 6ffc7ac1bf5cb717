import { UUID } from '@tiltak/avtale';
import { fingerprint, PROBLEMS, Problem } from '@tiltak/platform';

/**
 * The keyset cursor of every paged answer: where the last page ended, bound to the search it came from.
 * Opaque to consumers; holds no personal data.
 */
export function encodeCursor(search: unknown, after: string): string {
  return Buffer.from(`${tagOf(search)}${after}`).toString('base64url');
}

/**
 * @param form of what the page ended with
 * @throws Problem 400 for a cursor that is made up or comes from another search
 */
export function decodeCursor(search: unknown, cursor: string, form = UUID): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const [from, after] = [text.slice(0, TAG_CHARS), text.slice(TAG_CHARS)];
  if (!form.test(after)) throw invalidCursor('is not a cursor from an answer');
  if (from !== tagOf(search)) throw invalidCursor('belongs to another search');
  return after;
}

const TAG_CHARS = 16;

function tagOf(search: unknown): string {
  return fingerprint(JSON.stringify(search)).toString('base64url').slice(0, TAG_CHARS);
}

function invalidCursor(message: string): Problem {
  return new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The cursor can not be used', {
    feil: [{ felt: 'neste', melding: message }],
  });
}
