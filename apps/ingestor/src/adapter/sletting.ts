import { setTimeout as vent } from 'node:timers/promises';
import { logg } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { metrikker } from '../metrikker.ts';
import { iTransaksjon } from '../transaksjon.ts';
import { lesKontrakt, lesSisteFulle } from './kontrakt.queries.ts';
import type { NyMelding, Publisering } from './publisering.ts';
import { laasPublisering, type Synker } from './synk.ts';
import {
  glemGamle,
  laasSynk,
  lesSynk,
  settTilstand,
  SYNKTILSTANDER,
  type Synkrad,
  type Synktilstand,
} from './synk.queries.ts';

const PER_GANG = 5_000;
const VENT_PAA_INNLESNING_MS = 5_000;
const MAALES_HVER_MS = 15_000;

/**
 * Ends syncs: deletes what a full sync did not hold, ends those that get no more pages. All that it goes by lies in the
 * database and on the topic, so it goes on in any ingestor, from wherever another one was ended.
 */
export class Sletting {
  private readonly avbryt = new AbortController();
  private iGang: Promise<void> = Promise.resolve();
  private maalesIgjen = 0;

  constructor(
    private readonly pool: Pool,
    private readonly publisering: Publisering,
    private readonly synker: Synker,
    private readonly maksProsent: number,
  ) {}

  start(hverMs = 500): void {
    this.iGang = this.forAlltid(hverMs);
  }

  async stopp(): Promise<void> {
    this.avbryt.abort();
    await this.iGang;
  }

