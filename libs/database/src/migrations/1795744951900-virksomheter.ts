import type { MigrationInterface, QueryRunner } from 'typeorm';
import { step } from '../migration-steps.ts';

/**
 * Employers as a resource of their own (ADR 64): a reduced table, its history and its change feed, as avtaler have them,
 * and for each the top of its chain. Nothing of avtale is changed but what its view shows.
 */
export class Virksomheter1795744951900 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(db, 'tables', TABLES);
    await step(db, 'feed', FEED);
    await step(db, 'below', BELOW);
    await step(db, 'hovedenhet', HOVEDENHET);
    await step(db, 'hovedenhet of an avtale', WITH_HOVEDENHET);
  }

  async down(db: QueryRunner): Promise<void> {
    await step(db, 'no hovedenhet of an avtale', `drop view avtale_synlig; ${createView(AS_BEFORE)}`);
    await step(
      db,
      'no tables',
      `drop function oppdater_hovedenheter(text[]);
       drop function virksomheter_under(text);
       drop view virksomhet_synlig, virksomhet_versjon_synlig;
       drop table virksomhet, virksomhet_versjon, virksomhet_endring, manglende_virksomhet, hovedenhet_varsel;
       delete from partisjonering where tabell = 'virksomhet_endring';`,
    );
  }
}

const TABLES = `
create table virksomhet (
  organisasjonsnummer text primary key,
  navn text,
  organisasjonsform text,
  overordnet_enhet text,
  naeringskode text,
  kommunenummer text,
  slettet_dato date,
  sist_endret timestamptz(6),
  hovedenhet text,
  slettet text check (slettet in ('SLETTEMERKET', 'GRAVSTEIN')),
  kilde_epoke integer not null,
  kilde_partisjon integer not null,
  kilde_offset bigint not null,
  kilde_skrevet bigint,
  kilde_slett_foer bigint,
  kilde_minne text,
  avtrykk uuid,
  mottatt timestamptz(6) not null default now()
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02,
  autovacuum_vacuum_insert_scale_factor = 0.05);
comment on table virksomhet is 'Current reduced virksomhet; a deleted one is only a marker, so that a late older message does not revive it';
comment on column virksomhet.slettet is 'Deleted by its source. One that was struck off the register has slettet_dato, and is still shown';
comment on column virksomhet.hovedenhet is 'The last number of the chain upwards, also when that unit is not here; null: it is itself the top, or its chain leads into a cycle';
comment on column virksomhet.avtrykk is 'Fingerprint of the content: tells a repeated message from a change';
comment on column virksomhet.mottatt is 'When this system learned of the content';
comment on column virksomhet.kilde_minne is 'As of avtale';
create index virksomhet_overordnet_enhet on virksomhet (overordnet_enhet, organisasjonsnummer) where slettet is null;
create index virksomhet_hovedenhet on virksomhet (hovedenhet, organisasjonsnummer) where slettet is null;
create index virksomhet_kommunenummer on virksomhet (kommunenummer, organisasjonsnummer) where slettet is null;
create index virksomhet_naeringskode on virksomhet (naeringskode text_pattern_ops, organisasjonsnummer) where slettet is null;
create index virksomhet_uten_hovedenhet on virksomhet (organisasjonsnummer)
  where slettet is null and overordnet_enhet is not null and hovedenhet is null;
create trigger krev_kontrakt before insert or update or delete on virksomhet
  for each statement execute function krev_kontrakt();
grant select, insert, update on virksomhet to datadeling_skriver;

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
  laert timestamptz(6) not null default now(),
  lopenr bigint generated always as identity,
  primary key (organisasjonsnummer, lopenr)
);
comment on table virksomhet_versjon is 'Each accepted version of a virksomhet that is not erased';
comment on column virksomhet_versjon.laert is 'When this system learned of it';
grant select, insert, delete on virksomhet_versjon to datadeling_skriver;

create view virksomhet_synlig as
  select organisasjonsnummer, navn, organisasjonsform, overordnet_enhet, naeringskode, kommunenummer, slettet_dato,
    sist_endret, hovedenhet, mottatt
  from virksomhet where slettet is null;
comment on view virksomhet_synlig is 'What consumers may see';
grant select on virksomhet_synlig to datadeling_leser, datadeling_skriver;

create view virksomhet_versjon_synlig as
  select organisasjonsnummer, navn, organisasjonsform, overordnet_enhet, naeringskode, kommunenummer, slettet_dato,
    sist_endret, laert, lopenr
  from virksomhet_versjon v
  where exists (select from virksomhet a where a.organisasjonsnummer = v.organisasjonsnummer and a.slettet is null);
comment on view virksomhet_versjon_synlig is 'Versions of those that consumers may see now';
grant select on virksomhet_versjon_synlig to datadeling_leser;

create table manglende_virksomhet (
  organisasjonsnummer text primary key,
  siden timestamptz(6) not null default now(),
  avtaler integer not null,
  virksomheter integer not null
);
comment on table manglende_virksomhet is 'Numbers that avtaler or virksomheter name, and that are not here; kept by a job of the ingestor';
comment on column manglende_virksomhet.siden is 'When the job first found it missing';
comment on column manglende_virksomhet.avtaler is 'How many avtaler name it as bedrift';
comment on column manglende_virksomhet.virksomheter is 'How many virksomheter name it as what is right above them';
create index manglende_virksomhet_siden on manglende_virksomhet (siden);
grant select, insert, update, delete on manglende_virksomhet to datadeling_skriver;

create table hovedenhet_varsel (
  organisasjonsnummer text primary key,
  lagt_til timestamptz(6) not null default now()
);
comment on table hovedenhet_varsel is 'Virksomheter that have got another hovedenhet, whose avtaler the change feed has not told of yet';
grant select, insert, update, delete on hovedenhet_varsel to datadeling_skriver;
`;

