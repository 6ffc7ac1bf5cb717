import { createHash } from 'node:crypto';

/** A place in the change feed: after this row, in the order (tx, lopenr). */
export interface FeedPosition {
  /** transaction id, xid8 */
  tx: bigint;
  sequenceNumber: bigint;
}

const MAX = 2n ** 63n - 1n;

/** After everything of the transactions before `xmin`, and before everything else. */
export function before(xmin: bigint): FeedPosition {
  return { tx: xmin - 1n, sequenceNumber: MAX };
}

/** Opaque to consumers. Holds the epoch, and a check digit so that a position that was made up is not believed. */
export function encodePosition(epoch: string, { tx, sequenceNumber }: FeedPosition): string {
  const text = `${epochTag(epoch)}.${tx.toString(36)}.${sequenceNumber.toString(36)}`;
  return Buffer.from(`${text}.${positionChecksum(epoch, text)}`).toString('base64url');
}

export const epochTag = (epoch: string): string => eightDigits(epoch);
export const positionChecksum = (epoch: string, text: string): string => eightDigits(`${epoch} ${text}`);

function eightDigits(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
