-- The whole schema as the migrations leave it. Written by `npm run skjema`, not by hand: a change is a migration.
-- It makes the same schema in an empty database; the roles that it grants to must exist.

set check_function_bodies = off; -- a function may speak of tables that come later

grant usage on schema public to datadeling_analyse;
grant usage on schema public to datadeling_leser;
grant usage on schema public to datadeling_revisor;
grant usage on schema public to datadeling_skriver;

CREATE OR REPLACE FUNCTION abonnement_person()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET enable_seqscan TO 'off'
AS $function$ begin
    with flyttet as (
       select m.ctid as sted, m.abonnement, m.ident, m.lagt_til,
         'P' || coalesce((select p.deltaker_id from public.personident p where p.ident = m.ident), m.ident) as ny
       from berort b join public.abonnement_medlem m on m.ident = b.ident and m.fjernet is null
     ), ut as (
       update public.abonnement_medlem m set fjernet = pg_current_xact_id() from flyttet
       where m.ctid = flyttet.sted and m.noekkel <> flyttet.ny and m.lagt_til <> pg_current_xact_id()
       returning m.abonnement, m.ident, flyttet.ny
     ), rettet as (
       update public.abonnement_medlem m set noekkel = flyttet.ny from flyttet
       where m.ctid = flyttet.sted and m.noekkel <> flyttet.ny and m.lagt_til = pg_current_xact_id()
     )
     insert into public.abonnement_medlem (abonnement, noekkel, ident) select abonnement, ny, ident from ut;
    return null;
  end $function$;
comment on function abonnement_person() is 'The persons of subscriptions are those that their idents belong to now';
revoke execute on function abonnement_person() from public;

CREATE OR REPLACE FUNCTION abonnement_virksomhet()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET enable_seqscan TO 'off'
 SET enable_nestloop TO 'off'
 SET enable_hashjoin TO 'on'
AS $function$
  declare flyttet text[];
  begin
    -- Whoever writes virksomheter has the lock of the hierarchy alone, and who begins to follow one has it shared.
    if not exists (select from public.abonnement_medlem where noekkel >= 'H' and noekkel < 'I') then return null; end if;
    if tg_op = 'INSERT' then
      select array_agg(organisasjonsnummer) into flyttet from etter where slettet is null and overordnet_enhet is not null;
    else
      select array_agg(e.organisasjonsnummer) into flyttet
      from etter e join foer f on f.organisasjonsnummer = e.organisasjonsnummer
      where case when e.slettet is null then e.overordnet_enhet end
        is distinct from case when f.slettet is null then f.overordnet_enhet end;
    end if;
    if flyttet is not null then perform public.flytt_abonnerte(flyttet); end if;
    return null;
  end $function$;
comment on function abonnement_virksomhet() is 'The establishments of subscriptions by hovedenhet are those that are below it now';
revoke execute on function abonnement_virksomhet() from public;

CREATE OR REPLACE FUNCTION avtale_endring_endret()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET enable_nestloop TO 'off'
 SET enable_hashjoin TO 'on'
AS $function$ begin
    perform pg_advisory_xact_lock_shared(7220321);
    if not (select foelges from public.abonnering) then return null; end if;
    insert into public.avtale_endring as r (avtale_id, deltaker_id, bedrift_nr, tiltakstype, aarsak, var_synlig,
         foer_deltaker_id, foer_bedrift_nr, foer_tiltakstype, foer_versjon, felter)
       select avtale_id,
         case when er_synlig then deltaker_id end, case when er_synlig then bedrift_nr end,
         case when er_synlig then tiltakstype end,
         case when slettet is not null then 'SLETTET' when feilregistrert then 'FEILREGISTRERT' end, var_synlig,
         case when var_synlig then foer_deltaker_id end, case when var_synlig then foer_bedrift_nr end,
         case when var_synlig then foer_tiltakstype end,
         case when var_synlig then
           (select v.lopenr from public.avtale_versjon v where v.avtale_id = ny.avtale_id order by v.lopenr desc limit 1) end,
         case when var_synlig and er_synlig then felter end
       from (
         select e.avtale_id, e.deltaker_id, e.bedrift_nr, e.tiltakstype, e.slettet, e.feilregistrert,
           f.deltaker_id as foer_deltaker_id, f.bedrift_nr as foer_bedrift_nr, f.tiltakstype as foer_tiltakstype,
           e.slettet is null and not e.feilregistrert as er_synlig, f.slettet is null and not f.feilregistrert as var_synlig, array_remove(array[
  case when e.avtale_nr is distinct from f.avtale_nr then 'avtale_nr' end,
  case when e.deltaker_fnr is distinct from f.deltaker_fnr then 'deltaker_fnr' end,
  case when e.bedrift_nr is distinct from f.bedrift_nr then 'bedrift_nr' end,
  case when e.bedrift_navn is distinct from f.bedrift_navn then 'bedrift_navn' end,
  case when e.veileder_nav_ident is distinct from f.veileder_nav_ident then 'veileder_nav_ident' end,
  case when e.tiltakstype is distinct from f.tiltakstype then 'tiltakstype' end,
  case when e.versjon is distinct from f.versjon then 'versjon' end,
  case when e.avtale_status is distinct from f.avtale_status then 'avtale_status' end,
  case when e.avtale_inngaatt is distinct from f.avtale_inngaatt then 'avtale_inngaatt' end,
  case when e.start_dato is distinct from f.start_dato then 'start_dato' end,
  case when e.slutt_dato is distinct from f.slutt_dato then 'slutt_dato' end,
  case when e.stillingprosent is distinct from f.stillingprosent then 'stillingprosent' end,
  case when e.antall_dager_per_uke is distinct from f.antall_dager_per_uke then 'antall_dager_per_uke' end,
  case when e.stillingstype is distinct from f.stillingstype then 'stillingstype' end,
  case when e.godkjent_av_deltaker is distinct from f.godkjent_av_deltaker then 'godkjent_av_deltaker' end,
  case when e.godkjent_av_arbeidsgiver is distinct from f.godkjent_av_arbeidsgiver then 'godkjent_av_arbeidsgiver' end,
  case when e.godkjent_av_veileder is distinct from f.godkjent_av_veileder then 'godkjent_av_veileder' end,
  case when e.godkjent_av_beslutter is distinct from f.godkjent_av_beslutter then 'godkjent_av_beslutter' end,
  case when e.godkjent_av_nav_ident is distinct from f.godkjent_av_nav_ident then 'godkjent_av_nav_ident' end,
  case when e.godkjent_av_beslutter_nav_ident is distinct from f.godkjent_av_beslutter_nav_ident then 'godkjent_av_beslutter_nav_ident' end,
  case when e.godkjent_paa_vegne_av is distinct from f.godkjent_paa_vegne_av then 'godkjent_paa_vegne_av' end,
  case when e.godkjent_paa_vegne_av_arbeidsgiver is distinct from f.godkjent_paa_vegne_av_arbeidsgiver then 'godkjent_paa_vegne_av_arbeidsgiver' end,
  case when e.opphav is distinct from f.opphav then 'opphav' end,
  case when e.opprettet_tidspunkt is distinct from f.opprettet_tidspunkt then 'opprettet_tidspunkt' end,
  case when e.annullert_tidspunkt is distinct from f.annullert_tidspunkt then 'annullert_tidspunkt' end,
  case when e.sist_endret is distinct from f.sist_endret then 'sist_endret' end,
  case when
  (e.start_dato, e.slutt_dato, e.avtale_inngaatt is null,
   e.har_vaert_inngaatt or e.avtale_inngaatt is not null,
   e.annullert_tidspunkt is not null or coalesce(e.avtale_status in ('ANNULLERT', 'AVBRUTT'), false),
   (e.annullert_tidspunkt at time zone 'Europe/Oslo')::date, coalesce(e.aldri_begynt, false),
   coalesce(e.fra_arena, e.opphav = 'ARENA', false)) is distinct from
  (f.start_dato, f.slutt_dato, f.avtale_inngaatt is null,
   f.har_vaert_inngaatt or f.avtale_inngaatt is not null,
   f.annullert_tidspunkt is not null or coalesce(f.avtale_status in ('ANNULLERT', 'AVBRUTT'), false),
   (f.annullert_tidspunkt at time zone 'Europe/Oslo')::date, coalesce(f.aldri_begynt, false),
   coalesce(f.fra_arena, f.opphav = 'ARENA', false)) then 'fase' end], null) as felter
         from etter e join foer f on f.avtale_id = e.avtale_id offset 0) ny
       where (er_synlig or var_synlig)
         and (er_synlig <> var_synlig or felter <> '{}' or deltaker_id is distinct from foer_deltaker_id)
         and public.krev_siste_endring(
           (select n.tx from public.avtale_endring n where n.avtale_id = ny.avtale_id order by n.tx desc limit 1))
       on conflict (tx, avtale_id, tidspunkt) do update set kun_lenker = false, deltaker_id = excluded.deltaker_id,
         bedrift_nr = excluded.bedrift_nr, tiltakstype = excluded.tiltakstype, aarsak = excluded.aarsak,
         -- Of the first of them in this transaction; one of links alone says nothing of before.
         var_synlig = case when r.kun_lenker then excluded.var_synlig else r.var_synlig end,
         foer_deltaker_id = case when r.kun_lenker then excluded.foer_deltaker_id else r.foer_deltaker_id end,
         foer_bedrift_nr = case when r.kun_lenker then excluded.foer_bedrift_nr else r.foer_bedrift_nr end,
         foer_tiltakstype = case when r.kun_lenker then excluded.foer_tiltakstype else r.foer_tiltakstype end,
         foer_versjon = case when r.kun_lenker then excluded.foer_versjon else r.foer_versjon end,
         felter = (select array_agg(distinct felt) from unnest(r.felter || excluded.felter) felt);
    return null;
  end $function$;
comment on function avtale_endring_endret() is 'Whose an avtale is and was, and what in it is another';
revoke execute on function avtale_endring_endret() from public;

CREATE OR REPLACE FUNCTION avtale_endring_lenker()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET enable_seqscan TO 'off'
AS $function$ begin
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
       on conflict do nothing;
    insert into public.avtale_endring (avtale_id, aarsak, var_synlig, foer_deltaker_id, foer_bedrift_nr, foer_tiltakstype)
       select n.avtale_id, n.aarsak, true, r.deltaker_id, r.bedrift_nr, r.tiltakstype
       from (select distinct on (ny.avtale_id) ny.avtale_id, ny.aarsak from ny where ny.type = 'SLETTET') n
       cross join lateral (
         select s.tx, s.aarsak, s.deltaker_id, s.bedrift_nr, s.tiltakstype from public.avtale_endring s
         where s.avtale_id = n.avtale_id order by s.tx desc limit 1) r
       where r.aarsak is null and r.tx <> pg_current_xact_id() and not exists (select from public.avtale a
         where a.avtale_id = n.avtale_id and a.slettet is null and not a.feilregistrert)
       on conflict do nothing;
    return null;
  end $function$;
comment on function avtale_endring_lenker() is 'What the change feed tells of though no field is another';
revoke execute on function avtale_endring_lenker() from public;

CREATE OR REPLACE FUNCTION avtale_endring_ny()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ begin
    perform pg_advisory_xact_lock_shared(7220321);
    if not (select foelges from public.abonnering) then return null; end if;
    insert into public.avtale_endring (avtale_id, deltaker_id, bedrift_nr, tiltakstype)
       select e.avtale_id, e.deltaker_id, e.bedrift_nr, e.tiltakstype from etter e where e.slettet is null and not e.feilregistrert;
    return null;
  end $function$;
comment on function avtale_endring_ny() is 'Whose an avtale is that was not there before';
revoke execute on function avtale_endring_ny() from public;

CREATE OR REPLACE FUNCTION avtaler_i_datoer(omraade box, antall integer)
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 STABLE ROWS 200
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET enable_bitmapscan TO 'off'
 SET enable_seqscan TO 'off'
AS $function$ begin
        return query select a.avtale_id from public.avtale_synlig a
          where point(coalesce(start_dato - date '2000-01-01', 10000000), coalesce(slutt_dato - date '2000-01-01', 10000000)) <@ omraade limit antall;
      end $function$;
comment on function avtaler_i_datoer(box,integer) is 'So many avtaler at most with start and end in an area, days since 2000: read from the index one by one, never all of them first';
revoke execute on function avtaler_i_datoer(box,integer) from public;
grant execute on function avtaler_i_datoer(box,integer) to datadeling_leser;

CREATE OR REPLACE FUNCTION bekreft_oppslagsarkiv(maaneden text, antall bigint, kontrollsum text, hvorfor text)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
declare
  denne record;
  funnet bigint;
begin
  select * into denne from public.partisjoner_av('oppslagslinje') p where p.maaned = maaneden;
  if not found or denne.til > now() - interval '1 hour' then
    raise exception '% is no month of the audit that is over', maaneden using errcode = 'invalid_parameter_value';
  end if;
  if kontrollsum is not null then
    execute format('select count(*) from %s', denne.partisjon) into funnet;
    if funnet is distinct from antall then return funnet; end if;
  elsif exists (select from public.oppslagsarkiv where maaned = maaneden and sha256 is not null) then
    raise exception '% is in a file already', maaneden using errcode = 'invalid_parameter_value';
  end if;
  insert into public.oppslagsarkiv (maaned, rader, sha256, begrunnelse) values (maaneden, antall, kontrollsum, hvorfor);
  return antall;
end $function$;
comment on function bekreft_oppslagsarkiv(text,bigint,text,text) is 'Says that a month of the audit is in a file, or why it may go without one; answers with the lines that it has, and notes nothing when the file has others';
revoke execute on function bekreft_oppslagsarkiv(text,bigint,text,text) from public;
grant execute on function bekreft_oppslagsarkiv(text,bigint,text,text) to datadeling_revisor;

