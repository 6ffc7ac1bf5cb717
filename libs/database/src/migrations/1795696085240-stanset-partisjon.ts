import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A batch of records that can't be read holds its partition: here it lies until somebody parks it, or it can be read. */
export class StansetPartisjon1795696085240 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table stanset_partisjon (
        id bigint generated always as identity primary key,
        topic text not null,
        epoke int not null default 0,
        partisjon int not null,
        fra_offset bigint not null,
        til_offset bigint not null,
        aarsak text not null,
        innhold bytea not null,
        stanset timestamptz(6) not null default now(),
        forsoekt timestamptz(6) not null default now(),
        unique (topic, partisjon)
      );
      comment on table stanset_partisjon is 'Partitions that do not get on, since the batch of records that comes next can not be read';
      comment on column stanset_partisjon.innhold is 'The batch as it lies on the topic, compressed as it is';
      grant select, insert, update, delete on stanset_partisjon to datadeling_skriver;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table stanset_partisjon');
  }
}
