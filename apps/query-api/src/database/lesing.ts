import { createHash } from 'node:crypto';
import { fellesFeil, logg, Problem } from '@tiltak/platform';
import { DatabaseError, type Pool, type QueryResultRow } from 'pg';
import { metrikker } from '../metrikker.ts';

/** A statement with its name, under which the database keeps it prepared; without one it is prepared each time. */
export interface Sporring {
  name?: string;
  text: string;
}

/** What a connection has prepared, it keeps, and there is no end of choices that consumers can make. */
const MAKS_VALGTE = 300;
const faste = new Map<string, Sporring>();
const valgte = new Map<string, Sporring>();

/** The same text always has the same name: a connection prepares it once. There are as many as kinds of searches. */
export function sporring(text: string): Sporring {
  return faste.get(text) ?? husk(faste, text);
}

/** A statement whose columns a consumer has chosen: the first few hundred are prepared. */
export function valgtSporring(text: string): Sporring {
  return valgte.get(text) ?? (valgte.size < MAKS_VALGTE ? husk(valgte, text) : { text });
}

function husk(sporringer: Map<string, Sporring>, text: string): Sporring {
  const ny = { name: createHash('sha256').update(text).digest('base64url'), text };
  sporringer.set(text, ny);
  return ny;
}

/**
 * Everything a consumer is answered is read through here: prepared statements on a bounded pool, each value as Postgres
 * writes it (a `Date` would lose the microseconds).
 */
export class Lesing {
  constructor(
    private readonly pool: Pool,
    /** callers that may wait for a connection before the rest are turned away */
    private readonly maksVentende: number,
  ) {}

  /** @throws Problem 503 when the database is away, too slow or fully occupied */
  async hent<T extends QueryResultRow>(sporring: Sporring, values: unknown[]): Promise<T[]> {
    if (this.pool.waitingCount >= this.maksVentende) throw utilgjengelig('The service is fully occupied');
    try {
      const { rows } = await this.pool.query<T>({ ...sporring, values, types: RAA_TEKST });
      return rows;
    } catch (feil) {
      if (feil instanceof DatabaseError && !erForbigaaende(feil)) throw feil;
      metrikker.databasefeil.inc();
      logg.warn({ err: feil }, 'The database could not answer');
      throw utilgjengelig('The database could not answer in time', feil);
    }
  }
}

/** Numbers and booleans as such, all else as text. */
const TALL = new Set([20, 21, 23, 700, 701]);
const BOOLSK = 16;
const RAA_TEKST = {
  getTypeParser: (oid: number) => {
    const slag = slagAv(oid);
    return (verdi: string) => (slag === 'tall' ? Number(verdi) : slag === 'boolsk' ? verdi === 't' : verdi);
  },
};

/** What JSON calls the values of a type of the database. */
export function slagAv(oid: number): 'tall' | 'boolsk' | 'tekst' {
  return TALL.has(oid) ? 'tall' : oid === BOOLSK ? 'boolsk' : 'tekst';
}

/** Connection, resources, shutdown, cancelled by the time limit, read replica in conflict. */
export function erForbigaaende(feil: DatabaseError): boolean {
  return /^(08|25006|40|53|55P03|57)/.test(feil.code ?? '');
}

export function utilgjengelig(detalj: string, cause?: unknown): Problem {
  return new Problem(fellesFeil.UTILGJENGELIG, detalj, { retryAfter: 2, cause });
}
