import { setTimeout as vent } from 'node:timers/promises';
import { logg } from '@tiltak/platform';
import type { Admin } from 'kafkajs';
import type { DataSource } from 'typeorm';
import { lesPosisjoner, lesUtstrekning } from '../kafka/posisjoner.ts';
import { metrikker } from '../metrikker.ts';

/** At this moment the partition ended at this offset. */
interface Maaling {
  tid: Date;
  slutt: number;
}

const MAKS_MAALINGER = 3_600;

/**
 * Finds, for each partition, the moment up to which everything published is stored: the latest moment at which the
 * partition's end was no further than what is stored now. It needs no clock but this process's, also holds while a
 * backlog is worked off, and stays where it is when the ingestor is down. Every ingestor does this for all partitions.
 */
export class Ferskhetsmaaler {
  private readonly maalinger = new Map<number, Maaling[]>();
  private timer: NodeJS.Timeout | undefined;
  private iGang: Promise<void> = Promise.resolve();

  constructor(
    private readonly datakilde: DataSource,
    private readonly admin: Admin,
    private readonly topic: string,
  ) {}

  start(intervallMs = 500): void {
    const runde = (): void => {
      this.iGang = this.maal()
        .catch((feil: unknown) => logg.warn({ err: feil }, 'Freshness could not be measured; trying again'))
        .then(() => {
          if (this.timer) this.timer = setTimeout(runde, intervallMs);
        });
    };
    this.timer = setTimeout(runde, 0);
  }

  async stopp(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    // Kafka may be away, and is waited for in there.
    await Promise.race([this.iGang, vent(1_000, undefined, { ref: false })]);
  }

  async maal(): Promise<void> {
    const tid = new Date();
    const utstrekning = await lesUtstrekning(this.admin, this.topic);
    const posisjoner = await lesPosisjoner(this.datakilde, this.topic);
    const status = utstrekning.map(({ partisjon, slutt }) => {
      const posisjon = posisjoner.get(partisjon);
      metrikker.etterslep.set({ partisjon }, posisjon === undefined ? slutt : Math.max(0, slutt - posisjon));
      return { partisjon, slutt, oppdatertTil: this.oppdatertTil(partisjon, { tid, slutt }, posisjon) };
    });
    await this.datakilde.query(
      `insert into konsum_status (topic, partisjon, slutt_offset, oppdatert_til)
       select $1, * from unnest($2::int[], $3::bigint[], $4::timestamptz[])
       on conflict (topic, partisjon) do update set slutt_offset = excluded.slutt_offset,
         oppdatert_til = greatest(konsum_status.oppdatert_til, excluded.oppdatert_til)`,
      [
        this.topic,
        status.map(({ partisjon }) => partisjon),
        status.map(({ slutt }) => slutt),
        status.map(({ oppdatertTil }) => oppdatertTil ?? null),
      ],
    );
  }

  private oppdatertTil(partisjon: number, ny: Maaling, posisjon: number | undefined): Date | undefined {
    const maalinger = this.maalinger.get(partisjon) ?? [];
    this.maalinger.set(partisjon, maalinger);
    // A long backlog: every other measurement tells almost as much.
    if (maalinger.length >= MAKS_MAALINGER) maalinger.splice(0, maalinger.length, ...maalinger.filter((_, i) => i % 2));
    maalinger.push(ny);
    if (posisjon === undefined) return undefined;
    const naadd = maalinger.findLastIndex(({ slutt }) => slutt <= posisjon);
    maalinger.splice(0, naadd);
    return naadd < 0 ? undefined : maalinger[0]?.tid;
  }
}
