import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The published figures: worked out by the ingestor at a fixed moment of the day, and all that consumers are answered
 * from. The reader sees those that are told and nothing of what they were counted from.
 */
export class Statistikk1795686004718 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table statistikk (
        generasjon bigint not null,
        inndeling text not null,
        dag text not null,
        verdier text[] not null,
        avtaler integer not null,
        deltakere integer,
        synlig boolean not null,
        primary key (generasjon, inndeling, dag, verdier)
      );
      comment on table statistikk is 'Sizes of groups, as they were last told: kept until the true one differs by the limit or more';
      comment on column statistikk.inndeling is 'What it is counted by, with commas between; empty: everything';
      comment on column statistikk.dag is 'The day that phases are of: the last of a month, or NAA: the day of the figures. ALLE: no phase is looked at';
      comment on column statistikk.synlig is 'False: held back so that a smaller one can not be worked out; with the size that it had then';
      grant select, insert, delete on statistikk to datadeling_skriver;

      create table statistikk_tidspunkt (
        id boolean primary key default true check (id),
        generasjon bigint not null,
        tidspunkt timestamptz(6) not null
      );
      comment on table statistikk_tidspunkt is 'At most one row: which generation is served, and the moment that it is of';
      grant select on statistikk_tidspunkt to datadeling_leser;
      grant select, insert, update on statistikk_tidspunkt to datadeling_skriver;

      create view statistikk_synlig as
        select inndeling, dag, verdier, avtaler, deltakere
        from statistikk join statistikk_tidspunkt using (generasjon) where synlig;
      comment on view statistikk_synlig is 'What is told';
      grant select on statistikk_synlig to datadeling_leser;

      grant select on avtale_synlig to datadeling_skriver;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      revoke select on avtale_synlig from datadeling_skriver;
      drop view statistikk_synlig;
      drop table statistikk_tidspunkt, statistikk;
    `);
  }
}
