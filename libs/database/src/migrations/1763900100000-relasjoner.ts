import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Relations between avtaler, kept by the ingestor. The rules are code (`libs/avtale`), so it is the ingestor that fills
 * the table for avtaler from before, in the background and in the order of deltaker_id (`relasjoner_bygget_til`).
 */
export class Relasjoner1763900100000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table relasjon (
        deltaker_id uuid not null,
        fra uuid not null,
        relasjon text not null,
        til uuid not null,
        primary key (deltaker_id, fra, relasjon, til)
      );
      comment on table relasjon is
        'Links between avtaler of one participant, each in both directions. The key begins with the participant: its rows lie together, and are written under its lock only';

      create view relasjon_synlig as
        select r.deltaker_id, r.fra, r.relasjon, r.til
        from relasjon r
        where exists (select from avtale a where a.avtale_id = r.til and a.slettet is null and not a.feilregistrert);
      comment on view relasjon_synlig is 'Links that lead to something consumers may see';

      create function lenker(deltaker uuid, avtale uuid) returns text language plpgsql stable as $$ begin
        return (select string_agg(relasjon || ' ' || til, ',' order by relasjon, til)
                from relasjon_synlig where deltaker_id = deltaker and fra = avtale);
      end $$;
      comment on function lenker is
        'The links of an avtale as one text, null for none. In plpgsql, whose plans are kept: as a part of each search it would double the time that planning takes';

      alter table instans add column relasjoner_bygget_til uuid;
      comment on column instans.relasjoner_bygget_til is
        'Participants up to this one have had their relations computed at least once; the highest uuid: all';

      grant select, insert, delete on relasjon to datadeling_skriver;
      grant update (relasjoner_bygget_til) on instans to datadeling_skriver;
      grant select on relasjon_synlig to datadeling_leser;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      alter table instans drop column relasjoner_bygget_til;
      drop function lenker;
      drop view relasjon_synlig;
      drop table relasjon;
    `);
  }
}
