import type { Pool, PoolClient } from 'pg';
import { keyPageOf, LOWEST_UUID, type KeyPage, type KeyRow } from './key-page.ts';

/** By key, the idents that it has now; none when it is gone, or of one ident only. All are opaque ids. */
export type SaidOfPersons = ReadonlyMap<string, readonly string[]>;

/** What the topic says of these replaces what it said before. What is known of nobody needs no row. */
export async function recordSaid(db: PoolClient, id: string, said: SaidOfPersons): Promise<void> {
  if (said.size === 0) return;
  const keys = [...said.keys()];
  await db.query('delete from gjenoppbygging_person where gjenoppbygging = $1 and nokkel = any($2::uuid[])', [
    id,
    keys,
  ]);
  await db.query(
    `insert into gjenoppbygging_person
     select $1, s.nokkel, (select coalesce(array_agg(i order by i), '{}') from unnest(string_to_array(s.identer, ',')::uuid[]) i)
     from unnest($2::uuid[], $3::text[]) as s(nokkel, identer)
     where s.identer <> '' or exists (select from registerident r where r.registernoekkel = s.nokkel) order by s.nokkel
     on conflict (gjenoppbygging, nokkel) do nothing`,
    [id, keys, [...said.values()].map((idents) => idents.join(','))],
  );
}

/** As `nameUnseenKeys`, of the register's keys. */
export async function nameUnseenPersons(
  db: Pool,
  id: string,
  { after, count }: { after: string | undefined; count: number },
): Promise<string | undefined> {
  const { rows } = await db.query<{ key: string }>({
    name: 'navngi_usette_personer',
    text: `with neste as materialized (
             select distinct registernoekkel as nokkel from registerident
             where registernoekkel > $2 and exists (select from gjenoppbygging where id = $1 and tilstand = 'KJORER')
             order by registernoekkel limit $3),
           usette as (
             insert into gjenoppbygging_ressurs_usett
             select $1, n.nokkel::text from neste n
             where not exists (select from gjenoppbygging_person p where p.gjenoppbygging = $1 and p.nokkel = n.nokkel)
               and not exists
                 (select from gjenoppbygging_ressurs_sett s where s.gjenoppbygging = $1 and s.nokkel = n.nokkel::text)
             on conflict do nothing)
           select nokkel::text as key from neste order by nokkel desc limit 1`,
    values: [id, after ?? LOWEST_UUID, count],
  });
  return rows[0]?.key;
}

/** The next keys of which the topic says otherwise than what is stored, unless the stream has told of them since. */
export async function readOtherwise(
  db: Pool,
  id: string,
  { after, count }: { after: string | undefined; count: number },
): Promise<KeyPage> {
  const { rows } = await db.query<KeyRow>(
    `select nokkel, ${IS_OTHERWISE} as avviker
     from (select nokkel, identer from gjenoppbygging_person where gjenoppbygging = $1 and nokkel > $2
       order by nokkel limit $3) p order by nokkel`,
    [id, after ?? LOWEST_UUID, count],
  );
  return keyPageOf(rows);
}

const IS_OTHERWISE = `p.identer <> coalesce(
    (select array_agg(r.ident order by r.ident) from registerident r where r.registernoekkel = p.nokkel), '{}')
  and not exists (select from gjenoppbygging_ressurs_sett s where s.gjenoppbygging = $1 and s.nokkel = p.nokkel::text)`;

/** Of these, while nobody else writes, what the topic says of those that are still otherwise. */
export async function chooseOtherwise(db: PoolClient, id: string, keys: readonly string[]): Promise<SaidOfPersons> {
  const { rows } = await db.query<{ nokkel: string; identer: string[] }>(
    `select p.nokkel, p.identer::text[] as identer from gjenoppbygging_person p
     join gjenoppbygging g on g.id = p.gjenoppbygging and g.tilstand = 'KJORER'
     where p.gjenoppbygging = $1 and p.nokkel = any($2::uuid[]) and ${IS_OTHERWISE} for share of g`,
    [id, keys],
  );
  return new Map(rows.map(({ nokkel, identer: idents }) => [nokkel, idents]));
}
