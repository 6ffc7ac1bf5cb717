import { setTimeout as vent } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { fellesFeil, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { kopier } from '../avtaler/avtaler.sql.ts';
import { noter, type Hvem } from '../drift/driftshandlinger.ts';
import type { Utstrekning } from '../kafka/posisjoner.ts';
import { lesTopic, type Topic } from '../kafka/topic.ts';
import { metrikker } from '../metrikker.ts';
import {
  beskjaerRapporter,
  giLaas,
  hentRapport,
  listRapporter,
  opprettRapport,
  sammenlign,
  taLaas,
  tellUlest,
  TYPER,
  type Ferskhet,
  type Kildetype,
  type Rapport,
} from './avstemming.queries.ts';
import { lesListe } from './liste.ts';
import { lagTopicstand, noterTopicstand } from './topicstand.ts';

interface Valg {
  /** lines that a list may have */
  maksLinjer: number;
  /** changes this much before the comparison need not have come yet */
  fristSekunder: number;
  /** how long to wait for the stream to catch up */
  ventMs?: number;
}

/** Compares what is stored with what the source has: its own list, or what it has published. Changes nothing. */
export class Avstemming {
  constructor(
    private readonly pool: Pool,
    private readonly topic: Topic,
    private readonly valg: Valg,
  ) {}

  /**
   * @param per when the source made the list; undefined: now
   * @throws Problem 400 for a bad line, 409 when one is running, 413, 503 when Kafka is away or the stream lies behind
   */
  medListe(strom: Readable, per: Date | undefined, hvem: Hvem): Promise<Rapport> {
    const ferskhet = { per: per ?? new Date(), fristSekunder: this.valg.fristSekunder, laertEtter: per };
    return this.avstem('LISTE', ferskhet, hvem, async (db) => {
      await db.query('create temp table hos_kilden (avtale_id uuid not null, sist_endret timestamptz(6) not null)');
      // Bit by bit, each committed: readers of the change feed wait for every transaction that is open.
      for await (const rader of lesListe(strom, this.valg.maksLinjer)) {
        await kopier(db, 'pg_temp.hos_kilden (avtale_id, sist_endret)', rader);
      }
      return this.topic.utstrekning();
    });
  }

  /** With all that the topic holds. @throws Problem 409, 503 */
  medTopic(hvem: Hvem): Promise<Rapport> {
    const ferskhet = { per: new Date(), fristSekunder: undefined, laertEtter: undefined };
    return this.avstem('TOPIC', ferskhet, hvem, async (db, ender) => {
      await lagTopicstand(db);
      await lesTopic(this.topic, ender, (batch) => noterTopicstand(db, batch));
      await db.query(
        'create temp table hos_kilden as select avtale_id, sist_endret from topicstand where slettet is null',
      );
      return ender;
    });
  }

  /** Shows the last report in the metrics, also after a restart. */
  async visSiste(): Promise<void> {
    const [siste] = await listRapporter(this.pool, undefined, 1);
    if (siste) vis(siste);
  }

  /** @param les fills the temporary table `hos_kilden`, and answers with what of the topic must be stored before it can be compared */
  private avstem(
    kilde: Kildetype,
    ferskhet: Omit<Ferskhet, 'topic' | 'ender'>,
    hvem: Hvem,
    les: (db: PoolClient, ender: Utstrekning[]) => Promise<Utstrekning[]>,
  ): Promise<Rapport> {
    return enAvGangen(this.pool, async (db) => {
      const ender = await this.topic.utstrekning();
      await this.ventPaaStrommen(db, await les(db, ender));
      await db.query('begin');
      const { id, antall } = await opprettRapport(db, { kilde, per: ferskhet.per, startetAv: hvem.hvem });
      await sammenlign(db, id, { ...ferskhet, topic: this.topic.navn, ender });
      await beskjaerRapporter(db);
      await noter(db, hvem, { handling: 'AVSTEM', gjelder: id, antall });
      await db.query('commit');
      const rapport = await hentRapport(this.pool, id);
      if (!rapport) throw new Error('The report that was just written is gone');
      vis(rapport);
      return rapport;
    });
  }

  /** What is on the topic by now, and not stored yet, would look as if it was missing. */
  private async ventPaaStrommen(db: PoolClient, ender: Utstrekning[]): Promise<void> {
    const frist = Date.now() + (this.valg.ventMs ?? 60_000);
    while ((await tellUlest(db, this.topic.navn, ender)) > 0) {
      if (Date.now() > frist) {
        throw new Problem(fellesFeil.UTILGJENGELIG, 'The stream lies behind; reconcile when it has caught up', {
          retryAfter: 60,
        });
      }
      await vent(100);
    }
  }
}

/** @throws Problem 409 */
export async function enAvGangen<T>(pool: Pool, arbeid: (db: PoolClient) => Promise<T>): Promise<T> {
  const db = await pool.connect();
  try {
    if (!(await taLaas(db))) throw new Problem(fellesFeil.KONFLIKT, 'A reconciliation is running');
    const svar = await arbeid(db);
    // The end of a connection takes its time, and the next one may be asked for at once.
    await giLaas(db);
    return svar;
  } finally {
    // The lock too when something failed, and what is temporary, go with the connection.
    db.release(true);
  }
}

export function vis({ differanser, avsluttet }: Rapport): void {
  for (const type of TYPER) {
    const { antall = 0, rettet = 0 } = differanser.find((tall) => tall.type === type) ?? {};
    metrikker.avstemmingDifferanser.set({ type }, antall - rettet);
  }
  metrikker.avstemt.set(avsluttet.getTime() / 1_000);
}
