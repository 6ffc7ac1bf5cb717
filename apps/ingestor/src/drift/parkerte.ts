import { fellesFeil, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import type { Utfall } from '@tiltak/avtale';
import { laasPosisjon, SamtidigEndring } from '../avtaler/avtaler.sql.ts';
import { holdRelasjoner, type Innlesning } from '../avtaler/avtaler.innlesning.ts';
import { avvistAvDatabasen } from '../avtaler/avvist.ts';
import { iTransaksjon } from '../transaksjon.ts';
import { noter, settAntall, type Hvem } from './driftshandlinger.ts';
import {
  hentParkert,
  laasParkert,
  listParkerte,
  settFortsattParkert,
  settForkastet,
  settSpiltAv,
  type Filter,
  type RaaParkert,
} from './parkerte.queries.ts';

/** What a replay came to: what the ordering rule made of the message, or PARKERT when it still can't be used. */
export type Avspilling = Utfall | 'PARKERT';

export interface Avspillinger {
  forsoekt: number;
  spiltAv: number;
  fortsattParkert: number;
  /** where to go on, when there are more than one call takes */
  neste?: string;
}

const MAKS_PER_KALL = 1_000;
const PER_BOLK = 100;
const MAKS_FORSOEK = 5;

/** Parked messages: replayed at the place they had on the topic, or discarded. */
export class Parkerte {
  constructor(
    private readonly pool: Pool,
    private readonly innlesning: Innlesning,
  ) {}

  /** @throws Problem 404, or 409 when somebody is done with it already */
  async spillAv(id: string, hvem: Hvem): Promise<Avspilling> {
    return this.proevSpillAv(id, hvem, (db) => noter(db, hvem, { handling: 'SPILL_AV', gjelder: id, antall: 1 }));
  }

  /** Those that wait, in the order they were parked, each in a transaction of its own. */
  async spillAvFlere(filter: Omit<Filter, 'tilstand'>, etter: string, hvem: Hvem): Promise<Avspillinger> {
    const gjelder = [filter.kode, filter.felt].filter((del) => del !== undefined).join(' ') || 'alle';
    const handling = await noter(this.pool, hvem, { handling: 'SPILL_AV_FLERE', gjelder, antall: null });
    const svar: Avspillinger = { forsoekt: 0, spiltAv: 0, fortsattParkert: 0 };
    let siste = etter;
    for (let bolk = PER_BOLK; bolk === PER_BOLK && svar.forsoekt < MAKS_PER_KALL;) {
      const rader = await listParkerte(this.pool, { ...filter, tilstand: 'PARKERT' }, siste, PER_BOLK);
      for (const { id } of rader) await this.tellAvspilling(id, hvem, svar);
      siste = rader.at(-1)?.id ?? siste;
      bolk = rader.length;
    }
    await settAntall(this.pool, handling, svar.spiltAv);
    return svar.forsoekt < MAKS_PER_KALL ? svar : { ...svar, neste: siste };
  }

  /** @throws Problem 404, or 409 when somebody is done with it already */
  async forkast(id: string, begrunnelse: string, hvem: Hvem): Promise<void> {
    await iTransaksjon(this.pool, async (db) => {
      krevParkert(await laasParkert(db, id));
      await settForkastet(db, id, hvem.hvem, begrunnelse);
      await noter(db, hvem, { handling: 'FORKAST', gjelder: id, antall: 1 });
    });
  }

  private async tellAvspilling(id: string, hvem: Hvem, svar: Avspillinger): Promise<void> {
    try {
      const utfall = await this.proevSpillAv(id, hvem, () => Promise.resolve());
      svar.forsoekt++;
      svar[utfall === 'PARKERT' ? 'fortsattParkert' : 'spiltAv']++;
    } catch (feil) {
      // Somebody else was first.
      if (!(feil instanceof Problem)) throw feil;
    }
  }

  private async proevSpillAv(
    id: string,
    hvem: Hvem,
    noterHandling: (db: PoolClient) => Promise<unknown>,
  ): Promise<Avspilling> {
    const melding = await hentParkert(this.pool, id);
    krevParkert(melding?.tilstand);
    for (let forsoek = 1; melding; forsoek++) {
      try {
        return await iTransaksjon(this.pool, async (db) => {
          const utfall = await this.spillAvEn(db, melding, hvem);
          await noterHandling(db);
          return utfall;
        });
      } catch (feil) {
        if (feil instanceof SamtidigEndring && forsoek < MAKS_FORSOEK) continue;
        const grunn = avvistAvDatabasen(feil);
        if (!grunn) throw feil;
        await iTransaksjon(this.pool, async (db) => {
          await settFortsattParkert(db, id, hvem.hvem, grunn);
          await noterHandling(db);
        });
        return 'PARKERT';
      }
    }
    return 'PARKERT';
  }

  /** The same reading, ordering rule and store as for the stream, at the message's own place. */
  private async spillAvEn(db: PoolClient, melding: RaaParkert, { hvem }: Hvem): Promise<Avspilling> {
    const { id, partisjon, nokkel, verdi } = melding;
    // Before the message itself: whoever reads the partition takes its position first, too.
    await laasPosisjon(db, melding);
    krevParkert(await laasParkert(db, id));
    const { deler, parkert } = await this.innlesning.skriv(db, partisjon, [
      { offset: Number(melding.offset), nokkel, verdi },
    ]);
    const [grunn] = parkert;
    if (grunn) {
      await settFortsattParkert(db, id, hvem, grunn);
      return 'PARKERT';
    }
    await settSpiltAv(db, id, hvem);
    await holdRelasjoner(db, deler);
    const utfall = Object.entries(deler[0]?.folder[0]?.utfall ?? {}).find(([, antall]) => antall > 0);
    return (utfall?.[0] ?? 'UENDRET') as Utfall;
  }
}

function krevParkert(tilstand: RaaParkert['tilstand'] | undefined): void {
  if (tilstand === undefined) throw new Problem(fellesFeil.FINNES_IKKE, 'There is no parked message with this id');
  if (tilstand === 'PARKERT') return;
  throw new Problem(fellesFeil.KONFLIKT, `The message is not parked any more: ${tilstand}`);
}
