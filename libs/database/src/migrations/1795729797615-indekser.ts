import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, dropIndexConcurrently } from '../migration-steps.ts';

/**
 * What a changed avtale is entered in: six indexes of its own, and one or none of its version's but the primary key
 * (ADR 53). A participant is found by opaque id alone, a status and a kind of measure by one index, as both dates are.
 */
export class Indekser1795729797615 implements MigrationInterface {
  /** One at a time, without a lock that writers or readers would wait for. Interrupted, it goes on where it was. */
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await change(db, NEW, FORMER);
  }

  async down(db: QueryRunner): Promise<void> {
    await change(db, FORMER, NEW);
  }
}

const VISIBLE = 'where slettet is null and not feilregistrert';
const HIDDEN = 'where slettet is null and feilregistrert';

/** As days since 2000. An avtale without an end goes on, and one without a start has not begun: later than any day. */
const day = (column: string): string => `(coalesce(${column} - date '2000-01-01', 10000000))::double precision`;

const NEW: Record<string, string> = {
  avtale_slag: `avtale (tiltakstype, avtale_status, avtale_id) ${VISIBLE}`,
  avtale_datoer: `avtale using gist (point(${day('start_dato')}, ${day('slutt_dato')})) ${VISIBLE}`,
  avtale_versjon_ny_deltaker: 'avtale_versjon (deltaker_id, avtale_id) where ny_deltaker',
  avtale_versjon_ny_bedrift: 'avtale_versjon (bedrift_nr, avtale_id) where ny_bedrift',
};

const FORMER: Record<string, string> = {
  avtale_avtale_status: `avtale (avtale_status, avtale_id) ${VISIBLE}`,
  avtale_deltaker_fnr: `avtale (deltaker_fnr) ${VISIBLE}`,
  avtale_feilregistrert_deltaker_fnr: `avtale (deltaker_fnr) ${HIDDEN}`,
  avtale_sist_endret: `avtale (sist_endret) ${VISIBLE}`,
  avtale_slutt_dato: `avtale (slutt_dato) ${VISIBLE}`,
  avtale_start_dato: `avtale (start_dato) ${VISIBLE}`,
  avtale_tiltakstype: `avtale (tiltakstype, avtale_id) ${VISIBLE}`,
  avtale_versjon_bedrift_nr: 'avtale_versjon (bedrift_nr)',
  avtale_versjon_deltaker_id: 'avtale_versjon (deltaker_id)',
};

/** Nothing is without an index meanwhile: those to come are made before those that go are dropped. */
async function change(db: QueryRunner, made: Record<string, string>, dropped: Record<string, string>): Promise<void> {
  for (const [name, definition] of Object.entries(made)) await createIndexConcurrently(db, name, definition);
  for (const name of Object.keys(dropped)) await dropIndexConcurrently(db, name);
}