CREATE OR REPLACE FUNCTION beskjaering_hindrer(partisjon regclass, slutt timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
declare
  siste xid8;
  grense xid8;
  satt timestamptz;
begin
  execute format('select tx from %s order by tx desc limit 1', partisjon) into siste;
  select coalesce(p.beskaaret_til, i.beskaaret_til),
    case when p.beskaaret_til is null then i.beskaaret_tidspunkt else p.beskaaret_tidspunkt end
  into strict grense, satt
  from public.instans i, pg_inherits a join pg_class c on c.oid = a.inhparent join public.partisjonering p on p.tabell = c.relname
  where a.inhrelid = partisjon and c.relnamespace = 'public'::regnamespace;
  if siste >= grense then return 'it has lines that the feed still tells of'; end if;
  if siste >= pg_snapshot_xmin(pg_current_snapshot()) then return 'a transaction that is open may still write to it'; end if;
  if satt > now() - interval '1 minute' then return 'the feed has been cut for less than a minute'; end if;
  return null;
end $function$;
comment on function beskjaering_hindrer(regclass,timestamp with time zone) is 'What keeps a partition of the change feed from going';
revoke execute on function beskjaering_hindrer(regclass,timestamp with time zone) from public;

CREATE OR REPLACE FUNCTION bruk_abonnement(denne uuid)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    update public.abonnement set sist_brukt = now() where id = denne and sist_brukt < now() - interval '1 hour'
  $function$;
comment on function bruk_abonnement(uuid) is 'Says that it is in use';
revoke execute on function bruk_abonnement(uuid) from public;
grant execute on function bruk_abonnement(uuid) to datadeling_leser;

CREATE OR REPLACE FUNCTION endring_noter_tidslinje()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ begin
        perform public.noter_tidslinje();
        return null;
      end $function$;
comment on function endring_noter_tidslinje() is 'No line of the feed comes to a follower before the timeline that it is from';
revoke execute on function endring_noter_tidslinje() from public;

CREATE OR REPLACE FUNCTION endringsepoke()
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$
        select md5(concat_ws('/', i.epoke, s.system_identifier,
          case when pg_is_in_recovery() then (
            select greatest(i.tidslinje, c.timeline_id, r.min_recovery_end_timeline)
            from pg_control_checkpoint() c, pg_control_recovery() r)
          else primaerens_tidslinje() end))::uuid
        from instans i, pg_control_system() s
      $function$;
comment on function endringsepoke() is 'A position in the change feed means something only within one epoch';

CREATE OR REPLACE FUNCTION er_foer_sletting(meldings_epoke integer, meldings_partisjon integer, meldings_offset bigint, meldingen_skrevet timestamp with time zone, epoke integer, partisjon integer, kafka_offset bigint, skrevet bigint, slett_foer bigint)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog'
AS $function$
  select meldings_epoke < epoke or (meldings_epoke = epoke and case
    when slett_foer is not null then meldings_partisjon = partisjon and meldings_offset < least(slett_foer, kafka_offset)
    when meldings_partisjon = partisjon then meldings_offset < kafka_offset
    else coalesce(meldingen_skrevet <= to_timestamp(skrevet / 1000.0), true) end)
$function$;
comment on function er_foer_sletting(integer,integer,bigint,timestamp with time zone,integer,integer,bigint,bigint,bigint) is 'Whether a parked message lies before a deletion. One of a full sync spares all other partitions, and what came after it had begun';

CREATE OR REPLACE FUNCTION fase(dag date, start_dato date, slutt_dato date, inngaatt boolean, har_vaert_inngaatt boolean, annullert boolean, annullert_dag date, annullert_underveis boolean, fra_arena boolean)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
        select case
          when annullert and not annullert_underveis then 'ANNULLERT'
          when annullert and dag < start_dato then 'PLANLAGT'
          when annullert and dag < annullert_dag and (slutt_dato is null or dag <= slutt_dato) then 'PAAGAAR'
          when annullert then 'AVSLUTTET'
          when inngaatt and slutt_dato < dag then 'AVSLUTTET'
          when inngaatt and start_dato <= dag then 'PAAGAAR'
          when inngaatt then 'PLANLAGT'
          when (har_vaert_inngaatt or fra_arena) and start_dato <= dag and dag <= slutt_dato then 'IKKE_INNGAATT_PAA_NYTT'
          when har_vaert_inngaatt and slutt_dato < dag then 'AVSLUTTET'
          else 'UTKAST'
        end
      $function$;
comment on function fase(date,date,date,boolean,boolean,boolean,date,boolean,boolean) is 'Where in its life an avtale is on a day: the rule of libs/avtale/src/phase.ts, for searching';

CREATE OR REPLACE FUNCTION fjern_partisjon(hvilken text, maaneden text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET lock_timeout TO '300ms'
AS $function$
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
end $function$;
comment on function fjern_partisjon(text,text) is 'Drops the partition of a month; false: there is none. Gives up (55P03) when somebody is in the way, and refuses (TD020) what must stay';
revoke execute on function fjern_partisjon(text,text) from public;
grant execute on function fjern_partisjon(text,text) to datadeling_skriver;

CREATE OR REPLACE FUNCTION flytt_abonnerte(flyttet text[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_material TO 'off'
 SET enable_bitmapscan TO 'off'
AS $function$ begin
    with recursive ned (nr, under) as (
      select unnest(flyttet), 0
      union
      select v.organisasjonsnummer, under + 1 from ned cross join lateral (
        select organisasjonsnummer from public.virksomhet where overordnet_enhet = ned.nr and slettet is null offset 0) v where under < 20
    ), opp (nr, topp, nivaa) as (
      select distinct nr, nr, 0 from ned
      union all
      select opp.nr, v.overordnet_enhet, opp.nivaa + 1
      from opp cross join lateral (
        select overordnet_enhet from public.virksomhet
        where organisasjonsnummer = opp.topp and slettet is null and overordnet_enhet is not null offset 0) v
      where opp.nivaa <= 20
    ), kjede as materialized (
      select nr, case when max(nivaa) <= 20 then array_agg(topp) filter (where nivaa > 0) end as enheter from opp group by nr
    ), ute as materialized (
      select m.sted, m.lagt_til from kjede k cross join lateral (
        select ctid as sted, lagt_til, fjernet, hovedenhet from public.abonnement_medlem where noekkel = 'B' || k.nr offset 0) m
      where m.fjernet is null and m.hovedenhet <> k.nr and coalesce(m.hovedenhet <> all (k.enheter), true)
    ), ut as (
      update public.abonnement_medlem m set fjernet = pg_current_xact_id() from ute
      where m.ctid = ute.sted and ute.lagt_til <> pg_current_xact_id()
    ), angret as (
      -- It came in this transaction: it has never been there.
      delete from public.abonnement_medlem m using ute where m.ctid = ute.sted and ute.lagt_til = pg_current_xact_id()
    )
    insert into public.abonnement_medlem (abonnement, noekkel, hovedenhet)
    select h.abonnement, 'B' || k.nr, enhet.nr
    from kjede k cross join unnest(k.enheter) as enhet(nr) cross join lateral (
      select abonnement, fjernet from public.abonnement_medlem where noekkel = 'H' || enhet.nr offset 0) h
    where h.fjernet is null
    on conflict (abonnement, noekkel, ident, hovedenhet) where fjernet is null do nothing;
  end $function$;
comment on function flytt_abonnerte(text[]) is 'Members by hovedenhet of these virksomheter and of all below them, by what is above them now';
revoke execute on function flytt_abonnerte(text[]) from public;

CREATE OR REPLACE FUNCTION foelg_avtaler()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET lock_timeout TO '300ms'
AS $function$ begin
    if (select foelges from public.abonnering) then return; end if;
    perform pg_advisory_xact_lock(7220321);
    update public.abonnering set foelges = true;
  end $function$;
comment on function foelg_avtaler() is 'From now on avtale_endring is written. Gives up (55P03) before writers that wait for each other behind it would be in a deadlock; asked again by the caller';
revoke execute on function foelg_avtaler() from public;
grant execute on function foelg_avtaler() to datadeling_leser;

CREATE OR REPLACE FUNCTION fullfoer_driftshandling(handling_id bigint, utfoert integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ begin
  if utfoert is null or utfoert < 0 then
    raise exception 'utfoert must be a number of at least 0' using errcode = 'invalid_parameter_value';
  end if;
  update public.driftshandling set antall = utfoert where id = handling_id and antall is null;
end $function$;
comment on function fullfoer_driftshandling(bigint,integer) is 'Says once of how many an action came to be, when that was not known before it was done';
revoke execute on function fullfoer_driftshandling(bigint,integer) from public;
grant execute on function fullfoer_driftshandling(bigint,integer) to datadeling_skriver;

CREATE OR REPLACE FUNCTION hindring_for(hvilken text, denne regclass, slutt timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
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
end $function$;
comment on function hindring_for(text,regclass,timestamp with time zone) is 'What keeps a partition from going, whatever age is asked for; null: nothing';
revoke execute on function hindring_for(text,regclass,timestamp with time zone) from public;

CREATE OR REPLACE FUNCTION hindring_oppslag(denne regclass, slutt timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET "TimeZone" TO 'UTC'
AS $function$
  select case
    when not exists (select from public.oppslagsarkiv where maaned = to_char(slutt - interval '1 month', 'YYYYMM'))
      then 'it has not been exported and verified (oppslagsarkiv)'
    when coalesce((select kjent_til from public.konsumentbruk_tidsrom) < slutt, true)
      then 'what consumers used has not been summed up' end
$function$;
comment on function hindring_oppslag(regclass,timestamp with time zone) is 'What keeps a month of the audit from going';
revoke execute on function hindring_oppslag(regclass,timestamp with time zone) from public;

CREATE OR REPLACE FUNCTION hold_igjen_ved_hull()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
declare
  aapne integer;
  til timestamptz;
begin
  select count(*), case when bool_and(oppdatert_til is not null) then min(oppdatert_til) end into aapne, til
  from public.konsum_hull where topic = new.topic and partisjon = new.partisjon and lukket is null;
  if aapne > 0 and (til is null or new.oppdatert_til > til) then new.oppdatert_til := til; end if;
  return new;
end $function$;
comment on function hold_igjen_ved_hull() is 'Whatever version writes it: while something is lost, what was published after it is not said to be included';

CREATE OR REPLACE FUNCTION innsynsidenter(person uuid)
 RETURNS TABLE(ident uuid, til timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
  select p.ident, null::timestamptz from public.personens_identer(array[person]) p
  union
  select foer.deltaker_id, max(foer.til)
  from public.personens_identer(array[person]) p join public.personident_foer foer on foer.ident = p.ident
  group by foer.deltaker_id
$function$;
comment on function innsynsidenter(uuid) is 'The opaque ids that look-ups of a person are audited with; one that has become another person''s, until when it was this one''s';
revoke execute on function innsynsidenter(uuid) from public;
grant execute on function innsynsidenter(uuid) to datadeling_revisor;

CREATE OR REPLACE FUNCTION klargjoer_avstemming()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ begin
  create temp table hos_kilden (avtale_id uuid not null, sist_endret timestamptz(6) not null);
  create temp table topicstand (avtale_id uuid primary key, sist_endret timestamptz(6), slettet text,
    partisjon integer not null, kafka_offset bigint not null, epoke integer not null default 0, skrevet bigint, minne text);
  grant select, insert, maintain on pg_temp.hos_kilden to datadeling_skriver;
  grant select, insert, update on pg_temp.topicstand to datadeling_skriver;
end $function$;
comment on function klargjoer_avstemming() is 'Makes pg_temp.hos_kilden and pg_temp.topicstand, once for a connection, which is closed after the reconciliation';
revoke execute on function klargjoer_avstemming() from public;
grant execute on function klargjoer_avstemming() to datadeling_skriver;

CREATE OR REPLACE FUNCTION klargjoer_innlasting()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ begin
  if to_regclass('pg_temp.inn') is not null then return; end if;
  -- Without the constraints of avtale: what it would refuse, the update shall refuse.
  create temp table inn on commit delete rows as
    select *, kilde_partisjon as kjent_partisjon, kilde_offset as kjent_offset, kilde_epoke as kjent_epoke, kilde_minne as kjent_minne, sist_endret as kjent_sist_endret from public.avtale with no data;
  grant select, insert, delete on pg_temp.inn to datadeling_skriver;
end $function$;
comment on function klargjoer_innlasting() is 'Makes pg_temp.inn, where rows that replace stored avtaler lie until the transaction ends';
revoke execute on function klargjoer_innlasting() from public;
grant execute on function klargjoer_innlasting() to datadeling_skriver;

CREATE OR REPLACE FUNCTION krev_kontrakt()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  skriver integer := coalesce(nullif(current_setting('datadeling.kontrakt', true), '')::integer, 1);
  minst integer := (select kontrakt_minst from public.instans);
begin
  if skriver >= minst then return null; end if;
  if pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid), 'usage') then return null; end if;
  raise exception 'This version of the ingestor writes by contract %, and the database takes % and newer: it is too old to run beside or after the version that migrated it',
    skriver, minst using errcode = '57D01';
end $function$;
comment on function krev_kontrakt() is 'Refuses the statement of a version that writes by too old a contract';

CREATE OR REPLACE FUNCTION krev_siste_endring(siste xid8)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$ begin
    if siste > pg_current_xact_id() then
      raise exception 'A transaction after this one has changed the avtale already' using errcode = 'serialization_failure';
    end if;
    return true;
  end $function$;
comment on function krev_siste_endring(xid8) is 'What subscriptions are told is in the order of transactions: one that comes too late must begin again';
revoke execute on function krev_siste_endring(xid8) from public;

CREATE OR REPLACE FUNCTION krev_som_ventet(er_som_ventet boolean, hva text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$ begin
        if er_som_ventet is not true then raise exception '% is not as it was read', hva using errcode = 'TD001'; end if;
      end $function$;
comment on function krev_som_ventet(boolean,text) is 'Fails with SQLSTATE TD001 when somebody else has changed what a group of messages was read against';
revoke execute on function krev_som_ventet(boolean,text) from public;
grant execute on function krev_som_ventet(boolean,text) to datadeling_skriver;

CREATE OR REPLACE FUNCTION lag_partisjoner(hvilken text DEFAULT NULL::text)
 RETURNS SETOF text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '300ms'
AS $function$
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
end $function$;
comment on function lag_partisjoner(text) is 'Makes the partitions of a table that are missing, of the months to come and of rows that lie in the default one; without a table: of all, which are then held together; gives up (55P03) when somebody is in the way';
revoke execute on function lag_partisjoner(text) from public;
grant execute on function lag_partisjoner(text) to datadeling_skriver;

CREATE OR REPLACE FUNCTION lagre_abonnement(hvem text, grunnlag text, hva text, lag boolean, kjent bigint, inn text[], ut text[])
 RETURNS TABLE(abonnement_id uuid, ny_utgave bigint)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
  declare
    denne uuid;
    naa bigint;
    antall_ut integer;
    antall_inn integer;
    antall_under integer;
  begin
    -- Nobody moves a virksomhet meanwhile. It is waited for with nothing held.
    if exists (select from unnest(inn || ut) n where left(n, 1) = 'H') then
      perform pg_advisory_xact_lock_shared(7220324);
    end if;
    -- Who is one person does not change meanwhile, nor what others of the same consumer make. All that is written in the
    -- organisation waits behind a change of persons that waits for this: it is given some thousand keys at a time.
    if exists (select from unnest(inn || ut) n where left(n, 1) = 'P') then
      perform pg_advisory_xact_lock_shared(7220319);
    end if;
    perform pg_advisory_xact_lock(7220320, hashtext(hvem));
    -- Not for update: who moves persons or virksomheter adds members, and does not wait for this.
    select id, utgave into denne, naa from public.abonnement
      where konsument = hvem and behandlingsgrunnlag = grunnlag and navn = hva for no key update;
    if coalesce(naa, 0) <> kjent then
      raise exception 'others have changed it meanwhile' using errcode = 'TD013';
    end if;
    if denne is null then
      if not lag then return; end if;
      -- Held until it is made, so that nobody ends the following meanwhile.
      perform pg_advisory_xact_lock_shared(7220321);
      if not (select foelges from public.abonnering) then
        raise exception 'avtale_endring is not written' using errcode = 'TD012';
      end if;
      if (select count(*) from public.abonnement where konsument = hvem) >= 1000 then
        raise exception 'too many subscriptions' using errcode = 'TD010';
      end if;
      insert into public.abonnement (konsument, behandlingsgrunnlag, navn) values (hvem, grunnlag, hva) returning id into denne;
    end if;
    update public.abonnement_medlem m set fjernet = pg_current_xact_id() from unnest(ut) as bort(noekkel)
    where m.abonnement = denne and m.fjernet is null and m.hovedenhet is null
      and m.noekkel = case when left(bort.noekkel, 1) = 'P' then 'P' || coalesce(
        (select p.deltaker_id from public.personident p where p.ident = substr(bort.noekkel, 2)::uuid)::text,
        substr(bort.noekkel, 2)) else bort.noekkel end
      and case when m.ident is null then m.noekkel else 'P' || m.ident end = bort.noekkel;
    get diagnostics antall_ut = row_count;
    update public.abonnement_medlem m set fjernet = pg_current_xact_id() from unnest(ut) as bort(noekkel)
    where m.abonnement = denne and m.fjernet is null and left(bort.noekkel, 1) = 'H' and m.hovedenhet = substr(bort.noekkel, 2);
    with nye as (
      insert into public.abonnement_medlem (abonnement, noekkel, ident)
      select distinct denne, case when person.ident is null then n else 'P' || coalesce(p.deltaker_id, person.ident) end,
        person.ident
      from unnest(inn) n
      cross join lateral (select case when left(n, 1) = 'P' then substr(n, 2)::uuid end as ident) person
      left join public.personident p on p.ident = person.ident
      on conflict (abonnement, noekkel, ident, hovedenhet) where fjernet is null do nothing
      returning noekkel
    ), under as (
      -- The unit itself too. Of more than it may have, no more is looked for.
      insert into public.abonnement_medlem (abonnement, noekkel, hovedenhet)
      select denne, 'B' || u.nr, enhet.nr
      from nye cross join lateral (select substr(nye.noekkel, 2) as nr) enhet
      cross join lateral public.virksomheter_under(enhet.nr) as u(nr)
      where left(nye.noekkel, 1) = 'H' limit 200001
      returning noekkel
    )
    select (select count(*) from nye), (select count(*) from under) into antall_inn, antall_under;
    update public.abonnement a set endret = now(), sist_brukt = now(), utgave = a.utgave + 1,
      antall = a.antall + antall_inn - antall_ut, antall_alle = a.antall_alle + antall_inn + antall_under,
      slag = array(select distinct bokstav from unnest(a.slag || array(select left(n, 1) from unnest(inn) n)) bokstav order by 1)
    where a.id = denne returning a.utgave into naa;
    -- Those that are gone stay for as long as the feed does: they are bounded too.
    if antall_inn > 0 and (select a.antall > 200000 or a.antall_alle > 600000 from public.abonnement a where a.id = denne)
      -- Those below grow by themselves, and are counted when they are asked for.
      or antall_under > 0 and (select a.antall + (select count(*) from public.abonnement_medlem m
        where m.abonnement = denne and m.hovedenhet is not null and m.fjernet is null) > 200000
        from public.abonnement a where a.id = denne) then
      raise exception 'too many members' using errcode = 'TD011';
    end if;
    return query select denne, naa;
  end $function$;
comment on function lagre_abonnement(text,text,text,boolean,bigint,text[],text[]) is 'Makes a subscription, or changes what it is of: nothing when there is none, and none is to be made. TD013 when it is not the utgave that was given, if one was';
revoke execute on function lagre_abonnement(text,text,text,boolean,bigint,text[],text[]) from public;
grant execute on function lagre_abonnement(text,text,text,boolean,bigint,text[],text[]) to datadeling_leser;

CREATE OR REPLACE FUNCTION lenker(deltaker uuid, avtale uuid)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
AS $function$ begin
        return (select string_agg(relasjon || ' ' || til, ',' order by relasjon, til)
                from relasjon_synlig where deltaker_id = deltaker and fra = avtale);
      end $function$;
comment on function lenker(uuid,uuid) is 'The links of an avtale as one text, null for none. In plpgsql, whose plans are kept: as a part of each search it would double the time that planning takes';

CREATE OR REPLACE FUNCTION meld_forbruk(denne uuid, brukt jsonb)
 RETURNS TABLE(andre uuid, meldt double precision, bruk jsonb)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ begin
        insert into public.forbruk values (denne, clock_timestamp(), brukt)
          on conflict (prosess) do update set sett = excluded.sett, konsumenter = excluded.konsumenter;
        -- Skips what another is removing, so that nobody waits for anybody.
        delete from public.forbruk where prosess in (
          select prosess from public.forbruk where sett < clock_timestamp() - interval '1 minute' for update skip locked);
        return query select prosess, extract(epoch from sett)::double precision, konsumenter from public.forbruk
          where prosess <> denne and sett > clock_timestamp() - interval '5 seconds';
      end $function$;
comment on function meld_forbruk(uuid,jsonb) is 'Tells what consumers have used at this query-api, and answers with what the others that live have told; meldt is in seconds';
revoke execute on function meld_forbruk(uuid,jsonb) from public;
grant execute on function meld_forbruk(uuid,jsonb) to datadeling_leser;

CREATE OR REPLACE FUNCTION meld_ingestor(denne uuid, dens_bygg text, dens_kontrakt integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ begin
  insert into public.ingestor_i_drift values (denne, dens_bygg, dens_kontrakt, clock_timestamp())
    on conflict (prosess) do update set sett = excluded.sett;
  delete from public.ingestor_i_drift where prosess in (
    select prosess from public.ingestor_i_drift where sett < clock_timestamp() - interval '10 minutes' for update skip locked);
end $function$;
comment on function meld_ingestor(uuid,text,integer) is 'Tells that an ingestor lives';
revoke execute on function meld_ingestor(uuid,text,integer) from public;
grant execute on function meld_ingestor(uuid,text,integer) to datadeling_skriver;

CREATE OR REPLACE FUNCTION meld_konsumenter(hvem text[], grunnlag text[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
    update public.abonnement set sist_registrert = now()
      where (konsument, behandlingsgrunnlag) in (select * from unnest(hvem, grunnlag));
    update public.abonnering set konsumenter_meldt = now();
  $function$;
comment on function meld_konsumenter(text[],text[]) is 'Tells which consumers and purposes the registry of a query-api has';
revoke execute on function meld_konsumenter(text[],text[]) from public;
grant execute on function meld_konsumenter(text[],text[]) to datadeling_leser;

CREATE OR REPLACE FUNCTION noter_tidslinje()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ begin
        if exists (select from public.instans where tidslinje <> public.primaerens_tidslinje()) then
          update public.instans set tidslinje = public.primaerens_tidslinje();
        end if;
      end $function$;
comment on function noter_tidslinje() is 'Tells those who follow this server which timeline it is on';
revoke execute on function noter_tidslinje() from public;
grant execute on function noter_tidslinje() to datadeling_skriver;

CREATE OR REPLACE FUNCTION oppdater_hovedenheter(flyttet text[])
 RETURNS SETOF text
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_material TO 'off'
 SET enable_bitmapscan TO 'off'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$ begin
  return query with recursive ned (nr, under) as (
    select unnest(flyttet), 0
    union
    select v.organisasjonsnummer, under + 1 from ned cross join lateral (
      select organisasjonsnummer from public.virksomhet where overordnet_enhet = ned.nr and slettet is null offset 0) v where under < 20
  ), opp (nr, topp, nivaa) as (
    select distinct nr, nr, 0 from ned
    union all
    select opp.nr, v.overordnet_enhet, opp.nivaa + 1
    from opp cross join lateral (
      select overordnet_enhet from public.virksomhet
      where organisasjonsnummer = opp.topp and slettet is null and overordnet_enhet is not null offset 0) v
    where opp.nivaa <= 20
  ), riktig as (
    select distinct on (nr) nr, case when nivaa between 1 and 20 then topp end as hovedenhet
    from opp order by nr, nivaa desc
  ), rettet as (
    update public.virksomhet v set hovedenhet = r.hovedenhet from riktig r
    where v.organisasjonsnummer = r.nr and v.hovedenhet is distinct from r.hovedenhet
    returning v.organisasjonsnummer, v.slettet
  ), varsel as (
    insert into public.hovedenhet_varsel select organisasjonsnummer from rettet
    -- Locked, so that who tells of it does not take it before this is committed.
    on conflict (organisasjonsnummer) do update set lagt_til = excluded.lagt_til
  ), linjer as (
    insert into public.virksomhet_endring (organisasjonsnummer, type)
    select organisasjonsnummer, 'ENDRET' from rettet where slettet is null and organisasjonsnummer not in (select unnest(flyttet))
  )
  select organisasjonsnummer from rettet;
end $function$;
comment on function oppdater_hovedenheter(text[]) is 'Finds anew the top of the chain of these and of all below them; answers with those that have got another';
revoke execute on function oppdater_hovedenheter(text[]) from public;
grant execute on function oppdater_hovedenheter(text[]) to datadeling_skriver;

CREATE OR REPLACE FUNCTION oppslagsform_nr(hvem text, grunnlag text, hva text, felt text[])
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
declare
  innhold jsonb := jsonb_build_array(hvem, grunnlag, hva, to_jsonb(felt));
  nummer bigint := ('x' || left(encode(sha256(convert_to(innhold::text, 'UTF8')), 'hex'), 13))::bit(52)::bigint;
  kjent jsonb;
begin
  if not exists (select from public.oppslagsform where nr = nummer) then
    -- Fields are the consumer's choice in some operations: nobody may fill the table.
    if (select count(*) from public.oppslagsform where konsument = hvem) >= 200 then return null; end if;
    insert into public.oppslagsform values (nummer, hvem, grunnlag, hva, felt) on conflict do nothing;
  end if;
  select jsonb_build_array(konsument, behandlingsgrunnlag, operasjon, to_jsonb(felter)) into kjent
    from public.oppslagsform where nr = nummer;
  return case when kjent = innhold then nummer end;
end $function$;
comment on function oppslagsform_nr(text,text,text,text[]) is 'The number of a form, which is stored if it is new; null when the line must say it all itself';
revoke execute on function oppslagsform_nr(text,text,text,text[]) from public;
grant execute on function oppslagsform_nr(text,text,text,text[]) to datadeling_analyse;
grant execute on function oppslagsform_nr(text,text,text,text[]) to datadeling_leser;

CREATE OR REPLACE FUNCTION oppsummer_bruk()
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
declare
  grense timestamptz := clock_timestamp() - interval '2 minutes';
  fra timestamptz;
  neste timestamptz;
  til timestamptz;
  brukt jsonb;
begin
  if not pg_try_advisory_xact_lock(hashtext('tiltak-datadeling konsumentbruk')) then return false; end if;
  select kjent_til into fra from public.konsumentbruk_tidsrom;
  -- Where nothing was looked up, nothing is to be read.
  select min(tidspunkt) into neste from public.oppslagslinje where tidspunkt >= coalesce(fra, '-infinity');
  til := least(greatest(coalesce(neste, grense), coalesce(fra, '-infinity')) + interval '5 minutes', grense);
  if til <= fra then return false; end if;
  fra := coalesce(fra, least(neste, grense));
  select jsonb_agg(to_jsonb(form)) into brukt from (
    select coalesce(f.konsument, l.konsument) as konsument,
      coalesce(f.behandlingsgrunnlag, l.behandlingsgrunnlag) as grunnlag,
      coalesce(f.operasjon, l.operasjon) as operasjon, coalesce(f.felter, l.felter) as felter, l.forst, l.sist
    from (
      select form, konsument, behandlingsgrunnlag, operasjon, felter, min(tidspunkt) as forst, max(tidspunkt) as sist
      from public.oppslagslinje where tidspunkt >= fra and tidspunkt < til and tillatt group by 1, 2, 3, 4, 5) l
    left join public.oppslagsform f on f.nr = l.form) form;
  insert into public.konsumentbruk as b
    select konsument, coalesce(grunnlag, ''), operasjon, felt, min(forst), max(sist)
    from jsonb_to_recordset(coalesce(brukt, '[]')) as form(konsument text, grunnlag text, operasjon text, felter text[],
        forst timestamptz, sist timestamptz),
      lateral unnest(felter || ''::text) as felt
    where konsument is not null
    group by 1, 2, 3, 4
    on conflict (konsument, behandlingsgrunnlag, operasjon, felt) do update
      set forst_brukt = least(b.forst_brukt, excluded.forst_brukt), sist_brukt = greatest(b.sist_brukt, excluded.sist_brukt);
  insert into public.konsumentbruk_tidsrom (kjent_fra, kjent_til) values (fra, til)
    on conflict (id) do update set kjent_til = excluded.kjent_til;
  return til < grense;
end $function$;
comment on function oppsummer_bruk() is 'Brings konsumentbruk on by five minutes of the audit at most; tells whether there is more. Who may call it need not be able to read the audit';
revoke execute on function oppsummer_bruk() from public;
grant execute on function oppsummer_bruk() to datadeling_skriver;

CREATE OR REPLACE FUNCTION parkerte_avtaler(nokkel bytea, verdi bytea)
 RETURNS uuid[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog'
AS $function$
  select array(
    select id::uuid from (
      select substring(encode(nokkel, 'escape') from '^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$') as id
      union
      select (regexp_matches(encode(verdi, 'escape'), '"avtaleId"\s*:\s*"([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})"', 'g'))[1]
    ) funnet where id is not null order by 1)
$function$;
comment on function parkerte_avtaler(bytea,bytea) is 'The avtaler that a message names, by key or content, also when it is neither JSON nor UTF-8';

CREATE OR REPLACE FUNCTION partisjoner()
 RETURNS TABLE(tabell text, maaned text, fra timestamp with time zone, til timestamp with time zone, byte bigint, rader bigint, hindring text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
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
end $function$;
comment on function partisjoner() is 'All partitions, with what keeps each from going; the default ones have no month, and they alone are counted';
revoke execute on function partisjoner() from public;
grant execute on function partisjoner() to datadeling_skriver;

CREATE OR REPLACE FUNCTION partisjoner_av(hvilken text)
 RETURNS TABLE(partisjon regclass, maaned text, fra timestamp with time zone, til timestamp with time zone)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET "DateStyle" TO 'ISO'
AS $function$
  select p, to_char(p_til - interval '1 month', 'YYYYMM'), p_fra, p_til
  from (
    select c.oid::regclass as p,
      substring(grenser from $r$FROM \('([^']*)'\)$r$)::timestamptz as p_fra,
      substring(grenser from $r$TO \('([^']*)'\)$r$)::timestamptz as p_til
    from pg_inherits i join pg_class c on c.oid = i.inhrelid, pg_get_expr(c.relpartbound, c.oid) as grenser
    where i.inhparent = to_regclass(format('public.%I', hvilken))) alle
  order by p_til nulls last
$function$;
comment on function partisjoner_av(text) is 'The partitions of a table, oldest first; without fra: from the beginning; without til too: the default one';

CREATE OR REPLACE FUNCTION personens_identer(spurt uuid[])
 RETURNS TABLE(nr integer, ident uuid)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 10
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET enable_seqscan TO 'off'
AS $function$ begin
  return query select s.nr::integer, s.id from unnest(spurt) with ordinality as s(id, nr);
  return query select s.nr::integer, annen.ident
    from unnest(spurt) with ordinality as s(id, nr)
    join public.personident egen on egen.ident = s.id
    join public.personident annen on annen.deltaker_id = egen.deltaker_id and annen.ident <> egen.ident;
end $function$;
comment on function personens_identer(uuid[]) is 'All idents of the persons that are asked for by some of them, as opaque ids, each with the place of who was asked for';
revoke execute on function personens_identer(uuid[]) from public;
grant execute on function personens_identer(uuid[]) to datadeling_leser;
grant execute on function personens_identer(uuid[]) to datadeling_revisor;

CREATE OR REPLACE FUNCTION primaerens_tidslinje()
 RETURNS integer
 LANGUAGE sql
AS $function$
        select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
      $function$;
comment on function primaerens_tidslinje() is 'Of this server, which must not be following another';

CREATE OR REPLACE FUNCTION registrer_analyseprodukt(hva text, kontroll uuid)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
declare
  kjent uuid;
begin
  if kontroll = (select noekkelkontroll from public.instans) then return 'DELTAKER_ID'; end if;
  insert into public.analyseprodukt (produkt, noekkelkontroll) values (hva, kontroll) on conflict do nothing;
  select noekkelkontroll into kjent from public.analyseprodukt where produkt = hva;
  return case when kjent is null then 'ANNET_PRODUKT' when kjent <> kontroll then 'ANNEN_NOEKKEL' end;
end $function$;
comment on function registrer_analyseprodukt(text,uuid) is 'Notes the key of a product for analysis; null, or why the key can not be used';
revoke execute on function registrer_analyseprodukt(text,uuid) from public;
grant execute on function registrer_analyseprodukt(text,uuid) to datadeling_analyse;

CREATE OR REPLACE FUNCTION rydd_abonnementer(dager integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
  declare
    borte integer;
    beskaaret uuid[];
  begin
    -- First, as whoever changes persons or virksomheter has it: that one comes to the members next, and so does this.
    perform pg_advisory_xact_lock_shared(7220324);
    perform pg_advisory_xact_lock_shared(7220319);
    -- Told of an hour ago by somebody, and not of this: a registry that is on its way out to all has been by then.
    delete from public.abonnement where sist_brukt < now() - make_interval(days => dager)
      or sist_registrert < (select konsumenter_meldt - interval '1 hour' from public.abonnering);
    get diagnostics borte = row_count;
    with ute as (
      delete from public.abonnement_medlem where fjernet < (select beskaaret_til from public.instans) returning abonnement)
    select array_agg(distinct abonnement) into beskaaret from ute;
    update public.abonnement a set antall_alle = telt.antall, slag = telt.slag
    from unnest(beskaaret) b(id) cross join lateral (
      select count(*) as antall, coalesce(array_agg(distinct case when m.hovedenhet is null then left(m.noekkel, 1) else 'H' end), '{}') as slag
      from public.abonnement_medlem m where m.abonnement = b.id) telt
    where a.id = b.id;
    return borte;
  end $function$;
comment on function rydd_abonnementer(integer) is 'Removes what nobody has used for so long, whose consumer is gone, and members that were taken out before the feed begins';
revoke execute on function rydd_abonnementer(integer) from public;
grant execute on function rydd_abonnementer(integer) to datadeling_skriver;

CREATE OR REPLACE FUNCTION rydd_parkerte()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ begin
  delete from public.parkert_melding where tilstand <> 'PARKERT' and behandlet < now() - interval '90 days';
  -- A version from before this one keeps the bytes of what it resolves.
  update public.parkert_melding
  set nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = tilstand
  where tilstand <> 'PARKERT' and innhold_fjernet is null;
  -- Parked once more after it was deleted, or in two partitions at the same time.
  update public.parkert_melding p
  set nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = 'AVTALE_SLETTET',
    tilstand = 'FORKASTET', behandlet = now(), begrunnelse = 'AVTALE_SLETTET'
  from public.avtale a
  where p.innhold_fjernet is null and a.avtale_id = any (p.avtaler) and a.slettet is not null
    and (public.er_foer_sletting(p.epoke, p.partisjon, p.kafka_offset, p.skrevet,
      a.kilde_epoke, a.kilde_partisjon, a.kilde_offset, a.kilde_skrevet, a.kilde_slett_foer));
  update public.parkert_melding
  set nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = 'FRIST'
  where tilstand = 'PARKERT' and innhold_fjernet is null and parkert < now() - interval '1 year';
end $function$;
comment on function rydd_parkerte() is 'Resolved messages go after 90 days; of those that nobody has resolved in a year, or whose avtale is deleted, the bytes do';
revoke execute on function rydd_parkerte() from public;
grant execute on function rydd_parkerte() to datadeling_skriver;

CREATE OR REPLACE FUNCTION rydd_rapporter()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
      declare
        foerste bigint := (select id from public.gjenoppbygging order by id desc offset 49 limit 1);
      begin
        delete from public.gjenoppbygging_usett where gjenoppbygging < foerste;
        delete from public.gjenoppbygging_partisjon p using public.gjenoppbygging g
          where g.id = p.gjenoppbygging and g.id < foerste and g.tilstand <> 'KJORER';
        delete from public.gjenoppbygging g where g.id < foerste and g.tilstand <> 'KJORER'
          and not exists (select from public.gjenoppbygging_sett s where s.gjenoppbygging = g.id);
        delete from public.parkert_handling
          where tilstand <> 'KJORER' and id < (select id from public.parkert_handling order by id desc offset 999 limit 1);
      end $function$;
comment on function rydd_rapporter() is 'The last fifty rebuilds stay, and the last thousand bulk actions: who did them is in driftshandling';
revoke execute on function rydd_rapporter() from public;
grant execute on function rydd_rapporter() to datadeling_skriver;

CREATE OR REPLACE FUNCTION skriv_oppslagslinje()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$ begin
  insert into public.oppslagslinje (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt,
      call_id, posisjon, utvalg, avslag, antall_kall)
    values (new.konsument, new.behandlingsgrunnlag, new.operasjon, new.felter, new.personer, new.antall_treff, new.tillatt,
      new.call_id, new.posisjon, new.utvalg, new.avslag, new.antall_kall);
  return new;
end $function$;
comment on function skriv_oppslagslinje() is 'Writes what a version from before the lines had forms writes';
revoke execute on function skriv_oppslagslinje() from public;

CREATE OR REPLACE FUNCTION slett_abonnement(hvem text, grunnlag text, hva text)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
  declare borte integer;
  begin
    -- First, as whoever changes persons or virksomheter has it: that one comes to the members next, and so does this.
    perform pg_advisory_xact_lock_shared(7220324);
    perform pg_advisory_xact_lock_shared(7220319);
    delete from public.abonnement where konsument = hvem and behandlingsgrunnlag = grunnlag and navn = hva;
    get diagnostics borte = row_count;
    return borte;
  end $function$;
comment on function slett_abonnement(text,text,text) is 'How many it was: one or none';
revoke execute on function slett_abonnement(text,text,text) from public;
grant execute on function slett_abonnement(text,text,text) to datadeling_leser;

CREATE OR REPLACE FUNCTION slutt_aa_foelge()
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET lock_timeout TO '300ms'
AS $function$ begin
    if not (select foelges from public.abonnering) or exists (select from public.abonnement) then return false; end if;
    perform pg_advisory_xact_lock(7220321);
    if exists (select from public.abonnement) then return false; end if;
    update public.abonnering set foelges = false;
    truncate public.avtale_endring;
    return true;
  end $function$;
comment on function slutt_aa_foelge() is 'When there is no subscription left: avtale_endring is not written, and empty. Gives up as foelg_avtaler does';
revoke execute on function slutt_aa_foelge() from public;
grant execute on function slutt_aa_foelge() to datadeling_skriver;

CREATE OR REPLACE FUNCTION tell_partisjon(hvilken text, maaneden text)
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
declare
  denne regclass;
  antall bigint;
begin
  select p.partisjon into denne from public.partisjoner_av(hvilken) p
    where p.maaned = maaneden and exists (select from public.partisjonering where tabell = hvilken);
  if not found then return null; end if;
  execute format('select count(*) from %s', denne) into antall;
  return antall;
end $function$;
comment on function tell_partisjon(text,text) is 'The rows of the partition of a month, in a transaction that holds no other; null: there is none';
revoke execute on function tell_partisjon(text,text) from public;
grant execute on function tell_partisjon(text,text) to datadeling_skriver;

CREATE OR REPLACE FUNCTION virksomheter_under(nr text)
 RETURNS SETOF text
 LANGUAGE plpgsql
 STABLE ROWS 20
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET enable_seqscan TO 'off'
AS $function$ begin
  return query with recursive under (organisasjonsnummer, dybde) as (
    select nr, 0
    union
    select v.organisasjonsnummer, under.dybde + 1
    from under join public.virksomhet_synlig v on v.overordnet_enhet = under.organisasjonsnummer
    where v.hovedenhet is not null and under.dybde < 20
  )
  select organisasjonsnummer from under;
end $function$;
comment on function virksomheter_under(text) is 'All establishments below a unit, through all levels, and itself; who leads into a cycle is below nobody';
revoke execute on function virksomheter_under(text) from public;
grant execute on function virksomheter_under(text) to datadeling_leser;
grant execute on function virksomheter_under(text) to datadeling_skriver;

CREATE OR REPLACE FUNCTION virksomheter_under(nr text, antall integer)
 RETURNS SETOF text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$ begin
        return query with recursive under (organisasjonsnummer, dybde) as (
          select nr, 0
          union
          select v.organisasjonsnummer, under.dybde + 1
          from under cross join lateral (
            select organisasjonsnummer from public.virksomhet_synlig
            where overordnet_enhet = under.organisasjonsnummer and hovedenhet is not null offset 0) v
          where under.dybde < 20
        )
        select organisasjonsnummer from under limit antall;
      end $function$;
comment on function virksomheter_under(text,integer) is 'As virksomheter_under(text), and no more than so many: nor are more read';
revoke execute on function virksomheter_under(text,integer) from public;
grant execute on function virksomheter_under(text,integer) to datadeling_leser;

CREATE OR REPLACE FUNCTION virksomheter_under_har(over text, enhet text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
AS $function$
      declare nr text := enhet;
      begin
        for steg in 1..20 loop
          select v.overordnet_enhet into nr from public.virksomhet_synlig v where v.organisasjonsnummer = nr;
          if nr is null then return false; end if;
          if nr = over then return true; end if;
        end loop;
        return false;
      end $function$;
comment on function virksomheter_under_har(text,text) is 'Whether the first is above the second, of those whose chain has a top: found upwards, whatever there is below';
revoke execute on function virksomheter_under_har(text,text) from public;
grant execute on function virksomheter_under_har(text,text) to datadeling_leser;

create table abonnement (
  id uuid default gen_random_uuid() not null,
  konsument text not null,
  behandlingsgrunnlag text not null,
  navn text not null,
  slag text[] default '{}'::text[] not null,
  antall integer default 0 not null,
  antall_alle integer default 0 not null,
  utgave bigint default 0 not null,
  opprettet timestamptz(6) default now() not null,
  endret timestamptz(6) default now() not null,
  sist_brukt timestamptz(6) default now() not null,
  sist_registrert timestamptz(6) default now() not null,
  constraint abonnement_pkey PRIMARY KEY (id),
  constraint abonnement_konsument_behandlingsgrunnlag_navn_key UNIQUE (konsument, behandlingsgrunnlag, navn)
);
comment on table abonnement is 'Subsets of all avtaler that consumers follow';
comment on column abonnement.slag is 'The kinds of members that it has, or has had';
comment on column abonnement.antall is 'How many members it has, without those that others brought';
comment on column abonnement.antall_alle is 'With those that were taken out, and are still kept; the cleaning counts them anew';
comment on column abonnement.utgave is 'One more each time that its members are changed';
comment on column abonnement.sist_registrert is 'When a query-api last told that its registry has the consumer and the purpose';
grant select on abonnement to datadeling_leser;
grant select, delete on abonnement to datadeling_skriver;

create table abonnement_medlem (
  abonnement uuid not null,
  noekkel text not null,
  ident uuid,
  lagt_til xid8 default pg_current_xact_id() not null,
  fjernet xid8,
  hovedenhet text,
  constraint abonnement_medlem_noekkel_check CHECK (noekkel ~ '^[PABTH].'::text)
);
comment on table abonnement_medlem is 'What a subscription is of, and was: a member counts for the changes of transactions after lagt_til and up to fjernet';
comment on column abonnement_medlem.noekkel is 'P and a deltaker_id, A and an avtale_id, B and a bedrift_nr, T and a tiltakstype as the source has it, H and a unit, whose establishments have rows of their own';
comment on column abonnement_medlem.ident is 'Of a person: the opaque id of the ident that was given; noekkel is whose it is';
comment on column abonnement_medlem.hovedenhet is 'Of an establishment that is a member by a member H: the unit that it is, or is below; ends when it moves away';
CREATE INDEX abonnement_medlem_av ON abonnement_medlem USING btree (abonnement, noekkel);
CREATE UNIQUE INDEX abonnement_medlem_entydig ON abonnement_medlem USING btree (abonnement, noekkel, ident, hovedenhet) NULLS NOT DISTINCT WHERE fjernet IS NULL;
CREATE INDEX abonnement_medlem_fjernet ON abonnement_medlem USING btree (abonnement, fjernet, noekkel) WHERE fjernet IS NOT NULL;
CREATE INDEX abonnement_medlem_hovedenhet ON abonnement_medlem USING btree (abonnement, hovedenhet) WHERE hovedenhet IS NOT NULL AND fjernet IS NULL;
CREATE INDEX abonnement_medlem_ident ON abonnement_medlem USING btree (ident) WHERE ident IS NOT NULL AND fjernet IS NULL;
CREATE INDEX abonnement_medlem_lagt_til ON abonnement_medlem USING btree (abonnement, lagt_til, noekkel);
CREATE INDEX abonnement_medlem_noekkel ON abonnement_medlem USING btree (noekkel, abonnement);
grant select on abonnement_medlem to datadeling_leser;
grant select, delete on abonnement_medlem to datadeling_skriver;

create table abonnering (
  ene boolean default true not null,
  foelges boolean default false not null,
  konsumenter_meldt timestamptz(6),
  constraint abonnering_pkey PRIMARY KEY (ene),
  constraint abonnering_ene_check CHECK (ene)
);
comment on table abonnering is 'Whether avtale_endring is written: not while there is no subscription. One row; here and not in instans, which exports read for long';
comment on column abonnering.konsumenter_meldt is 'When a query-api last told which consumers there are';
grant select on abonnering to datadeling_skriver;

create table adapter (
  id boolean default true not null,
  adapter_id text not null,
  klient text not null,
  heartbeat_intervall_minutter integer not null,
  full_synk_intervall_dager integer not null,
  delta_synk text not null,
  ressurser text[] not null,
  opprettet timestamptz(6) default now() not null,
  endret timestamptz(6) default now() not null,
  hjerteslag timestamptz(6),
  ukjente_felter text default 'MELD'::text not null,
  siste_feil jsonb,
  constraint adapter_pkey PRIMARY KEY (id),
  constraint adapter_delta_synk_check CHECK (delta_synk = ANY (ARRAY['STRAKS'::text, 'MINST_HVERT_15_MINUTT'::text, 'INGEN'::text])),
  constraint adapter_id_check CHECK (id),
  constraint adapter_ukjente_felter_check CHECK (ukjente_felter = ANY (ARRAY['MELD'::text, 'AVVIS'::text]))
);
comment on table adapter is 'At most one row: the contract of the one adapter of this organisation';
comment on column adapter.ukjente_felter is 'Whether what the contract does not know is told of in the answer, or refused';
comment on column adapter.siste_feil is 'The last request of a sync that was refused: names of fields, and no values';
grant select, insert, update, delete on adapter to datadeling_skriver;

create table analyseprodukt (
  produkt text not null,
  noekkelkontroll uuid not null,
  registrert timestamptz(6) default now() not null,
  constraint analyseprodukt_pkey PRIMARY KEY (produkt),
  constraint analyseprodukt_noekkelkontroll_key UNIQUE (noekkelkontroll)
);
comment on table analyseprodukt is 'A check value of the key that each product for analysis is made with: no two have the same, and none that of deltaker_id';

create table avstemming (
  id bigint generated always as identity,
  kilde text not null,
  per timestamptz(6) not null,
  startet_av text not null,
  avsluttet timestamptz(6) default clock_timestamp() not null,
  antall_hos_kilden integer not null,
  constraint avstemming_pkey PRIMARY KEY (id),
  constraint avstemming_kilde_check CHECK (kilde = ANY (ARRAY['LISTE'::text, 'TOPIC'::text]))
);
comment on column avstemming.per is 'The moment that the source is compared as of';
grant select, insert, delete on avstemming to datadeling_skriver;

create table avstemming_differanse (
  avstemming bigint not null,
  type text not null,
  fersk boolean not null,
  avtale_id uuid not null,
  sist_endret_hos_kilden timestamptz(6),
  sist_endret_her timestamptz(6),
  partisjon integer,
  kafka_offset bigint,
  rettet timestamptz(6),
  epoke integer default 0 not null,
  constraint avstemming_differanse_pkey PRIMARY KEY (avstemming, type, avtale_id),
  constraint avstemming_differanse_type_check CHECK (type = ANY (ARRAY['MANGLER'::text, 'UTDATERT'::text, 'FREMMED'::text, 'NYERE'::text]))
);
comment on column avstemming_differanse.fersk is 'Changed so shortly before the moment, or since, that the two sides need not agree yet';
comment on column avstemming_differanse.kafka_offset is 'Of the message that decided what was stored here';
grant select, insert on avstemming_differanse to datadeling_skriver;
grant update (rettet) on avstemming_differanse to datadeling_skriver;

create table avtale (
  avtale_id uuid not null,
  avtale_nr integer,
  deltaker_fnr text,
  bedrift_nr text,
  bedrift_navn text,
  veileder_nav_ident text,
  tiltakstype text,
  versjon integer,
  avtale_status text,
  avtale_inngaatt timestamptz(6),
  start_dato date,
  slutt_dato date,
  stillingprosent double precision,
  antall_dager_per_uke double precision,
  stillingstype text,
  godkjent_av_deltaker timestamptz(6),
  godkjent_av_arbeidsgiver timestamptz(6),
  godkjent_av_veileder timestamptz(6),
  godkjent_av_beslutter timestamptz(6),
  godkjent_av_nav_ident text,
  godkjent_av_beslutter_nav_ident text,
  godkjent_paa_vegne_av boolean,
  godkjent_paa_vegne_av_arbeidsgiver boolean,
  opphav text,
  opprettet_tidspunkt timestamptz(6),
  annullert_tidspunkt timestamptz(6),
  feilregistrert boolean not null,
  sist_endret timestamptz(6),
  deltaker_id uuid,
  slettet text,
  kilde_partisjon integer not null,
  kilde_offset bigint not null,
  avtrykk uuid,
  mottatt timestamptz(6) default now() not null,
  har_vaert_inngaatt boolean default false not null,
  aldri_begynt boolean,
  fra_arena boolean,
  kilde_epoke integer default 0 not null,
  kilde_skrevet bigint,
  kilde_slett_foer bigint,
  kilde_minne text,
  constraint avtale_pkey PRIMARY KEY (avtale_id),
  constraint avtale_slettet_check CHECK (slettet = ANY (ARRAY['SLETTEMERKET'::text, 'GRAVSTEIN'::text]))
) with (fillfactor=90, autovacuum_vacuum_scale_factor=0.02, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_insert_scale_factor=0.05, autovacuum_vacuum_cost_limit=2000);
comment on table avtale is 'Current reduced avtale; a deleted one is only a marker, so that a late older message does not revive it';
comment on column avtale.avtrykk is 'Fingerprint of the content: tells a repeated message from a change';
comment on column avtale.mottatt is 'When this system learned of the content';
comment on column avtale.har_vaert_inngaatt is 'In this version or one before it; false again when it is erased';
comment on column avtale.aldri_begynt is 'The reason for its annulment says that it never began; null: not read yet';
comment on column avtale.fra_arena is 'By opphav, or by a flag of an approval on behalf; null: not read yet';
comment on column avtale.kilde_skrevet is 'Timestamp of the record that decided, ms since 1970; null: none, of a full sync''s deletion, or from before it was kept';
comment on column avtale.kilde_slett_foer is 'Of a full sync''s deletion: the offset of its partition that it does not delete beyond';
comment on column avtale.kilde_minne is 'Places of messages that decide nothing any more, and without which the order of arrival would matter; mostly null';
CREATE INDEX avtale_avtale_nr ON avtale USING btree (avtale_nr) WHERE slettet IS NULL AND NOT feilregistrert;
CREATE INDEX avtale_bedrift_nr ON avtale USING btree (bedrift_nr, avtale_id) WHERE slettet IS NULL AND NOT feilregistrert;
CREATE INDEX avtale_datoer ON avtale USING gist (point(COALESCE(start_dato - '2000-01-01'::date, 10000000)::double precision, COALESCE(slutt_dato - '2000-01-01'::date, 10000000)::double precision)) WHERE slettet IS NULL AND NOT feilregistrert;
CREATE INDEX avtale_deltaker_id ON avtale USING btree (deltaker_id) WHERE slettet IS NULL AND NOT feilregistrert;
CREATE INDEX avtale_deltaker_id_feilregistrert ON avtale USING btree (deltaker_id) WHERE slettet IS NULL AND feilregistrert;
CREATE INDEX avtale_feilregistrert ON avtale USING btree (avtale_id) WHERE slettet IS NULL AND feilregistrert;
CREATE INDEX avtale_feilregistrert_avtale_nr ON avtale USING btree (avtale_nr) WHERE slettet IS NULL AND feilregistrert;
CREATE INDEX avtale_feilregistrert_bedrift_nr ON avtale USING btree (bedrift_nr) WHERE slettet IS NULL AND feilregistrert;
CREATE INDEX avtale_slag ON avtale USING btree (tiltakstype, avtale_status, avtale_id) WHERE slettet IS NULL AND NOT feilregistrert;
CREATE TRIGGER avtale_endring_endret AFTER UPDATE ON avtale REFERENCING OLD TABLE AS foer NEW TABLE AS etter FOR EACH STATEMENT EXECUTE FUNCTION avtale_endring_endret();
CREATE TRIGGER avtale_endring_ny AFTER INSERT ON avtale REFERENCING NEW TABLE AS etter FOR EACH STATEMENT EXECUTE FUNCTION avtale_endring_ny();
CREATE TRIGGER krev_kontrakt BEFORE INSERT OR DELETE OR UPDATE ON avtale FOR EACH STATEMENT EXECUTE FUNCTION krev_kontrakt();
grant select, insert, update on avtale to datadeling_skriver;

create table avtale_endring (
  tx xid8 default pg_current_xact_id() not null,
  avtale_id uuid not null,
  kun_lenker boolean default false not null,
  deltaker_id uuid,
  bedrift_nr text,
  tiltakstype text,
  aarsak text,
  var_synlig boolean default false not null,
  foer_deltaker_id uuid,
  foer_bedrift_nr text,
  foer_tiltakstype text,
  foer_versjon bigint,
  felter text[],
  tidspunkt timestamptz(6) default now() not null,
  constraint avtale_endring_pkey PRIMARY KEY (tx, avtale_id, tidspunkt)
) partition by RANGE (tidspunkt);
comment on table avtale_endring is 'What each transaction did to an avtale that consumers see or saw: whose it is and was, for subscriptions. As old as the change feed';
comment on column avtale_endring.kun_lenker is 'Its links alone, or what no field tells: the content is as it was';
comment on column avtale_endring.deltaker_id is 'Of the avtale as it is after it, like bedrift_nr and tiltakstype; null when it is not to be seen';
comment on column avtale_endring.foer_deltaker_id is 'Of the avtale as it was before; null when it was not to be seen';
comment on column avtale_endring.foer_versjon is 'avtale_versjon.lopenr of the content before; it may be erased';
comment on column avtale_endring.felter is 'Columns that have another value than before, and fase when it is worked out of something else; null: there was nothing before';
CREATE INDEX avtale_endring_avtale ON ONLY avtale_endring USING btree (avtale_id, tx);
CREATE INDEX avtale_endring_foer_bedrift ON ONLY avtale_endring USING btree (foer_bedrift_nr, tx) WHERE foer_bedrift_nr IS DISTINCT FROM bedrift_nr;
CREATE INDEX avtale_endring_foer_deltaker ON ONLY avtale_endring USING btree (foer_deltaker_id, tx) WHERE foer_deltaker_id IS DISTINCT FROM deltaker_id;
CREATE INDEX avtale_endring_foer_tiltakstype ON ONLY avtale_endring USING btree (foer_tiltakstype, tx) WHERE foer_tiltakstype IS DISTINCT FROM tiltakstype;
grant select on avtale_endring to datadeling_leser;
grant select, delete on avtale_endring to datadeling_skriver;

create table avtale_versjon (
  avtale_id uuid not null,
  avtale_nr integer,
  deltaker_fnr text,
  bedrift_nr text,
  bedrift_navn text,
  veileder_nav_ident text,
  tiltakstype text,
  versjon integer,
  avtale_status text,
  avtale_inngaatt timestamptz(6),
  start_dato date,
  slutt_dato date,
  stillingprosent double precision,
  antall_dager_per_uke double precision,
  stillingstype text,
  godkjent_av_deltaker timestamptz(6),
  godkjent_av_arbeidsgiver timestamptz(6),
  godkjent_av_veileder timestamptz(6),
  godkjent_av_beslutter timestamptz(6),
  godkjent_av_nav_ident text,
  godkjent_av_beslutter_nav_ident text,
  godkjent_paa_vegne_av boolean,
  godkjent_paa_vegne_av_arbeidsgiver boolean,
  opphav text,
  opprettet_tidspunkt timestamptz(6),
  annullert_tidspunkt timestamptz(6),
  feilregistrert boolean not null,
  sist_endret timestamptz(6),
  deltaker_id uuid,
  kilde_partisjon integer not null,
  kilde_offset bigint not null,
  avtrykk uuid,
  laert timestamptz(6) default now() not null,
  lopenr bigint generated always as identity,
  har_vaert_inngaatt boolean default false not null,
  aldri_begynt boolean,
  fra_arena boolean,
  kilde_epoke integer default 0 not null,
  ny_deltaker boolean default true not null,
  ny_bedrift boolean default true not null,
  constraint avtale_versjon_pkey PRIMARY KEY (avtale_id, lopenr)
) with (autovacuum_vacuum_scale_factor=0.02, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_insert_scale_factor=0.05, autovacuum_vacuum_cost_limit=2000);
comment on table avtale_versjon is 'Each accepted version of an avtale that is not erased';
comment on column avtale_versjon.avtrykk is 'No longer used';
comment on column avtale_versjon.laert is 'When this system learned of it';
comment on column avtale_versjon.ny_deltaker is 'Unless deltaker_fnr and deltaker_id are those of the version before. What has the same gets the same when it is changed, so it stays true';
comment on column avtale_versjon.ny_bedrift is 'Unless bedrift_nr is that of the version before';
CREATE INDEX avtale_versjon_ny_bedrift ON avtale_versjon USING btree (bedrift_nr, avtale_id) WHERE ny_bedrift;
CREATE INDEX avtale_versjon_ny_deltaker ON avtale_versjon USING btree (deltaker_id, avtale_id) WHERE ny_deltaker;
grant select, insert, delete on avtale_versjon to datadeling_skriver;
grant update (deltaker_fnr, deltaker_id, avtrykk, aldri_begynt, fra_arena) on avtale_versjon to datadeling_skriver;

create table driftshandling (
  id bigint generated always as identity,
  tidspunkt timestamptz(6) default clock_timestamp() not null,
  hvem text not null,
  klient text not null,
  handling text not null,
  gjelder text,
  antall integer,
  call_id text not null,
  constraint driftshandling_pkey PRIMARY KEY (id)
);
comment on table driftshandling is 'Audit of operations: who did what, to what, to how many. antall is null until done';
grant select on driftshandling to datadeling_skriver;
grant insert (hvem, klient, handling, gjelder, antall, call_id) on driftshandling to datadeling_skriver;

create table driftsmaaling (
  tidspunkt timestamptz(6) not null,
  etterslep bigint not null,
  alder_sekunder real,
  lest bigint not null,
  constraint driftsmaaling_pkey PRIMARY KEY (tidspunkt)
);
comment on table driftsmaaling is 'How it went each half minute of the last day, by whichever ingestor measured first';
comment on column driftsmaaling.etterslep is 'Offsets between what is stored and the ends of the partitions';
comment on column driftsmaaling.alder_sekunder is 'Of the data; null before the first load is done';
comment on column driftsmaaling.lest is 'The sum of the positions: what was read between two measurements is the difference';
grant select, insert, delete on driftsmaaling to datadeling_skriver;

create table endring (
  tx xid8 default pg_current_xact_id() not null,
  lopenr bigint generated always as identity,
  avtale_id uuid not null,
  type text not null,
  aarsak text,
  tidspunkt timestamptz(6) default now() not null,
  constraint endring_pkey PRIMARY KEY (tx, lopenr, tidspunkt),
  constraint endring_aarsak_check CHECK (aarsak = ANY (ARRAY['SLETTET'::text, 'FEILREGISTRERT'::text])),
  constraint endring_type_check CHECK (type = ANY (ARRAY['ENDRET'::text, 'SLETTET'::text]))
) partition by RANGE (tidspunkt);
comment on table endring is 'Change feed. A sequence alone would skip what commits late: a reader pages on (tx, lopenr) below the snapshot''s xmin';
CREATE TRIGGER avtale_endring_lenker AFTER INSERT ON endring REFERENCING NEW TABLE AS ny FOR EACH STATEMENT EXECUTE FUNCTION avtale_endring_lenker();
CREATE TRIGGER endring_tidslinje BEFORE INSERT ON endring FOR EACH STATEMENT EXECUTE FUNCTION endring_noter_tidslinje();
CREATE TRIGGER krev_kontrakt BEFORE INSERT ON endring FOR EACH STATEMENT EXECUTE FUNCTION krev_kontrakt();
grant select on endring to datadeling_leser;
grant select, insert, delete on endring to datadeling_skriver;
grant select (tx, lopenr, avtale_id) on endring to datadeling_analyse;
grant select (tx, lopenr, avtale_id, tidspunkt) on endring to datadeling_revisor;

create unlogged table forbruk (
  prosess uuid not null,
  sett timestamptz(6) not null,
  konsumenter jsonb not null,
  constraint forbruk_pkey PRIMARY KEY (prosess)
);
comment on table forbruk is 'A row for each query-api: what consumers have used of their limits there, as it last told';

create table gjenoppbygging (
  id bigint generated always as identity,
  topic text not null,
  tilstand text default 'KJORER'::text not null,
  startet timestamptz(6) default now() not null,
  startet_av text not null,
  avsluttet timestamptz(6),
  rettet bigint default 0 not null,
  epoke integer default 0 not null,
  navngitt timestamptz(6),
  bekreftet boolean default false not null,
  lukker_hull boolean default false not null,
  rapport boolean default false not null,
  varslet bigint default 0 not null,
  constraint gjenoppbygging_pkey PRIMARY KEY (id),
  constraint gjenoppbygging_tilstand_check CHECK (tilstand = ANY (ARRAY['KJORER'::text, 'STOPPET'::text, 'FERDIG'::text]))
);
comment on column gjenoppbygging.rettet is 'Rows that were not what their message says';
comment on column gjenoppbygging.navngitt is 'Of a resource: when all was read, and what the topic does not tell of was named';
comment on column gjenoppbygging.bekreftet is 'Of a resource: somebody has said that so many may go';
comment on column gjenoppbygging.lukker_hull is 'Of a resource: who began it said that the source has published all of it again, since the gaps were found';
comment on column gjenoppbygging.rapport is 'Of a resource: nothing is changed, rettet and what was not seen are what would be';
comment on column gjenoppbygging.varslet is 'Of which the change feed said otherwise than what is stored, and was told';
CREATE UNIQUE INDEX gjenoppbygging_en_om_gangen ON gjenoppbygging USING btree (topic) WHERE tilstand = 'KJORER'::text;
grant select, insert, update on gjenoppbygging to datadeling_skriver;

create table gjenoppbygging_fortalt (
  gjenoppbygging bigint not null,
  nokkel text not null,
  tx xid8 not null,
  lopenr bigint not null,
  type text not null,
  constraint gjenoppbygging_fortalt_pkey PRIMARY KEY (gjenoppbygging, nokkel)
);
comment on table gjenoppbygging_fortalt is 'What the change feed says last of each key, when all else of a rebuild is done; emptied when it is over';
grant select, insert, update, delete on gjenoppbygging_fortalt to datadeling_skriver;

create table gjenoppbygging_partisjon (
  gjenoppbygging bigint not null,
  partisjon integer not null,
  start_offset bigint not null,
  neste_offset bigint not null,
  slutt_offset bigint not null,
  constraint gjenoppbygging_partisjon_pkey PRIMARY KEY (gjenoppbygging, partisjon)
);
grant select, insert, update on gjenoppbygging_partisjon to datadeling_skriver;

create table gjenoppbygging_person (
  gjenoppbygging bigint not null,
  nokkel uuid not null,
  identer uuid[] not null,
  constraint gjenoppbygging_person_pkey PRIMARY KEY (gjenoppbygging, nokkel)
);
comment on table gjenoppbygging_person is 'What the topic of the person register says last of each key that has, or had, several idents; emptied when it is over';
grant select, insert, delete on gjenoppbygging_person to datadeling_skriver;

create table gjenoppbygging_ressurs_rettet (
  gjenoppbygging bigint not null,
  nokkel text not null,
  constraint gjenoppbygging_ressurs_rettet_pkey PRIMARY KEY (gjenoppbygging, nokkel)
);
comment on table gjenoppbygging_ressurs_rettet is 'Keys of rows that were not what their messages say, the first ten thousand of each rebuild';
grant select, insert on gjenoppbygging_ressurs_rettet to datadeling_skriver;

create table gjenoppbygging_ressurs_sett (
  gjenoppbygging bigint not null,
  nokkel text not null,
  constraint gjenoppbygging_ressurs_sett_pkey PRIMARY KEY (gjenoppbygging, nokkel)
);
comment on table gjenoppbygging_ressurs_sett is 'Keys that the topic tells of, as read again or as the stream reads them meanwhile; emptied when it is over';
grant select, insert, delete on gjenoppbygging_ressurs_sett to datadeling_skriver;

create table gjenoppbygging_ressurs_talt (
  gjenoppbygging bigint not null,
  nokkel text not null,
  constraint gjenoppbygging_ressurs_talt_pkey PRIMARY KEY (gjenoppbygging, nokkel)
);
comment on table gjenoppbygging_ressurs_talt is 'Keys of rows that were not what their messages say, beyond those that are named: each is counted once; emptied when it is over';
grant select, insert, delete on gjenoppbygging_ressurs_talt to datadeling_skriver;

create table gjenoppbygging_ressurs_usett (
  gjenoppbygging bigint not null,
  nokkel text not null,
  avgjort timestamptz(6),
  fjernet boolean default false not null,
  constraint gjenoppbygging_ressurs_usett_pkey PRIMARY KEY (gjenoppbygging, nokkel)
);
comment on table gjenoppbygging_ressurs_usett is 'Keys that are stored, and that the topic does not tell of any more';
comment on column gjenoppbygging_ressurs_usett.avgjort is 'When it was removed, or found to have been told of meanwhile';
grant select, insert on gjenoppbygging_ressurs_usett to datadeling_skriver;
grant update (avgjort, fjernet) on gjenoppbygging_ressurs_usett to datadeling_skriver;

create table gjenoppbygging_sett (
  gjenoppbygging bigint not null,
  avtale_id uuid not null,
  constraint gjenoppbygging_sett_pkey PRIMARY KEY (gjenoppbygging, avtale_id)
);
comment on table gjenoppbygging_sett is 'Avtaler that the topic still tells of; emptied when it is finished';
grant select, insert, delete on gjenoppbygging_sett to datadeling_skriver;

create table gjenoppbygging_usett (
  gjenoppbygging bigint not null,
  avtale_id uuid not null,
  constraint gjenoppbygging_usett_pkey PRIMARY KEY (gjenoppbygging, avtale_id)
);
comment on table gjenoppbygging_usett is 'Avtaler that are stored, and that the topic does not tell of any more';
grant select, insert on gjenoppbygging_usett to datadeling_skriver;

create table hovedenhet_varsel (
  organisasjonsnummer text not null,
  lagt_til timestamptz(6) default now() not null,
  constraint hovedenhet_varsel_pkey PRIMARY KEY (organisasjonsnummer)
);
comment on table hovedenhet_varsel is 'Virksomheter that have got another hovedenhet, whose avtaler the change feed has not told of yet';
grant select, insert, update, delete on hovedenhet_varsel to datadeling_skriver;

create unlogged table ingestor_i_drift (
  prosess uuid not null,
  bygg text not null,
  kontrakt integer not null,
  sett timestamptz(6) not null,
  constraint ingestor_i_drift_pkey PRIMARY KEY (prosess)
);
comment on table ingestor_i_drift is 'A row for each ingestor, as it last told: its build, and the contract that it writes by';
grant select on ingestor_i_drift to datadeling_skriver;

create table instans (
  id boolean default true not null,
  epoke uuid default gen_random_uuid() not null,
  noekkelkontroll uuid,
  beskaaret_til xid8 default '0'::xid8 not null,
  relasjoner_bygget_til uuid,
  tidslinje integer default 0 not null,
  kontrakt_minst integer default 1 not null,
  relasjoner_kontrollert text,
  tidligere_identer_kom bigint default 1 not null,
  tidligere_identer_gikk bigint default 0 not null,
  beskaaret_tidspunkt timestamptz,
  constraint instans_pkey PRIMARY KEY (id),
  constraint instans_id_check CHECK (id)
);
comment on table instans is 'One row: the epoch of the change feed, and a check value of the key that deltaker_id is derived with';
comment on column instans.beskaaret_til is 'Changes of transactions before this one have been removed for age';
comment on column instans.relasjoner_bygget_til is 'Participants up to this one have had their relations computed at least once; the highest uuid: all';
comment on column instans.tidslinje is 'The timeline of the primary, for those who follow it: never behind the change feed';
comment on column instans.kontrakt_minst is 'Who writes by an older contract is refused; set by the migration job';
comment on column instans.relasjoner_kontrollert is 'The build of the ingestor that last checked all relations';
comment on column instans.tidligere_identer_kom is 'How often a history may have got an ident that the source has corrected';
comment on column instans.tidligere_identer_gikk is 'How many of those had been when all such idents were last removed';
comment on column instans.beskaaret_tidspunkt is 'When beskaaret_til was set';
grant select on instans to datadeling_leser;
grant select on instans to datadeling_skriver;
grant select (epoke, beskaaret_til, tidslinje) on instans to datadeling_analyse;
grant select (noekkelkontroll) on instans to datadeling_revisor;
grant update (noekkelkontroll, beskaaret_til, relasjoner_bygget_til, relasjoner_kontrollert, tidligere_identer_kom, tidligere_identer_gikk, beskaaret_tidspunkt) on instans to datadeling_skriver;

create table konsum_hull (
  id bigint generated always as identity,
  topic text not null,
  epoke integer not null,
  partisjon integer not null,
  fra_offset bigint not null,
  til_offset bigint not null,
  oppdaget timestamptz(6) default clock_timestamp() not null,
  oppdatert_til timestamptz(6),
  lukket timestamptz(6),
  lukket_av text,
  constraint konsum_hull_pkey PRIMARY KEY (id)
);
comment on table konsum_hull is 'What the topic removed before it was read. Open until something has made up for it';
comment on column konsum_hull.til_offset is 'The first that is not lost';
comment on column konsum_hull.oppdatert_til is 'Everything published to the partition up to this moment was included: Data-Oppdatert promises no more while it is open';
comment on column konsum_hull.lukket_av is 'The reconciliation, full sync or rebuild, or who closed it';
CREATE INDEX konsum_hull_aapne ON konsum_hull USING btree (topic, partisjon) WHERE lukket IS NULL;
grant select on konsum_hull to datadeling_leser;
grant select, insert on konsum_hull to datadeling_skriver;
grant update (lukket, lukket_av) on konsum_hull to datadeling_skriver;

create table konsum_offset (
  topic text not null,
  partisjon integer not null,
  neste_offset bigint not null,
  epoke integer default 0 not null,
  constraint konsum_offset_pkey PRIMARY KEY (topic, partisjon)
);
comment on table konsum_offset is 'Where consumption goes on: written in the same transaction as what was consumed';
comment on column konsum_offset.epoke is 'Of topic_epoke: of which topic of this name it is a position';
CREATE TRIGGER krev_kontrakt BEFORE INSERT OR UPDATE ON konsum_offset FOR EACH STATEMENT EXECUTE FUNCTION krev_kontrakt();
grant select on konsum_offset to datadeling_leser;
grant select, insert, update, delete on konsum_offset to datadeling_skriver;

create table konsum_status (
  topic text not null,
  partisjon integer not null,
  slutt_offset bigint not null,
  oppdatert_til timestamptz(6),
  constraint konsum_status_pkey PRIMARY KEY (topic, partisjon)
);
comment on column konsum_status.oppdatert_til is 'Everything published to the partition up to this moment is included';
CREATE TRIGGER konsum_status_hull BEFORE INSERT OR UPDATE ON konsum_status FOR EACH ROW EXECUTE FUNCTION hold_igjen_ved_hull();
grant select on konsum_status to datadeling_leser;
grant select, insert, update, delete on konsum_status to datadeling_skriver;

create table konsumentbruk (
  konsument text not null,
  behandlingsgrunnlag text not null,
  operasjon text not null,
  felt text not null,
  forst_brukt timestamptz(6) not null,
  sist_brukt timestamptz(6) not null,
  constraint konsumentbruk_pkey PRIMARY KEY (konsument, behandlingsgrunnlag, operasjon, felt)
);
comment on table konsumentbruk is 'When each consumer first and last was answered, by purpose, operation and field: made of the audit, without persons';
comment on column konsumentbruk.felt is 'Empty: the operation itself, with whatever fields';
grant select on konsumentbruk to datadeling_leser;

create table konsumentbruk_tidsrom (
  id boolean default true not null,
  kjent_fra timestamptz(6) not null,
  kjent_til timestamptz(6) not null,
  constraint konsumentbruk_tidsrom_pkey PRIMARY KEY (id),
  constraint konsumentbruk_tidsrom_id_check CHECK (id)
);
comment on table konsumentbruk_tidsrom is 'At most one row: the part of the audit that konsumentbruk is made of';
grant select on konsumentbruk_tidsrom to datadeling_leser;

create table manglende_virksomhet (
  organisasjonsnummer text not null,
  siden timestamptz(6) default now() not null,
  avtaler integer not null,
  virksomheter integer not null,
  constraint manglende_virksomhet_pkey PRIMARY KEY (organisasjonsnummer)
);
comment on table manglende_virksomhet is 'Numbers that avtaler or virksomheter name, and that are not here; kept by a job of the ingestor';
comment on column manglende_virksomhet.siden is 'When the job first found it missing';
comment on column manglende_virksomhet.avtaler is 'How many avtaler name it as bedrift';
comment on column manglende_virksomhet.virksomheter is 'How many virksomheter name it as what is right above them';
CREATE INDEX manglende_virksomhet_siden ON manglende_virksomhet USING btree (siden);
grant select, insert, update, delete on manglende_virksomhet to datadeling_skriver;

create table oppslagsarkiv (
  nr bigint generated always as identity,
  maaned text not null,
  tidspunkt timestamptz(6) default clock_timestamp() not null,
  hvem text default SESSION_USER not null,
  rader bigint,
  sha256 text,
  begrunnelse text,
  constraint oppslagsarkiv_pkey PRIMARY KEY (nr),
  constraint oppslagsarkiv_fil_check CHECK (num_nonnulls(rader, sha256) = 2 OR num_nonnulls(rader, sha256) = 0 AND length(begrunnelse) >= 10),
  constraint oppslagsarkiv_maaned_check CHECK (maaned ~ '^[0-9]{6}$'::text)
);
comment on table oppslagsarkiv is 'Months of the audit that may go when they are old enough: they are in a file that was verified, or there is a reason. Nothing is changed or removed: the last line of a month counts';
comment on column oppslagsarkiv.sha256 is 'Of the file, compressed';
grant select on oppslagsarkiv to datadeling_revisor;

create table oppslagsform (
  nr bigint not null,
  konsument text not null,
  behandlingsgrunnlag text not null,
  operasjon text not null,
  felter text[] not null,
  constraint oppslagsform_pkey PRIMARY KEY (nr)
);
comment on table oppslagsform is 'What lines of the audit have in common: who asked, why, what, and of which fields';
comment on column oppslagsform.nr is 'The first 52 bits of the SHA-256 of the rest';
grant select on oppslagsform to datadeling_revisor;

create table oppslagsinnsyn (
  id bigint generated always as identity,
  tidspunkt timestamptz(6) default clock_timestamp() not null,
  hvem text not null,
  innlogging text default SESSION_USER not null,
  hva text not null,
  begrunnelse text not null,
  person uuid not null,
  fra date,
  til date,
  call_id text,
  constraint oppslagsinnsyn_pkey PRIMARY KEY (id),
  constraint oppslagsinnsyn_begrunnelse_check CHECK (length(begrunnelse) >= 10 AND length(begrunnelse) <= 1000 AND begrunnelse !~ '[0-9]{11}'::text)
);
comment on table oppslagsinnsyn is 'Audit of the audit: who has read who has seen a person, and why; written before anything is shown';
comment on column oppslagsinnsyn.innlogging is 'The login of the database';
comment on column oppslagsinnsyn.person is 'Opaque id (deltaker_id)';
grant select on oppslagsinnsyn to datadeling_revisor;
grant insert (hvem, hva, begrunnelse, person, fra, til, call_id) on oppslagsinnsyn to datadeling_revisor;

create table oppslagslinje (
  id bigint generated always as identity,
  tidspunkt timestamptz(6) default clock_timestamp() not null,
  konsument text,
  behandlingsgrunnlag text,
  operasjon text,
  felter text[],
  personer uuid[],
  antall_treff integer,
  tillatt boolean not null,
  call_id text,
  posisjon text,
  utvalg jsonb,
  avslag text,
  antall_kall integer,
  form bigint,
  call_uuid uuid,
  person uuid,
  organisasjoner text[],
  constraint oppslagslinje_pkey PRIMARY KEY (tidspunkt, id),
  constraint oppslagslinje_call_check CHECK (num_nonnulls(call_id, call_uuid) = 1),
  constraint oppslagslinje_form_check CHECK (form IS NOT NULL OR num_nulls(konsument, operasjon, felter) = 0),
  constraint oppslagslinje_person_check CHECK (person IS NULL OR personer IS NULL)
) partition by RANGE (tidspunkt);
comment on table oppslagslinje is 'Audit: who asked for which persons, why, and what they got. Read it through oppslag';
comment on column oppslagslinje.posisjon is 'Place in the change feed of what was read, as consumers get it';
comment on column oppslagslinje.utvalg is 'The part of all avtaler that was told of, without persons';
comment on column oppslagslinje.avslag is 'Why it was refused: a code of the catalogue of errors';
comment on column oppslagslinje.antall_kall is 'Requests that the line stands for, when they are counted by the minute; null: one';
comment on column oppslagslinje.form is 'oppslagsform.nr; without it the line has consumer, purpose, operation and fields itself';
comment on column oppslagslinje.call_uuid is 'The call id, when it is a UUID in its usual form; else it is in call_id';
comment on column oppslagslinje.person is 'The only person; several are in personer. Opaque ids (deltaker_id)';
comment on column oppslagslinje.organisasjoner is 'Organisation numbers of who asked from outside of Nav: that of the consumer, and that of the supplier that asked on its behalf';
CREATE INDEX oppslagslinje_person ON ONLY oppslagslinje USING brin (person uuid_bloom_ops (n_distinct_per_range='2500', false_positive_rate='0.002')) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX oppslagslinje_personer ON ONLY oppslagslinje USING btree (tidspunkt, id) WHERE personer <> '{}'::uuid[];
CREATE INDEX oppslagslinje_uten_navn ON ONLY oppslagslinje USING btree (tidspunkt, id) WHERE posisjon IS NOT NULL OR (operasjon = ANY (ARRAY['eksporterAvtaler'::text, 'hentEndringer'::text, 'hentStatistikk'::text]));
grant select on oppslagslinje to datadeling_revisor;
grant insert (konsument, behandlingsgrunnlag, operasjon, felter, antall_treff, tillatt, posisjon, utvalg, form, call_uuid) on oppslagslinje to datadeling_analyse;
grant insert (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id, posisjon, utvalg, avslag, antall_kall, form, call_uuid, person, organisasjoner) on oppslagslinje to datadeling_leser;

create table parkert_handling (
  id bigint generated always as identity,
  handling text not null,
  kode text,
  felt text,
  begrunnelse text,
  hvem text not null,
  klient text not null,
  driftshandling bigint not null,
  tilstand text default 'KJORER'::text not null,
  til_id bigint not null,
  siste_id bigint default 0 not null,
  antall integer not null,
  utfoert integer default 0 not null,
  fortsatt_parkert integer default 0 not null,
  aarsak text,
  startet timestamptz(6) default now() not null,
  avsluttet timestamptz(6),
  arbeider uuid,
  fornyet timestamptz(6),
  constraint parkert_handling_pkey PRIMARY KEY (id),
  constraint parkert_handling_handling_check CHECK (handling = ANY (ARRAY['SPILL_AV'::text, 'FORKAST'::text])),
  constraint parkert_handling_tilstand_check CHECK (tilstand = ANY (ARRAY['KJORER'::text, 'FERDIG'::text, 'STOPPET'::text, 'FEILET'::text]))
);
comment on table parkert_handling is 'Actions on many parked messages at once: done piece by piece, by whichever ingestor is there';
comment on column parkert_handling.til_id is 'The newest message when it was asked for: none after it is touched';
comment on column parkert_handling.siste_id is 'The last message that it is done with';
comment on column parkert_handling.arbeider is 'The process that does it, until fornyet is too old';
CREATE UNIQUE INDEX parkert_handling_en_om_gangen ON parkert_handling USING btree ((true)) WHERE tilstand = 'KJORER'::text;
grant select, insert, update on parkert_handling to datadeling_skriver;

create table parkert_melding (
  id bigint generated always as identity,
  topic text not null,
  partisjon integer not null,
  kafka_offset bigint not null,
  nokkel bytea,
  verdi bytea,
  avtrykk bytea not null,
  kode text not null,
  felt text,
  aarsak text not null,
  tilstand text default 'PARKERT'::text not null,
  forsok integer default 1 not null,
  parkert timestamptz(6) default now() not null,
  behandlet timestamptz(6),
  behandlet_av text,
  begrunnelse text,
  skrevet timestamptz(6),
  avtaler uuid[] generated always as (parkerte_avtaler(nokkel, verdi)) stored,
  innhold_fjernet timestamptz(6),
  innhold_fjernet_aarsak text,
  epoke integer default 0 not null,
  utelatt boolean default false not null,
  lengde integer,
  slett_foer bigint,
  proevd_samlet bigint,
  constraint parkert_melding_pkey PRIMARY KEY (id),
  constraint parkert_melding_sted_key UNIQUE (topic, epoke, partisjon, kafka_offset, avtrykk),
  constraint parkert_melding_innhold_fjernet_aarsak_check CHECK (innhold_fjernet_aarsak = ANY (ARRAY['SPILT_AV'::text, 'FORKASTET'::text, 'AVTALE_SLETTET'::text, 'FRIST'::text])),
  constraint parkert_melding_tilstand_check CHECK (tilstand = ANY (ARRAY['PARKERT'::text, 'SPILT_AV'::text, 'FORKASTET'::text]))
);
comment on table parkert_melding is 'Messages that could not be used; with the raw bytes for as long as these are of use';
comment on column parkert_melding.verdi is 'As it came, or packed: see ingest/parked-bytes.ts. The ids of avtaler stand in it in clear text either way';
comment on column parkert_melding.avtrykk is 'SHA-256 of key and value: a recreated topic may use an offset again';
comment on column parkert_melding.begrunnelse is 'Why it was discarded: one of a list';
comment on column parkert_melding.skrevet is 'Timestamp of its record; null when it had none, and for those parked before this was kept';
comment on column parkert_melding.avtaler is 'Those that the bytes name: their deletion takes the bytes too';
comment on column parkert_melding.innhold_fjernet is 'When the bytes went; place, reason and fingerprint stay';
comment on column parkert_melding.utelatt is 'Its bytes are left on the topic, which a replay reads: they were too many, or too many had the same reason';
comment on column parkert_melding.lengde is 'Of verdi when it is unpacked, in bytes; null: as it stands';
comment on column parkert_melding.slett_foer is 'Of a tombstone of a full sync: the offset of its partition that it does not delete beyond';
comment on column parkert_melding.proevd_samlet is 'The action on many (parkert_handling) that tried it last, in vain';
CREATE INDEX parkert_melding_aarsak ON parkert_melding USING btree (kode, felt, id) WHERE tilstand = 'PARKERT'::text;
CREATE INDEX parkert_melding_avtaler ON parkert_melding USING gin (avtaler) WHERE innhold_fjernet IS NULL;
CREATE INDEX parkert_melding_med_innhold ON parkert_melding USING btree (kode) WHERE tilstand = 'PARKERT'::text AND innhold_fjernet IS NULL AND NOT utelatt;
CREATE INDEX parkert_melding_tilstand ON parkert_melding USING btree (tilstand, id);
CREATE INDEX parkert_melding_utelatt ON parkert_melding USING btree (topic, partisjon, kafka_offset) WHERE tilstand = 'PARKERT'::text AND innhold_fjernet IS NULL AND utelatt;
grant select, insert, update on parkert_melding to datadeling_skriver;

create table partisjonering (
  tabell text not null,
  kolonne text not null,
  maaneder_fram integer default 2 not null,
  minst_dager integer not null,
  vilkaar text,
  beskaaret_til xid8 default '0'::xid8,
  beskaaret_tidspunkt timestamptz,
  constraint partisjonering_pkey PRIMARY KEY (tabell),
  constraint partisjonering_maaneder_fram_check CHECK (maaneder_fram >= 1 AND maaneder_fram <= 24),
  constraint partisjonering_minst_dager_check CHECK (minst_dager >= 1)
);
comment on table partisjonering is 'Tables that are partitioned by month (UTC): partitions are called by the table and the month, as endring_202611, and what fits none lies in the default one, as endring_default';
comment on column partisjonering.kolonne is 'What they are partitioned by: a timestamptz';
comment on column partisjonering.maaneder_fram is 'How many months after this one have a partition';
comment on column partisjonering.minst_dager is 'No partition goes before it is that old, whatever is asked for';
comment on column partisjonering.vilkaar is 'A function of a partition (regclass) and its end (timestamptz) that says what keeps it from going, or null; it is asked while nobody reads or writes the table';
comment on column partisjonering.beskaaret_til is 'Of the feed of a resource: transactions before this one have had their lines removed; null: that stands in instans';
comment on column partisjonering.beskaaret_tidspunkt is 'When that was last moved; null: never';
grant select on partisjonering to datadeling_leser;
grant select on partisjonering to datadeling_skriver;
grant update (beskaaret_til, beskaaret_tidspunkt) on partisjonering to datadeling_skriver;

create table personident (
  ident uuid not null,
  deltaker_id uuid not null,
  constraint personident_pkey PRIMARY KEY (ident)
);
comment on table personident is 'Whose an ident is, as opaque ids: the person has the smallest of the ids. An ident that is not here is its own person';
CREATE INDEX personident_deltaker_id ON personident USING btree (deltaker_id);
CREATE TRIGGER abonnement_person_inn AFTER INSERT ON personident REFERENCING NEW TABLE AS berort FOR EACH STATEMENT EXECUTE FUNCTION abonnement_person();
CREATE TRIGGER abonnement_person_ut AFTER DELETE ON personident REFERENCING OLD TABLE AS berort FOR EACH STATEMENT EXECUTE FUNCTION abonnement_person();
grant select, insert, delete on personident to datadeling_skriver;

create table personident_foer (
  ident uuid not null,
  deltaker_id uuid not null,
  til timestamptz(6) default now() not null
);
comment on table personident_foer is 'Whose an ident was until then: look-ups from before are audited with that person''s id';
CREATE INDEX personident_foer_ident ON personident_foer USING btree (ident);
grant insert on personident_foer to datadeling_skriver;

create table registerbunke (
  parkert bigint not null,
  topic text not null,
  epoke integer not null,
  partisjon integer not null,
  kafka_offset bigint not null,
  constraint registerbunke_pkey PRIMARY KEY (parkert)
);
comment on table registerbunke is 'Batches of the person register that could not be read, and wait: what is said of any key since is noted';
grant select, insert, delete on registerbunke to datadeling_skriver;

create table registerident (
  registernoekkel uuid not null,
  ident uuid not null,
  constraint registerident_pkey PRIMARY KEY (registernoekkel, ident)
);
comment on table registerident is 'What the person register last said of each of its keys: the idents, both as opaque ids. Only keys with several';
CREATE INDEX registerident_ident ON registerident USING btree (ident);
grant select, insert, delete on registerident to datadeling_skriver;

create table registernoekkel_siden (
  parkert bigint not null,
  nokkel uuid not null,
  constraint registernoekkel_siden_pkey PRIMARY KEY (parkert, nokkel)
);
comment on table registernoekkel_siden is 'Keys that the register has told of since the batch: what it says of these is of no more use';
grant select, insert, delete on registernoekkel_siden to datadeling_skriver;

create table relasjon (
  deltaker_id uuid not null,
  fra uuid not null,
  relasjon text not null,
  til uuid not null,
  constraint relasjon_pkey PRIMARY KEY (deltaker_id, fra, relasjon, til)
) with (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_cost_limit=2000);
comment on table relasjon is 'Links between avtaler of one participant, each in both directions. The key begins with the participant: its rows lie together, and are written under its lock only';
CREATE TRIGGER krev_kontrakt BEFORE INSERT OR DELETE ON relasjon FOR EACH STATEMENT EXECUTE FUNCTION krev_kontrakt();
grant select, insert, delete on relasjon to datadeling_skriver;

create table relasjonskontroll (
  id bigint generated always as identity,
  bestilt timestamptz(6) default clock_timestamp() not null,
  startet timestamptz(6),
  avsluttet timestamptz(6),
  startet_av text not null,
  rett boolean not null,
  deltakere integer default 0 not null,
  mangler integer default 0 not null,
  overfloedige integer default 0 not null,
  avvik jsonb default '[]'::jsonb not null,
  feilet boolean default false not null,
  constraint relasjonskontroll_pkey PRIMARY KEY (id)
);
comment on table relasjonskontroll is 'Checks of the stored relations against those that follow from the avtaler';
comment on column relasjonskontroll.rett is 'What differed was put right';
comment on column relasjonskontroll.avvik is 'The first thousand that differed';
comment on column relasjonskontroll.feilet is 'It ended without a result';
grant select, insert, delete on relasjonskontroll to datadeling_skriver;
grant update (startet, avsluttet, deltakere, mangler, overfloedige, avvik, feilet) on relasjonskontroll to datadeling_skriver;

create table ressurs_status (
  ressurs text not null,
  topic text not null,
  partisjon integer not null,
  slutt_offset bigint not null,
  oppdatert_til timestamptz(6),
  constraint ressurs_status_pkey PRIMARY KEY (topic, partisjon)
);
comment on table ressurs_status is 'As konsum_status, of the topics of other resources than avtaler';
comment on column ressurs_status.oppdatert_til is 'Everything published to the partition up to this moment is included';
CREATE TRIGGER ressurs_status_hull BEFORE INSERT OR UPDATE ON ressurs_status FOR EACH ROW EXECUTE FUNCTION hold_igjen_ved_hull();
grant select on ressurs_status to datadeling_leser;
grant select, insert, update, delete on ressurs_status to datadeling_skriver;

create table stanset_partisjon (
  id bigint generated always as identity,
  topic text not null,
  epoke integer default 0 not null,
  partisjon integer not null,
  fra_offset bigint not null,
  til_offset bigint not null,
  aarsak text not null,
  innhold bytea not null,
  stanset timestamptz(6) default now() not null,
  forsoekt timestamptz(6) default now() not null,
  constraint stanset_partisjon_pkey PRIMARY KEY (id),
  constraint stanset_partisjon_topic_partisjon_key UNIQUE (topic, partisjon)
);
comment on table stanset_partisjon is 'Partitions that do not get on, since the batch of records that comes next can not be read';
comment on column stanset_partisjon.innhold is 'The batch as it lies on the topic, compressed as it is';
grant select, insert, update, delete on stanset_partisjon to datadeling_skriver;

create table statistikk (
  generasjon bigint not null,
  inndeling text not null,
  dag text not null,
  verdier text[] not null,
  avtaler integer not null,
  deltakere integer,
  synlig boolean not null,
  constraint statistikk_pkey PRIMARY KEY (generasjon, inndeling, dag, verdier)
);
comment on table statistikk is 'Sizes of groups, as they were last told: kept until the true one differs by the limit or more';
comment on column statistikk.inndeling is 'What it is counted by, with commas between; empty: everything';
comment on column statistikk.dag is 'The day that phases are of: the last of a month, or NAA: the day of the figures. ALLE: no phase is looked at';
comment on column statistikk.synlig is 'False: held back so that a smaller one can not be worked out; with the size that it had then';
grant select, insert, delete on statistikk to datadeling_skriver;

create table statistikk_tidspunkt (
  id boolean default true not null,
  generasjon bigint not null,
  tidspunkt timestamptz(6) not null,
  constraint statistikk_tidspunkt_pkey PRIMARY KEY (id),
  constraint statistikk_tidspunkt_id_check CHECK (id)
);
comment on table statistikk_tidspunkt is 'At most one row: which generation is served, and the moment that it is of';
grant select on statistikk_tidspunkt to datadeling_leser;
grant select, insert, update on statistikk_tidspunkt to datadeling_skriver;

create table synk (
  synk_id text not null,
  type text not null,
  tilstand text default 'MOTTAR'::text not null,
  antall_sider integer not null,
  antall_totalt integer not null,
  start_offset jsonb not null,
  startet timestamptz(6) default clock_timestamp() not null,
  avsluttet timestamptz(6),
  kjente integer,
  skal_slettes integer,
  bekreftet_av text,
  epoke integer default 0 not null,
  siste_feil jsonb,
  ressurs text default 'avtaler'::text not null,
  ressurstilstand text,
  constraint synk_pkey PRIMARY KEY (synk_id),
  constraint synk_antall_sider_check CHECK (antall_sider > 0),
  constraint synk_antall_totalt_check CHECK (antall_totalt >= 0),
  constraint synk_ressurs_check CHECK ((ressurs = 'avtaler'::text) = (tilstand <> 'ANNEN'::text) AND (tilstand = 'ANNEN'::text) = (ressurstilstand IS NOT NULL)),
  constraint synk_ressurstilstand_check CHECK (ressurstilstand = ANY (ARRAY['MOTTAR'::text, 'SLETTER'::text, 'VENTER_PAA_BEKREFTELSE'::text, 'FULLFOERT'::text, 'ERSTATTET'::text, 'UTLOEPT'::text, 'FEILET'::text])),
  constraint synk_tilstand_check CHECK (tilstand = ANY (ARRAY['MOTTAR'::text, 'SLETTER'::text, 'VENTER_PAA_BEKREFTELSE'::text, 'FULLFOERT'::text, 'ERSTATTET'::text, 'UTLOEPT'::text, 'FEILET'::text, 'ANNEN'::text])),
  constraint synk_type_check CHECK (type = ANY (ARRAY['FULL'::text, 'DELTA'::text, 'SLETT'::text]))
);
comment on column synk.start_offset is 'End of each partition before anything of the sync was published: what lies before it was known when it began';
comment on column synk.epoke is 'Of topic_epoke: of which topic start_offset is';
comment on column synk.ressurstilstand is 'The state, of another resource than avtaler: tilstand is ANNEN then, which versions without resources pass over';
CREATE UNIQUE INDEX synk_en_full ON synk USING btree ((true)) WHERE type = 'FULL'::text AND (tilstand = ANY (ARRAY['MOTTAR'::text, 'SLETTER'::text, 'VENTER_PAA_BEKREFTELSE'::text]));
CREATE UNIQUE INDEX synk_en_full_av_ressurs ON synk USING btree (ressurs) WHERE type = 'FULL'::text AND (ressurstilstand = ANY (ARRAY['MOTTAR'::text, 'SLETTER'::text, 'VENTER_PAA_BEKREFTELSE'::text]));
CREATE INDEX synk_startet ON synk USING btree (startet);
grant select, insert, update, delete on synk to datadeling_skriver;

create table synk_avtale (
  synk_id text not null,
  avtale_id uuid not null,
  constraint synk_avtale_pkey PRIMARY KEY (synk_id, avtale_id)
);
comment on table synk_avtale is 'The avtaler of a full sync, until it has ended';
grant select, insert, delete on synk_avtale to datadeling_skriver;

create table synk_noekkel (
  synk_id text not null,
  noekkel text not null,
  constraint synk_noekkel_pkey PRIMARY KEY (synk_id, noekkel)
);
comment on table synk_noekkel is 'As synk_avtale, of any other resource';
grant select, insert, delete on synk_noekkel to datadeling_skriver;

create table synk_side (
  synk_id text not null,
  side integer not null,
  avtrykk bytea not null,
  antall integer not null,
  mottatt timestamptz(6) default clock_timestamp() not null,
  merknader jsonb,
  avtaler uuid[],
  sist_endret timestamptz(6)[],
  endret integer,
  uendret integer,
  foreldet integer,
  parkert integer,
  noekler text[],
  constraint synk_side_pkey PRIMARY KEY (synk_id, side)
);
comment on table synk_side is 'Pages that are on Kafka. avtrykk: SHA-256 of what was published';
comment on column synk_side.merknader is 'What the adapter was told of the entries: names of fields, and no values';
comment on column synk_side.avtaler is 'Of the entries, with sist_endret of each (null: it deletes), until what they came to has been counted';
comment on column synk_side.parkert is 'Entries that could not be stored; endret, uendret, foreldet and this are all entries, once they are counted';
comment on column synk_side.noekler is 'As avtaler, of the entries of any other resource';
CREATE INDEX synk_side_ikke_talt ON synk_side USING btree (synk_id) WHERE avtaler IS NOT NULL;
CREATE INDEX synk_side_noekler_ikke_talt ON synk_side USING btree (synk_id) WHERE noekler IS NOT NULL;
grant select, insert on synk_side to datadeling_skriver;
grant update (avtaler, sist_endret, endret, uendret, foreldet, parkert, noekler) on synk_side to datadeling_skriver;

create table topic_epoke (
  topic text not null,
  epoke integer not null,
  topic_id text not null,
  foerst_sett timestamptz(6) default now() not null,
  constraint topic_epoke_pkey PRIMARY KEY (topic, epoke),
  constraint topic_epoke_topic_topic_id_key UNIQUE (topic, topic_id)
);
comment on table topic_epoke is 'Each topic that has had the name, by its id in Kafka: what lies on one comes after everything that lay on those before it';
grant select, insert on topic_epoke to datadeling_skriver;

create table trigger_posisjon (
  topic text not null,
  epoke uuid not null,
  tx xid8 not null,
  lopenr bigint not null,
  flyttet timestamptz(6) default clock_timestamp() not null,
  hull timestamptz(6),
  constraint trigger_posisjon_pkey PRIMARY KEY (topic)
);
comment on table trigger_posisjon is 'The last line of the change feed that is on the trigger topic: what comes after it may be there already, after a kill';
comment on column trigger_posisjon.epoke is 'Of the change feed, when the position was set';
comment on column trigger_posisjon.hull is 'When the feed was last found to lack lines that had not been published';
grant select, insert, update on trigger_posisjon to datadeling_skriver;

create table virksomhet (
  organisasjonsnummer text not null,
  navn text,
  organisasjonsform text,
  overordnet_enhet text,
  naeringskode text,
  kommunenummer text,
  slettet_dato date,
  sist_endret timestamptz(6),
  hovedenhet text,
  slettet text,
  kilde_epoke integer not null,
  kilde_partisjon integer not null,
  kilde_offset bigint not null,
  kilde_skrevet bigint,
  kilde_slett_foer bigint,
  kilde_minne text,
  avtrykk uuid,
  mottatt timestamptz(6) default now() not null,
  constraint virksomhet_pkey PRIMARY KEY (organisasjonsnummer),
  constraint virksomhet_slettet_check CHECK (slettet = ANY (ARRAY['SLETTEMERKET'::text, 'GRAVSTEIN'::text]))
) with (fillfactor=90, autovacuum_vacuum_scale_factor=0.02, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_insert_scale_factor=0.05);
comment on table virksomhet is 'Current reduced virksomhet; a deleted one is only a marker, so that a late older message does not revive it';
comment on column virksomhet.hovedenhet is 'The last number of the chain upwards, also when that unit is not here; null: it is itself the top, or its chain leads into a cycle';
comment on column virksomhet.slettet is 'Deleted by its source. One that was struck off the register has slettet_dato, and is still shown';
comment on column virksomhet.kilde_minne is 'As of avtale';
comment on column virksomhet.avtrykk is 'Fingerprint of the content: tells a repeated message from a change';
comment on column virksomhet.mottatt is 'When this system learned of the content';
CREATE INDEX virksomhet_hovedenhet ON virksomhet USING btree (hovedenhet, organisasjonsnummer) WHERE slettet IS NULL;
CREATE INDEX virksomhet_kommunenummer ON virksomhet USING btree (kommunenummer, organisasjonsnummer) WHERE slettet IS NULL;
CREATE INDEX virksomhet_naeringskode ON virksomhet USING btree (naeringskode text_pattern_ops, organisasjonsnummer) WHERE slettet IS NULL;
CREATE INDEX virksomhet_overordnet_enhet ON virksomhet USING btree (overordnet_enhet, organisasjonsnummer) WHERE slettet IS NULL;
CREATE INDEX virksomhet_uten_hovedenhet ON virksomhet USING btree (organisasjonsnummer) WHERE slettet IS NULL AND overordnet_enhet IS NOT NULL AND hovedenhet IS NULL;
CREATE TRIGGER abonnement_virksomhet_endret AFTER UPDATE ON virksomhet REFERENCING OLD TABLE AS foer NEW TABLE AS etter FOR EACH STATEMENT EXECUTE FUNCTION abonnement_virksomhet();
CREATE TRIGGER abonnement_virksomhet_ny AFTER INSERT ON virksomhet REFERENCING NEW TABLE AS etter FOR EACH STATEMENT EXECUTE FUNCTION abonnement_virksomhet();
CREATE TRIGGER krev_kontrakt BEFORE INSERT OR DELETE OR UPDATE ON virksomhet FOR EACH STATEMENT EXECUTE FUNCTION krev_kontrakt();
grant select, insert, update on virksomhet to datadeling_skriver;

create table virksomhet_endring (
  tx xid8 default pg_current_xact_id() not null,
  lopenr bigint generated always as identity,
  organisasjonsnummer text not null,
  type text not null,
  aarsak text,
  tidspunkt timestamptz(6) default now() not null,
  constraint virksomhet_endring_pkey PRIMARY KEY (tx, lopenr, tidspunkt),
  constraint virksomhet_endring_aarsak_check CHECK (aarsak = 'SLETTET'::text),
  constraint virksomhet_endring_type_check CHECK (type = ANY (ARRAY['ENDRET'::text, 'SLETTET'::text]))
) partition by RANGE (tidspunkt);
comment on table virksomhet_endring is 'Change feed of virksomheter, read as endring is: on (tx, lopenr) below the snapshot''s xmin';
CREATE TRIGGER endring_tidslinje BEFORE INSERT ON virksomhet_endring FOR EACH STATEMENT EXECUTE FUNCTION endring_noter_tidslinje();
CREATE TRIGGER krev_kontrakt BEFORE INSERT ON virksomhet_endring FOR EACH STATEMENT EXECUTE FUNCTION krev_kontrakt();
grant select on virksomhet_endring to datadeling_leser;
grant select, insert, delete on virksomhet_endring to datadeling_skriver;

create table virksomhet_versjon (
  organisasjonsnummer text not null,
  navn text,
  organisasjonsform text,
  overordnet_enhet text,
  naeringskode text,
  kommunenummer text,
  slettet_dato date,
  sist_endret timestamptz(6),
  kilde_epoke integer not null,
  kilde_partisjon integer not null,
  kilde_offset bigint not null,
  laert timestamptz(6) default now() not null,
  lopenr bigint generated always as identity,
  constraint virksomhet_versjon_pkey PRIMARY KEY (organisasjonsnummer, lopenr)
);
comment on table virksomhet_versjon is 'Each accepted version of a virksomhet that is not erased';
comment on column virksomhet_versjon.laert is 'When this system learned of it';
grant select, insert, delete on virksomhet_versjon to datadeling_skriver;

alter table abonnement_medlem add constraint abonnement_medlem_abonnement_fkey FOREIGN KEY (abonnement) REFERENCES abonnement(id) ON DELETE CASCADE;
alter table avstemming_differanse add constraint avstemming_differanse_avstemming_fkey FOREIGN KEY (avstemming) REFERENCES avstemming(id) ON DELETE CASCADE;
alter table gjenoppbygging_fortalt add constraint gjenoppbygging_fortalt_gjenoppbygging_fkey FOREIGN KEY (gjenoppbygging) REFERENCES gjenoppbygging(id) ON DELETE CASCADE;
alter table gjenoppbygging_partisjon add constraint gjenoppbygging_partisjon_gjenoppbygging_fkey FOREIGN KEY (gjenoppbygging) REFERENCES gjenoppbygging(id);
alter table gjenoppbygging_person add constraint gjenoppbygging_person_gjenoppbygging_fkey FOREIGN KEY (gjenoppbygging) REFERENCES gjenoppbygging(id) ON DELETE CASCADE;
alter table gjenoppbygging_ressurs_rettet add constraint gjenoppbygging_ressurs_rettet_gjenoppbygging_fkey FOREIGN KEY (gjenoppbygging) REFERENCES gjenoppbygging(id) ON DELETE CASCADE;
alter table gjenoppbygging_ressurs_sett add constraint gjenoppbygging_ressurs_sett_gjenoppbygging_fkey FOREIGN KEY (gjenoppbygging) REFERENCES gjenoppbygging(id) ON DELETE CASCADE;
alter table gjenoppbygging_ressurs_talt add constraint gjenoppbygging_ressurs_talt_gjenoppbygging_fkey FOREIGN KEY (gjenoppbygging) REFERENCES gjenoppbygging(id) ON DELETE CASCADE;
alter table gjenoppbygging_ressurs_usett add constraint gjenoppbygging_ressurs_usett_gjenoppbygging_fkey FOREIGN KEY (gjenoppbygging) REFERENCES gjenoppbygging(id) ON DELETE CASCADE;
alter table gjenoppbygging_sett add constraint gjenoppbygging_sett_gjenoppbygging_fkey FOREIGN KEY (gjenoppbygging) REFERENCES gjenoppbygging(id);
alter table gjenoppbygging_usett add constraint gjenoppbygging_usett_gjenoppbygging_fkey FOREIGN KEY (gjenoppbygging) REFERENCES gjenoppbygging(id);
alter table registernoekkel_siden add constraint registernoekkel_siden_parkert_fkey FOREIGN KEY (parkert) REFERENCES registerbunke(parkert) ON DELETE CASCADE;
alter table synk_avtale add constraint synk_avtale_synk_id_fkey FOREIGN KEY (synk_id) REFERENCES synk(synk_id) ON DELETE CASCADE;
alter table synk_noekkel add constraint synk_noekkel_synk_id_fkey FOREIGN KEY (synk_id) REFERENCES synk(synk_id) ON DELETE CASCADE;
alter table synk_side add constraint synk_side_synk_id_fkey FOREIGN KEY (synk_id) REFERENCES synk(synk_id) ON DELETE CASCADE;

create view avtale_gammel_graphql as
 SELECT avtale.avtale_id,
    avtale.avtale_nr,
    avtale.deltaker_fnr,
    avtale.deltaker_id,
    avtale.bedrift_nr,
    avtale.veileder_nav_ident,
    avtale.tiltakstype,
    avtale.versjon,
    avtale.avtale_status,
    avtale.avtale_inngaatt,
    avtale.start_dato,
    avtale.slutt_dato,
    avtale.stillingprosent,
    avtale.antall_dager_per_uke,
    avtale.stillingstype,
    avtale.godkjent_av_deltaker,
    avtale.godkjent_av_arbeidsgiver,
    avtale.godkjent_av_veileder,
    avtale.godkjent_av_beslutter,
    avtale.godkjent_av_nav_ident,
    avtale.godkjent_av_beslutter_nav_ident,
    avtale.godkjent_paa_vegne_av,
    avtale.godkjent_paa_vegne_av_arbeidsgiver,
    avtale.opphav,
    avtale.opprettet_tidspunkt,
    avtale.sist_endret,
    avtale.mottatt
   FROM avtale
  WHERE avtale.slettet IS NULL AND NOT avtale.feilregistrert AND (avtale.tiltakstype = ANY (ARRAY['ARBEIDSTRENING'::text, 'MIDLERTIDIG_LONNSTILSKUDD'::text, 'VARIG_LONNSTILSKUDD'::text, 'MENTOR'::text, 'INKLUDERINGSTILSKUDD'::text, 'SOMMERJOBB'::text, 'VTAO'::text, 'FIREARIG_LONNSTILSKUDD'::text])) AND (avtale.avtale_status = ANY (ARRAY['ANNULLERT'::text, 'AVBRUTT'::text, 'PÅBEGYNT'::text, 'MANGLER_GODKJENNING'::text, 'KLAR_FOR_OPPSTART'::text, 'GJENNOMFØRES'::text, 'AVSLUTTET'::text])) AND (avtale.stillingstype IS NULL OR (avtale.stillingstype = ANY (ARRAY['FAST'::text, 'MIDLERTIDIG'::text]))) AND (avtale.opphav IS NULL OR (avtale.opphav = ANY (ARRAY['VEILEDER'::text, 'ARBEIDSGIVER'::text, 'ARENA'::text]))) AND avtale.deltaker_fnr IS NOT NULL AND avtale.bedrift_nr IS NOT NULL AND avtale.opprettet_tidspunkt IS NOT NULL
UNION ALL
 SELECT avtale.avtale_id,
    avtale.avtale_nr,
    avtale.deltaker_fnr,
    avtale.deltaker_id,
    avtale.bedrift_nr,
    avtale.veileder_nav_ident,
    avtale.tiltakstype,
    avtale.versjon,
    'ANNULLERT'::text AS avtale_status,
    avtale.avtale_inngaatt,
    avtale.start_dato,
    avtale.slutt_dato,
    avtale.stillingprosent,
    avtale.antall_dager_per_uke,
    avtale.stillingstype,
    avtale.godkjent_av_deltaker,
    avtale.godkjent_av_arbeidsgiver,
    avtale.godkjent_av_veileder,
    avtale.godkjent_av_beslutter,
    avtale.godkjent_av_nav_ident,
    avtale.godkjent_av_beslutter_nav_ident,
    avtale.godkjent_paa_vegne_av,
    avtale.godkjent_paa_vegne_av_arbeidsgiver,
    avtale.opphav,
    avtale.opprettet_tidspunkt,
    avtale.sist_endret,
    avtale.mottatt
   FROM avtale
  WHERE avtale.slettet IS NULL AND avtale.feilregistrert AND (avtale.tiltakstype = ANY (ARRAY['ARBEIDSTRENING'::text, 'MIDLERTIDIG_LONNSTILSKUDD'::text, 'VARIG_LONNSTILSKUDD'::text, 'MENTOR'::text, 'INKLUDERINGSTILSKUDD'::text, 'SOMMERJOBB'::text, 'VTAO'::text, 'FIREARIG_LONNSTILSKUDD'::text])) AND (avtale.avtale_status = ANY (ARRAY['ANNULLERT'::text, 'AVBRUTT'::text, 'PÅBEGYNT'::text, 'MANGLER_GODKJENNING'::text, 'KLAR_FOR_OPPSTART'::text, 'GJENNOMFØRES'::text, 'AVSLUTTET'::text])) AND (avtale.stillingstype IS NULL OR (avtale.stillingstype = ANY (ARRAY['FAST'::text, 'MIDLERTIDIG'::text]))) AND (avtale.opphav IS NULL OR (avtale.opphav = ANY (ARRAY['VEILEDER'::text, 'ARBEIDSGIVER'::text, 'ARENA'::text]))) AND avtale.deltaker_fnr IS NOT NULL AND avtale.bedrift_nr IS NOT NULL AND avtale.opprettet_tidspunkt IS NOT NULL;
comment on view avtale_gammel_graphql is 'What consumers of the earlier GraphQL may see: also what is wrongly registered. For nothing but POST /graphql';
grant select on avtale_gammel_graphql to datadeling_leser;

create view avtale_synlig as
 SELECT avtale_id,
    avtale_nr,
    deltaker_fnr,
    deltaker_id,
    bedrift_nr,
    bedrift_navn,
    veileder_nav_ident,
    tiltakstype,
    versjon,
    avtale_status,
    avtale_inngaatt,
    start_dato,
    slutt_dato,
    stillingprosent,
    antall_dager_per_uke,
    stillingstype,
    godkjent_av_deltaker,
    godkjent_av_arbeidsgiver,
    godkjent_av_veileder,
    godkjent_av_beslutter,
    godkjent_av_nav_ident,
    godkjent_av_beslutter_nav_ident,
    godkjent_paa_vegne_av,
    godkjent_paa_vegne_av_arbeidsgiver,
    opphav,
    opprettet_tidspunkt,
    annullert_tidspunkt,
    sist_endret,
    mottatt,
    har_vaert_inngaatt OR avtale_inngaatt IS NOT NULL AS har_vaert_inngaatt,
    annullert_tidspunkt IS NOT NULL OR COALESCE(avtale_status = ANY (ARRAY['ANNULLERT'::text, 'AVBRUTT'::text]), false) AS annullert,
    (annullert_tidspunkt AT TIME ZONE 'Europe/Oslo'::text)::date AS annullert_dag,
    (har_vaert_inngaatt OR avtale_inngaatt IS NOT NULL) AND COALESCE((annullert_tidspunkt AT TIME ZONE 'Europe/Oslo'::text)::date > start_dato, false) AND NOT COALESCE(aldri_begynt, false) AS annullert_underveis,
    COALESCE(aldri_begynt, false) AS aldri_begynt,
    COALESCE(fra_arena, opphav = 'ARENA'::text, false) AS fra_arena,
    ( SELECT v.hovedenhet
           FROM virksomhet v
          WHERE v.organisasjonsnummer = avtale.bedrift_nr AND v.slettet IS NULL) AS hovedenhet
   FROM avtale
  WHERE slettet IS NULL AND NOT feilregistrert;
comment on view avtale_synlig is 'What consumers may see';
grant select on avtale_synlig to datadeling_leser;
grant select on avtale_synlig to datadeling_skriver;

create view avtale_versjon_synlig as
 SELECT avtale_id,
    avtale_nr,
    deltaker_fnr,
    deltaker_id,
    bedrift_nr,
    bedrift_navn,
    veileder_nav_ident,
    tiltakstype,
    versjon,
    avtale_status,
    avtale_inngaatt,
    start_dato,
    slutt_dato,
    stillingprosent,
    antall_dager_per_uke,
    stillingstype,
    godkjent_av_deltaker,
    godkjent_av_arbeidsgiver,
    godkjent_av_veileder,
    godkjent_av_beslutter,
    godkjent_av_nav_ident,
    godkjent_av_beslutter_nav_ident,
    godkjent_paa_vegne_av,
    godkjent_paa_vegne_av_arbeidsgiver,
    opphav,
    opprettet_tidspunkt,
    annullert_tidspunkt,
    sist_endret,
    feilregistrert,
    laert,
    lopenr,
    har_vaert_inngaatt OR avtale_inngaatt IS NOT NULL AS har_vaert_inngaatt,
    annullert_tidspunkt IS NOT NULL OR COALESCE(avtale_status = ANY (ARRAY['ANNULLERT'::text, 'AVBRUTT'::text]), false) AS annullert,
    (annullert_tidspunkt AT TIME ZONE 'Europe/Oslo'::text)::date AS annullert_dag,
    (har_vaert_inngaatt OR avtale_inngaatt IS NOT NULL) AND COALESCE((annullert_tidspunkt AT TIME ZONE 'Europe/Oslo'::text)::date > start_dato, false) AND NOT COALESCE(aldri_begynt, false) AS annullert_underveis,
    COALESCE(aldri_begynt, false) AS aldri_begynt,
    COALESCE(fra_arena, opphav = 'ARENA'::text, false) AS fra_arena
   FROM avtale_versjon v
  WHERE (EXISTS ( SELECT
           FROM avtale a
          WHERE a.avtale_id = v.avtale_id AND a.slettet IS NULL AND NOT a.feilregistrert));
comment on view avtale_versjon_synlig is 'Versions of the avtaler that consumers may see now; of one with feilregistrert, only that it was hidden then';
grant select on avtale_versjon_synlig to datadeling_leser;

create view innsyn_avtale as
 SELECT deltaker_id,
    avtale_id,
    min(laert) AS forst_laert
   FROM avtale_versjon
  WHERE deltaker_id IS NOT NULL AND ny_deltaker
  GROUP BY deltaker_id, avtale_id;
comment on view innsyn_avtale is 'Since when each avtale of a participant has been here: all that the auditor needs of it';
grant select on innsyn_avtale to datadeling_revisor;

create view oppslag as
 SELECT l.id,
    l.tidspunkt,
    COALESCE(f.konsument, l.konsument) AS konsument,
    COALESCE(f.behandlingsgrunnlag, l.behandlingsgrunnlag) AS behandlingsgrunnlag,
    COALESCE(f.operasjon, l.operasjon) AS operasjon,
    COALESCE(f.felter, l.felter) AS felter,
        CASE
            WHEN l.person IS NULL THEN COALESCE(l.personer, '{}'::uuid[])
            ELSE ARRAY[l.person]
        END AS personer,
    l.antall_treff,
    l.tillatt,
    COALESCE(l.call_id, l.call_uuid::text) AS call_id,
    l.posisjon,
    l.utvalg,
    l.avslag,
    COALESCE(l.antall_kall, 1) AS antall_kall,
    l.organisasjoner
   FROM oppslagslinje l
     LEFT JOIN oppslagsform f ON f.nr = l.form;
comment on view oppslag is 'Audit: who asked for which persons, why, and what they got. personer are deltaker_id';
comment on column oppslag.posisjon is 'Place in the change feed of what was read, as consumers get it';
comment on column oppslag.utvalg is 'The part of all avtaler that was told of, without persons';
comment on column oppslag.avslag is 'Why it was refused: a code of the catalogue of errors';
comment on column oppslag.antall_kall is 'Requests that the line stands for: refusals that are counted by the minute';
comment on column oppslag.organisasjoner is 'Organisation numbers of who asked from outside of Nav: that of the consumer, and that of the supplier that asked on its behalf';
CREATE TRIGGER skriv_oppslagslinje INSTEAD OF INSERT ON oppslag FOR EACH ROW EXECUTE FUNCTION skriv_oppslagslinje();
grant select on oppslag to datadeling_revisor;
grant insert (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id, posisjon, utvalg, avslag, antall_kall) on oppslag to datadeling_leser;

create view relasjon_synlig as
 SELECT deltaker_id,
    fra,
    relasjon,
    til
   FROM relasjon r
  WHERE (EXISTS ( SELECT
           FROM avtale a
          WHERE a.avtale_id = r.til AND a.slettet IS NULL AND NOT a.feilregistrert));
comment on view relasjon_synlig is 'Links that lead to something consumers may see';
grant select on relasjon_synlig to datadeling_leser;

create view statistikk_synlig as
 SELECT statistikk.inndeling,
    statistikk.dag,
    statistikk.verdier,
    statistikk.avtaler,
    statistikk.deltakere
   FROM statistikk
     JOIN statistikk_tidspunkt USING (generasjon)
  WHERE statistikk.synlig;
comment on view statistikk_synlig is 'What is told';
grant select on statistikk_synlig to datadeling_leser;

create view versjon_bedrift as
 SELECT avtale_id,
    bedrift_nr
   FROM avtale_versjon v
  WHERE ny_bedrift AND (EXISTS ( SELECT
           FROM avtale a
          WHERE a.avtale_id = v.avtale_id AND a.slettet IS NULL AND NOT a.feilregistrert));
comment on view versjon_bedrift is 'As versjon_deltaker, with whom they are or have been';
grant select on versjon_bedrift to datadeling_leser;

create view versjon_deltaker as
 SELECT avtale_id,
    deltaker_id
   FROM avtale_versjon v
  WHERE ny_deltaker AND (EXISTS ( SELECT
           FROM avtale a
          WHERE a.avtale_id = v.avtale_id AND a.slettet IS NULL AND NOT a.feilregistrert));
comment on view versjon_deltaker is 'Avtaler that consumers may see, and whose they are or have been: to find them by; their versions are read by avtale_id';
grant select on versjon_deltaker to datadeling_leser;

create view virksomhet_synlig as
 SELECT organisasjonsnummer,
    navn,
    organisasjonsform,
    overordnet_enhet,
    naeringskode,
    kommunenummer,
    slettet_dato,
    sist_endret,
    hovedenhet,
    mottatt
   FROM virksomhet
  WHERE slettet IS NULL;
comment on view virksomhet_synlig is 'What consumers may see';
grant select on virksomhet_synlig to datadeling_leser;
grant select on virksomhet_synlig to datadeling_skriver;

create view virksomhet_versjon_synlig as
 SELECT organisasjonsnummer,
    navn,
    organisasjonsform,
    overordnet_enhet,
    naeringskode,
    kommunenummer,
    slettet_dato,
    sist_endret,
    laert,
    lopenr
   FROM virksomhet_versjon v
  WHERE (EXISTS ( SELECT
           FROM virksomhet a
          WHERE a.organisasjonsnummer = v.organisasjonsnummer AND a.slettet IS NULL));
comment on view virksomhet_versjon_synlig is 'Versions of those that consumers may see now';
grant select on virksomhet_versjon_synlig to datadeling_leser;

create view avtale_analyse as
 SELECT avtale_id,
    deltaker_id,
    bedrift_nr,
    hovedenhet,
    tiltakstype,
    versjon,
    avtale_status,
    avtale_inngaatt,
    start_dato,
    slutt_dato,
    stillingprosent,
    antall_dager_per_uke,
    stillingstype,
    godkjent_av_deltaker,
    godkjent_av_arbeidsgiver,
    godkjent_av_veileder,
    godkjent_av_beslutter,
    godkjent_paa_vegne_av,
    godkjent_paa_vegne_av_arbeidsgiver,
    opphav,
    opprettet_tidspunkt,
    annullert_tidspunkt,
    sist_endret,
    har_vaert_inngaatt,
    annullert,
    annullert_dag,
    aldri_begynt,
    fra_arena
   FROM avtale_synlig;
comment on view avtale_analyse is 'What a product for analysis may be made of';
grant select on avtale_analyse to datadeling_analyse;
