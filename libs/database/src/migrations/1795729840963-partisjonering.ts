import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tables that grow with time lie in partitions by month, in UTC (ADR 55). A table that is a row of `partisjonering` gets
 * its next partitions from `lag_partisjoner`, and `fjern_partisjon` drops one when all that must hold for the table does.
 * The ingestor calls both; neither it nor anybody else than the owner can make or drop a table otherwise.
 */
export class Partisjonering1795729840963 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(TABLE);
    await db.query(READING);
    await db.query(MAKING);
    await db.query(DROPPING);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      drop function fjern_partisjon(text, text);
      drop function lag_partisjoner(text);
      drop function tell_partisjon(text, text);
      drop function partisjoner();
      drop function hindring_for(text, regclass, timestamptz);
      drop function partisjoner_av(text);
      drop table partisjonering;`);
  }
}

const TABLE = `
create table partisjonering (
  tabell text primary key,
  kolonne text not null,
  maaneder_fram integer default 2 not null check (maaneder_fram between 1 and 24),
  minst_dager integer not null check (minst_dager >= 1),
  vilkaar text
);
comment on table partisjonering is 'Tables that are partitioned by month (UTC): partitions are called by the table and the month, as endring_202611, and what fits none lies in the default one, as endring_default';
comment on column partisjonering.kolonne is 'What they are partitioned by: a timestamptz';
comment on column partisjonering.maaneder_fram is 'How many months after this one have a partition';
comment on column partisjonering.minst_dager is 'No partition goes before it is that old, whatever is asked for';
comment on column partisjonering.vilkaar is 'A function of a partition (regclass) and its end (timestamptz) that says what keeps it from going, or null; it is asked while nobody reads or writes the table';
grant select on partisjonering to datadeling_skriver;`;

/** A partition that was a whole table before is called by the last month that it may hold, and begins with time itself. */
const READING = `
create function partisjoner_av(hvilken text)
returns table (partisjon regclass, maaned text, fra timestamptz, til timestamptz)
language sql stable set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' set datestyle = 'ISO' as $$
  select p, to_char(p_til - interval '1 month', 'YYYYMM'), p_fra, p_til
  from (
    select c.oid::regclass as p,
      substring(grenser from $r$FROM \\('([^']*)'\\)$r$)::timestamptz as p_fra,
      substring(grenser from $r$TO \\('([^']*)'\\)$r$)::timestamptz as p_til
    from pg_inherits i join pg_class c on c.oid = i.inhrelid, pg_get_expr(c.relpartbound, c.oid) as grenser
    where i.inhparent = to_regclass(format('public.%I', hvilken))) alle
  order by p_til nulls last
$$;
comment on function partisjoner_av(text) is 'The partitions of a table, oldest first; without fra: from the beginning; without til too: the default one';

create function hindring_for(hvilken text, denne regclass, slutt timestamptz) returns text
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  regel public.partisjonering;
  svar text;
begin
  select * into strict regel from public.partisjonering where tabell = hvilken;
  if slutt > now() - make_interval(days => regel.minst_dager) then
    return format('it is not %s days old', regel.minst_dager);
  end if;
  if regel.vilkaar is not null then
    execute format('select public.%I($1, $2)', regel.vilkaar) into svar using denne, slutt;
  end if;
  return svar;
end $$;
comment on function hindring_for(text, regclass, timestamptz) is 'What keeps a partition from going, whatever age is asked for; null: nothing';
revoke execute on function hindring_for(text, regclass, timestamptz) from public;

