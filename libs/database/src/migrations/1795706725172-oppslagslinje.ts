import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, inBatches, setNotNull, step, validate, type Batches } from '../migration-steps.ts';

/**
 * The audit of look-ups in its final form (ADR 40): a line names who asked, why, what and which fields by one number. The
 * lines that are there stay as they are, and so does `oppslag`, which is now the view that tells what lines mean.
 */
export class Oppslagslinje1795706725172 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await createIndexConcurrently(db, 'oppslagslinje_pkey', 'oppslag (tidspunkt, id)', { unique: true });
    await step(
      db,
      'lines',
      `
      ${FORMS}
      revoke select on oppslag from datadeling_revisor;
      revoke insert (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id, posisjon,
        utvalg, avslag, antall_kall) on oppslag from datadeling_leser;
      alter table oppslag rename to oppslagslinje;
      alter sequence oppslag_id_seq rename to oppslagslinje_id_seq;
      alter table oppslagslinje drop constraint oppslag_pkey,
        add constraint oppslagslinje_pkey primary key using index oppslagslinje_pkey;
      drop index oppslag_tidspunkt;
      alter table oppslagslinje
        alter column konsument drop not null,
        alter column operasjon drop not null,
        alter column felter drop not null,
        alter column personer drop not null,
        alter column call_id drop not null,
        alter column antall_kall drop not null,
        alter column antall_kall drop default,
        add column form bigint,
        add column call_uuid uuid,
        add column person uuid,
        add constraint oppslagslinje_form_check check (form is not null or num_nulls(konsument, operasjon, felter) = 0) not valid,
        add constraint oppslagslinje_call_check check (num_nonnulls(call_id, call_uuid) = 1) not valid,
        add constraint oppslagslinje_person_check check (person is null or personer is null) not valid;
      comment on table oppslagslinje is 'Audit: who asked for which persons, why, and what they got. Read it through oppslag';
      comment on column oppslagslinje.form is 'oppslagsform.nr; without it the line has consumer, purpose, operation and fields itself';
      comment on column oppslagslinje.call_uuid is 'The call id, when it is a UUID in its usual form; else it is in call_id';
      comment on column oppslagslinje.person is 'The only person; several are in personer. Opaque ids (deltaker_id)';
      comment on column oppslagslinje.antall_kall is 'Requests that the line stands for, when they are counted by the minute; null: one';
      grant insert (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id, posisjon,
        utvalg, avslag, antall_kall, form, call_uuid, person) on oppslagslinje to datadeling_leser;
      grant select on oppslagslinje to datadeling_revisor;
      ${VIEW}`,
    );
    for (const [name, on] of INDEXES) await createIndexConcurrently(db, name, `oppslagslinje ${on}`);
    for (const check of CHECKS) await validate(db, 'oppslagslinje', check);
  }

  /** Most lines while they are written as before; the rest when nobody writes any. */
  async down(db: QueryRunner): Promise<void> {
    await inBatches(db, inFull('lines in full'));
    await step(
      db,
      'close',
      `
      drop view oppslag;
      drop function skriv_oppslagslinje();
      revoke insert (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id, posisjon,
        utvalg, avslag, antall_kall, form, call_uuid, person) on oppslagslinje from datadeling_leser;
      revoke select on oppslagslinje from datadeling_revisor;
      alter table oppslagslinje ${CHECKS.map((check) => `drop constraint if exists ${check}`).join(', ')};
      drop index oppslagslinje_person, oppslagslinje_personer, oppslagslinje_uten_navn;
    `,
    );
    await inBatches(db, inFull('last lines in full'));
    await setNotNull(db, 'oppslagslinje', ['konsument', 'operasjon', 'felter', 'personer', 'call_id', 'antall_kall']);
    await createIndexConcurrently(db, 'oppslag_pkey', 'oppslagslinje (id)', { unique: true });
    await createIndexConcurrently(db, 'oppslag_tidspunkt', 'oppslagslinje using brin (tidspunkt)');
    await step(
      db,
      'table',
      `
      alter table oppslagslinje
        alter column antall_kall set default 1,
        drop column form,
        drop column call_uuid,
        drop column person,
        drop constraint oppslagslinje_pkey,
        add constraint oppslag_pkey primary key using index oppslag_pkey;
      alter sequence oppslagslinje_id_seq rename to oppslag_id_seq;
      alter table oppslagslinje rename to oppslag;
      comment on table oppslag is 'Audit: who asked for which persons, why, and what they got. personer are deltaker_id';
      comment on column oppslag.antall_kall is 'Requests that the row stands for: refusals that are counted by the minute';
      grant select on oppslag to datadeling_revisor;
      grant insert (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id, posisjon,
        utvalg, avslag, antall_kall) on oppslag to datadeling_leser;
      drop function oppslagsform_nr(text, text, text, text[]);
      drop table oppslagsform;
    `,
    );
  }
}

