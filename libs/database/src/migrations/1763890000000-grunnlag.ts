import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The first schema. Roles: the owner (who runs migrations) owns everything; `datadeling_skriver` is what an ingestor
 * logs in as a member of, `datadeling_leser` what a query-api does. The reader can't see deleted or wrongly registered
 * avtaler, nor parked messages: it reads a view.
 */
export class Grunnlag1763890000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    for (const role of ['datadeling_skriver', 'datadeling_leser']) {
      await db.query(
        `do $$ begin
           if not exists (select from pg_roles where rolname = '${role}') then create role ${role} nologin; end if;
         end $$`,
      );
    }
    await db.query(AVTALE);
    await db.query(HISTORY_AND_STREAM);
    await db.query(CONSUMPTION);
    await db.query(LOOKUP);
    await db.query(PRIVILEGES);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      drop view avtale_synlig;
      drop table avtale, avtale_versjon, endring, parkert_melding, konsum_offset, konsum_status, oppslag, instans;
      revoke usage on schema public from datadeling_skriver, datadeling_leser;
    `);
  }
}

/** Columns that hold the content of an avtale: the same, in the same order, in `avtale` and `avtale_versjon`. */
const CONTENT = `
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
  deltaker_id uuid`;

const VISIBLE = 'slettet is null and not feilregistrert';

const AVTALE = `
create table avtale (${CONTENT},
  slettet text check (slettet in ('SLETTEMERKET', 'GRAVSTEIN')),
  kilde_partisjon integer not null,
  kilde_offset bigint not null,
  avtrykk uuid,
  mottatt timestamptz(6) not null default now(),
  primary key (avtale_id)
);
comment on table avtale is 'Current reduced avtale; a deleted one is only a marker, so that a late older message does not revive it';
comment on column avtale.avtrykk is 'Fingerprint of the content: tells a repeated message from a change';
comment on column avtale.mottatt is 'When this system learned of the content';

create index avtale_deltaker_fnr on avtale (deltaker_fnr) where ${VISIBLE};
create index avtale_deltaker_id on avtale (deltaker_id) where ${VISIBLE};
create index avtale_bedrift_nr on avtale (bedrift_nr, avtale_id) where ${VISIBLE};
create index avtale_avtale_nr on avtale (avtale_nr) where ${VISIBLE};
create index avtale_tiltakstype on avtale (tiltakstype, avtale_id) where ${VISIBLE};
create index avtale_avtale_status on avtale (avtale_status, avtale_id) where ${VISIBLE};
create index avtale_sist_endret on avtale (sist_endret) where ${VISIBLE};
create index avtale_start_dato on avtale (start_dato) where ${VISIBLE};
create index avtale_slutt_dato on avtale (slutt_dato) where ${VISIBLE};

create view avtale_synlig as
  select avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, bedrift_navn, veileder_nav_ident, tiltakstype,
    versjon, avtale_status, avtale_inngaatt, start_dato, slutt_dato, stillingprosent, antall_dager_per_uke,
    stillingstype, godkjent_av_deltaker, godkjent_av_arbeidsgiver, godkjent_av_veileder, godkjent_av_beslutter,
    godkjent_av_nav_ident, godkjent_av_beslutter_nav_ident, godkjent_paa_vegne_av,
    godkjent_paa_vegne_av_arbeidsgiver, opphav, opprettet_tidspunkt, annullert_tidspunkt, sist_endret, mottatt
  from avtale where ${VISIBLE};
comment on view avtale_synlig is 'What consumers may see';
`;

const HISTORY_AND_STREAM = `
create table avtale_versjon (${CONTENT},
  kilde_partisjon integer not null,
  kilde_offset bigint not null,
  avtrykk uuid not null,
  laert timestamptz(6) not null default now(),
  lopenr bigint generated always as identity,
  primary key (avtale_id, lopenr)
);
comment on table avtale_versjon is 'Each accepted version of an avtale that is not erased';
comment on column avtale_versjon.laert is 'When this system learned of it';

create table endring (
  tx xid8 not null default pg_current_xact_id(),
  lopenr bigint generated always as identity,
  avtale_id uuid not null,
  type text not null check (type in ('ENDRET', 'SLETTET')),
  aarsak text check (aarsak in ('SLETTET', 'FEILREGISTRERT')),
  tidspunkt timestamptz(6) not null default now(),
  primary key (tx, lopenr)
);
comment on table endring is
  'Change feed. A sequence alone would skip what commits late: a reader pages on (tx, lopenr) below the snapshot''s xmin';
`;

const CONSUMPTION = `
create table instans (
  id boolean primary key default true check (id),
  epoke uuid not null default gen_random_uuid(),
  noekkelkontroll uuid
);
comment on table instans is
  'One row: the epoch of the change feed, and a check value of the key that deltaker_id is derived with';
insert into instans default values;

create table konsum_offset (
  topic text not null,
  partisjon integer not null,
  neste_offset bigint not null,
  primary key (topic, partisjon)
);
comment on table konsum_offset is 'Where consumption goes on: written in the same transaction as what was consumed';

create table konsum_status (
  topic text not null,
  partisjon integer not null,
  slutt_offset bigint not null,
  oppdatert_til timestamptz(6),
  primary key (topic, partisjon)
);
comment on column konsum_status.oppdatert_til is 'Everything published to the partition up to this moment is included';

create table parkert_melding (
  id bigint generated always as identity primary key,
  topic text not null,
  partisjon integer not null,
  kafka_offset bigint not null,
  nokkel bytea,
  verdi bytea,
  avtrykk bytea not null,
  kode text not null,
  felt text,
  aarsak text not null,
  tilstand text not null default 'PARKERT' check (tilstand in ('PARKERT', 'SPILT_AV', 'FORKASTET')),
  forsok integer not null default 1,
  parkert timestamptz(6) not null default now(),
  behandlet timestamptz(6),
  behandlet_av text,
  unique (topic, partisjon, kafka_offset, avtrykk)
);
comment on table parkert_melding is 'Messages that could not be used, with the raw bytes: nothing is lost';
comment on column parkert_melding.avtrykk is 'SHA-256 of key and value: a recreated topic may use an offset again';
`;

const LOOKUP = `
create table oppslag (
  id bigint generated always as identity primary key,
  tidspunkt timestamptz(6) not null default clock_timestamp(),
  konsument text not null,
  behandlingsgrunnlag text,
  operasjon text not null,
  felter text[] not null,
  personer uuid[] not null,
  antall_treff integer,
  tillatt boolean not null,
  call_id text not null
);
comment on table oppslag is 'Audit: who asked for which persons, why, and what they got. personer are deltaker_id';
create index oppslag_tidspunkt on oppslag using brin (tidspunkt);
`;

const PRIVILEGES = `
grant usage on schema public to datadeling_skriver, datadeling_leser;
grant select, insert, update, delete on avtale to datadeling_skriver;
grant select, insert, delete on avtale_versjon, endring to datadeling_skriver;
grant select, insert, update on konsum_offset, parkert_melding to datadeling_skriver;
grant select, insert, update, delete on konsum_status to datadeling_skriver;
grant select, update (noekkelkontroll) on instans to datadeling_skriver;
grant select on avtale_synlig, konsum_offset, konsum_status, instans to datadeling_leser;
grant insert on oppslag to datadeling_leser;
`;
