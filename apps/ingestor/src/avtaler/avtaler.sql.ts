import type { Ledd, Plass, Tilstand } from '@tiltak/avtale';
import type { PoolClient } from 'pg';
import { finished } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { LEDDKOLONNER, tilLedd, type Leddrad } from '../relasjoner/ledd.ts';
import { INNHOLDSKOLONNER } from './avtaler.rader.ts';

/** A partition of a topic. */
export interface Partisjon {
  topic: string;
  partisjon: number;
}

/**
 * Where consumption of the partition goes on, and a lock on that until the transaction ends: two ingestors that both
 * believe they own the partition, as during a rebalance, take turns, and the second sees what the first has done.
 * Undefined when the partition has not been prepared (see `kafka/posisjoner.ts`).
 */
export async function laasPosisjon(db: PoolClient, { topic, partisjon }: Partisjon): Promise<number | undefined> {
  const { rows } = await db.query<{ neste_offset: string }>({
    name: 'laas_posisjon',
    text: 'select neste_offset from konsum_offset where topic = $1 and partisjon = $2 for update',
    values: [topic, partisjon],
  });
  return rows[0] && Number(rows[0].neste_offset);
}

export async function settPosisjon(db: PoolClient, { topic, partisjon }: Partisjon, neste: number): Promise<void> {
  await db.query({
    name: 'sett_posisjon',
    text: 'update konsum_offset set neste_offset = $3 where topic = $1 and partisjon = $2',
    values: [topic, partisjon, neste],
  });
}

/** A stored avtale, as far as the ordering rule and the rules of relations are concerned. */
export interface Kjent extends Tilstand {
  /** undefined when it takes no part in relations */
  ledd: Ledd | undefined;
}

interface Tilstandsrad extends Leddrad {
  sist_endret: string | null;
  kilde_partisjon: number;
  kilde_offset: string;
  slettet: Tilstand['slettet'];
  avtrykk: string | null;
}

/** What is known about each of the avtaler; those not known are not in the map. */
export async function lesTilstander(db: PoolClient, avtaleIder: string[]): Promise<Map<string, Kjent>> {
  const { rows } = await db.query<Tilstandsrad>({
    name: 'les_tilstander',
    text: `select ${LEDDKOLONNER}, to_char(sist_endret at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as sist_endret,
                  kilde_partisjon, kilde_offset, slettet, avtrykk
           from avtale where avtale_id = any($1)`,
    values: [avtaleIder],
  });
  return new Map(rows.map((rad) => [rad.avtale_id, tilKjent(rad)]));
}

function tilKjent(rad: Tilstandsrad): Kjent {
  return {
    ledd: tilLedd(rad),
    sistEndret: rad.sist_endret,
    plass: { partisjon: rad.kilde_partisjon, offset: Number(rad.kilde_offset) },
    slettet: rad.slettet,
    feilregistrert: rad.feilregistrert,
    avtrykk: rad.avtrykk,
  };
}

const AVTALEKOLONNER = [...INNHOLDSKOLONNER, 'slettet', 'kilde_partisjon', 'kilde_offset', 'avtrykk'];

/** Rows as `avtalerad` makes them. A row for an avtale that exists is a unique violation: someone else was first. */
export async function settInnNye(db: PoolClient, rader: string[]): Promise<void> {
  await kopier(db, `avtale (${AVTALEKOLONNER.join(', ')})`, rader);
}

/** Another transaction has changed an avtale since it was read: read again and try again. */
export class SamtidigEndring extends Error {
  constructor() {
    super('an avtale was changed by another transaction since it was read');
  }
}

/**
 * Rows as `avtalerad` makes them, each followed by the place of the state it replaces.
 *
 * @throws SamtidigEndring
 */
export async function oppdaterKjente(db: PoolClient, rader: string[]): Promise<void> {
  if (rader.length === 0) return;
  await db.query(LAG_INN);
  await kopier(db, `pg_temp.inn (${AVTALEKOLONNER.join(', ')}, kjent_partisjon, kjent_offset)`, rader);
  const { rowCount } = await db.query(OPPDATER);
  if (rowCount !== rader.length) throw new SamtidigEndring();
}

