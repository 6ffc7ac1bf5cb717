import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whose organisation asked, when that is one outside of Nav, and by which supplier (ADR 63). */
export class Organisasjoner1795744876625 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      alter table oppslagslinje add organisasjoner text[];
      comment on column oppslagslinje.organisasjoner is '${MEANING}';
      grant insert (organisasjoner) on oppslagslinje to datadeling_leser;
      create or replace view oppslag as ${view(', l.organisasjoner')};
      comment on column oppslag.organisasjoner is '${MEANING}';`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      drop view oppslag;
      alter table oppslagslinje drop organisasjoner;
      create view oppslag as ${view('')};
      comment on view oppslag is 'Audit: who asked for which persons, why, and what they got. personer are deltaker_id';
      comment on column oppslag.posisjon is 'Place in the change feed of what was read, as consumers get it';
      comment on column oppslag.utvalg is 'The part of all avtaler that was told of, without persons';
      comment on column oppslag.avslag is 'Why it was refused: a code of the catalogue of errors';
      comment on column oppslag.antall_kall is 'Requests that the line stands for: refusals that are counted by the minute';
      create trigger skriv_oppslagslinje instead of insert on oppslag for each row execute function skriv_oppslagslinje();
      grant select on oppslag to datadeling_revisor;
      grant insert (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id, posisjon,
        utvalg, avslag, antall_kall) on oppslag to datadeling_leser;`);
  }
}

const MEANING =
  'Organisation numbers of who asked from outside of Nav: that of the consumer, and that of the supplier that asked on its behalf';

const view = (more: string): string => `
  select l.id, l.tidspunkt,
    coalesce(f.konsument, l.konsument) as konsument,
    coalesce(f.behandlingsgrunnlag, l.behandlingsgrunnlag) as behandlingsgrunnlag,
    coalesce(f.operasjon, l.operasjon) as operasjon,
    coalesce(f.felter, l.felter) as felter,
    case when l.person is null then coalesce(l.personer, '{}') else array[l.person] end as personer,
    l.antall_treff, l.tillatt,
    coalesce(l.call_id, l.call_uuid::text) as call_id,
    l.posisjon, l.utvalg, l.avslag,
    coalesce(l.antall_kall, 1) as antall_kall${more}
  from oppslagslinje l left join oppslagsform f on f.nr = l.form`;
