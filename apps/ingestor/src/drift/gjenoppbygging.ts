import { fellesFeil, logg, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { holdRelasjoner, type Innlesning } from '../avtaler/avtaler.innlesning.ts';
import { laasPosisjon, parker } from '../avtaler/avtaler.sql.ts';
import type { Meldingsbatch } from '../kafka/batch.ts';
import type { Leser, Topic } from '../kafka/topic.ts';
import { iTransaksjon } from '../transaksjon.ts';
import { noter, type Hvem } from './driftshandlinger.ts';
import {
  avsluttNaarLest,
  laasPlan,
  lesPaagaaende,
  noterLest,
  opprett,
  settStoppet,
  type Plan,
} from './gjenoppbygging.queries.ts';

/**
 * Reads the topic again from its start while the stream goes on, in a consumer group and with positions of its own. What
 * is to be done lies in the database: every ingestor joins in, and another goes on when one is killed.
 */
export class Gjenoppbygging {
  private leser: { id: string; leser: Leser } | undefined;
  private stoppet = false;
  private runde: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly innlesning: Innlesning,
    private readonly topic: Topic,
  ) {}

  /** @throws Problem 409 when one is running, 503 when Kafka does not answer */
  async start(hvem: Hvem): Promise<void> {
    const utstrekning = await this.topic.utstrekning();
    await iTransaksjon(this.pool, async (db) => {
      const id = await opprett(db, this.topic.navn, hvem.hvem, utstrekning);
      if (id === undefined) throw new Problem(fellesFeil.KONFLIKT, 'A rebuild is running');
      await noter(db, hvem, { handling: 'START_GJENOPPBYGGING', gjelder: id, antall: null });
      await avsluttNaarLest(db, id);
    });
  }

  /** @throws Problem 409 when none is running */
  async stopp(hvem: Hvem): Promise<void> {
    await iTransaksjon(this.pool, async (db) => {
      if (!(await settStoppet(db, this.topic.navn))) throw new Problem(fellesFeil.KONFLIKT, 'No rebuild is running');
      await noter(db, hvem, { handling: 'STOPP_GJENOPPBYGGING', gjelder: null, antall: null });
    });
  }

  /** Takes part in what is to be done from now on. */
  foelgMed(hverMs = 1_000): void {
    const neste = (): void => {
      this.runde = this.sjekk()
        .catch((feil: unknown) => logg.warn({ err: feil }, 'Could not see whether a rebuild runs; trying again'))
        .then(() => {
          if (!this.stoppet) this.timer = setTimeout(neste, hverMs);
        });
    };
    neste();
  }

  async slutt(): Promise<void> {
    this.stoppet = true;
    clearTimeout(this.timer);
    await this.runde;
    await this.leser?.leser.close();
  }

  private async sjekk(): Promise<void> {
    const topic = this.topic.navn;
    const paagaar = await lesPaagaaende(this.pool, topic);
    // Also when another has begun since: the reader of the last one may wait at the end.
    if (this.leser && this.leser.id !== paagaar?.id) {
      const ferdig = this.leser.leser;
      this.leser = undefined;
      await ferdig.close();
      logg.info({ topic }, 'A rebuild has ended');
    }
    if (paagaar && !this.leser) {
      logg.info({ topic }, 'Reading the topic again');
      const leser = this.topic.lagLeser({
        hva: 'gjenoppbygging',
        behandle: (batch) => this.spillAv(batch),
        posisjoner: async () => (await lesPaagaaende(this.pool, topic))?.posisjoner ?? new Map<number, number>(),
      });
      this.leser = { id: paagaar.id, leser };
      leser.listen(() => undefined);
    }
  }

  /** One transaction, as for the stream, but for the position. Answers with where to go on. */
  private spillAv(batch: Meldingsbatch): Promise<number> {
    return iTransaksjon(this.pool, async (db) => {
      // First, as everyone who writes what a partition says.
      await laasPosisjon(db, batch);
      const plan = await laasPlan(db, batch.topic, batch.partisjon);
      if (!plan || plan.neste >= plan.slutt) return batch.nesteOffset;
      if (plan.neste < batch.hentetFra) return plan.neste;
      await this.spillAvPlan(db, batch, plan);
      return batch.nesteOffset;
    });
  }

  private async spillAvPlan(db: PoolClient, batch: Meldingsbatch, { id, neste, slutt }: Plan): Promise<void> {
    const { partisjon, nesteOffset } = batch;
    const meldinger = batch.meldinger.filter(({ offset }) => offset >= neste && offset < slutt);
    const { deler, parkert } = await this.innlesning.skrivEllerParker(db, partisjon, meldinger);
    await parker(db, batch, parkert);
    const rettet = await this.innlesning.rett(db, partisjon, meldinger);
    const avtaleIder = deler.flatMap(({ folder }) => folder.map(({ avtaleId }) => avtaleId));
    const lest = { partisjon, neste: Math.max(neste, nesteOffset), rettet: rettet.folder.length, avtaleIder };
    await noterLest(db, id, lest);
    await avsluttNaarLest(db, id);
    await holdRelasjoner(db, [...deler, rettet]);
  }
}
