import type { AuditRow } from './audit-row.ts';
import type { Column } from './shared-statement.ts';

/** Of each look-up of a shared statement: all of its row but what it finds. */
export const AUDIT_COLUMNS: readonly Column[] = [
  column('konsument', 'text', ({ konsument }) => konsument),
  column('behandlingsgrunnlag', 'text', ({ behandlingsgrunnlag }) => behandlingsgrunnlag),
  column('operasjon', 'text', ({ operasjon }) => operasjon),
  column('felter', 'text', ({ felter }) => listText(felter)),
  column('spurt', 'text', ({ personer }) => listText(personer)),
  column('call_id', 'text', (row) => row.call_id),
  column('utvalg', 'text', ({ utvalg }) => (utvalg === undefined ? null : JSON.stringify(utvalg))),
];

/** Those who were asked for, and those who are on the page; nothing while nothing may be answered. */
export const AUDIT_INSERT = `
      tall as (
        select treff.oppslag, count(*) as antall, 
          array_agg(distinct treff.deltaker_id) filter (where treff.deltaker_id is not null) as funnet
        from treff join inn using (oppslag) where plass <= antall_paa_siden group by treff.oppslag),
      skrevet as (
        insert into oppslag (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id, utvalg)
        select inn.konsument, inn.behandlingsgrunnlag, inn.operasjon, inn.felter::text[],
          inn.spurt::uuid[] || array(select den from unnest(tall.funnet) den where den <> all (inn.spurt::uuid[])),
          coalesce(tall.antall, 0), true, inn.call_id, inn.utvalg::jsonb
        from inn cross join moment left join tall using (oppslag) where moment.til is not null)`;

function column(name: string, type: string, of: (row: AuditRow) => unknown): Column {
  return { name, type, of: ({ audit }) => audit && of(audit) };
}

/** A list of texts, as Postgres reads it. */
export function listText(list: readonly string[]): string {
  return `{${list.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
