import { createHash } from 'node:crypto';

/** SHA-256 of the parts, one after another. */
export function fingerprint(...parts: (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
