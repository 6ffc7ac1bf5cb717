import {
  database,
  entra,
  felles,
  filsti,
  heltall,
  lesKonfigurasjon,
  liste,
  tekst,
  type Konfigurasjon,
} from '@tiltak/platform';

/** Every variable that the ingestor reads. */
export const SKJEMA = {
  ...felles,
  ...database,
  ...entra,
  DB_MIGRERING_USERNAME: tekst({
    beskrivelse: 'Owner of the schema, who runs migrations; DB_USERNAME when absent',
    valgfri: true,
  }),
  DB_MIGRERING_PASSWORD: tekst({ beskrivelse: 'Its password', valgfri: true }),
  DELTAKER_ID_NOEKKEL: tekst({
    beskrivelse: 'Key that opaque ids of participants are derived with, the same in both apps, for ever',
    monster: /^(?:[0-9a-f]{2}){32,}$/i,
  }),
  KAFKA_BROKERS: liste({ beskrivelse: 'Brokers, host:port' }),
  KAFKA_TOPIC: tekst({
    beskrivelse: "The organisation's topic",
    standard: 'arbeidsgiver.tiltak-avtale-hendelse-compact',
  }),
  KAFKA_GROUP_ID: tekst({ beskrivelse: 'Consumer group; tiltak-datadeling-<organisasjon> when absent', valgfri: true }),
  KAFKA_CA_PATH: filsti({
    beskrivelse: 'Certificate authority of the brokers; mTLS when all three are set',
    valgfri: true,
  }),
  KAFKA_CERTIFICATE_PATH: filsti({ beskrivelse: 'Client certificate', valgfri: true }),
  KAFKA_PRIVATE_KEY_PATH: filsti({ beskrivelse: 'Key of the client certificate', valgfri: true }),
  KAFKA_SAMTIDIGE_PARTISJONER: heltall({
    beskrivelse: 'Partitions worked on at the same time',
    standard: 3,
    min: 1,
    max: 20,
  }),
  ADAPTER_MAKS_SLETTES_PROSENT: heltall({
    beskrivelse: 'A full sync that would delete more than this share of the avtaler waits to be confirmed, percent',
    standard: 20,
    max: 100,
  }),
  ADAPTER_SYNK_STANSET_SEKUNDER: heltall({
    beskrivelse: 'A sync without a new page for this long is shown as stalled, s',
    standard: 180,
    min: 1,
  }),
  ADAPTER_SYNK_UTLOEPER_SEKUNDER: heltall({
    beskrivelse: 'A sync without a new page for this long has expired, s',
    standard: 900,
    min: 1,
  }),
  ENDRINGER_BEHOLDES_DAGER: heltall({
    beskrivelse: 'Age at which changes are removed from the feed, days; a reader that is further behind starts again',
    standard: 90,
    min: 1,
    max: 3_650,
  }),
  AVSTEMMING_MAKS_LINJER: heltall({
    beskrivelse: "Lines that the source's list of a reconciliation may have",
    standard: 5_000_000,
    min: 1,
    max: 100_000_000,
  }),
  AVSTEMMING_FRIST_SEKUNDER: heltall({
    beskrivelse: "Changes this much older than the source's list need not have come yet, seconds",
    standard: 300,
    min: 0,
    max: 86_400,
  }),
};

/** What a command that only needs the database reads. */
const DATABASESKJEMA = { ORGANISASJON: felles.ORGANISASJON, ...database };

export type Databasekonfig = Konfigurasjon<typeof DATABASESKJEMA>;

export function lesDatabasekonfig(): Databasekonfig {
  return lesKonfigurasjon(DATABASESKJEMA, process.env);
}

export function lesKonfig(): Konfig {
  return lesKonfigurasjon(SKJEMA, process.env);
}

export type Konfig = Konfigurasjon<typeof SKJEMA>;
