import { toRelationAvtale, type RelationAvtale } from '@tiltak/avtale';

/** What an avtale's part in relations is made of, read as text: a `Date` is not a day. */
export const RELATION_AVTALE_COLUMNS = `avtale_id, deltaker_id, bedrift_nr, tiltakstype, avtale_status, start_dato::text as start_dato,
  slutt_dato::text as slutt_dato, annullert_tidspunkt::text as annullert_tidspunkt, feilregistrert`;

export interface RelationAvtaleRow {
  avtale_id: string;
  deltaker_id: string | null;
  bedrift_nr: string | null;
  tiltakstype: string | null;
  avtale_status: string | null;
  start_dato: string | null;
  slutt_dato: string | null;
  annullert_tidspunkt: string | null;
  feilregistrert: boolean;
}

/** Undefined for a row that takes no part; what is deleted has no participant. */
export function rowToRelationAvtale(row: RelationAvtaleRow): RelationAvtale | undefined {
  return toRelationAvtale(
    {
      avtaleId: row.avtale_id,
      bedriftNr: row.bedrift_nr,
      tiltakstype: row.tiltakstype,
      avtaleStatus: row.avtale_status,
      startDato: row.start_dato,
      sluttDato: row.slutt_dato,
      annullertTidspunkt: row.annullert_tidspunkt,
      feilregistrert: row.feilregistrert,
    },
    row.deltaker_id,
  );
}
