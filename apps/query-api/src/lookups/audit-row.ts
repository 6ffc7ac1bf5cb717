import type { Pool } from 'pg';

/** As the table `oppslag` has it; what is left out is as the table says. */
export interface AuditRow {
  konsument: string;
  behandlingsgrunnlag: string | null;
  operasjon: string;
  felter: readonly string[];
  personer: readonly string[];
  antall_treff: number | null;
  tillatt: boolean;
  call_id: string;
  /** place in the change feed, as consumers get it: what was there when the answer was read */
  posisjon?: string | undefined;
  /** the part of all avtaler that was told of, without persons */
  utvalg?: Record<string, unknown> | undefined;
  /** why not, as a code of the catalogue of errors */
  avslag?: string | undefined;
  /** requests that the row stands for, when they are more than one */
  antall_kall?: number | undefined;
}

export async function insertRows(pool: Pool, rows: readonly AuditRow[]): Promise<void> {
  await pool.query({ name: 'skriv_oppslag', text: INSERT, values: [JSON.stringify(rows)] });
}

const INSERT = `
  insert into oppslag (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id,
    posisjon, utvalg, avslag, antall_kall)
  select konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id,
    posisjon, utvalg, avslag, coalesce(antall_kall, 1)
  from jsonb_to_recordset($1::jsonb) as ny(konsument text, behandlingsgrunnlag text, operasjon text, felter text[],
    personer uuid[], antall_treff int, tillatt boolean, call_id text, posisjon text, utvalg jsonb, avslag text,
    antall_kall int)`;
