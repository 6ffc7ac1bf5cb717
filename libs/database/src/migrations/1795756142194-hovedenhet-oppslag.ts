import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Looks each unit of a chain up by itself, by a plan of that moment. Joined to the table, or by a plan from when it was
 * empty, they were found by reading all of some index for each batch: a first load of n cost n².
 */
export class HovedenhetOppslag1795756142194 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(
      createFunction({
        below: `ned cross join lateral (
      select organisasjonsnummer from public.virksomhet where overordnet_enhet = ned.nr and slettet is null offset 0) v`,
        above: `opp cross join lateral (
      select overordnet_enhet from public.virksomhet
      where organisasjonsnummer = opp.topp and slettet is null and overordnet_enhet is not null offset 0) v
    where opp.nivaa <= 20`,
        isOther: 'organisasjonsnummer not in (select unnest(flyttet))',
        plans: 'force_custom_plan',
      }),
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      createFunction({
        below: 'ned join public.virksomhet v on v.overordnet_enhet = ned.nr and v.slettet is null',
        above: `opp join public.virksomhet v on v.organisasjonsnummer = opp.topp
    where v.slettet is null and v.overordnet_enhet is not null and opp.nivaa <= 20`,
        isOther: 'organisasjonsnummer <> all (flyttet)',
        plans: undefined,
      }),
    );
  }
}

interface Parts {
  below: string;
  above: string;
  isOther: string;
  plans: string | undefined;
}

/** `offset 0` keeps what is looked up a look-up. */
const createFunction = ({ below, above, isOther, plans }: Parts): string => `
create or replace function oppdater_hovedenheter(flyttet text[]) returns setof text
language plpgsql set search_path = pg_catalog, public, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set enable_bitmapscan = off
${plans === undefined ? '' : `set plan_cache_mode = ${plans} `}as $$ begin
  return query with recursive ned (nr) as (
    select unnest(flyttet)
    union
    select v.organisasjonsnummer from ${below}
  ), opp (nr, topp, nivaa) as (
    select nr, nr, 0 from ned
    union all
    select opp.nr, v.overordnet_enhet, opp.nivaa + 1
    from ${above}
  ), riktig as (
    select distinct on (nr) nr, case when nivaa between 1 and 20 then topp end as hovedenhet
    from opp order by nr, nivaa desc
  ), rettet as (
    update public.virksomhet v set hovedenhet = r.hovedenhet from riktig r
    where v.organisasjonsnummer = r.nr and v.hovedenhet is distinct from r.hovedenhet
    returning v.organisasjonsnummer, v.slettet
  ), varsel as (
    insert into public.hovedenhet_varsel select organisasjonsnummer from rettet
    -- Locked, so that who tells of it does not take it before this is committed.
    on conflict (organisasjonsnummer) do update set lagt_til = excluded.lagt_til
  ), linjer as (
    insert into public.virksomhet_endring (organisasjonsnummer, type)
    select organisasjonsnummer, 'ENDRET' from rettet where slettet is null and ${isOther}
  )
  select organisasjonsnummer from rettet;
end $$;`;
