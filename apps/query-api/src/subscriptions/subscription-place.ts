import { fingerprint, PROBLEMS, Problem } from '@tiltak/platform';

/**
 * A place in the feed of a subscription: after this avtale of this member (or of the lines of the transaction, where it is
 * empty), in the order (tx, key, avtaleId).
 */
export interface SubscriptionPlace {
  /** transaction id, xid8 */
  tx: bigint;
  /** as `abonnement_medlem.noekkel` has it */
  key: string;
  avtaleId: string;
  /** in what there is to begin with: all members as they were after the transaction */
  isStart: boolean;
}

const LOWEST = '00000000-0000-0000-0000-000000000000';
const HIGHEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
/** After every key: they begin with a letter. */
const LAST_KEY = '~';

/** After all of the transaction. */
export function afterTransaction(tx: bigint): SubscriptionPlace {
  return { tx, key: LAST_KEY, avtaleId: HIGHEST, isStart: false };
}

/** Before the first member, as they are after the transaction. */
export function startAt(tx: bigint): SubscriptionPlace {
  return { tx, key: '', avtaleId: LOWEST, isStart: true };
}

/** The lines of a transaction come before its members: where to go on among the lines. */
export function lineAfter({ key, avtaleId }: SubscriptionPlace): string {
  return key === '' ? avtaleId : HIGHEST;
}

/** What a place means something in: it is of one history of the database, one subscription and one part of its avtaler. */
export interface SubscriptionEpoch {
  epoch: string;
  id: string;
  /** kinds that the purpose is held to */
  kinds: readonly string[] | undefined;
}

/** Opaque to consumers. Holds the epoch, and a check digit so that a position that was made up is not believed. */
export function encodePlace(epoch: SubscriptionEpoch, { tx, key, avtaleId, isStart }: SubscriptionPlace): string {
  const packedKey = Buffer.from(key).toString('base64url');
  const text = `${tagOf(epoch)}.${isStart ? 's' : 'f'}${tx.toString()}.${packedKey}.${avtaleId.replaceAll('-', '')}`;
  return Buffer.from(`${text}.${checksum(epoch, text)}`).toString('base64url');
}

const FORMAT = /^([0-9a-f]{8})\.([sf])([0-9]{1,19})\.([\w-]{0,160})\.([0-9a-f]{32})\.([0-9a-f]{8})$/;

/**
 * Where in the feed it is, whatever it is of: `decodePlace` tells that.
 *
 * @throws Problem 400 for one that is made up, or of another feed
 */
export function parsePlace(position: string): SubscriptionPlace {
  const [, , kind, tx = '', key = '', hex = ''] = match(position) ?? [];
  if (kind === undefined || BigInt(tx) >= 2n ** 63n) throw madeUp();
  return {
    tx: BigInt(tx),
    key: Buffer.from(key, 'base64url').toString(),
    avtaleId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    isStart: kind === 's',
  };
}

/**
 * @returns undefined for a position of another epoch
 * @throws Problem 400 for one that is made up
 */
export function decodePlace(epoch: SubscriptionEpoch, position: string): SubscriptionPlace | undefined {
  const place = parsePlace(position);
  const [text = '', tag] = match(position) ?? [];
  if (tag !== tagOf(epoch)) return undefined;
  if (!text.endsWith(checksum(epoch, text.slice(0, -9)))) throw madeUp();
  return place;
}

function match(position: string): RegExpExecArray | null {
  return FORMAT.exec(Buffer.from(position, 'base64url').toString('latin1'));
}

const tagOf = (epoch: SubscriptionEpoch): string => eightDigits(nameOf(epoch));
const checksum = (epoch: SubscriptionEpoch, text: string): string => eightDigits(`${nameOf(epoch)} ${text}`);

function nameOf({ epoch, id, kinds }: SubscriptionEpoch): string {
  // The order that the registry has them in means nothing.
  return `${epoch} ${id} ${kinds?.toSorted().join(',') ?? ''}`;
}

function eightDigits(text: string): string {
  return fingerprint(text).toString('hex').slice(0, 8);
}

function madeUp(): Problem {
  return new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The position can not be used', {
    feil: [{ felt: 'etter', melding: 'is not a position from an answer about this abonnement' }],
  });
}

/** Of a position that was given, and can't be used any more. */
export function goneFromSubscription(why: string, name: string): Problem {
  const subscription = `abonnement=${encodeURIComponent(name)}`;
  return new Problem(PROBLEMS.UTGAATT, `The position is ${why}`, {
    felter: {
      nyStart: { eksport: `/api/v1/eksport?${subscription}`, endringer: `/api/v1/endringer?${subscription}` },
    },
  });
}

export function noSuchSubscription(): Problem {
  return new Problem(PROBLEMS.FINNES_IKKE, 'There is no such abonnement');
}

/** Of `nowQuery`. @returns undefined when there is no such subscription */
export function placeNow(
  row: { epoke: string; beskaaret_til: string; abonnement: string | null; slag: string | null; siste: string | null },
  kinds: readonly string[] | undefined,
): { id: string; position: string; start: string; memberKinds: string[] } | undefined {
  if (row.abonnement === null) return undefined;
  const epoch = { epoch: row.epoke, id: row.abonnement, kinds };
  const [last, pruned] = [BigInt(row.siste ?? 0), BigInt(row.beskaaret_til)];
  const tx = last >= pruned ? last : pruned - 1n;
  return {
    id: row.abonnement,
    position: encodePlace(epoch, afterTransaction(tx)),
    start: encodePlace(epoch, startAt(tx)),
    memberKinds: [...(row.slag ?? '')],
  };
}
