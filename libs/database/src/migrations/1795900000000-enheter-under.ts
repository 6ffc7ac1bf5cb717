import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is below a unit, when that may be tens of thousands: so many at most, and whether one of them is. */
export class EnheterUnder1795900000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create function virksomheter_under(nr text, antall integer) returns setof text
      language plpgsql stable rows 1000 set search_path = pg_catalog, public, pg_temp
      set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $$ begin
        return query with recursive under (organisasjonsnummer, dybde) as (
          select nr, 0
          union
          select v.organisasjonsnummer, under.dybde + 1
          from under cross join lateral (
            select organisasjonsnummer from public.virksomhet_synlig
            where overordnet_enhet = under.organisasjonsnummer and hovedenhet is not null offset 0) v
          where under.dybde < 20
        )
        select organisasjonsnummer from under limit antall;
      end $$;
      comment on function virksomheter_under(text, integer) is 'As virksomheter_under(text), and no more than so many: nor are more read';
      -- Called for each avtale that is looked at: settings of its own would cost more than what it does.
      create function virksomheter_under_har(over text, enhet text) returns boolean
      language plpgsql stable as $$
      declare nr text := enhet;
      begin
        for steg in 1..20 loop
          select v.overordnet_enhet into nr from public.virksomhet_synlig v where v.organisasjonsnummer = nr;
          if nr is null then return false; end if;
          if nr = over then return true; end if;
        end loop;
        return false;
      end $$;
      comment on function virksomheter_under_har(text, text) is
        'Whether the first is above the second, of those whose chain has a top: found upwards, whatever there is below';
      revoke execute on function virksomheter_under(text, integer), virksomheter_under_har(text, text) from public;
      grant execute on function virksomheter_under(text, integer), virksomheter_under_har(text, text) to datadeling_leser;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop function virksomheter_under(text, integer), virksomheter_under_har(text, text)');
  }
}
