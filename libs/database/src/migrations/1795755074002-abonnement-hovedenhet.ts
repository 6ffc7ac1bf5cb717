import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, dropIndexConcurrently, inBatches, step, validate } from '../migration-steps.ts';

/**
 * Subscriptions by hovedenhet (ADR 67): a member `H…` is a unit, and each establishment below it a member of its own, which
 * begins and ends when virksomheter move. Nothing is done where avtaler are written, and nothing where nobody follows one.
 */
export class AbonnementHovedenhet1795755074002 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(db, 'column', COLUMN);
    await validate(db, 'abonnement_medlem', 'abonnement_medlem_noekkel_check');
    await createIndexConcurrently(
      db,
      'abonnement_medlem_entydig',
      'abonnement_medlem (abonnement, noekkel, ident, hovedenhet) nulls not distinct where fjernet is null',
      { unique: true },
    );
    await createIndexConcurrently(
      db,
      'abonnement_medlem_hovedenhet',
      'abonnement_medlem (abonnement, hovedenhet) where hovedenhet is not null and fjernet is null',
    );
    await step(db, 'functions', FUNCTIONS);
    await step(db, 'triggers', TRIGGERS);
    // What the functions of before tell the same by.
    await dropIndexConcurrently(db, 'abonnement_medlem_en');
  }

  async down(db: QueryRunner): Promise<void> {
    await step(
      db,
      'no triggers',
      `drop trigger abonnement_virksomhet_ny on virksomhet;
       drop trigger abonnement_virksomhet_endret on virksomhet;
       drop function abonnement_virksomhet();
       drop function flytt_abonnerte(text[]);`,
    );
    await inBatches(db, {
      name: 'members',
      table: 'abonnement_medlem',
      key: 'abonnement',
      sql: (range) =>
        `delete from abonnement_medlem where (hovedenhet is not null or noekkel like 'H%') and ${range('abonnement')}`,
    });
    await inBatches(db, {
      name: 'kinds',
      table: 'abonnement',
      key: 'id',
      sql: (range) => `update abonnement set slag = array_remove(slag, 'H') where 'H' = any (slag) and ${range('id')}`,
    });
    await createIndexConcurrently(
      db,
      'abonnement_medlem_en',
      'abonnement_medlem (abonnement, noekkel, ident) nulls not distinct where fjernet is null',
      { unique: true },
    );
    await step(db, 'functions', FUNCTIONS_BEFORE);
    await step(
      db,
      'column',
      `alter table abonnement_medlem drop column hovedenhet;
       alter table abonnement_medlem drop constraint abonnement_medlem_noekkel_check;
       alter table abonnement_medlem add constraint abonnement_medlem_noekkel_check check (noekkel ~ '^[PABT].') not valid;
       comment on column abonnement_medlem.noekkel is 'P and a deltaker_id, A and an avtale_id, B and a bedrift_nr, T and a tiltakstype as the source has it';
       comment on column abonnement.antall is 'How many members it has';`,
    );
    await validate(db, 'abonnement_medlem', 'abonnement_medlem_noekkel_check');
  }
}

const COLUMN = `
  alter table abonnement_medlem add column hovedenhet text collate "C";
  alter table abonnement_medlem drop constraint abonnement_medlem_noekkel_check;
  alter table abonnement_medlem add constraint abonnement_medlem_noekkel_check check (noekkel ~ '^[PABTH].') not valid;
  comment on column abonnement_medlem.noekkel is 'P and a deltaker_id, A and an avtale_id, B and a bedrift_nr, T and a tiltakstype as the source has it, H and a unit, whose establishments have rows of their own';
  comment on column abonnement_medlem.hovedenhet is 'Of an establishment that is a member by a member H: the unit that it is, or is below; ends when it moves away';
  comment on column abonnement.antall is 'How many members it has, without those that others brought';
`;

const definer = `security definer set search_path to 'pg_catalog', 'public', 'pg_temp'`;

/**
 * By what virksomheter say themselves, and not by the hovedenhet that is stored, which is found a statement later.
 * As of virksomheter_under: whose chain is too long, or leads into a cycle, is below nobody.
 * One by one, by index: as a join, tables that look small would be gone through for each, which is so in the first load.
 */
