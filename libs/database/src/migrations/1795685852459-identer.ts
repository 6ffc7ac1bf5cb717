import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, step } from '../migration-steps.ts';

/**
 * Which idents are one person's, by the person register (ADR 27). No national ident is stored: an ident is its opaque id,
 * and only persons with several idents are here, since of one with a single ident there is nothing to know.
 */
export class Identer1795685852459 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(
      db,
      'tables',
      `
      create table registerident (
        registernoekkel uuid not null,
        ident uuid not null,
        primary key (registernoekkel, ident)
      );
      comment on table registerident is
        'What the person register last said of each of its keys: the idents, both as opaque ids. Only keys with several';
      create index registerident_ident on registerident (ident);

      create table personident (
        ident uuid primary key,
        deltaker_id uuid not null
      );
      comment on table personident is
        'Whose an ident is, as opaque ids: the person has the smallest of the ids. An ident that is not here is its own person';
      create index personident_deltaker_id on personident (deltaker_id);

      create table personident_foer (
        ident uuid not null,
        deltaker_id uuid not null,
        til timestamptz(6) not null default now()
      );
      comment on table personident_foer is
        'Whose an ident was until then: look-ups from before are audited with that person''s id';
      create index personident_foer_ident on personident_foer (ident);

      grant select, insert, delete on registerident, personident to datadeling_skriver;
      grant insert on personident_foer to datadeling_skriver;
      ${FUNCTIONS}`,
    );
    // Few, and they move with their person too.
    await createIndexConcurrently(
      db,
      'avtale_deltaker_id_feilregistrert',
      'avtale (deltaker_id) where slettet is null and feilregistrert',
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await step(
      db,
      'tables',
      `
      drop function innsynsidenter(uuid);
      drop function personens_identer(uuid[]);
      drop index avtale_deltaker_id_feilregistrert;
      drop table personident_foer, personident, registerident;
    `,
    );
  }
}

/**
 * They run as the owner, so that those who may look persons up can't read who has changed idents. Sequential scans are
 * off, since a plan is kept, also one from when the table was empty.
 */
const FUNCTIONS = `
create function personens_identer(spurt uuid[]) returns table (nr integer, ident uuid)
language plpgsql stable rows 10 security definer
set search_path = pg_catalog, public, pg_temp set enable_seqscan = off as $$ begin
  return query select s.nr::integer, s.id from unnest(spurt) with ordinality as s(id, nr);
  return query select s.nr::integer, annen.ident
    from unnest(spurt) with ordinality as s(id, nr)
    join public.personident egen on egen.ident = s.id
    join public.personident annen on annen.deltaker_id = egen.deltaker_id and annen.ident <> egen.ident;
end $$;
comment on function personens_identer(uuid[]) is
  'All idents of the persons that are asked for by some of them, as opaque ids, each with the place of who was asked for';

create function innsynsidenter(person uuid) returns table (ident uuid, til timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select p.ident, null::timestamptz from public.personens_identer(array[person]) p
  union
  select foer.deltaker_id, max(foer.til)
  from public.personens_identer(array[person]) p join public.personident_foer foer on foer.ident = p.ident
  group by foer.deltaker_id
$$;
comment on function innsynsidenter(uuid) is
  'The opaque ids that look-ups of a person are audited with; one that has become another person''s, until when it was this one''s';

revoke execute on function personens_identer(uuid[]), innsynsidenter(uuid) from public;
grant execute on function personens_identer(uuid[]) to datadeling_leser, datadeling_revisor;
grant execute on function innsynsidenter(uuid) to datadeling_revisor;
`;
