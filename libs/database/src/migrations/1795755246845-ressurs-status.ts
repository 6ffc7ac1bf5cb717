import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Up to when each topic of a resource that is not avtaler is included. Not in `konsum_status`: a version before this one
 * promises the oldest of all that is there, and would answer nothing about avtaler before virksomheter had been loaded.
 */
export class RessursStatus1795755246845 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table ressurs_status (
        ressurs text not null,
        topic text not null,
        partisjon integer not null,
        slutt_offset bigint not null,
        oppdatert_til timestamptz(6),
        primary key (topic, partisjon)
      );
      comment on table ressurs_status is 'As konsum_status, of the topics of other resources than avtaler';
      comment on column ressurs_status.oppdatert_til is 'Everything published to the partition up to this moment is included';
      create trigger ressurs_status_hull before insert or update on ressurs_status
        for each row execute function hold_igjen_ved_hull();
      grant select on ressurs_status to datadeling_leser;
      grant select, insert, update, delete on ressurs_status to datadeling_skriver;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table ressurs_status');
  }
}
