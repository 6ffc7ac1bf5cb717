import { pipeline, Transform, type Readable } from 'node:stream';
import { createGzip, constants } from 'node:zlib';
import { fellesFeil, logg, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { to as copyTo, type CopyToStreamQuery } from 'pg-copy-streams';
import { FELTER, kolonner } from '../avtaler/felter.ts';
import { slagAv, utilgjengelig } from '../database/lesing.ts';
import { foer, skrivPosisjon } from '../endringer/posisjon.ts';
import type { EksporthodeDto } from './eksport.dto.ts';
import { lagLinjeskriver, type Kolonne } from './linje.ts';

export interface Eksportert {
  /** lines after the first */
  antall: number;
  /** bytes */
  linjer: Readable;
}

/** A reader that takes nothing for so long is let go: it holds a connection, and keeps the database from tidying up. */
const MAKS_STILLSTAND_MS = 120_000;

/** The links of all avtaler are put together in one go, and not avtale by avtale as a search does. */
const ALLE = `
  select ${kolonner(FELTER)}, relasjoner from avtale_synlig left join (
    select fra, string_agg(relasjon || ' ' || til, ',' order by relasjon, til) as relasjoner
    from relasjon_synlig group by fra) as lenker on fra = avtale_id`;

/**
 * All avtaler from one snapshot, as they are read from the database: never more in memory than what is on its way, also
 * when the reader is slow.
 */
export class Eksport {
  private iGang = 0;

  constructor(
    /** of its own, so that exports and look-ups don't wait for each other */
    private readonly pool: Pool,
    private readonly maksStillstandMs = MAKS_STILLSTAND_MS,
  ) {}

  /** @throws Problem 503 when there are as many exports already as there are connections, or the database is away */
  async start(): Promise<Eksportert> {
    if (this.iGang >= this.pool.options.max) {
      throw new Problem(fellesFeil.UTILGJENGELIG, 'As many exports as can be are under way', { retryAfter: 30 });
    }
    this.iGang++;
    let db: PoolClient | undefined;
    try {
      db = await this.pool.connect();
      return await this.les(db);
    } catch (feil) {
      this.slutt(db);
      throw utilgjengelig('The database could not answer', feil);
    }
  }

  private async les(db: PoolClient): Promise<Eksportert> {
    await db.query('begin isolation level repeatable read read only');
    const { epoke, xmin, antall } = await lesHode(db);
    const hode: EksporthodeDto = { posisjon: skrivPosisjon(epoke, foer(BigInt(xmin))), antall: Number(antall) };
    const skriv = lagLinjeskriver(await lesKolonner(db));
    const vakt = new Stillstandsvakt(this.maksStillstandMs);
    const strom: CopyToStreamQuery & { callback?: () => void } = db.query(copyTo(`copy (${ALLE}) to stdout`));
    const linjer = pipeline(strom, tilLinjer(hode, skriv, vakt), (feil) => {
      vakt.stopp();
      // Ends pg's own time limit, which would keep the connection in memory; pg-copy-streams does so for COPY FROM only.
      strom.callback?.();
      if (feil) logg.warn({ err: feil }, 'An export was not read to its end');
      this.slutt(db);
    });
    vakt.folg(linjer);
    return { antall: hode.antall, linjer };
  }

  /** The connection goes with it: whatever state it is in. */
  private slutt(db: PoolClient | undefined): void {
    this.iGang--;
    db?.release(true);
  }
}

/** What is true of the snapshot, which begins here. */
async function lesHode(db: PoolClient): Promise<{ epoke: string; xmin: string; antall: string }> {
  const { rows } = await db.query<{ epoke: string; xmin: string; antall: string }>(`
    select endringsepoke() as epoke, pg_snapshot_xmin(pg_current_snapshot())::text as xmin,
      (select count(*) from avtale_synlig)::text as antall`);
  const [rad] = rows;
  if (!rad) throw new Error('A select without a table gives one row');
  return rad;
}

async function lesKolonner(db: PoolClient): Promise<Kolonne[]> {
  const { fields } = await db.query(`${ALLE} limit 0`);
  return fields.map(({ name, dataTypeID }) => ({ navn: name, slag: slagAv(dataTypeID) }));
}

/** Long strings are kept apart by the engine, and stay for longer. */
const BIT = 16 * 1_024;

/** Whole rows of COPY in, lines of JSON out. */
function tilLinjer(hode: EksporthodeDto, skriv: (rad: string) => string, vakt: Stillstandsvakt): Transform {
  let rest: Buffer = Buffer.alloc(0);
  const linjer = new Transform({
    transform(bit: Buffer, _koding, ferdig) {
      vakt.merk();
      const slutt = bit.lastIndexOf(0x0a);
      const hele = slutt < 0 ? undefined : Buffer.concat([rest, bit.subarray(0, slutt)]);
      rest = hele ? bit.subarray(slutt + 1) : Buffer.concat([rest, bit]);
      let json = '';
      for (const rad of hele?.toString('utf8').split('\n') ?? []) {
        json += skriv(rad);
        if (json.length < BIT) continue;
        this.push(json);
        json = '';
      }
      ferdig(null, json);
    },
  });
  linjer.push(`${JSON.stringify(hode)}\n`);
  return linjer;
}

/** Ends a stream whose reader takes nothing. */
class Stillstandsvakt {
  private sist = Date.now();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly maksMs: number) {}

  merk(): void {
    this.sist = Date.now();
  }

  folg(strom: Readable): void {
    this.timer = setInterval(() => {
      if (Date.now() - this.sist > this.maksMs) strom.destroy(new Error('The reader took nothing for too long'));
    }, this.maksMs / 10);
  }

  stopp(): void {
    clearInterval(this.timer);
  }
}

export function pakk(linjer: Readable): Readable {
  // The quickest level: this is about the network, not about storage.
  return pipeline(linjer, createGzip({ level: constants.Z_BEST_SPEED }), () => undefined);
}
