import type { Db } from '../../database/db.ts';

/** What each says is right above it: looked up one by one, whatever the database knows of the size of the table. */
export async function readAbove(db: Db, keys: readonly string[]): Promise<Map<string, string | null>> {
  const { rows } = await db.query<{ organisasjonsnummer: string; overordnet_enhet: string | null }>({
    text: `select organisasjonsnummer, overordnet_enhet from unnest($1::text[]) as spurt(nr)
           cross join lateral (select organisasjonsnummer, overordnet_enhet from virksomhet
             where organisasjonsnummer = spurt.nr and slettet is null offset 0) v`,
    values: [keys],
  });
  return new Map(rows.map((row) => [row.organisasjonsnummer, row.overordnet_enhet]));
}

/** The top of their chains, and of the chains that go through them; with a line for all that show it. */
export async function moveHovedenheter(db: Db, moved: readonly string[]): Promise<void> {
  await db.query({ name: 'flytt_hovedenheter', text: 'select oppdater_hovedenheter($1)', values: [moved] });
}

/** A line of their change feed for each that consumers may see. */
export async function insertLines(db: Db, keys: readonly string[]): Promise<void> {
  await db.query(
    `insert into virksomhet_endring (organisasjonsnummer, type)
     select organisasjonsnummer, 'ENDRET' from virksomhet
     where organisasjonsnummer = any($1::text[]) and slettet is null order by organisasjonsnummer`,
    [keys],
  );
}

/** All of them. */
export async function readAllStored(
  db: Db,
): Promise<{ nr: string; overordnet: string | null; hovedenhet: string | null; isDeleted: boolean }[]> {
  const { rows } = await db.query<{
    nr: string;
    overordnet: string | null;
    hovedenhet: string | null;
    isDeleted: boolean;
  }>(
    `select organisasjonsnummer as nr, overordnet_enhet as overordnet, hovedenhet, slettet is not null as "isDeleted"
     from virksomhet order by organisasjonsnummer`,
  );
  return rows;
}

/** Takes some of those that have got another hovedenhet, which nobody is about to change again. */
export async function takeMoved(db: Db, most: number): Promise<string[]> {
  const { rows } = await db.query<{ organisasjonsnummer: string }>(
    `delete from hovedenhet_varsel where organisasjonsnummer in (
       select organisasjonsnummer from hovedenhet_varsel order by organisasjonsnummer limit $1 for update skip locked)
     returning organisasjonsnummer`,
    [most],
  );
  return rows.map((row) => row.organisasjonsnummer);
}

/** The avtaler of these that consumers may see, held until the transaction ends. */
export async function lockAvtalerOf(db: Db, organisasjonsnumre: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ avtale_id: string }>(
    `select avtale_id from avtale where bedrift_nr = any($1::text[]) and slettet is null and not feilregistrert
     order by avtale_id for share`,
    [organisasjonsnumre],
  );
  return rows.map((row) => row.avtale_id);
}

/** What avtaler and virksomheter name and is not here, and since when. */
export async function noteMissing(db: Db): Promise<void> {
  await db.query(`
    with navngitt as (
      select bedrift_nr as nr, count(*)::int as avtaler, 0 as virksomheter from avtale
      where slettet is null and not feilregistrert and bedrift_nr is not null group by bedrift_nr
      union all
      select overordnet_enhet, 0, count(*)::int from virksomhet
      where slettet is null and overordnet_enhet is not null group by overordnet_enhet
    ), mangler as materialized (
      select nr, sum(avtaler)::int as avtaler, sum(virksomheter)::int as virksomheter from navngitt n
      where nr ~ '^[0-9]{9}$'
        and not exists (select from virksomhet v where v.organisasjonsnummer = n.nr and v.slettet is null)
      group by nr
    ), funnet as (
      delete from manglende_virksomhet m where not exists (select from mangler where nr = m.organisasjonsnummer)
    )
    insert into manglende_virksomhet as m (organisasjonsnummer, avtaler, virksomheter)
    select nr, avtaler, virksomheter from mangler
    on conflict (organisasjonsnummer) do update set avtaler = excluded.avtaler, virksomheter = excluded.virksomheter
      where (m.avtaler, m.virksomheter) is distinct from (excluded.avtaler, excluded.virksomheter)`);
}

export interface MissingFigures {
  missing: number;
  /** since the first of them was found missing, s; 0: there is none */
  oldestSeconds: number;
  /** whose chain leads into a cycle, or is too long */
  withoutTop: number;
  /** whose avtaler the feed has not told of yet */
  untold: number;
}

export async function readFigures(db: Db): Promise<MissingFigures> {
  const { rows } = await db.query<MissingFigures>(`
    select (select count(*)::int from manglende_virksomhet) as missing,
      (select coalesce(extract(epoch from now() - min(siden)), 0)::float8 from manglende_virksomhet) as "oldestSeconds",
      (select count(*)::int from virksomhet
        where slettet is null and overordnet_enhet is not null and hovedenhet is null) as "withoutTop",
      (select count(*)::int from hovedenhet_varsel) as untold`);
  const [figures] = rows;
  if (!figures) throw new Error('A select without a table gives one row');
  return figures;
}
