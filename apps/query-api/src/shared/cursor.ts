import { createHmac, createSecretKey, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto';
import { UUID } from '@tiltak/avtale';
import { PROBLEMS, Problem } from '@tiltak/platform';

/**
 * The keyset cursors of paged answers: where the last page ended, sealed together with the search that it came from.
 *
 * A search may name persons. A plain hash of it could be guessed by trying every ident, so the seal is an HMAC: who
 * doesn't have the key learns nothing of the search, and can't make a cursor or move one to another search.
 */
export class Cursors {
  private readonly key: KeyObject;

  /** @param secret hex; the key is derived from it with HKDF-SHA-256, so that one secret may serve several ends */
  constructor(secret: string) {
    this.key = createSecretKey(Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'hex'), '', PURPOSE, 32)));
  }

  /** @param search all that decides what the pages hold, and who asks */
  encode(search: unknown, after: string): string {
    return Buffer.concat([this.seal(search, after), Buffer.from(after)]).toString('base64url');
  }

  /**
   * @param form of what the page ended with
   * @throws Problem 400 for a cursor that is made up, belongs to another search, or was sealed with a key since replaced
   */
  decode(search: unknown, cursor: string, form = UUID): string {
    const bytes = Buffer.from(cursor, 'base64url');
    const [seal, after] = [bytes.subarray(0, SEAL_BYTES), bytes.subarray(SEAL_BYTES).toString('utf8')];
    const isOurs = seal.length === SEAL_BYTES && timingSafeEqual(seal, this.seal(search, after));
    if (isOurs && form.test(after)) return after;
    throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The cursor can not be used', {
      feil: [{ felt: 'neste', melding: 'is not a cursor from an answer to this search: begin again without it' }],
    });
  }

  private seal(search: unknown, after: string): Buffer {
    const text = JSON.stringify([search, after]);
    return createHmac('sha256', this.key).update(text).digest().subarray(0, SEAL_BYTES);
  }
}

/** Hexadecimal digits and dashes: of four billion beginnings, a million avtaler share few. */
const MIN_BEGINNING = 8;

/**
 * A place at or a little before an avtaleId that was looked at and is not answered with, so that the cursor, which can be
 * read, doesn't tell of it: its beginning, as long as it needs to be later than the place before.
 *
 * @param earlier a UUID before it: the last that was answered with, or where the page began
 */
export function namelessBefore(avtaleId: string, earlier = ''): string {
  const whole = avtaleId.toLowerCase();
  for (let length = MIN_BEGINNING; length < whole.length; length++) {
    const place = whole.slice(0, length) + NIL.slice(length);
    if (place > earlier.toLowerCase()) return place;
  }
  return whole;
}
const NIL = '00000000-0000-0000-0000-000000000000';

const PURPOSE = 'tiltak-datadeling neste 1';
const SEAL_BYTES = 16;
