import { fellesFeil, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { metrikker } from '../metrikker.ts';
import { iTransaksjon } from '../transaksjon.ts';
import type { Publisering } from './publisering.ts';
import {
  laasMotTilstand,
  laasSynk,
  leggTilAvtaler,
  leggTilSide,
  lesSynk,
  opprettSynk,
  settTilstand,
  type Synkfrister,
  type Synkrad,
  type Synktilstand,
} from './synk.queries.ts';
import type { Side } from './synk.side.ts';

/**
 * Held shared by whoever publishes an adapter's page, and exclusively while a full sync deletes: so that no change comes
 * to lie between the look at what is stored and the tombstones.
 */
const LAAS = `hashtext('tiltak:publisering')`;

/** Takes in pages. What is decided lies in the database alone, so that any number of ingestors can do it at once. */
export class Synker {
  constructor(
    private readonly pool: Pool,
    private readonly publisering: Publisering,
    readonly frister: Synkfrister,
  ) {}

  /**
   * Publishes the page and remembers it, in this order within one transaction: should the process end in between, the
   * page is published again when it is sent again, which changes nothing.
   *
   * @throws Problem 400, 409, 503
   */
  async motta(side: Side): Promise<Synkrad> {
    const kjent = await lesSynk(this.pool, side.synkId, this.frister);
    await iTransaksjon(this.pool, async (db) => {
      await db.query(`set local lock_timeout = '15s'; select pg_advisory_xact_lock_shared(${LAAS})`);
      if (!kjent) await opprettSynk(db, side, () => this.publisering.slutt());
      await this.taInn(db, side);
    });
    metrikker.synksider.inc({ type: side.type });
    await this.fullfoerNaarAlt(side.synkId);
    return this.hent(side.synkId);
  }

  /** @throws Problem 404 */
  async hent(synkId: string): Promise<Synkrad> {
    const synk = await lesSynk(this.pool, synkId, this.frister);
    if (!synk) throw new Problem(fellesFeil.FINNES_IKKE, 'There is no such sync');
    return synk;
  }

  /** Lets a full sync delete as much as it would. @throws Problem 404, 409 */
  async bekreft(synkId: string, klient: string): Promise<Synkrad> {
    await iTransaksjon(this.pool, async (db) => {
      await laasSynk(db, synkId);
      const synk = await lesSynk(db, synkId, this.frister);
      if (!synk) throw new Problem(fellesFeil.FINNES_IKKE, 'There is no such sync');
      // Confirmed already: the answer may have been lost.
      if (synk.bekreftetAv !== null && synk.tilstand !== 'ERSTATTET') return;
      if (synk.tilstand !== 'VENTER_PAA_BEKREFTELSE') throw konflikt(synk.tilstand);
      await db.query('update synk set bekreftet_av = $2 where synk_id = $1', [synkId, klient]);
      await settTilstand(db, synkId, 'SLETTER');
    });
    return this.hent(synkId);
  }

  /** Also for a sync whose last pages came in side by side, or whose ingestor ended just after the last one. */
  async fullfoerNaarAlt(synkId: string): Promise<void> {
    await iTransaksjon(this.pool, async (db) => {
      await laasSynk(db, synkId);
      const synk = await lesSynk(db, synkId, this.frister);
      if (synk?.tilstand !== 'MOTTAR' || synk.mottatteSider < synk.antallSider) return;
      await settTilstand(db, synkId, etterSisteSide(synk));
    });
  }

  private async taInn(db: PoolClient, side: Side): Promise<void> {
    await laasMotTilstand(db, side.synkId);
    const synk = await lesSynk(db, side.synkId, this.frister);
    if (!synk) throw new Problem(fellesFeil.KONFLIKT, 'The sync is gone');
    kontroller(synk, side);
    const avtrykk = await leggTilSide(db, side);
    if (avtrykk?.equals(side.avtrykk)) return;
    if (avtrykk) throw new Problem(fellesFeil.KONFLIKT, 'The page was received before, with other content');
    if (synk.tilstand !== 'MOTTAR') throw konflikt(synk.tilstand);
    kontrollerAntall(synk, side);
    if (side.type === 'FULL') {
      await leggTilAvtaler(
        db,
        side.synkId,
        side.meldinger.map(({ avtaleId }) => avtaleId),
      );
    }
    await this.publisering.publiser(side.meldinger);
  }
}

/** Alone with the topic, as far as adapters are concerned; see `LAAS`. */
export async function laasPublisering(db: PoolClient): Promise<void> {
  await db.query(`set local lock_timeout = '15s'; select pg_advisory_xact_lock(${LAAS})`);
}

function etterSisteSide(synk: Synkrad): Synktilstand {
  if (synk.mottatteRessurser !== synk.antallTotalt) return 'FEILET';
  return synk.type === 'FULL' ? 'SLETTER' : 'FULLFOERT';
}

const HVORFOR: Record<Synktilstand, string> = {
  MOTTAR: 'The sync does not have all of its pages yet',
  SLETTER: 'The sync has all of its pages',
  VENTER_PAA_BEKREFTELSE: 'The sync has all of its pages',
  FULLFOERT: 'The sync is completed',
  ERSTATTET: 'The sync was replaced by a newer one',
  UTLOEPT: 'The sync has expired; begin a new one',
  FEILET: 'The sync has other entries than antallTotalt said; begin a new one',
};

function konflikt(tilstand: Synktilstand): Problem {
  return new Problem(fellesFeil.KONFLIKT, HVORFOR[tilstand], { felter: { tilstand } });
}

/** What the pages of a sync have in common. */
function kontroller(synk: Synkrad, side: Side): void {
  if (synk.type !== side.type) throw new Problem(fellesFeil.KONFLIKT, 'The synkId belongs to a sync of another type');
  const feil = (['antallSider', 'antallTotalt'] as const)
    .filter((felt) => synk[felt] !== side[felt])
    .map((felt) => ({ felt: `metadata.${felt}`, melding: 'differs from that of the pages before' }));
  if (feil.length > 0) throw new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The page is not valid', { feil });
}

function kontrollerAntall(synk: Synkrad, side: Side): void {
  const antall = synk.mottatteRessurser + side.meldinger.length;
  const erSiste = synk.mottatteSider + 1 === synk.antallSider;
  if (antall > synk.antallTotalt || (erSiste && antall < synk.antallTotalt)) {
    throw new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The page is not valid', {
      feil: [{ felt: 'metadata.antallTotalt', melding: 'is not the number of entries of all pages' }],
    });
  }
}
