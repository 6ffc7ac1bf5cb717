import type { Pool } from 'pg';

/** As the view `oppslag` has it; what is left out is as the table says. */
export interface AuditRow {
  konsument: string;
  behandlingsgrunnlag: string | null;
  operasjon: string;
  felter: readonly string[];
  /** `oppslagsform.nr` of the four above; without it the row has them itself */
  form?: number | undefined;
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
  /** organisation numbers of who asked from outside of Nav: the consumer's, and the supplier's that asked on its behalf */
  organisasjoner?: readonly string[] | undefined;
  /** requests that the row stands for, when they are more than one */
  antall_kall?: number | undefined;
}

/** For those who write rows in a statement of their own, as they are; others do it as part of a look-up. */
export async function insertRows(pool: Pool, rows: readonly AuditRow[]): Promise<void> {
  await pool.query({ name: 'skriv_oppslag', text: INSERT, values: [JSON.stringify(rows.map(toLine))] });
}

/** A row as the table `oppslagslinje` has it: what is null there is not in the object. */
function toLine({
  konsument,
  behandlingsgrunnlag,
  operasjon,
  felter,
  form,
  personer,
  call_id,
  ...rest
}: AuditRow): object {
  const asked = form === undefined ? { konsument, behandlingsgrunnlag, operasjon, felter } : { form };
  return { ...asked, ...columnsOfPersons(personer), ...columnsOfCall(call_id), ...rest };
}

/** `person` when it is one, and `personer` when they are several: an array takes 21 bytes more. */
export function columnsOfPersons(persons: readonly string[]): { person?: string; personer?: readonly string[] } {
  const [person] = persons;
  if (person === undefined) return {};
  return persons.length === 1 ? { person } : { personer: persons };
}

/** Consumers mostly give UUIDs, which are 16 bytes instead of 37; `call_uuid` must give the same text again. */
export function columnsOfCall(callId: string): { call_uuid?: string; call_id?: string } {
  return UUID.test(callId) ? { call_uuid: callId } : { call_id: callId };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const INSERT = `
  insert into oppslagslinje (konsument, behandlingsgrunnlag, operasjon, felter, form, person, personer, antall_treff,
    tillatt, call_uuid, call_id, posisjon, utvalg, avslag, antall_kall, organisasjoner)
  select konsument, behandlingsgrunnlag, operasjon, felter, form, person, personer, antall_treff,
    tillatt, call_uuid, call_id, posisjon, utvalg, avslag, antall_kall, organisasjoner
  from jsonb_to_recordset($1::jsonb) as ny(konsument text, behandlingsgrunnlag text, operasjon text, felter text[],
    form bigint, person uuid, personer uuid[], antall_treff int, tillatt boolean, call_uuid uuid, call_id text,
    posisjon text, utvalg jsonb, avslag text, antall_kall int, organisasjoner text[])`;
