import { createHash } from 'node:crypto';
import {
  likeLedd,
  sammenlignPlass,
  spillAv,
  tolkMelding,
  type Endring,
  type Fold,
  type Parkeringsgrunn,
  type PlassertMelding,
} from '@tiltak/avtale';
import { type DeltakerId } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import type { Meldingsbatch, RaaMelding } from '../kafka/batch.ts';
import { fortaltSenere, fortellOm, laasDeltakere } from '../relasjoner/relasjoner.sql.ts';
import { rettRelasjoner } from '../relasjoner/relasjoner.ts';
import { iTransaksjon } from '../transaksjon.ts';
import { avtalerad, endringsrad, kodInnhold, versjonsrad, type KodetInnhold } from './avtaler.rader.ts';
import {
  laasPosisjon,
  leggTilEndringer,
  leggTilVersjoner,
  lesTilstander,
  oppdaterKjente,
  rettAvvik,
  parker,
  SamtidigEndring,
  settInnNye,
  settPosisjon,
  slettHistorikk,
  type Kjent,
  type Parkert,
} from './avtaler.sql.ts';
import { Avvisninger, avvistAvDatabasen } from './avvist.ts';

/** What a batch came to, for the metrics. */
export interface Innlest {
  /** where consumption of the partition goes on; not always after this batch, see `Meldingsbatch` */
  nesteOffset: number;
  folder: Fold<KodetInnhold>[];
  parkert: Parkert[];
  behandletFoer: number;
}

/** What became of avtaler, and what was known about them before. */
export interface Del {
  folder: Fold<KodetInnhold>[];
  kjente: Map<string, Kjent>;
}

/** Messages that were played: what they came to, and those that can't be used. */
export interface Skrevet {
  deler: Del[];
  parkert: Parkert[];
}

/** The stored position does not fit the topic, which must be looked at before anything is consumed. */
export class UkjentPosisjon extends Error {}

/** Reads batches from Kafka into Postgres, each in one transaction together with the position that follows it. */
export class Innlesning {
  constructor(
    private readonly pool: Pool,
    private readonly deltakerId: DeltakerId,
  ) {}

  /**
   * Each message takes effect exactly once, or is parked with a reason. A row that the database itself refuses is
   * found by halving the batch, and only that message is parked.
   *
   * @throws when the database can't be reached or is busy, or refuses so much that the fault can't be the messages':
   * nothing has happened then, and the batch is to be tried again
   */
  async lesInn(batch: Meldingsbatch): Promise<Innlest> {
    const hele = {
      ...batch,
      skriv: (db: PoolClient, nye: readonly RaaMelding[]) => this.skriv(db, batch.partisjon, nye),
    };
    try {
      return await iTransaksjon(this.pool, (db) => fraPosisjonen(db, hele));
    } catch (feil) {
      if (!avvistAvDatabasen(feil)) throw feil;
      const avvisninger = new Avvisninger();
      const skriv: Skriv = (db, nye) => this.skrivDelvis(db, batch.partisjon, nye, avvisninger);
      return iTransaksjon(this.pool, (db) => fraPosisjonen(db, { ...batch, skriv }));
    }
  }

  /**
   * Plays messages of a partition, each at its own place, in the caller's transaction, which holds the partition's
   * position (`laasPosisjon`). The caller parks what could not be read, and ends with `holdRelasjoner`.
   */
  async skriv(db: PoolClient, partisjon: number, meldinger: readonly RaaMelding[]): Promise<Skrevet> {
    const { perAvtale, parkert } = tolk(meldinger, partisjon);
    const kjente = await lesTilstander(db, [...perAvtale.keys()]);
    const folder = [...perAvtale].map(([avtaleId, plasserte]) =>
      spillAv(avtaleId, kjente.get(avtaleId), plasserte, (avtale) => kodInnhold(avtale, this.deltakerId)),
    );
    await lagre(db, folder, kjente);
    return { deler: [{ folder, kjente }], parkert };
  }

  /** As `skriv`; a message that the database refuses is among those to be parked. */
  skrivEllerParker(db: PoolClient, partisjon: number, meldinger: readonly RaaMelding[]): Promise<Skrevet> {
    return this.skrivDelvis(db, partisjon, meldinger, new Avvisninger());
  }