  private async forAlltid(hverMs: number): Promise<void> {
    const { signal } = this.avbryt;
    while (!signal.aborted) {
      await this.runde().catch((feil: unknown) => logg.warn({ err: feil }, 'Syncs could not be ended; trying again'));
      await vent(hverMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One look at all syncs that are not over. */
  async runde(): Promise<void> {
    await this.maal();
    const { rows } = await this.pool.query<{ synk_id: string; tilstand: string }>(
      `select synk_id, tilstand from synk where tilstand in ('MOTTAR', 'SLETTER') order by startet`,
    );
    for (const { synk_id: synkId, tilstand } of rows) {
      if (tilstand === 'MOTTAR') {
        await this.synker.fullfoerNaarAlt(synkId);
        await this.avsluttUtloept(synkId);
      }
      while (!this.avbryt.signal.aborted && (await this.slettNoen(synkId)));
    }
  }

  private async avsluttUtloept(synkId: string): Promise<void> {
    await iTransaksjon(this.pool, async (db) => {
      await laasSynk(db, synkId);
      const synk = await lesSynk(db, synkId, this.synker.frister);
      if (synk?.tilstand === 'UTLOEPT' && synk.avsluttet === null) await settTilstand(db, synkId, 'UTLOEPT');
    });
  }

  /**
   * What is stored is compared only when all that is on the topic has been stored, and while no adapter can publish; so a
   * tombstone never comes after a change that was not seen. Should one do so after all – the stream has other writers –
   * the tombstone spares what is newer than the sync (`slettFoer`), in a replay too.
   *
   * @returns whether there may be more
   */
  private async slettNoen(synkId: string): Promise<boolean> {
    if (!(await this.erLestInn())) return false;
    return iTransaksjon(this.pool, async (db) => {
      await laasPublisering(db);
      await laasSynk(db, synkId);
      const synk = await lesSynk(db, synkId, this.synker.frister);
      if (synk?.tilstand !== 'SLETTER' || !(await this.ventTilLestInn())) return false;
      if (synk.skalSlettes === null && (await this.maaBekreftes(db, synk))) {
        await settTilstand(db, synkId, 'VENTER_PAA_BEKREFTELSE');
        logg.warn({ synkId }, 'A full sync would delete too much, and waits to be confirmed');
        return false;
      }
      const gravsteiner = await finnSlettede(db, synk);
      await this.publisering.publiser(gravsteiner);
      if (gravsteiner.length === 0) await settTilstand(db, synkId, 'FULLFOERT');
      return gravsteiner.length > 0;
    });
  }

  private async maaBekreftes(db: PoolClient, { synkId, antallTotalt, startOffset }: Synkrad): Promise<boolean> {
    const { rows } = await db.query<{ kjente: number; slettes: number }>(
      `select (count(*) filter (where ${KJENT} or ${KJENT_FOER}))::int as kjente,
         (count(*) filter (where ${KJENT} and ${MANGLER}))::int as slettes
       from avtale a where a.slettet is null`,
      [synkId, JSON.stringify(startOffset)],
    );
    const { kjente = 0, slettes = 0 } = rows[0] ?? {};
    await db.query('update synk set kjente = $2, skal_slettes = $3 where synk_id = $1', [synkId, kjente, slettes]);
    return (antallTotalt === 0 && slettes > 0) || slettes * 100 > kjente * this.maksProsent;
  }

  private async ventTilLestInn(): Promise<boolean> {
    for (const frist = Date.now() + VENT_PAA_INNLESNING_MS; Date.now() < frist; await vent(50)) {
      if (await this.erLestInn()) return true;
    }
    return false;
  }

  /** Whether all that is on the topic at this moment is stored. */
  async erLestInn(): Promise<boolean> {
    const slutt = await this.publisering.slutt();
    const { rows } = await this.pool.query<{ partisjon: number; neste: string }>(
      'select partisjon, neste_offset as neste from konsum_offset where topic = $1',
      [this.publisering.topic],
    );
    const lest = new Map(rows.map(({ partisjon, neste }) => [partisjon, Number(neste)]));
    return [...slutt].every(([partisjon, offset]) => (lest.get(partisjon) ?? 0) >= offset);
  }

  private async maal(): Promise<void> {
    if (Date.now() < this.maalesIgjen) return;
    this.maalesIgjen = Date.now() + MAALES_HVER_MS;
    await glemGamle(this.pool);
    const { rows } = await this.pool.query<{ tilstand: Synktilstand; antall: number }>(
      `select tilstand, count(*)::int as antall from synk where startet > now() - interval '7 days' group by tilstand`,
    );
    const antall = new Map(rows.map((rad) => [rad.tilstand, rad.antall]));
    for (const tilstand of SYNKTILSTANDER) metrikker.synker.set({ tilstand }, antall.get(tilstand) ?? 0);
    const kontrakt = await lesKontrakt(this.pool);
    if (!kontrakt) return;
    metrikker.adapterHjerteslag.set(kontrakt.sekunderSiden);
    metrikker.adapterIntervaller.set(kontrakt.sekunderSiden / 60 / kontrakt.heartbeatIntervallMinutter);
    metrikker.fullSynkForfalt.set((await lesSisteFulle(this.pool)).forfalt ? 1 : 0);
  }
}

/** Said to be as it was again, by a page of the sync. */
const KJENT_FOER = `exists (select from avtale_versjon v where v.avtale_id = a.avtale_id
  and v.kilde_offset < ($2::jsonb ->> v.kilde_partisjon::text)::bigint)`;

/** Known before the sync began, and not told of since. */
const KJENT = `a.kilde_offset < ($2::jsonb ->> a.kilde_partisjon::text)::bigint`;
/** In none of its pages. */
const MANGLER = `not exists (select from synk_avtale s where s.synk_id = $1 and s.avtale_id = a.avtale_id)`;

async function finnSlettede(db: PoolClient, { synkId, startOffset }: Synkrad): Promise<NyMelding[]> {
  const { rows } = await db.query<{ avtale_id: string; partisjon: number }>(
    `select avtale_id, kilde_partisjon as partisjon from avtale a where a.slettet is null and ${KJENT} and ${MANGLER}
     order by avtale_id limit ${String(PER_GANG)}`,
    [synkId, JSON.stringify(startOffset)],
  );
  // Beside what it deletes: in another partition it would not.
  return rows.map(({ avtale_id: avtaleId, partisjon }) => ({
    avtaleId,
    verdi: null,
    partisjon,
    slettFoer: startOffset[String(partisjon)] ?? 0,
  }));
}
