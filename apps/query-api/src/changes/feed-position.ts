import { before, encodePosition, epochTag, positionChecksum, type FeedPosition } from '@tiltak/database';
import { PROBLEMS, Problem } from '@tiltak/platform';

export { before, encodePosition, type FeedPosition };

const MAX = 2n ** 63n - 1n;

export function isAfter(a: FeedPosition, b: FeedPosition): boolean {
  return a.tx > b.tx || (a.tx === b.tx && a.sequenceNumber > b.sequenceNumber);
}

const FORMAT = /^([0-9a-f]{8})\.([0-9a-z]{1,13})\.([0-9a-z]{1,13})\.([0-9a-f]{8})$/;

/**
 * Where in the feed it is, if it is of the epoch that is now: `decodePosition` tells that.
 *
 * @throws Problem 400 for one that is made up
 */
export function parsePosition(position: string, name = 'etter'): FeedPosition {
  const place = readPosition(position);
  if (!place || place.tx > MAX || place.sequenceNumber > MAX) throw madeUp(name);
  return place;
}

/**
 * @param name of the parameter, for whoever is told that it can't be used
 * @returns undefined for a position of another epoch
 * @throws Problem 400 for one that is made up
 */
export function decodePosition(epoch: string, position: string, name = 'etter'): FeedPosition | undefined {
  const place = parsePosition(position, name);
  const [text = '', tag, , , digits] = FORMAT.exec(Buffer.from(position, 'base64url').toString('latin1')) ?? [];
  if (tag !== epochTag(epoch)) return undefined;
  if (digits !== positionChecksum(epoch, text.slice(0, -9))) throw madeUp(name);
  return place;
}

/** A position of an answer that was given, of whatever epoch; undefined when it is none. */
export function readPosition(position: string): FeedPosition | undefined {
  const [, , tx, sequenceNumber] = FORMAT.exec(Buffer.from(position, 'base64url').toString('latin1')) ?? [];
  if (tx === undefined || sequenceNumber === undefined) return undefined;
  return { tx: fromBase36(tx), sequenceNumber: fromBase36(sequenceNumber) };
}

function fromBase36(text: string): bigint {
  return [...text].reduce((sum, digit) => sum * 36n + BigInt(parseInt(digit, 36)), 0n);
}

/** Of a position that was given, and can't be used any more. */
export function gone(
  why: string,
  start = { eksport: '/api/v1/eksport', endringer: '/api/v1/endringer?fra=naa' },
): Problem {
  return new Problem(PROBLEMS.UTGAATT, `The position is ${why}`, { felter: { nyStart: start } });
}

function madeUp(name: string): Problem {
  return new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The position can not be used', {
    feil: [{ felt: name, melding: 'is not a position from an answer' }],
  });
}
