import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What each consumer has used of what it is granted, so that it can be told (ADR 50). The query-api can't read the audit,
 * and neither can the ingestor, which has it summed up: both have a right to a summary that names no persons, or to the
 * function that makes it.
 */
export class Konsumentbruk1795718005756 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table konsumentbruk (
        konsument text not null,
        behandlingsgrunnlag text not null,
        operasjon text not null,
        felt text not null,
        forst_brukt timestamptz(6) not null,
        sist_brukt timestamptz(6) not null,
        primary key (konsument, behandlingsgrunnlag, operasjon, felt)
      );
      comment on table konsumentbruk is 'When each consumer first and last was answered, by purpose, operation and field: made of the audit, without persons';
      comment on column konsumentbruk.felt is 'Empty: the operation itself, with whatever fields';

      create table konsumentbruk_tidsrom (
        id boolean primary key default true check (id),
        kjent_fra timestamptz(6) not null,
        kjent_til timestamptz(6) not null
      );
      comment on table konsumentbruk_tidsrom is 'At most one row: the part of the audit that konsumentbruk is made of';

      grant select on konsumentbruk, konsumentbruk_tidsrom to datadeling_leser;
    `);
    await db.query(FUNCTION);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      drop function oppsummer_bruk();
      drop table konsumentbruk_tidsrom;
      drop table konsumentbruk;
    `);
  }
}

/**
 * A step is short, and writes nothing before it has read: a transaction that writes holds up the change feed. It ends two
 * minutes ago, since a line's time is from before its commit, which a statement of the query-api reaches within one.
 */
const FUNCTION = `
create function oppsummer_bruk() returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
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
end $$;
comment on function oppsummer_bruk() is
  'Brings konsumentbruk on by five minutes of the audit at most; tells whether there is more. Who may call it need not be able to read the audit';
revoke execute on function oppsummer_bruk() from public;
grant execute on function oppsummer_bruk() to datadeling_skriver;
`;
