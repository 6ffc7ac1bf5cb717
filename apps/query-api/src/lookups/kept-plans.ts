import type { PoolClient } from 'pg';

/** What look-ups find by key. The first is in nearly all of them. */
const TABLES = ['avtale', 'avtale_versjon', 'relasjon', 'virksomhet', 'personident', 'abonnement_medlem'];
/** Bytes from which on a plan goes by the index that fits, whatever else there is: 16 pages, some hundred rows. */
const LARGE = 131_072;
/** While there are few avtaler, all the others may come at any moment. */
const INTERVAL_MS = { few: 50, many: 1_000 };

/** Null of a table that is locked, or will be: to ask how large it is would wait for that, and so would who doesn't look in it. */
const SIZES = {
  text: `with laast as materialized (
      select relation from pg_locks where mode = 'AccessExclusiveLock'
        and database = (select oid from pg_database where datname = current_database()))
    select case when to_regclass(navn)::oid in (select relation from laast) then null
      else least(coalesce(pg_relation_size(to_regclass(navn)), ${String(LARGE)}), ${String(LARGE)})::int end as bytes
    from unnest($1::text[]) with ordinality as tabell(navn, nr) order by nr`,
  values: [TABLES],
};

interface Known {
  sizes: readonly number[];
  /** ms, of `performance.now` */
  nextMs: number;
}

/**
 * A session keeps its plans until tables are analyzed, which is a minute or more after they were filled. One made for a
 * handful of rows goes through all of them by any index, and would do so for a million. So it is thrown away when a small
 * table has got another size.
 */
export class KeptPlans {
  private readonly known = new WeakMap<PoolClient, Known>();

  async refresh(db: PoolClient): Promise<void> {
    const known = this.known.get(db);
    const now = performance.now();
    if (known && now < known.nextMs) return;
    const { rows } = await db.query<{ bytes: number | null }>(SIZES);
    const sizes = rows.map(({ bytes }, nr) => bytes ?? known?.sizes[nr] ?? 0);
    if (known && known.sizes.join() !== sizes.join()) await db.query('discard plans');
    this.known.set(db, { sizes, nextMs: nextCheck(sizes, now) });
  }
}

function nextCheck(sizes: readonly number[], now: number): number {
  if (sizes.every((bytes) => bytes >= LARGE)) return Infinity;
  return now + ((sizes[0] ?? 0) < LARGE ? INTERVAL_MS.few : INTERVAL_MS.many);
}