/** Its lines go with those of avtaler: one horizon, by transaction, is behind both. */
const FEED = `
create table virksomhet_endring (
  tx xid8 default pg_current_xact_id() not null,
  lopenr bigint generated always as identity,
  organisasjonsnummer text not null,
  type text not null,
  aarsak text,
  tidspunkt timestamptz(6) default now() not null,
  constraint virksomhet_endring_aarsak_check check (aarsak in ('SLETTET')),
  constraint virksomhet_endring_type_check check (type in ('ENDRET', 'SLETTET')),
  primary key (tx, lopenr, tidspunkt)
) partition by range (tidspunkt);
comment on table virksomhet_endring is 'Change feed of virksomheter, read as endring is: on (tx, lopenr) below the snapshot''s xmin';
create trigger endring_tidslinje before insert on virksomhet_endring
  for each statement execute function endring_noter_tidslinje();
create trigger krev_kontrakt before insert on virksomhet_endring for each statement execute function krev_kontrakt();
create table virksomhet_endring_default partition of virksomhet_endring default;
grant select on virksomhet_endring to datadeling_leser;
grant select, insert, delete on virksomhet_endring to datadeling_skriver;
insert into partisjonering (tabell, kolonne, minst_dager, vilkaar)
  values ('virksomhet_endring', 'tidspunkt', 1, 'beskjaering_hindrer');
select lag_partisjoner('virksomhet_endring');
`;

/**
 * Goes down only to those that have a hovedenhet: who leads into a cycle is below nobody. Each of these is at most 20
 * levels below its top, so it ends.
 */
const BELOW = `
create function virksomheter_under(nr text) returns setof text
language plpgsql stable rows 20 set search_path = pg_catalog, public, pg_temp set enable_seqscan = off as $$ begin
  return query with recursive under (organisasjonsnummer, dybde) as (
    select nr, 0
    union
    select v.organisasjonsnummer, under.dybde + 1
    from under join public.virksomhet_synlig v on v.overordnet_enhet = under.organisasjonsnummer
    where v.hovedenhet is not null and under.dybde < 20
  )
  select organisasjonsnummer from under;
end $$;
comment on function virksomheter_under(text) is 'All establishments below a unit, through all levels, and itself; who leads into a cycle is below nobody';
revoke execute on function virksomheter_under(text) from public;
grant execute on function virksomheter_under(text) to datadeling_leser, datadeling_skriver;
`;

/**
 * Under the lock of the hierarchy. Plans are fixed: while a million come in batches the tables have no statistics yet, and
 * a plan that reads all of the table for each batch would make the load of n cost n².
 */
const HOVEDENHET = `
create function oppdater_hovedenheter(flyttet text[]) returns setof text
language plpgsql set search_path = pg_catalog, public, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off as $$ begin
  return query with recursive ned (nr) as (
    select unnest(flyttet)
    union
    select v.organisasjonsnummer from ned join public.virksomhet v on v.overordnet_enhet = ned.nr and v.slettet is null
  ), opp (nr, topp, nivaa) as (
    select nr, nr, 0 from ned
    union all
    select opp.nr, v.overordnet_enhet, opp.nivaa + 1
    from opp join public.virksomhet v on v.organisasjonsnummer = opp.topp
    where v.slettet is null and v.overordnet_enhet is not null and opp.nivaa <= 20
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
    select organisasjonsnummer, 'ENDRET' from rettet where slettet is null and organisasjonsnummer <> all (flyttet)
  )
  select organisasjonsnummer from rettet;
end $$;
comment on function oppdater_hovedenheter(text[]) is 'Finds anew the top of the chain of these and of all below them; answers with those that have got another';
revoke execute on function oppdater_hovedenheter(text[]) from public;
grant execute on function oppdater_hovedenheter(text[]) to datadeling_skriver;
`;

const AS_BEFORE = `
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
    COALESCE(fra_arena, opphav = 'ARENA'::text, false) AS fra_arena$more
   FROM avtale
  WHERE slettet IS NULL AND NOT feilregistrert;`;

const createView = (view: string): string => `
${view.replace('$more', '')}
comment on view avtale_synlig is 'What consumers may see';
grant select on avtale_synlig to datadeling_leser, datadeling_skriver;`;

/** At the end, so that the view need not go: it is looked up for those alone who ask for it. */
const WITH_HOVEDENHET = AS_BEFORE.replace('create view', 'create or replace view').replace(
  '$more',
  `,
    (select v.hovedenhet from virksomhet v where v.organisasjonsnummer = avtale.bedrift_nr and v.slettet is null) as hovedenhet`,
);
