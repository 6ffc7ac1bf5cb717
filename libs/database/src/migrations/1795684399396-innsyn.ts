import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Look-ups that name nobody can be made out afterwards, and refusals tell why: new columns of the audit. */
export class Innsyn1795684399396 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      alter table oppslag
        add column posisjon text,
        add column utvalg jsonb,
        add column avslag text,
        add column antall_kall integer not null default 1;
      comment on column oppslag.posisjon is 'Place in the change feed of what was read, as consumers get it';
      comment on column oppslag.utvalg is 'The part of all avtaler that was told of, without persons';
      comment on column oppslag.avslag is 'Why it was refused: a code of the catalogue of errors';
      comment on column oppslag.antall_kall is 'Requests that the row stands for: refusals that are counted by the minute';
      grant insert (posisjon, utvalg, avslag, antall_kall) on oppslag to datadeling_leser;

      create view innsyn_avtale as
        select deltaker_id, avtale_id, min(laert) as forst_laert from avtale_versjon where deltaker_id is not null
        group by 1, 2;
      comment on view innsyn_avtale is 'Since when each avtale of a participant has been here: all that the auditor needs of it';
      grant select on innsyn_avtale to datadeling_revisor;
      grant select (tx, lopenr, avtale_id) on endring to datadeling_revisor;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      revoke select (tx, lopenr, avtale_id) on endring from datadeling_revisor;
      drop view innsyn_avtale;
      alter table oppslag drop column posisjon, drop column utvalg, drop column avslag, drop column antall_kall;
    `);
  }
}
