import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Subscriptions (ADR 47): the part of the change feed that is a consumer's. `avtale_endring` says of each line of the feed
 * whose it is and was, so that it is found by those who follow it; triggers write it, so that it is whole whatever version
 * of the ingestor writes.
 */
export class Abonnement1795718380102 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(LOCK);
    await db.query(TABLES);
    await db.query(TRIGGERS);
    await db.query(PERSONS);
    await db.query(FUNCTIONS);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      drop trigger avtale_endring_ny on avtale;
      drop trigger avtale_endring_endret on avtale;
      drop trigger avtale_endring_lenker on endring;
      drop trigger abonnement_person_inn on personident;
      drop trigger abonnement_person_ut on personident;
      drop function avtale_endring_ny();
      drop function avtale_endring_endret();
      drop function avtale_endring_lenker();
      drop function krev_siste_endring(xid8);
      drop function abonnement_person();
      drop function lagre_abonnement(text, text, text, boolean, bigint, text[], text[]);
      drop function slett_abonnement(text, text, text);
      drop function bruk_abonnement(uuid);
      drop function meld_konsumenter(text[], text[]);
      drop function rydd_abonnementer(integer);
      drop function foelg_avtaler();
      drop function slutt_aa_foelge();
      drop table abonnement_medlem, abonnement, avtale_endring, abonnering;`);
  }
}

/** Triggers are made while nobody writes to their tables. They are taken first: nothing is held while they are waited for. */
const LOCK = 'lock table avtale, endring, personident in share row exclusive mode';

const TABLES = `
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
    primary key (tx, avtale_id)
  );
  comment on table avtale_endring is 'What each transaction did to an avtale that consumers see or saw: whose it is and was, for subscriptions. As old as the change feed';
  comment on column avtale_endring.kun_lenker is 'Its links alone, or what no field tells: the content is as it was';
  comment on column avtale_endring.deltaker_id is 'Of the avtale as it is after it, like bedrift_nr and tiltakstype; null when it is not to be seen';
  comment on column avtale_endring.foer_deltaker_id is 'Of the avtale as it was before; null when it was not to be seen';
  comment on column avtale_endring.foer_versjon is 'avtale_versjon.lopenr of the content before; it may be erased';
  comment on column avtale_endring.felter is 'Columns that have another value than before, and fase when it is worked out of something else; null: there was nothing before';
  create index avtale_endring_avtale on avtale_endring (avtale_id, tx);
  create index avtale_endring_foer_deltaker on avtale_endring (foer_deltaker_id, tx)
    where foer_deltaker_id is distinct from deltaker_id;
  create index avtale_endring_foer_bedrift on avtale_endring (foer_bedrift_nr, tx)
    where foer_bedrift_nr is distinct from bedrift_nr;
  create index avtale_endring_foer_tiltakstype on avtale_endring (foer_tiltakstype, tx)
    where foer_tiltakstype is distinct from tiltakstype;
  grant select on avtale_endring to datadeling_leser;
  grant select, delete on avtale_endring to datadeling_skriver;

  create table abonnement (
    id uuid default gen_random_uuid() primary key,
    konsument text not null,
    behandlingsgrunnlag text not null,
    navn text not null,
    slag text[] default '{}' not null,
    antall integer default 0 not null,
    antall_alle integer default 0 not null,
    utgave bigint default 0 not null,
    opprettet timestamptz(6) default now() not null,
    endret timestamptz(6) default now() not null,
    sist_brukt timestamptz(6) default now() not null,
    sist_registrert timestamptz(6) default now() not null,
    unique (konsument, behandlingsgrunnlag, navn)
  );
  comment on table abonnement is 'Subsets of all avtaler that consumers follow';
  comment on column abonnement.slag is 'The kinds of members that it has, or has had';
  comment on column abonnement.antall is 'How many members it has';
  comment on column abonnement.antall_alle is 'With those that were taken out, and are still kept; the cleaning counts them anew';
  comment on column abonnement.utgave is 'One more each time that its members are changed';
  comment on column abonnement.sist_registrert is 'When a query-api last told that its registry has the consumer and the purpose';
  grant select on abonnement to datadeling_leser;
  grant select, delete on abonnement to datadeling_skriver;

  create table abonnement_medlem (
    abonnement uuid not null references abonnement on delete cascade,
    noekkel text collate "C" not null,
    ident uuid,
    lagt_til xid8 default pg_current_xact_id() not null,
    fjernet xid8,
    constraint abonnement_medlem_noekkel_check check (noekkel ~ '^[PABT].')
  );
  comment on table abonnement_medlem is 'What a subscription is of, and was: a member counts for the changes of transactions after lagt_til and up to fjernet';
  comment on column abonnement_medlem.noekkel is 'P and a deltaker_id, A and an avtale_id, B and a bedrift_nr, T and a tiltakstype as the source has it';
  comment on column abonnement_medlem.ident is 'Of a person: the opaque id of the ident that was given; noekkel is whose it is';
  create unique index abonnement_medlem_en on abonnement_medlem (abonnement, noekkel, ident) nulls not distinct
    where fjernet is null;
  create index abonnement_medlem_noekkel on abonnement_medlem (noekkel, abonnement);
  create index abonnement_medlem_av on abonnement_medlem (abonnement, noekkel);
  create index abonnement_medlem_lagt_til on abonnement_medlem (abonnement, lagt_til, noekkel);
  create index abonnement_medlem_fjernet on abonnement_medlem (abonnement, fjernet, noekkel) where fjernet is not null;
  create index abonnement_medlem_ident on abonnement_medlem (ident) where ident is not null and fjernet is null;
  grant select on abonnement_medlem to datadeling_leser;
  grant select, delete on abonnement_medlem to datadeling_skriver;

  create table abonnering (
    ene boolean default true primary key check (ene),
    foelges boolean default false not null,
    konsumenter_meldt timestamptz(6)
  );
  insert into abonnering default values;
  comment on table abonnering is 'Whether avtale_endring is written: not while there is no subscription. One row; here and not in instans, which exports read for long';
  grant select on abonnering to datadeling_skriver;
  comment on column abonnering.konsumenter_meldt is 'When a query-api last told which consumers there are';`;

const COLUMNS = [
  ...['avtale_nr', 'deltaker_fnr', 'bedrift_nr', 'bedrift_navn', 'veileder_nav_ident', 'tiltakstype', 'versjon'],
  ...['avtale_status', 'avtale_inngaatt', 'start_dato', 'slutt_dato', 'stillingprosent', 'antall_dager_per_uke'],
  ...['stillingstype', 'godkjent_av_deltaker', 'godkjent_av_arbeidsgiver', 'godkjent_av_veileder'],
  ...['godkjent_av_beslutter', 'godkjent_av_nav_ident', 'godkjent_av_beslutter_nav_ident', 'godkjent_paa_vegne_av'],
  ...['godkjent_paa_vegne_av_arbeidsgiver', 'opphav', 'opprettet_tidspunkt', 'annullert_tidspunkt', 'sist_endret'],
];

/** What fase is worked out of, as avtale_synlig has it. */
const phaseOf = (row: string): string => `
  (${row}.start_dato, ${row}.slutt_dato, ${row}.avtale_inngaatt is null,
   ${row}.har_vaert_inngaatt or ${row}.avtale_inngaatt is not null,
   ${row}.annullert_tidspunkt is not null or coalesce(${row}.avtale_status in ('ANNULLERT', 'AVBRUTT'), false),
   (${row}.annullert_tidspunkt at time zone 'Europe/Oslo')::date, coalesce(${row}.aldri_begynt, false),
   coalesce(${row}.fra_arena, ${row}.opphav = 'ARENA', false))`;

const CHANGED = `array_remove(array[
  ${COLUMNS.map((column) => `case when e.${column} is distinct from f.${column} then '${column}' end`).join(',\n  ')},
  case when ${phaseOf('e')} is distinct from ${phaseOf('f')} then 'fase' end], null)`;

const ETTER = 'e.slettet is null and not e.feilregistrert';
const FOER = 'f.slettet is null and not f.feilregistrert';

/** A function that a trigger runs, as the owner. */
const trigger = (name: string, body: string, settings = ''): string => `
  create function ${name}() returns trigger language plpgsql security definer
  set search_path to 'pg_catalog', 'public', 'pg_temp' ${settings} as $$ begin
    ${body}
    return null;
  end $$;
  revoke execute on function ${name}() from public;`;

/**
 * Nothing is written while nobody subscribes. Whoever writes holds the lock shared, so that the first subscription comes
 * after all that was not written down, and before all that is.
 */
const WHEN_FOLLOWED = `perform pg_advisory_xact_lock_shared(7220321);
    if not (select foelges from public.abonnering) then return null; end if;
    `;

const TRIGGERS = `
  create function krev_siste_endring(siste xid8) returns boolean language plpgsql as $$ begin
    if siste > pg_current_xact_id() then
      raise exception 'A transaction after this one has changed the avtale already' using errcode = 'serialization_failure';
    end if;
    return true;
  end $$;
  comment on function krev_siste_endring(xid8) is 'What subscriptions are told is in the order of transactions: one that comes too late must begin again';
  revoke execute on function krev_siste_endring(xid8) from public;

  ${trigger(
    'avtale_endring_ny',
    `${WHEN_FOLLOWED}insert into public.avtale_endring (avtale_id, deltaker_id, bedrift_nr, tiltakstype)
       select e.avtale_id, e.deltaker_id, e.bedrift_nr, e.tiltakstype from etter e where ${ETTER};`,
  )}
  comment on function avtale_endring_ny() is 'Whose an avtale is that was not there before';

  ${trigger(
    'avtale_endring_endret',
    `${WHEN_FOLLOWED}insert into public.avtale_endring as r (avtale_id, deltaker_id, bedrift_nr, tiltakstype, aarsak, var_synlig,
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
           ${ETTER} as er_synlig, ${FOER} as var_synlig, ${CHANGED} as felter
         from etter e join foer f on f.avtale_id = e.avtale_id offset 0) ny
       where (er_synlig or var_synlig)
         and (er_synlig <> var_synlig or felter <> '{}' or deltaker_id is distinct from foer_deltaker_id)
         and public.krev_siste_endring(
           (select n.tx from public.avtale_endring n where n.avtale_id = ny.avtale_id order by n.tx desc limit 1))
       on conflict (tx, avtale_id) do update set kun_lenker = false, deltaker_id = excluded.deltaker_id,
         bedrift_nr = excluded.bedrift_nr, tiltakstype = excluded.tiltakstype, aarsak = excluded.aarsak,
         -- Of the first of them in this transaction; one of links alone says nothing of before.
         var_synlig = case when r.kun_lenker then excluded.var_synlig else r.var_synlig end,
         foer_deltaker_id = case when r.kun_lenker then excluded.foer_deltaker_id else r.foer_deltaker_id end,
         foer_bedrift_nr = case when r.kun_lenker then excluded.foer_bedrift_nr else r.foer_bedrift_nr end,
         foer_tiltakstype = case when r.kun_lenker then excluded.foer_tiltakstype else r.foer_tiltakstype end,
         foer_versjon = case when r.kun_lenker then excluded.foer_versjon else r.foer_versjon end,
         felter = (select array_agg(distinct felt) from unnest(r.felter || excluded.felter) felt);`,
    // The two have no index, and a plan from when they had a row each is kept. The ingestor's sessions only have nested loops.
    `set enable_nestloop to 'off' set enable_hashjoin to 'on'`,
  )}
  comment on function avtale_endring_endret() is 'Whose an avtale is and was, and what in it is another';

  ${trigger(
    'avtale_endring_lenker',
    `${WHEN_FOLLOWED}insert into public.avtale_endring (avtale_id, kun_lenker, deltaker_id, bedrift_nr, tiltakstype, felter)
       select n.avtale_id, true, a.deltaker_id, a.bedrift_nr, a.tiltakstype, '{}'
       from (select distinct ny.avtale_id from ny where ny.type = 'ENDRET') n
       cross join lateral (
         select deltaker_id, bedrift_nr, tiltakstype from public.avtale
         where avtale_id = n.avtale_id and slettet is null and not feilregistrert offset 0) a
       where not (select count(*) > 0 from public.avtale_endring r
         where r.tx = pg_current_xact_id() and r.avtale_id = n.avtale_id)
       on conflict do nothing;`,
    `set enable_seqscan to 'off'`,
  )}
  comment on function avtale_endring_lenker() is 'What the change feed tells of though no field is another';

  create trigger avtale_endring_ny after insert on avtale referencing new table as etter
    for each statement execute function avtale_endring_ny();
  create trigger avtale_endring_endret after update on avtale referencing old table as foer new table as etter
    for each statement execute function avtale_endring_endret();
  create trigger avtale_endring_lenker after insert on endring referencing new table as ny
    for each statement execute function avtale_endring_lenker();`;

/** Members follow their idents: as if the person had been taken out, and who the ident is now put in. */
const PERSONS = `
  ${trigger(
    'abonnement_person',
    `with flyttet as (
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
     insert into public.abonnement_medlem (abonnement, noekkel, ident) select abonnement, ny, ident from ut;`,
    `set enable_seqscan to 'off'`,
  )}
  comment on function abonnement_person() is 'The persons of subscriptions are those that their idents belong to now';
  create trigger abonnement_person_ut after delete on personident referencing old table as berort
    for each statement execute function abonnement_person();
  create trigger abonnement_person_inn after insert on personident referencing new table as berort
    for each statement execute function abonnement_person();`;

const definer = `security definer set search_path to 'pg_catalog', 'public', 'pg_temp'`;

const FUNCTIONS = `
  create function foelg_avtaler() returns void language plpgsql ${definer} set lock_timeout to '300ms' as $$ begin
    if (select foelges from public.abonnering) then return; end if;
    perform pg_advisory_xact_lock(7220321);
    update public.abonnering set foelges = true;
  end $$;
  comment on function foelg_avtaler() is 'From now on avtale_endring is written. Gives up (55P03) before writers that wait for each other behind it would be in a deadlock; asked again by the caller';
  revoke execute on function foelg_avtaler() from public;
  grant execute on function foelg_avtaler() to datadeling_leser;

  create function slutt_aa_foelge() returns boolean language plpgsql ${definer} set lock_timeout to '300ms' as $$ begin
    if not (select foelges from public.abonnering) or exists (select from public.abonnement) then return false; end if;
    perform pg_advisory_xact_lock(7220321);
    if exists (select from public.abonnement) then return false; end if;
    update public.abonnering set foelges = false;
    truncate public.avtale_endring;
    return true;
  end $$;
  comment on function slutt_aa_foelge() is 'When there is no subscription left: avtale_endring is not written, and empty. Gives up as foelg_avtaler does';
  revoke execute on function slutt_aa_foelge() from public;
  grant execute on function slutt_aa_foelge() to datadeling_skriver;

  create function lagre_abonnement(hvem text, grunnlag text, hva text, lag boolean, kjent bigint, inn text[], ut text[])
  returns table(abonnement_id uuid, ny_utgave bigint) language plpgsql ${definer} as $$
  declare
    denne uuid;
    naa bigint;
    antall_ut integer;
    antall_inn integer;
  begin
    -- Who is one person does not change meanwhile, nor what others of the same consumer make. All that is written in the
    -- organisation waits behind a change of persons that waits for this: it is given some thousand keys at a time.
    perform pg_advisory_xact_lock_shared(7220319);
    perform pg_advisory_xact_lock(7220320, hashtext(hvem));
    select id, utgave into denne, naa from public.abonnement
      where konsument = hvem and behandlingsgrunnlag = grunnlag and navn = hva for update;
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
    where m.abonnement = denne and m.fjernet is null
      and m.noekkel = case when left(bort.noekkel, 1) = 'P' then 'P' || coalesce(
        (select p.deltaker_id from public.personident p where p.ident = substr(bort.noekkel, 2)::uuid)::text,
        substr(bort.noekkel, 2)) else bort.noekkel end
      and case when m.ident is null then m.noekkel else 'P' || m.ident end = bort.noekkel;
    get diagnostics antall_ut = row_count;
    insert into public.abonnement_medlem (abonnement, noekkel, ident)
      select distinct denne, case when person.ident is null then n else 'P' || coalesce(p.deltaker_id, person.ident) end,
        person.ident
      from unnest(inn) n
      cross join lateral (select case when left(n, 1) = 'P' then substr(n, 2)::uuid end as ident) person
      left join public.personident p on p.ident = person.ident
      on conflict (abonnement, noekkel, ident) where fjernet is null do nothing;
    get diagnostics antall_inn = row_count;
    update public.abonnement a set endret = now(), sist_brukt = now(), utgave = a.utgave + 1,
      antall = a.antall + antall_inn - antall_ut, antall_alle = a.antall_alle + antall_inn,
      slag = array(select distinct bokstav from unnest(a.slag || array(select left(n, 1) from unnest(inn) n)) bokstav order by 1)
    where a.id = denne returning a.utgave into naa;
    -- Those that are gone stay for as long as the feed does: they are bounded too.
    if antall_inn > 0 and (select a.antall > 200000 or a.antall_alle > 600000 from public.abonnement a where a.id = denne) then
      raise exception 'too many members' using errcode = 'TD011';
    end if;
    return query select denne, naa;
  end $$;
  comment on function lagre_abonnement(text,text,text,boolean,bigint,text[],text[]) is 'Makes a subscription, or changes what it is of: nothing when there is none, and none is to be made. TD013 when it is not the utgave that was given, if one was';
  revoke execute on function lagre_abonnement(text,text,text,boolean,bigint,text[],text[]) from public;
  grant execute on function lagre_abonnement(text,text,text,boolean,bigint,text[],text[]) to datadeling_leser;

  create function slett_abonnement(hvem text, grunnlag text, hva text) returns integer language plpgsql ${definer} as $$
  declare borte integer;
  begin
    -- First, as whoever changes persons has it: that one comes to the members next, and so does this.
    perform pg_advisory_xact_lock_shared(7220319);
    delete from public.abonnement where konsument = hvem and behandlingsgrunnlag = grunnlag and navn = hva;
    get diagnostics borte = row_count;
    return borte;
  end $$;
  comment on function slett_abonnement(text,text,text) is 'How many it was: one or none';
  revoke execute on function slett_abonnement(text,text,text) from public;
  grant execute on function slett_abonnement(text,text,text) to datadeling_leser;

  create function bruk_abonnement(denne uuid) returns void language sql ${definer} as $$
    update public.abonnement set sist_brukt = now() where id = denne and sist_brukt < now() - interval '1 hour'
  $$;
  comment on function bruk_abonnement(uuid) is 'Says that it is in use';
  revoke execute on function bruk_abonnement(uuid) from public;
  grant execute on function bruk_abonnement(uuid) to datadeling_leser;

  create function meld_konsumenter(hvem text[], grunnlag text[]) returns void language sql ${definer} as $$
    update public.abonnement set sist_registrert = now()
      where (konsument, behandlingsgrunnlag) in (select * from unnest(hvem, grunnlag));
    update public.abonnering set konsumenter_meldt = now();
  $$;
  comment on function meld_konsumenter(text[],text[]) is 'Tells which consumers and purposes the registry of a query-api has';
  revoke execute on function meld_konsumenter(text[],text[]) from public;
  grant execute on function meld_konsumenter(text[],text[]) to datadeling_leser;

  create function rydd_abonnementer(dager integer) returns integer language plpgsql ${definer} as $$
  declare
    borte integer;
    beskaaret uuid[];
  begin
    -- First, as whoever changes persons has it.
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
      select count(*) as antall, coalesce(array_agg(distinct left(m.noekkel, 1)), '{}') as slag
      from public.abonnement_medlem m where m.abonnement = b.id) telt
    where a.id = b.id;
    return borte;
  end $$;
  comment on function rydd_abonnementer(integer) is 'Removes what nobody has used for so long, whose consumer is gone, and members that were taken out before the feed begins';
  revoke execute on function rydd_abonnementer(integer) from public;
  grant execute on function rydd_abonnementer(integer) to datadeling_skriver;`;
