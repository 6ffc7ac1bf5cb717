import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, step } from '../migration-steps.ts';

/**
 * Readers of the history. Of an avtale that is erased or wrongly registered now there is none, whatever it once said; a
 * version that was wrongly registered in its time is only a sign that the avtale was not to be seen then. Indexed by
 * whose it is: what else is asked of the history is read in the order of its pages.
 */
export class Historikk1763900500000 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await createIndexConcurrently(db, 'avtale_versjon_deltaker_id', 'avtale_versjon (deltaker_id)');
    await createIndexConcurrently(db, 'avtale_versjon_bedrift_nr', 'avtale_versjon (bedrift_nr)');
    await step(
      db,
      'view',
      `
      create view avtale_versjon_synlig as
        select avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, bedrift_navn, veileder_nav_ident,
          tiltakstype, versjon, avtale_status, avtale_inngaatt, start_dato, slutt_dato, stillingprosent,
          antall_dager_per_uke, stillingstype, godkjent_av_deltaker, godkjent_av_arbeidsgiver, godkjent_av_veileder,
          godkjent_av_beslutter, godkjent_av_nav_ident, godkjent_av_beslutter_nav_ident, godkjent_paa_vegne_av,
          godkjent_paa_vegne_av_arbeidsgiver, opphav, opprettet_tidspunkt, annullert_tidspunkt, sist_endret,
          feilregistrert, laert, lopenr
        from avtale_versjon v
        where exists (
          select from avtale a where a.avtale_id = v.avtale_id and a.slettet is null and not a.feilregistrert);
      comment on view avtale_versjon_synlig is
        'Versions of the avtaler that consumers may see now; of one with feilregistrert, only that it was hidden then';
      grant select on avtale_versjon_synlig to datadeling_leser;
    `,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await step(
      db,
      'view',
      `
      drop view avtale_versjon_synlig;
      drop index avtale_versjon_deltaker_id, avtale_versjon_bedrift_nr;
    `,
    );
  }
}
