import { fellesFeil, Problem } from '@tiltak/platform';
import type { Pool } from 'pg';
import type { Publisering } from '../adapter/publisering.ts';
import { holdRelasjoner, type Innlesning } from '../avtaler/avtaler.innlesning.ts';
import { laasPosisjon, parker, SamtidigEndring } from '../avtaler/avtaler.sql.ts';
import { noter, type Hvem } from '../drift/driftshandlinger.ts';
import type { Meldingsbatch } from '../kafka/batch.ts';
import { lesTopic, type Topic } from '../kafka/topic.ts';
import { iTransaksjon } from '../transaksjon.ts';
import { enAvGangen, vis } from './avstemming.ts';
import { hentRapport, type Differansetype } from './avstemming.queries.ts';
import { UUID } from './liste.ts';

/** Those of a type that can be healed; of NYERE only the source can say what is right. */
export const RETTBARE = ['FREMMED', 'MANGLER', 'UTDATERT'] as const satisfies Differansetype[];
export type Rettbar = (typeof RETTBARE)[number];

export interface Rettet {
  rettet: number;
  /** those that remain: for the source to send again, or changed since the report */
  igjen: number;
}

const PER_GANG = 5_000;
const MAKS_FORSOEK = 5;

/** Heals what a reconciliation found. What is too fresh to count is left alone. */
export class Retting {
  constructor(
    private readonly pool: Pool,
    private readonly innlesning: Innlesning,
    private readonly publisering: Publisering,
    private readonly topic: Topic,
  ) {}

  /**
   * Deletes the avtaler that the source does not have, by tombstones on the topic, so that every replay agrees. Each
   * deletes what the report saw and nothing after: an avtale that has changed since stays.
   *
   * @param bekreft how many the one who asks means to delete
   * @throws Problem 404, 409 when there are another number of them, 503
   */
  slettFremmede(id: string, bekreft: number, hvem: Hvem): Promise<Rettet> {
    return this.rett(id, 'FREMMED', hvem, async (antall) => {
      if (bekreft !== antall) {
        throw new Problem(
          fellesFeil.KONFLIKT,
          `There are ${String(antall)} to delete, and bekreft says another number`,
        );
      }
      for (let etter: string | undefined, bolk = PER_GANG; bolk === PER_GANG;) {
        const rader = await this.nesteFremmede(id, etter);
        await this.publisering.publiser(
          rader
            .filter(({ uendret }) => uendret)
            .map(({ avtaleId, partisjon, offset }) => ({
              avtaleId,
              verdi: null,
              partisjon,
              slettFoer: Number(offset) + 1,
            })),
        );
        await this.settRettet(
          id,
          rader.filter(({ uendret }) => uendret).map(({ avtaleId }) => avtaleId),
        );
        etter = rader.at(-1)?.avtaleId;
        bolk = rader.length;
      }
    });
  }

  /**
   * Plays what the topic holds of the avtaler that are missing or outdated, by the ordering rule. What it does not hold
   * remains, for the source to send again.
   *
   * @throws Problem 404, 409, 503
   */
  lesTilbake(id: string, type: Exclude<Rettbar, 'FREMMED'>, hvem: Hvem): Promise<Rettet> {
    return this.rett(id, type, hvem, async () => {
      await lesTopic(this.topic, await this.topic.utstrekning(), (batch) => this.spillAv(id, type, batch));
      await this.pool.query(
        `update avstemming_differanse d set rettet = now() from avtale a
         where d.avstemming = $1 and d.type = $2 and not d.fersk and d.rettet is null
           and a.avtale_id = d.avtale_id and a.slettet is null and a.sist_endret >= d.sist_endret_hos_kilden`,
        [id, type],
      );
    });
  }

  private rett(id: string, type: Rettbar, hvem: Hvem, arbeid: (antall: number) => Promise<void>): Promise<Rettet> {
    return enAvGangen(this.pool, async () => {
      const foer = await this.igjen(id, type);
      await noter(this.pool, hvem, { handling: `RETT_${type}`, gjelder: id, antall: foer });
      if (foer > 0 || type === 'FREMMED') await arbeid(foer);
      const rapport = await hentRapport(this.pool, id);
      if (rapport) vis(rapport);
      const igjen = await this.igjen(id, type);
      return { rettet: foer - igjen, igjen };
    });
  }

  /** @throws Problem 404 */
  private async igjen(id: string, type: Rettbar): Promise<number> {
    const tall = (await hentRapport(this.pool, id))?.differanser.find((differanse) => differanse.type === type);
    if (!tall) throw new Problem(fellesFeil.FINNES_IKKE, 'There is no reconciliation with this id');
    return tall.antall - tall.rettet;
  }

  private async nesteFremmede(id: string, etter: string | undefined): Promise<Fremmed[]> {
    const { rows } = await this.pool.query<Fremmed>(
      `select avtale_id as "avtaleId", d.partisjon, d.kafka_offset as "offset",
         a.slettet is null and a.kilde_partisjon = d.partisjon and a.kilde_offset = d.kafka_offset as uendret
       from avstemming_differanse d join avtale a using (avtale_id)
       where d.avstemming = $1 and d.type = 'FREMMED' and not d.fersk and d.rettet is null
         and ($2::uuid is null or avtale_id > $2)
       order by avtale_id limit ${String(PER_GANG)}`,
      [id, etter ?? null],
    );
    return rows;
  }

  private async settRettet(id: string, avtaleIder: string[]): Promise<void> {
    await this.pool.query(
      `update avstemming_differanse set rettet = now()
       where avstemming = $1 and type = 'FREMMED' and avtale_id = any($2::uuid[])`,
      [id, avtaleIder],
    );
  }

  /** The same reading, ordering rule and store as for the stream, at the messages' own places. */
  private async spillAv(id: string, type: Rettbar, batch: Meldingsbatch): Promise<void> {
    const nokler = batch.meldinger.map(({ nokkel }) => nokkel?.toString('latin1').toLowerCase() ?? '');
    const avtaleIder = nokler.filter((nokkel) => UUID.test(nokkel));
    const { rows } = await this.pool.query<{ avtaleId: string }>(
      `select avtale_id as "avtaleId" from avstemming_differanse
       where avstemming = $1 and type = $2 and not fersk and rettet is null and avtale_id = any($3::uuid[])`,
      [id, type, avtaleIder],
    );
    const savnet = new Set(rows.map(({ avtaleId }) => avtaleId));
    const meldinger = batch.meldinger.filter((_, i) => savnet.has(nokler[i] ?? ''));
    if (meldinger.length === 0) return;
    for (let forsoek = 1; ; forsoek++) {
      try {
        await iTransaksjon(this.pool, async (db) => {
          await laasPosisjon(db, batch);
          const { deler, parkert } = await this.innlesning.skrivEllerParker(db, batch.partisjon, meldinger);
          await parker(db, batch, parkert);
          await holdRelasjoner(db, deler);
        });
        return;
      } catch (feil) {
        if (!(feil instanceof SamtidigEndring) || forsoek === MAKS_FORSOEK) throw feil;
      }
    }
  }
}

interface Fremmed {
  avtaleId: string;
  partisjon: number;
  offset: string;
  /** what is stored is what the report saw */
  uendret: boolean;
}
