import type { DataSource } from 'typeorm';

export interface AuditFilter {
  konsument?: string | undefined;
  operasjon?: string | undefined;
  callId?: string | undefined;
  antall?: number | undefined;
}

export interface AuditedLookup {
  tidspunkt: Date;
  konsument: string;
  behandlingsgrunnlag: string | null;
  operasjon: string;
  felter: string[];
  personer: string[];
  antall_treff: number | null;
  tillatt: boolean;
  avslag: string | null;
  call_id: string;
  antall_kall: number;
}

const MAX = 1_000;

/** The last look-ups that fit, oldest first. */
export function readAudit(owner: DataSource, filter: AuditFilter): Promise<AuditedLookup[]> {
  const { konsument = null, operasjon = null, callId = null, antall = MAX } = filter;
  return owner.query(
    `select tidspunkt, konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, avslag, call_id,
       antall_kall
     from (select * from oppslag
       where ($1::text is null or konsument = $1) and ($2::text is null or operasjon = $2)
         and ($3::text is null or call_id = $3)
       order by id desc limit $4) siste
     order by id`,
    [konsument, operasjon, callId, antall],
  );
}
