import {
  database,
  entra,
  felles,
  filsti,
  heltall,
  lesKonfigurasjon,
  port,
  tekst,
  type Konfigurasjon,
} from '@tiltak/platform';

/** Every variable that the query-api reads. */
export const SKJEMA = {
  ...felles,
  ...database,
  ...entra,
  DB_REPLIKA_HOST: tekst({
    beskrivelse: 'Host of a read replica; look-ups go to DB_HOST when absent, the audit always does',
    valgfri: true,
  }),
  DB_REPLIKA_PORT: port({ beskrivelse: 'Port of the read replica', standard: 5432 }),
  DB_STATEMENT_TIMEOUT_MS: heltall({
    beskrivelse: 'The longest a look-up may take, ms',
    standard: 5_000,
    min: 100,
    max: 60_000,
  }),
  DELTAKER_ID_NOEKKEL: tekst({
    beskrivelse:
      'Key that opaque ids of participants are derived with: 64 or more hex digits, the same in both apps, for ever',
    monster: /^(?:[0-9a-f]{2}){32,}$/i,
  }),
  LOKAL_TOKENKILDE: tekst({
    beskrivelse: 'Local stack only: token endpoint of the issuer, with ?client_id=, that Swagger UI is authorised from',
    monster: /^http:\/\/(127\.0\.0\.1|localhost)[:/]\S+$/,
    valgfri: true,
  }),
  KONSUMENTER_FIL: filsti({ beskrivelse: 'The registry of consumers, konsumenter.yaml' }),
};

export function lesKonfig(): Konfig {
  return lesKonfigurasjon(SKJEMA, process.env);
}

export type Konfig = Konfigurasjon<typeof SKJEMA>;
