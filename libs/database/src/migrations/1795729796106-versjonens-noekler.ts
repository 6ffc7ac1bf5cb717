import type { MigrationInterface, QueryRunner } from 'typeorm';
import { inBatches, step } from '../migration-steps.ts';

/**
 * Versions that say who the participant or the employer is, told apart from those that say what the version before said:
 * only the first are entered in an index (ADR 53).
 */
export class VersjonensNoekler1795729796106 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(db, 'kolonner', UP);
    // Before the indexes of them are made: a version that says nothing new is never entered.
    await inBatches(db, { name: 'merker', table: 'avtale_versjon', key: 'avtale_id', sql: marks });
  }

  async down(db: QueryRunner): Promise<void> {
    await step(db, 'kolonner', DOWN);
  }
}

const VISIBLE = `exists (
  select from avtale a where a.avtale_id = v.avtale_id and a.slettet is null and not a.feilregistrert)`;

const UP = `
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
    where deltaker_id is not null and ny_deltaker group by 1, 2`;

const DOWN = `
  drop view versjon_deltaker, versjon_bedrift;
  create or replace view innsyn_avtale as
    select deltaker_id, avtale_id, min(laert) as forst_laert from avtale_versjon
    where deltaker_id is not null group by 1, 2;
  alter table avtale_versjon drop ny_deltaker, drop ny_bedrift`;

/** A mark that is set too often is no fault, and one that lacks is: what a writer changes meanwhile keeps it. */
const marks = (range: (column: string) => string): string => `
  update avtale_versjon v set ny_deltaker = not samme_deltaker, ny_bedrift = not samme_bedrift
  from (
    select avtale_id, lopenr, deltaker_fnr, deltaker_id, bedrift_nr,
      lag(lopenr) over foer is not null and (deltaker_fnr, deltaker_id) is not distinct from
        (lag(deltaker_fnr) over foer, lag(deltaker_id) over foer) as samme_deltaker,
      lag(lopenr) over foer is not null and bedrift_nr is not distinct from lag(bedrift_nr) over foer as samme_bedrift
    from avtale_versjon where ${range('avtale_id')}
    window foer as (partition by avtale_id order by lopenr)) sett
  where v.avtale_id = sett.avtale_id and v.lopenr = sett.lopenr and (samme_deltaker or samme_bedrift)
    and (v.deltaker_fnr, v.deltaker_id, v.bedrift_nr) is not distinct from (sett.deltaker_fnr, sett.deltaker_id, sett.bedrift_nr)
    and (v.ny_deltaker, v.ny_bedrift) is distinct from (not samme_deltaker, not samme_bedrift)`;
