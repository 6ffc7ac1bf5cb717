import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Versions that say who the participant or the employer is, told apart from those that say what the version before said:
 * only the first are entered in an index (ADR 53). What is there already counts as saying it, and is not rewritten.
 */
export class VersjonensNoekler1795729796106 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- A vacuum lets go for this one, and nobody waits behind it; the next one is asked for a moment only.
      set local lock_timeout = '10s';
      lock table avtale_versjon in share update exclusive mode;
      set local lock_timeout = '1s';
      alter table avtale_versjon add ny_deltaker boolean not null default true,
        add ny_bedrift boolean not null default true;
      comment on column avtale_versjon.ny_deltaker is
        'Unless deltaker_fnr and deltaker_id are those of the version before. What has the same gets the same when it is changed, so it stays true';
      comment on column avtale_versjon.ny_bedrift is 'Unless bedrift_nr is that of the version before';

      create view versjon_deltaker as
        select avtale_id, deltaker_id from avtale_versjon v where ny_deltaker and ${VISIBLE};
      comment on view versjon_deltaker is
        'Avtaler that consumers may see, and whose they are or have been: to find them by; their versions are read by avtale_id';
      create view versjon_bedrift as
        select avtale_id, bedrift_nr from avtale_versjon v where ny_bedrift and ${VISIBLE};
      comment on view versjon_bedrift is 'As versjon_deltaker, with whom they are or have been';
      grant select on versjon_deltaker, versjon_bedrift to datadeling_leser;

      create or replace view innsyn_avtale as
        select deltaker_id, avtale_id, min(laert) as forst_laert from avtale_versjon
        where deltaker_id is not null and ny_deltaker group by 1, 2;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      set local lock_timeout = '1s';
      drop view versjon_deltaker, versjon_bedrift;
      create or replace view innsyn_avtale as
        select deltaker_id, avtale_id, min(laert) as forst_laert from avtale_versjon
        where deltaker_id is not null group by 1, 2;
      alter table avtale_versjon drop ny_deltaker, drop ny_bedrift;
    `);
  }
}

const VISIBLE = `exists (
  select from avtale a where a.avtale_id = v.avtale_id and a.slettet is null and not a.feilregistrert)`;
