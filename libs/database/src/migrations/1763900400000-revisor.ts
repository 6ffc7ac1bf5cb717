import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who reads the audit can read nothing else, and neither app can read it: `datadeling_revisor`. */
export class Revisor1763900400000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      do $$ begin
        if not exists (select from pg_roles where rolname = 'datadeling_revisor') then
          create role datadeling_revisor nologin;
        end if;
      end $$;
      grant usage on schema public to datadeling_revisor;
      grant select on oppslag to datadeling_revisor;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      'revoke select on oppslag from datadeling_revisor; revoke usage on schema public from datadeling_revisor',
    );
  }
}
