import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, step } from '../migration-steps.ts';

/** What the type of the earlier GraphQL has, when the source changed it, and when this system learned of that. */
const columns = (status: string): string => `
        avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, veileder_nav_ident, tiltakstype, versjon,
          ${status} as avtale_status, avtale_inngaatt, start_dato, slutt_dato, stillingprosent, antall_dager_per_uke,
          stillingstype, godkjent_av_deltaker, godkjent_av_arbeidsgiver, godkjent_av_veileder, godkjent_av_beslutter,
          godkjent_av_nav_ident, godkjent_av_beslutter_nav_ident, godkjent_paa_vegne_av,
          godkjent_paa_vegne_av_arbeidsgiver, opphav, opprettet_tidspunkt, sist_endret, mottatt`;

/** Its schema is closed: what it has no value for it never showed, nor what lacks one of these. */
const READABLE = `
        tiltakstype in ('ARBEIDSTRENING', 'MIDLERTIDIG_LONNSTILSKUDD', 'VARIG_LONNSTILSKUDD', 'MENTOR',
          'INKLUDERINGSTILSKUDD', 'SOMMERJOBB', 'VTAO', 'FIREARIG_LONNSTILSKUDD')
          and avtale_status in ('ANNULLERT', 'AVBRUTT', 'PÅBEGYNT', 'MANGLER_GODKJENNING', 'KLAR_FOR_OPPSTART',
            'GJENNOMFØRES', 'AVSLUTTET')
          and (stillingstype is null or stillingstype in ('FAST', 'MIDLERTIDIG'))
          and (opphav is null or opphav in ('VEILEDER', 'ARBEIDSGIVER', 'ARENA'))
          and deltaker_fnr is not null and bedrift_nr is not null and opprettet_tidspunkt is not null`;

/**
 * What the service before this one would have shown (ADR 25): also what is wrongly registered, as annulled. Each half of
 * the view has indexes of its own, and the second half is small.
 */
export class GraphqlGammel1795685623898 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(
      db,
      'view',
      `
      create view avtale_gammel_graphql as
        select ${columns('avtale_status')}
        from avtale where slettet is null and not feilregistrert and ${READABLE}
        union all
        select ${columns(`'ANNULLERT'::text`)}
        from avtale where slettet is null and feilregistrert and ${READABLE};
      comment on view avtale_gammel_graphql is
        'What consumers of the earlier GraphQL may see: also what is wrongly registered. For nothing but POST /graphql';
      grant select on avtale_gammel_graphql to datadeling_leser;
    `,
    );
    for (const [name, column] of INDEXES) {
      await createIndexConcurrently(db, name, `avtale (${column}) where slettet is null and feilregistrert`);
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await step(
      db,
      'view',
      `
      drop view avtale_gammel_graphql;
      drop index avtale_feilregistrert, avtale_feilregistrert_avtale_nr, avtale_feilregistrert_deltaker_fnr,
        avtale_feilregistrert_bedrift_nr;
    `,
    );
  }
}

const INDEXES = [
  ['avtale_feilregistrert', 'avtale_id'],
  ['avtale_feilregistrert_avtale_nr', 'avtale_nr'],
  ['avtale_feilregistrert_deltaker_fnr', 'deltaker_fnr'],
  ['avtale_feilregistrert_bedrift_nr', 'bedrift_nr'],
] as const;