/** Without the constraints of `avtale`: what it would refuse, the update shall refuse. */
const LAG_INN = `
  create temp table if not exists inn on commit delete rows as
  select ${AVTALEKOLONNER.join(', ')}, kilde_partisjon as kjent_partisjon, kilde_offset as kjent_offset
  from avtale with no data`;

const OPPDATER = `
  update avtale set ${AVTALEKOLONNER.map((kolonne) => `${kolonne} = inn.${kolonne}`).join(', ')},
    mottatt = case when avtale.avtrykk is distinct from inn.avtrykk then now() else avtale.mottatt end
  from pg_temp.inn
  where avtale.avtale_id = inn.avtale_id
    and avtale.kilde_partisjon = inn.kjent_partisjon and avtale.kilde_offset = inn.kjent_offset`;

/**
 * Makes rows what they ought to be. Rows as for `oppdaterKjente`, of avtaler whose place is the message's own.
 *
 * @returns the avtaler that were not so
 */
export async function rettAvvik(db: PoolClient, rader: string[]): Promise<Set<string>> {
  if (rader.length === 0) return new Set();
  await db.query(LAG_INN);
  await db.query('delete from pg_temp.inn');
  await kopier(db, `pg_temp.inn (${AVTALEKOLONNER.join(', ')}, kjent_partisjon, kjent_offset)`, rader);
  const { rows } = await db.query<{ avtale_id: string }>(RETT);
  return new Set(rows.map((rad) => rad.avtale_id));
}

const RETT = `
  update avtale set ${AVTALEKOLONNER.map((kolonne) => `${kolonne} = inn.${kolonne}`).join(', ')}, mottatt = now()
  from pg_temp.inn
  where avtale.avtale_id = inn.avtale_id
    and avtale.kilde_partisjon = inn.kjent_partisjon and avtale.kilde_offset = inn.kjent_offset
    and (${AVTALEKOLONNER.map((kolonne) => `avtale.${kolonne}`).join(', ')})
      is distinct from (${AVTALEKOLONNER.map((kolonne) => `inn.${kolonne}`).join(', ')})
  returning avtale.avtale_id`;

export async function slettHistorikk(db: PoolClient, avtaleIder: string[]): Promise<void> {
  if (avtaleIder.length === 0) return;
  await db.query('delete from avtale_versjon where avtale_id = any($1)', [avtaleIder]);
}

/** Rows as `versjonsrad` makes them. */
export async function leggTilVersjoner(db: PoolClient, rader: string[]): Promise<void> {
  const kolonner = [...INNHOLDSKOLONNER, 'kilde_partisjon', 'kilde_offset', 'avtrykk'];
  await kopier(db, `avtale_versjon (${kolonner.join(', ')})`, rader);
}

/** Rows as `endringsrad` makes them. */
export async function leggTilEndringer(db: PoolClient, rader: string[]): Promise<void> {
  await kopier(db, 'endring (avtale_id, type, aarsak)', rader);
}

/** `maal`: a table and its columns; `rader`: lines of COPY text. */
export async function kopier(db: PoolClient, maal: string, rader: string[]): Promise<void> {
  if (rader.length === 0) return;
  const strom = db.query(copyFrom(`copy ${maal} from stdin`));
  strom.end(rader.join(''));
  await finished(strom);
}

export interface Parkert {
  plass: Plass;
  nokkel: Buffer | null;
  verdi: Buffer | null;
  avtrykk: Buffer;
  kode: string;
  felt: string | null;
  aarsak: string;
}

/** A message that is parked already stays as it is: a replay changes nothing. */
export async function parker(db: PoolClient, { topic, partisjon }: Partisjon, meldinger: Parkert[]): Promise<void> {
  for (const melding of meldinger) {
    await db.query({
      name: 'parker',
      text: `insert into parkert_melding (topic, partisjon, kafka_offset, nokkel, verdi, avtrykk, kode, felt, aarsak)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
      values: [
        topic,
        partisjon,
        melding.plass.offset,
        melding.nokkel,
        melding.verdi,
        melding.avtrykk,
        melding.kode,
        melding.felt,
        melding.aarsak,
      ],
    });
  }
}
