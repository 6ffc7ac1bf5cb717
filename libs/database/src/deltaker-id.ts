import { createHmac, createSecretKey } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { Instance } from './entities.ts';

/** personident → opaque id */
export type DeltakerId = (personident: string) => string;

/**
 * The opaque id of a participant, a UUID (version 8) from HMAC-SHA-256 of the ident: the same in every process, run and
 * rebuild, for known and unknown idents alike, and without the key not to be traced back or recomputed.
 *
 * @param key hex, at least 32 bytes
 */
export function deltakerIdWith(key: string): DeltakerId {
  // Made once: making a key of the bytes each time costs more than the HMAC.
  const secret = createSecretKey(key, 'hex');
  return remembering((personident) => {
    const hex = createHmac('sha256', secret).update(personident).digest('hex');
    const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  });
}

/** Idents whose id is kept in memory: those of most messages of a backlog, in about 3 MiB. */
const REMEMBERED = 20_000;

/** A participant has several avtaler, and an avtale many messages; an HMAC takes longer than all else about a row. */
function remembering(deltakerId: DeltakerId): DeltakerId {
  let recent = new Map<string, string>();
  let before = new Map<string, string>();
  return (personident) => {
    const known = recent.get(personident);
    if (known !== undefined) return known;
    const id = before.get(personident) ?? deltakerId(personident);
    if (recent.size >= REMEMBERED / 2) {
      before = recent;
      recent = new Map();
    }
    recent.set(personident, id);
    return id;
  };
}

export class WrongKeyError extends Error {
  readonly startupError = true;

  constructor() {
    super('DELTAKER_ID_NOEKKEL differs from the key that this database was filled with');
  }
}

/**
 * Another key would give everyone another id, in links and in the audit. The writer leaves a check value in the database
 * the first time; after that no process starts with another key.
 *
 * @throws WrongKeyError
 */
export async function writeKeyCheck(dataSource: DataSource, deltakerId: DeltakerId): Promise<void> {
  await dataSource.query('update instans set noekkelkontroll = $1 where noekkelkontroll is null', [check(deltakerId)]);
  await checkKey(dataSource, deltakerId);
}

/**
 * False while no writer has set the database up.
 *
 * @throws WrongKeyError
 */
export async function checkKey(dataSource: DataSource, deltakerId: DeltakerId): Promise<boolean> {
  const [{ present }] = await dataSource.query<[{ present: boolean }]>(
    "select to_regclass('instans') is not null as present",
  );
  const instance = present ? await dataSource.getRepository(Instance).findOneBy({ id: true }) : null;
  if (!instance?.noekkelkontroll) return false;
  if (instance.noekkelkontroll !== check(deltakerId)) throw new WrongKeyError();
  return true;
}

/**
 * The same for a login that may read no more of the database than that.
 *
 * @throws WrongKeyError
 */
export async function checkKeyBy(
  ask: (sql: string) => Promise<{ noekkelkontroll: string | null }[]>,
  deltakerId: DeltakerId,
): Promise<boolean> {
  const [row] = await ask('select noekkelkontroll from instans');
  if (!row?.noekkelkontroll) return false;
  if (row.noekkelkontroll !== check(deltakerId)) throw new WrongKeyError();
  return true;
}

function check(deltakerId: DeltakerId): string {
  return deltakerId('noekkelkontroll');
}