  /**
   * Makes stored avtaler what these messages say today, where a message is the one that decided the state: the mapping
   * may be another by now, or somebody may have changed the row. Content with another fingerprint is a version of its own.
   *
   * @returns what was put right
   */
  async rett(db: PoolClient, partisjon: number, meldinger: readonly RaaMelding[]): Promise<Del> {
    const { perAvtale } = tolk(meldinger, partisjon);
    const kjente = await lesTilstander(db, [...perAvtale.keys()]);
    const avgjorende = [...perAvtale].flatMap(([avtaleId, plasserte]) => {
      const kjent = kjente.get(avtaleId);
      const melding = kjent && plasserte.find(({ plass }) => sammenlignPlass(plass, kjent.plass) === 0);
      return melding
        ? [
            rettFold(
              kjent,
              spillAv(avtaleId, undefined, [melding], (a) => kodInnhold(a, this.deltakerId)),
            ),
          ]
        : [];
    });
    const rader = avgjorende.flatMap(({ avtaleId, tilstand, innhold }) =>
      tilstand ? [avtalerad(avtaleId, tilstand, innhold, kjente.get(avtaleId))] : [],
    );
    const rettet = await rettAvvik(db, rader);
    const folder = avgjorende.filter(({ avtaleId }) => rettet.has(avtaleId));
    const versjoner = folder.filter(({ avtaleId, tilstand }) => tilstand?.avtrykk !== kjente.get(avtaleId)?.avtrykk);
    await leggTilVersjoner(
      db,
      versjoner.flatMap((fold) => fold.versjoner.map(({ innhold, plass }) => versjonsrad(innhold, plass))),
    );
    await leggTilEndringer(
      db,
      folder.flatMap((fold) => fold.endringer.map(endringsrad)),
    );
    return { folder, kjente };
  }

  /** Behind a savepoint; what the database refuses is halved until it is one message, which is to be parked. */
  private async skrivDelvis(
    db: PoolClient,
    partisjon: number,
    meldinger: readonly RaaMelding[],
    avvisninger: Avvisninger,
  ): Promise<Skrevet> {
    await db.query('savepoint del');
    try {
      const skrevet = await this.skriv(db, partisjon, meldinger);
      await db.query('release savepoint del');
      return skrevet;
    } catch (feil) {
      const grunn = avvistAvDatabasen(feil);
      if (!grunn) throw feil;
      await db.query('rollback to savepoint del; release savepoint del');
      const [eneste, ...flere] = meldinger;
      if (eneste && flere.length === 0) {
        avvisninger.tell(feil);
        return { deler: [], parkert: [tilParkert(eneste, partisjon, grunn)] };
      }
    }
    const midten = meldinger.length >> 1;
    const foerste = await this.skrivDelvis(db, partisjon, meldinger.slice(0, midten), avvisninger);
    const andre = await this.skrivDelvis(db, partisjon, meldinger.slice(midten), avvisninger);
    return { deler: [...foerste.deler, ...andre.deler], parkert: [...foerste.parkert, ...andre.parkert] };
  }
}

/** What a message alone comes to, seen from a row that may say something else. */
function rettFold(kjent: Kjent, fold: Fold<KodetInnhold>): Fold<KodetInnhold> {
  const { avtaleId, tilstand } = fold;
  if (!tilstand) return fold;
  // A tombstone doesn't say when what it deleted was changed.
  const riktig = tilstand.slettet === 'GRAVSTEIN' ? { ...tilstand, sistEndret: kjent.sistEndret } : tilstand;
  const borte: Endring[] = [{ avtaleId, type: 'SLETTET', aarsak: tilstand.slettet ? 'SLETTET' : 'FEILREGISTRERT' }];
  const varSynlig = kjent.slettet === null && !kjent.feilregistrert;
  const erSynlig = tilstand.slettet === null && !tilstand.feilregistrert;
  return { ...fold, tilstand: riktig, endringer: erSynlig ? fold.endringer : varSynlig ? borte : [] };
}

type Skriv = (db: PoolClient, nye: readonly RaaMelding[]) => Promise<Skrevet>;

/** Stores what of the batch is not stored yet, and the position after it. */
async function fraPosisjonen(db: PoolClient, batch: Meldingsbatch & { skriv: Skriv }): Promise<Innlest> {
  const posisjon = await laasPosisjon(db, batch);
  if (posisjon === undefined || posisjon > batch.sluttOffset) {
    throw new UkjentPosisjon(`topic ${batch.topic}, partition ${batch.partisjon}`);
  }
  // The database is behind where Kafka was read from, for instance restored from a backup: go back to its position.
  if (posisjon < batch.hentetFra) return { nesteOffset: posisjon, folder: [], parkert: [], behandletFoer: 0 };

  const nye = batch.meldinger.filter(({ offset }) => offset >= posisjon);
  const { deler, parkert } = await batch.skriv(db, nye);
  await parker(db, batch, parkert);
  const nesteOffset = Math.max(posisjon, batch.nesteOffset);
  await settPosisjon(db, batch, nesteOffset);
  await holdRelasjoner(db, deler);
  const folder = deler.flatMap((del) => del.folder);
  return { nesteOffset, folder, parkert, behandletFoer: batch.meldinger.length - nye.length };
}

