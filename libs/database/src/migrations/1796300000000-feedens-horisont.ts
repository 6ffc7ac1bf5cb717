import type { MigrationInterface, QueryRunner } from 'typeorm';
import { step } from '../migration-steps.ts';

/**
 * The feed of a resource is cut by itself (ADR 78): where it begins goes by its own lines, and not by those of avtaler, whose
 * horizon is in `instans`.
 */
export class FeedensHorisont1796300000000 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(db, 'a horizon for each feed', HORIZON);
    await step(db, 'what keeps a partition of a feed', hindrance(OWN_OR_COMMON));
  }

  async down(db: QueryRunner): Promise<void> {
    await step(db, 'one horizon for all', hindrance(COMMON));
    await step(
      db,
      'none of a feed of its own',
      `revoke select on partisjonering from datadeling_leser;
       alter table partisjonering drop column beskaaret_til, drop column beskaaret_tidspunkt;`,
    );
  }
}

const HORIZON = `
alter table partisjonering add column beskaaret_til xid8 default '0', add column beskaaret_tidspunkt timestamptz;
comment on column partisjonering.beskaaret_til is 'Of the feed of a resource: transactions before this one have had their lines removed; null: that stands in instans';
comment on column partisjonering.beskaaret_tidspunkt is 'When that was last moved; null: never';
update partisjonering set beskaaret_til = null where tabell in ('endring', 'avtale_endring');
grant select on partisjonering to datadeling_leser;
grant update (beskaaret_til, beskaaret_tidspunkt) on partisjonering to datadeling_skriver;
`;

const COMMON = 'select beskaaret_til, beskaaret_tidspunkt into strict grense, satt from public.instans;';
const OWN_OR_COMMON = `
  select coalesce(p.beskaaret_til, i.beskaaret_til),
    case when p.beskaaret_til is null then i.beskaaret_tidspunkt else p.beskaaret_tidspunkt end
  into strict grense, satt
  from public.instans i, pg_inherits a join pg_class c on c.oid = a.inhparent join public.partisjonering p on p.tabell = c.relname
  where a.inhrelid = partisjon and c.relnamespace = 'public'::regnamespace;`;

const hindrance = (horizon: string): string => `
create or replace function beskjaering_hindrer(partisjon regclass, slutt timestamptz) returns text
language plpgsql set search_path = pg_catalog, public, pg_temp as $function$
declare
  siste xid8;
  grense xid8;
  satt timestamptz;
begin
  execute format('select tx from %s order by tx desc limit 1', partisjon) into siste;
  ${horizon.trim()}
  if siste >= grense then return 'it has lines that the feed still tells of'; end if;
  if siste >= pg_snapshot_xmin(pg_current_snapshot()) then return 'a transaction that is open may still write to it'; end if;
  if satt > now() - interval '1 minute' then return 'the feed has been cut for less than a minute'; end if;
  return null;
end $function$;`;