const FOLLOW = `
  create function flytt_abonnerte(flyttet text[]) returns void
  language plpgsql set search_path to 'pg_catalog', 'public', 'pg_temp'
  set enable_seqscan to 'off' set enable_hashjoin to 'off' set enable_mergejoin to 'off' set enable_material to 'off' set enable_bitmapscan to 'off' as $$ begin
    with recursive ned (nr) as (
      select unnest(flyttet)
      union
      select v.organisasjonsnummer from ned cross join lateral (
        select organisasjonsnummer from public.virksomhet where overordnet_enhet = ned.nr and slettet is null offset 0) v
    ), opp (nr, topp, nivaa) as (
      select nr, nr, 0 from ned
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
  end $$;
  comment on function flytt_abonnerte(text[]) is 'Members by hovedenhet of these virksomheter and of all below them, by what is above them now';
  revoke execute on function flytt_abonnerte(text[]) from public;

  create function abonnement_virksomhet() returns trigger language plpgsql ${definer}
  set enable_seqscan to 'off' set enable_nestloop to 'off' set enable_hashjoin to 'on' as $$
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
  end $$;
  comment on function abonnement_virksomhet() is 'The establishments of subscriptions by hovedenhet are those that are below it now';
  revoke execute on function abonnement_virksomhet() from public;
`;

const TRIGGERS = `
  create trigger abonnement_virksomhet_ny after insert on virksomhet referencing new table as etter
    for each statement execute function abonnement_virksomhet();
  create trigger abonnement_virksomhet_endret after update on virksomhet referencing old table as foer new table as etter
    for each statement execute function abonnement_virksomhet();
`;

const SAVE = `
  create or replace function lagre_abonnement(hvem text, grunnlag text, hva text, lag boolean, kjent bigint, inn text[], ut text[])
  returns table(abonnement_id uuid, ny_utgave bigint) language plpgsql ${definer} as $$
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
  end $$;
`;

/** First the locks of who writes members, whose rows they come to next. */
const LOCKS_OF_REMOVAL = `-- First, as whoever changes persons or virksomheter has it: that one comes to the members next, and so does this.
    perform pg_advisory_xact_lock_shared(7220324);
    perform pg_advisory_xact_lock_shared(7220319);`;

const remove = (locks: string): string => `
  create or replace function slett_abonnement(hvem text, grunnlag text, hva text) returns integer language plpgsql ${definer} as $$
  declare borte integer;
  begin
    ${locks}
    delete from public.abonnement where konsument = hvem and behandlingsgrunnlag = grunnlag and navn = hva;
    get diagnostics borte = row_count;
    return borte;
  end $$;
`;

const cleaning = (locks: string, kind: string): string => `
  create or replace function rydd_abonnementer(dager integer) returns integer language plpgsql ${definer} as $$
  declare
    borte integer;
    beskaaret uuid[];
  begin
    ${locks}
    -- Told of an hour ago by somebody, and not of this: a registry that is on its way out to all has been by then.
    delete from public.abonnement where sist_brukt < now() - make_interval(days => dager)
      or sist_registrert < (select konsumenter_meldt - interval '1 hour' from public.abonnering);
    get diagnostics borte = row_count;
    with ute as (
      delete from public.abonnement_medlem where fjernet < (select beskaaret_til from public.instans) returning abonnement)
    select array_agg(distinct abonnement) into beskaaret from ute;
    update public.abonnement a set antall_alle = telt.antall, slag = telt.slag
    from unnest(beskaaret) b(id) cross join lateral (
      select count(*) as antall, coalesce(array_agg(distinct ${kind}), '{}') as slag
      from public.abonnement_medlem m where m.abonnement = b.id) telt
    where a.id = b.id;
    return borte;
  end $$;
`;

const FUNCTIONS = `${FOLLOW} ${SAVE} ${remove(LOCKS_OF_REMOVAL)} ${cleaning(
  LOCKS_OF_REMOVAL,
  `case when m.hovedenhet is null then left(m.noekkel, 1) else 'H' end`,
)}`;

const SAVE_BEFORE = `
  create or replace function lagre_abonnement(hvem text, grunnlag text, hva text, lag boolean, kjent bigint, inn text[], ut text[])
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
`;

const FUNCTIONS_BEFORE = `${SAVE_BEFORE} ${remove(
  `-- First, as whoever changes persons has it: that one comes to the members next, and so does this.
    perform pg_advisory_xact_lock_shared(7220319);`,
)} ${cleaning(
  `-- First, as whoever changes persons has it.
    perform pg_advisory_xact_lock_shared(7220319);`,
  'left(m.noekkel, 1)',
)}`;