/** The usable messages per avtale, in the order of the topic, and the others with the reason. */
export function tolk(
  meldinger: readonly RaaMelding[],
  partisjon: number,
): { perAvtale: Map<string, PlassertMelding[]>; parkert: Parkert[] } {
  const perAvtale = new Map<string, PlassertMelding[]>();
  const parkert: Parkert[] = [];
  for (const raa of meldinger) {
    const tolket = tolkMelding(raa.nokkel, raa.verdi, raa.slettFoer);
    if (!tolket.ok) {
      parkert.push(tilParkert(raa, partisjon, tolket.grunn));
      continue;
    }
    const { melding } = tolket;
    const avtaleId = melding.type === 'AVTALE' ? melding.avtale.avtaleId : melding.avtaleId;
    const plassert = { melding, plass: { partisjon, offset: raa.offset } };
    const liste = perAvtale.get(avtaleId);
    if (liste) liste.push(plassert);
    else perAvtale.set(avtaleId, [plassert]);
  }
  return { perAvtale, parkert };
}

function tilParkert({ nokkel, verdi, offset }: RaaMelding, partisjon: number, grunn: Parkeringsgrunn): Parkert {
  const avtrykk = createHash('sha256')
    .update(nokkel ?? '')
    .update('\0')
    .update(verdi ?? '')
    .digest();
  return { plass: { partisjon, offset }, nokkel, verdi, avtrykk, ...grunn };
}

/** Set-based: a handful of statements whatever the size of the batch. */
async function lagre(db: PoolClient, folder: Fold<KodetInnhold>[], kjente: Map<string, Kjent>): Promise<void> {
  const nye: string[] = [];
  const oppdaterte: string[] = [];
  for (const { avtaleId, tilstand, innhold } of folder) {
    if (!tilstand) continue;
    const kjent = kjente.get(avtaleId);
    (kjent ? oppdaterte : nye).push(avtalerad(avtaleId, tilstand, innhold, kjent));
  }
  await settInnNye(db, nye);
  await oppdaterKjente(db, oppdaterte);
  await slettHistorikk(
    db,
    folder.filter((fold) => fold.slettHistorikk && kjente.has(fold.avtaleId)).map((fold) => fold.avtaleId),
  );
  await leggTilVersjoner(
    db,
    folder.flatMap((fold) => fold.versjoner.map(({ innhold, plass }) => versjonsrad(innhold, plass))),
  );
  await leggTilEndringer(
    db,
    folder.flatMap((fold) => fold.endringer.map(endringsrad)),
  );
}

/**
 * Last in the transaction, since others may wait for the locks, and since whoever holds them must not wait for anything
 * else: batches of other partitions change other avtaler of the same participants at the same time.
 *
 * @throws SamtidigEndring
 */
export async function holdRelasjoner(db: PoolClient, deler: readonly Del[]): Promise<void> {
  const deltakere = [...new Set(deler.flatMap(beroerteDeltakere))];
  if (deltakere.length === 0) return;
  await laasDeltakere(db, deltakere);
  // Another batch linked to it before this one could delete it, and readers of the feed would meet that last.
  if (await fortaltSenere(db, slettedeLedd(deler))) throw new SamtidigEndring();
  const endret = await rettRelasjoner(db, deltakere);
  for (const { avtaleId, endringer } of deler.flatMap(({ folder }) => folder)) {
    if (endringer.length > 0) endret.delete(avtaleId);
  }
  await fortellOm(db, [...endret]);
}

/** The participants of the avtaler in which something changed that a rule can see. */
function beroerteDeltakere({ folder, kjente }: Del): string[] {
  const deltakere = new Set<string>();
  for (const { avtaleId, tilstand, innhold } of folder) {
    const [foer, naa] = [kjente.get(avtaleId)?.ledd, innhold?.ledd];
    if (!tilstand || likeLedd(foer, naa)) continue;
    for (const avtale of [foer, naa]) if (avtale) deltakere.add(avtale.deltakerId);
  }
  return [...deltakere];
}

/** The avtaler that others could link to until now, and that consumers no longer see. */
function slettedeLedd(deler: readonly Del[]): string[] {
  const kunneLenkesTil = (avtaleId: string): boolean => deler.some(({ kjente }) => kjente.get(avtaleId)?.ledd);
  return deler
    .flatMap(({ folder }) => folder)
    .filter(({ avtaleId, endringer }) => endringer.some(({ type }) => type === 'SLETTET') && kunneLenkesTil(avtaleId))
    .map(({ avtaleId }) => avtaleId);
}
