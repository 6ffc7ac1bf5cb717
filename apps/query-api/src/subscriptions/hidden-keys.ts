import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';

/**
 * A place names the member that was told of last, and may be an establishment that a hovedenhet brought: its number is a
 * field that the consumer may not be granted, and may tell who a person is. So a position has it encrypted.
 */
export class HiddenKeys {
  private readonly key: KeyObject;

  /** @param secret hex; the key is derived from it, so that one secret may serve several ends */
  constructor(secret: string) {
    this.key = createSecretKey(Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'hex'), '', PURPOSE, 32)));
  }

  /** @param key of a member, as `abonnement_medlem.noekkel` has it */
  hide(key: string): string {
    if (!key.startsWith('B')) return key;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, nonce, { authTagLength: TAG_BYTES });
    const hidden = Buffer.concat([cipher.update(key), cipher.final()]);
    return MARK + Buffer.concat([nonce, cipher.getAuthTag(), hidden]).toString('base64url');
  }

  /** @returns undefined for what was hidden with a key since replaced, or is made up */
  show(hidden: string): string | undefined {
    // As all had it before there were hovedenheter.
    if (!hidden.startsWith(MARK)) return hidden;
    const bytes = Buffer.from(hidden.slice(MARK.length), 'base64url');
    if (bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined;
    const cipher = createDecipheriv(ALGORITHM, this.key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    cipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    try {
      return Buffer.concat([cipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), cipher.final()]).toString();
    } catch {
      return undefined;
    }
  }
}

const PURPOSE = 'tiltak-datadeling posisjon 1';
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** No member's key begins with it. */
const MARK = '!';