create function partisjoner()
returns table (tabell text, maaned text, fra timestamptz, til timestamptz, byte bigint, rader bigint, hindring text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  p record;
begin
  for tabell in select r.tabell from public.partisjonering r order by r.tabell loop
    for p in select * from public.partisjoner_av(tabell) loop
      maaned := p.maaned;
      fra := p.fra;
      til := p.til;
      byte := pg_total_relation_size(p.partisjon);
      rader := null;
      -- It should have none.
      if til is null then execute format('select count(*) from %s', p.partisjon) into rader; end if;
      hindring := case when til is not null then public.hindring_for(tabell, p.partisjon, til) end;
      return next;
    end loop;
  end loop;
end $$;
comment on function partisjoner() is 'All partitions, with what keeps each from going; the default ones have no month, and they alone are counted';
revoke execute on function partisjoner() from public;
grant execute on function partisjoner() to datadeling_skriver;

create function tell_partisjon(hvilken text, maaneden text) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  denne regclass;
  antall bigint;
begin
  select p.partisjon into denne from public.partisjoner_av(hvilken) p
    where p.maaned = maaneden and exists (select from public.partisjonering where tabell = hvilken);
  if not found then return null; end if;
  execute format('select count(*) from %s', denne) into antall;
  return antall;
end $$;
comment on function tell_partisjon(text, text) is 'The rows of the partition of a month, in a transaction that holds no other; null: there is none';
revoke execute on function tell_partisjon(text, text) from public;
grant execute on function tell_partisjon(text, text) to datadeling_skriver;`;

/**
 * Each is made beside its table, and attached: that waits for nobody who reads or writes the table. The default partition
 * is locked for as long as it takes to see that it has no row of the month, or to move those that it has.
 */
const MAKING = `
create function lag_partisjoner(hvilken text default null) returns setof text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set timezone = 'UTC'
set lock_timeout = '300ms' as $$
declare
  regel public.partisjonering;
  resten regclass;
  begynner timestamptz[];
  start timestamptz;
  slutt timestamptz;
  navn text;
begin
  perform pg_advisory_xact_lock(7220322);
  for regel in select * from public.partisjonering p where hvilken is null or p.tabell = hvilken order by tabell loop
    select partisjon into strict resten from public.partisjoner_av(regel.tabell) p where p.til is null;
    execute format(
      'select array(select date_trunc(''month'', now()) + make_interval(months => n) from generate_series(0, %1$s) n
         union select date_trunc(''month'', %2$I) from %3$s where isfinite(%2$I) order by 1)',
      regel.maaneder_fram, regel.kolonne, resten) into begynner;
    foreach start in array begynner loop
      continue when exists (select from public.partisjoner_av(regel.tabell) p
        where (p.fra is null or p.fra <= start) and p.til > start);
      slutt := start + interval '1 month';
      navn := regel.tabell || '_' || to_char(start, 'YYYYMM');
      -- An autovacuum gives way only to who waits for longer than a second. Nobody who reads or writes waits behind this.
      perform set_config('lock_timeout', '5s', true);
      execute format('lock table only public.%I, only %s in share update exclusive mode', regel.tabell, resten);
      perform set_config('lock_timeout', '300ms', true);
      execute format('lock table %s in access exclusive mode', resten);
      execute format(
        'create table public.%I (like public.%I including defaults including constraints including generated including storage)',
        navn, regel.tabell);
      execute format(
        'with ut as (delete from %1$s where %2$I >= $1 and %2$I < $2 returning *) insert into public.%3$I select * from ut',
        resten, regel.kolonne, navn) using start, slutt;
      execute format('alter table public.%I attach partition public.%I for values from (%L) to (%L)',
        regel.tabell, navn, start, slutt);
      return next navn;
    end loop;
  end loop;
end $$;
comment on function lag_partisjoner(text) is 'Makes the partitions of a table that are missing, of the months to come and of rows that lie in the default one; without a table: of all, which are then held together; gives up (55P03) when somebody is in the way';
revoke execute on function lag_partisjoner(text) from public;
grant execute on function lag_partisjoner(text) to datadeling_skriver;`;

/**
 * A partition can't go without a lock that all who use the table wait for. So it is given up when it can't be had at
 * once, and asked for again by the caller; what must hold is looked at under the lock, and so is true while it goes.
 */
const DROPPING = `
create function fjern_partisjon(hvilken text, maaneden text) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '300ms' as $$
declare
  gammel record;
  hindring text;
begin
  if not pg_try_advisory_xact_lock(7220322) then
    raise exception 'partitions are made or dropped by another' using errcode = 'lock_not_available';
  end if;
  perform from public.partisjonering where tabell = hvilken;
  if not found then
    raise exception '% is not partitioned', hvilken using errcode = 'invalid_parameter_value';
  end if;
  select * into gammel from public.partisjoner_av(hvilken) p where p.maaned = maaneden;
  if not found then return false; end if;
  -- What it says before the lock is not true for long, but saves all others the wait when it says no.
  hindring := public.hindring_for(hvilken, gammel.partisjon, gammel.til);
  if hindring is null then
    -- An autovacuum gives way only to who waits for longer than a second. Nobody who reads or writes waits behind this.
    perform set_config('lock_timeout', '5s', true);
    execute format('lock table only %s in share update exclusive mode', gammel.partisjon);
    perform set_config('lock_timeout', '300ms', true);
    -- Not the other partitions: each has its own autovacuum, or an index that is being made.
    execute format('lock table only public.%I in access exclusive mode', hvilken);
    hindring := public.hindring_for(hvilken, gammel.partisjon, gammel.til);
  end if;
  if hindring is not null then
    raise exception '% of % can not go: %', maaneden, hvilken, hindring using errcode = 'TD020';
  end if;
  execute format('drop table %s', gammel.partisjon);
  return true;
end $$;
comment on function fjern_partisjon(text, text) is 'Drops the partition of a month; false: there is none. Gives up (55P03) when somebody is in the way, and refuses (TD020) what must stay';
revoke execute on function fjern_partisjon(text, text) from public;
grant execute on function fjern_partisjon(text, text) to datadeling_skriver;`;
