import { ledd, type Ledd } from '@tiltak/avtale';

/** What an avtale's part in relations is made of, read as text: a `Date` is not a day. */
export const LEDDKOLONNER = `avtale_id, deltaker_id, bedrift_nr, tiltakstype, avtale_status, start_dato::text as start_dato,
  slutt_dato::text as slutt_dato, annullert_tidspunkt::text as annullert_tidspunkt, feilregistrert`;

export interface Leddrad {
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
export function tilLedd(rad: Leddrad): Ledd | undefined {
  return ledd(
    {
      avtaleId: rad.avtale_id,
      bedriftNr: rad.bedrift_nr,
      tiltakstype: rad.tiltakstype,
      avtaleStatus: rad.avtale_status,
      startDato: rad.start_dato,
      sluttDato: rad.slutt_dato,
      annullertTidspunkt: rad.annullert_tidspunkt,
      feilregistrert: rad.feilregistrert,
    },
    rad.deltaker_id,
  );
}