const CHECKS = ['oppslagslinje_form_check', 'oppslagslinje_call_check', 'oppslagslinje_person_check'];

/** What the checks demand while there are lines of both kinds holds after it too: each line is changed as a whole. */
const inFull = (name: string): Batches => ({
  name,
  table: 'oppslagslinje',
  key: 'tidspunkt',
  sql: (range) => `
    update oppslagslinje l set
      konsument = coalesce(f.konsument, l.konsument),
      behandlingsgrunnlag = coalesce(f.behandlingsgrunnlag, l.behandlingsgrunnlag),
      operasjon = coalesce(f.operasjon, l.operasjon), felter = coalesce(f.felter, l.felter), form = null,
      personer = case when l.person is null then coalesce(l.personer, '{}') else array[l.person] end, person = null,
      call_id = coalesce(l.call_id, l.call_uuid::text), call_uuid = null, antall_kall = coalesce(l.antall_kall, 1)
    from oppslagslinje m left join oppslagsform f on f.nr = m.form
    where ${range('m.tidspunkt')} and m.tidspunkt = l.tidspunkt and m.id = l.id
      and (l.form is not null or l.personer is null or l.call_id is null or l.antall_kall is null)`,
});

/**
 * The number is made of the content, so that it means the same in every database: one that has lost its last
 * transactions in a failover, or was restored, gives it to nothing else.
 */
const FORMS = `
create table oppslagsform (
  nr bigint primary key,
  konsument text not null,
  behandlingsgrunnlag text not null,
  operasjon text not null,
  felter text[] not null
);
comment on table oppslagsform is 'What lines of the audit have in common: who asked, why, what, and of which fields';
comment on column oppslagsform.nr is 'The first 52 bits of the SHA-256 of the rest';
grant select on oppslagsform to datadeling_revisor;

create function oppslagsform_nr(hvem text, grunnlag text, hva text, felt text[]) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
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
end $$;
comment on function oppslagsform_nr(text, text, text, text[]) is
  'The number of a form, which is stored if it is new; null when the line must say it all itself';
revoke execute on function oppslagsform_nr(text, text, text, text[]) from public;
grant execute on function oppslagsform_nr(text, text, text, text[]) to datadeling_leser;
`;

const INDEXES = [
  ['oppslagslinje_person', 'using brin (person uuid_bloom_ops) with (pages_per_range = 32, autosummarize = on)'],
  ['oppslagslinje_personer', `(tidspunkt, id) where personer <> '{}'`],
  [
    'oppslagslinje_uten_navn',
    `(tidspunkt, id) where posisjon is not null or operasjon in ('eksporterAvtaler', 'hentEndringer', 'hentStatistikk')`,
  ],
] as const;

/** The version before this one goes on writing to `oppslag` during the release. */
const VIEW = `
create view oppslag as
  select l.id, l.tidspunkt,
    coalesce(f.konsument, l.konsument) as konsument,
    coalesce(f.behandlingsgrunnlag, l.behandlingsgrunnlag) as behandlingsgrunnlag,
    coalesce(f.operasjon, l.operasjon) as operasjon,
    coalesce(f.felter, l.felter) as felter,
    case when l.person is null then coalesce(l.personer, '{}') else array[l.person] end as personer,
    l.antall_treff, l.tillatt,
    coalesce(l.call_id, l.call_uuid::text) as call_id,
    l.posisjon, l.utvalg, l.avslag,
    coalesce(l.antall_kall, 1) as antall_kall
  from oppslagslinje l left join oppslagsform f on f.nr = l.form;
comment on view oppslag is 'Audit: who asked for which persons, why, and what they got. personer are deltaker_id';
comment on column oppslag.posisjon is 'Place in the change feed of what was read, as consumers get it';
comment on column oppslag.utvalg is 'The part of all avtaler that was told of, without persons';
comment on column oppslag.avslag is 'Why it was refused: a code of the catalogue of errors';
comment on column oppslag.antall_kall is 'Requests that the line stands for: refusals that are counted by the minute';

create function skriv_oppslagslinje() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$ begin
  insert into public.oppslagslinje (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt,
      call_id, posisjon, utvalg, avslag, antall_kall)
    values (new.konsument, new.behandlingsgrunnlag, new.operasjon, new.felter, new.personer, new.antall_treff, new.tillatt,
      new.call_id, new.posisjon, new.utvalg, new.avslag, new.antall_kall);
  return new;
end $$;
comment on function skriv_oppslagslinje() is 'Writes what a version from before the lines had forms writes';
revoke execute on function skriv_oppslagslinje() from public;
create trigger skriv_oppslagslinje instead of insert on oppslag for each row execute function skriv_oppslagslinje();

grant select on oppslag to datadeling_revisor;
grant insert (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id, posisjon, utvalg,
  avslag, antall_kall) on oppslag to datadeling_leser;
`;
