import { createHash } from 'node:crypto';
import { fellesFeil, Problem } from '@tiltak/platform';

/** A place in the change feed: after this row, in the order (tx, lopenr). */
export interface Posisjon {
  /** transaction id, xid8 */
  tx: bigint;
  lopenr: bigint;
}

const MAKS = 2n ** 63n - 1n;

/** After everything of the transactions before `xmin`, and before everything else. */
export function foer(xmin: bigint): Posisjon {
  return { tx: xmin - 1n, lopenr: MAKS };
}

/** Opaque to consumers. Holds the epoch, and a check digit so that a position that was made up is not believed. */
export function skrivPosisjon(epoke: string, { tx, lopenr }: Posisjon): string {
  const tekst = `${epoketegn(epoke)}.${tx.toString(36)}.${lopenr.toString(36)}`;
  return Buffer.from(`${tekst}.${kontroll(epoke, tekst)}`).toString('base64url');
}

const FORM = /^([0-9a-f]{8})\.([0-9a-z]{1,13})\.([0-9a-z]{1,13})\.([0-9a-f]{8})$/;

/**
 * @returns undefined for a position of another epoch
 * @throws Problem 400 for one that is made up
 */
export function lesPosisjon(epoke: string, posisjon: string): Posisjon | undefined {
  const [tekst = '', tegn, tx, lopenr, siffer] = FORM.exec(Buffer.from(posisjon, 'base64url').toString('latin1')) ?? [];
  if (tegn === undefined || tx === undefined || lopenr === undefined) throw oppdiktet();
  if (tegn !== epoketegn(epoke)) return undefined;
  if (siffer !== kontroll(epoke, tekst.slice(0, -9))) throw oppdiktet();
  return { tx: tall(tx), lopenr: tall(lopenr) };
}

function tall(base36: string): bigint {
  return [...base36].reduce((sum, siffer) => sum * 36n + BigInt(parseInt(siffer, 36)), 0n);
}

const epoketegn = (epoke: string): string => avtrykk(epoke);
const kontroll = (epoke: string, tekst: string): string => avtrykk(`${epoke} ${tekst}`);

function avtrykk(tekst: string): string {
  return createHash('sha256').update(tekst).digest('hex').slice(0, 8);
}

function oppdiktet(): Problem {
  return new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The position can not be used', {
    feil: [{ felt: 'etter', melding: 'is not a position from an answer' }],
  });
}
