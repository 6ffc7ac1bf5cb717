import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, inBatches, step, validate } from '../migration-steps.ts';

const STATES = `'MOTTAR', 'SLETTER', 'VENTER_PAA_BEKREFTELSE', 'FULLFOERT', 'ERSTATTET', 'UTLOEPT', 'FEILET'`;

/**
 * Syncs are of a resource. Those of avtaler stay as they are, in columns and a table of their own. The version before this
 * one goes by `tilstand`, and would delete avtaler that a full sync of something else does not hold: so theirs is ANNEN,
 * which it passes over, and what their state is stands beside it.
 */
export class SynkRessurs1795745565530 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(
      db,
      'columns',
      `
      alter table synk add column ressurs text not null default 'avtaler', add column ressurstilstand text;
      alter table synk drop constraint synk_tilstand_check;
      alter table synk add constraint synk_tilstand_check check (tilstand in (${STATES}, 'ANNEN')) not valid;
      alter table synk add constraint synk_ressurstilstand_check check (ressurstilstand in (${STATES})) not valid;
      alter table synk add constraint synk_ressurs_check
        check ((ressurs = 'avtaler') = (tilstand <> 'ANNEN') and (tilstand = 'ANNEN') = (ressurstilstand is not null)) not valid;
      comment on column synk.ressurstilstand is 'The state, of another resource than avtaler: tilstand is ANNEN then, which versions without resources pass over';
      alter table synk_side add column noekler text[];
      comment on column synk_side.noekler is 'As avtaler, of the entries of any other resource';
      create table synk_noekkel (
        synk_id text not null references synk (synk_id) on delete cascade,
        noekkel text not null,
        primary key (synk_id, noekkel)
      );
      comment on table synk_noekkel is 'As synk_avtale, of any other resource';
      grant select, insert, delete on synk_noekkel to datadeling_skriver;
      grant update (noekler) on synk_side to datadeling_skriver;
    `,
    );
    await validate(db, 'synk', 'synk_tilstand_check');
    await validate(db, 'synk', 'synk_ressurstilstand_check');
    await validate(db, 'synk', 'synk_ressurs_check');
    await createIndexConcurrently(
      db,
      'synk_en_full_av_ressurs',
      `synk (ressurs) where type = 'FULL' and ressurstilstand in ('MOTTAR', 'SLETTER', 'VENTER_PAA_BEKREFTELSE')`,
      { unique: true },
    );
    await createIndexConcurrently(db, 'synk_side_noekler_ikke_talt', 'synk_side (synk_id) where noekler is not null');
  }

  async down(db: QueryRunner): Promise<void> {
    // Before the syncs: of one there may be as many as the register has.
    await step(db, 'keys', 'drop table synk_noekkel');
    await inBatches(db, {
      name: 'syncs',
      table: 'synk',
      key: 'synk_id',
      sql: (range) => `delete from synk where ressurs <> 'avtaler' and ${range('synk_id')}`,
    });
    await step(
      db,
      'columns',
      `
      drop index synk_en_full_av_ressurs;
      drop index synk_side_noekler_ikke_talt;
      revoke update (noekler) on synk_side from datadeling_skriver;
      alter table synk_side drop column noekler;
      alter table synk drop constraint synk_ressurs_check, drop constraint synk_tilstand_check;
      alter table synk drop column ressurstilstand, drop column ressurs;
      alter table synk add constraint synk_tilstand_check check (tilstand in (${STATES})) not valid;
    `,
    );
    await validate(db, 'synk', 'synk_tilstand_check');
  }
}
