import { createHash } from 'node:crypto';
import { fellesFeil, Problem } from '@tiltak/platform';

/**
 * The keyset cursor of every paged answer: where the last page ended, bound to the search it came from.
 * Opaque to consumers; holds no personal data.
 */
export function lagMarkoer(sok: unknown, etter: string): string {
  return Buffer.from(`${avtrykk(sok)}${etter}`).toString('base64url');
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/**
 * @param form of what the page ended with
 * @throws Problem 400 for a cursor that is made up or comes from another search
 */
export function lesMarkoer(sok: unknown, markoer: string, form = UUID): string {
  const tekst = Buffer.from(markoer, 'base64url').toString('utf8');
  const [, fra, etter] = new RegExp(`^(.{16})(${form.source})$`).exec(tekst) ?? [];
  if (fra === undefined || etter === undefined) throw ugyldig('is not a cursor from an answer');
  if (fra !== avtrykk(sok)) throw ugyldig('belongs to another search');
  return etter;
}

function avtrykk(sok: unknown): string {
  return createHash('sha256').update(JSON.stringify(sok)).digest('base64url').slice(0, 16);
}

function ugyldig(melding: string): Problem {
  return new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The cursor can not be used', {
    feil: [{ felt: 'neste', melding }],
  });
}
