import type { MigrationInterface, QueryRunner } from 'typeorm';
import { step } from '../migration-steps.ts';

/**
 * After a rebuild, who follows the feed has what the table has (ADR 74): what the feed last said of each, and how many were
 * told of since it said otherwise. A line of a deletion that no change of an avtale goes with reaches subscriptions too.
 */
export class GjenoppbyggingFortalt1796010000000 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(db, 'what the feed said', TOLD);
    await step(db, 'deletions that nothing else tells of', linesOf(DELETED));
  }

  async down(db: QueryRunner): Promise<void> {
    await step(db, 'of changes only', linesOf(''));
    await step(
      db,
      'nothing of what the feed said',
      'drop table gjenoppbygging_fortalt; alter table gjenoppbygging drop column varslet;',
    );
  }
}

const TOLD = `
alter table gjenoppbygging add column varslet bigint not null default 0;
comment on column gjenoppbygging.varslet is 'Of which the change feed said otherwise than what is stored, and was told';

create table gjenoppbygging_fortalt (
  gjenoppbygging bigint not null references gjenoppbygging (id) on delete cascade,
  nokkel text not null,
  tx xid8 not null,
  lopenr bigint not null,
  type text not null,
  primary key (gjenoppbygging, nokkel)
);
comment on table gjenoppbygging_fortalt is 'What the change feed says last of each key, when all else of a rebuild is done; emptied when it is over';
grant select, insert, update, delete on gjenoppbygging_fortalt to datadeling_skriver;
`;

const linesOf = (deleted: string): string => `
create or replace function avtale_endring_lenker() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set enable_seqscan = off as $$ begin
    perform pg_advisory_xact_lock_shared(7220321);
    if not (select foelges from public.abonnering) then return null; end if;
    insert into public.avtale_endring (avtale_id, kun_lenker, deltaker_id, bedrift_nr, tiltakstype, felter)
       select n.avtale_id, true, a.deltaker_id, a.bedrift_nr, a.tiltakstype, '{}'
       from (select distinct ny.avtale_id from ny where ny.type = 'ENDRET') n
       cross join lateral (
         select deltaker_id, bedrift_nr, tiltakstype from public.avtale
         where avtale_id = n.avtale_id and slettet is null and not feilregistrert offset 0) a
       where not (select count(*) > 0 from public.avtale_endring r
         where r.tx = pg_current_xact_id() and r.avtale_id = n.avtale_id and r.tidspunkt = now())
       on conflict do nothing;${deleted}
    return null;
  end $$;`;

/** Nothing when the transaction deletes it, or when it was told to be gone, or never to be there. */
const DELETED = `
    insert into public.avtale_endring (avtale_id, aarsak, var_synlig, foer_deltaker_id, foer_bedrift_nr, foer_tiltakstype)
       select n.avtale_id, n.aarsak, true, r.deltaker_id, r.bedrift_nr, r.tiltakstype
       from (select distinct on (ny.avtale_id) ny.avtale_id, ny.aarsak from ny where ny.type = 'SLETTET') n
       cross join lateral (
         select s.tx, s.aarsak, s.deltaker_id, s.bedrift_nr, s.tiltakstype from public.avtale_endring s
         where s.avtale_id = n.avtale_id order by s.tx desc limit 1) r
       where r.aarsak is null and r.tx <> pg_current_xact_id() and not exists (select from public.avtale a
         where a.avtale_id = n.avtale_id and a.slettet is null and not a.feilregistrert)
       on conflict do nothing;`;
