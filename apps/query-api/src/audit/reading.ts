import type { Pool } from 'pg';

/** Of whoever reads who has seen a person. */
export interface Reading {
  /** Nav ident, or the operating system's user of a command */
  who: string;
  /** what is shown: of a published set, since it is looked for afterwards */
  what: 'OPPSLAG_PERSON' | 'INNSYN_JSON' | 'INNSYN_PDF';
  /** as it was given; never with a national ident */
  reason: string;
  /** opaque id */
  person: string;
  fra: string;
  til: string;
  callId?: string | undefined;
}

/** Committed before anything is read: who reads the audit is audited too, and can't take it back. */
export async function recordReading(db: Pool, { who, what, reason, person, fra, til, callId }: Reading): Promise<void> {
  await db.query(
    `insert into oppslagsinnsyn (hvem, hva, begrunnelse, person, fra, til, call_id) values ($1, $2, $3, $4, $5, $6, $7)`,
    [who, what, reason, person, fra, til, callId ?? null],
  );
}
