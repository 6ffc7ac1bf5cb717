import { columnsOfCall, type AuditRow } from './audit-row.ts';
import type { Column } from './shared-statement.ts';

/** Of each look-up of a shared statement: all of its row but what it finds. A form that has a number says it all. */
export const AUDIT_COLUMNS: readonly Column[] = [
  column('form', 'bigint', ({ form }) => form),
  column('konsument', 'text', ({ form, konsument }) => (form === undefined ? konsument : null)),
  column('behandlingsgrunnlag', 'text', (row) => (row.form === undefined ? row.behandlingsgrunnlag : null)),
  column('operasjon', 'text', ({ form, operasjon }) => (form === undefined ? operasjon : null)),
  column('felter', 'text', ({ form, felter }) => (form === undefined ? listText(felter) : null)),
  column('spurt', 'text', ({ personer }) => listText(personer)),
  column('call_uuid', 'uuid', (row) => columnsOfCall(row.call_id).call_uuid),
  column('call_id', 'text', (row) => columnsOfCall(row.call_id).call_id),
  column('utvalg', 'text', ({ utvalg }) => (utvalg === undefined ? null : JSON.stringify(utvalg))),
  column('organisasjoner', 'text', ({ organisasjoner }) => organisasjoner && listText(organisasjoner)),
];

/**
 * The rows, as `insertRows` writes them: those who were asked for, and those who are on the page. Nothing while nothing
 * may be answered.
 */
export const AUDIT_INSERT = `
      tall as (
        select treff.oppslag, count(*) as antall,
          array_agg(distinct treff.deltaker_id) filter (where treff.deltaker_id is not null) as funnet
        from treff join inn using (oppslag) where row_place <= antall_paa_siden group by treff.oppslag),
      skrevet as (
        insert into oppslagslinje (konsument, behandlingsgrunnlag, operasjon, felter, form, person, personer, antall_treff,
          tillatt, call_uuid, call_id, utvalg, organisasjoner)
        select inn.konsument, inn.behandlingsgrunnlag, inn.operasjon, inn.felter::text[], inn.form,
          case when cardinality(alle) = 1 then alle[1] end, case when cardinality(alle) > 1 then alle end,
          coalesce(tall.antall, 0), true, inn.call_uuid, inn.call_id, inn.utvalg::jsonb,
          inn.organisasjoner::text[]
        from inn cross join moment left join tall using (oppslag)
        cross join lateral (
          select inn.spurt::uuid[] || array(
            select den from unnest(tall.funnet) den where den <> all (inn.spurt::uuid[])) as alle offset 0) personer
        where moment.til is not null)`;

function column(name: string, type: string, of: (row: AuditRow) => unknown): Column {
  return { name, type, of: ({ audit }) => audit && of(audit) };
}

/** A list of texts, as Postgres reads it. */
export function listText(list: readonly string[]): string {
  return `{${list.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
