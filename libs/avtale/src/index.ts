export { AVTALEFELTER, type Avtale, type Instant } from './avtale.ts';
export {
  AVTALESTATUSER,
  KODEVERK,
  OPPHAV,
  STILLINGSTYPER,
  TILTAKSTYPER,
  UKJENT,
  type AvtaleStatus,
  type Kodeverk,
  type Opphav,
  type Stillingstype,
  type Tiltakstype,
} from './kodeverk.ts';
export { KILDEFELTER, SLETT_FOER, tolkMelding, type Melding, type Parkeringsgrunn, type Tolket } from './melding.ts';
export {
  ledd,
  likeLedd,
  MAKS_AVTALER_MED_LENKER,
  relasjonerFor,
  type Ledd,
  type Relasjon,
  type Relasjonsnavn,
} from './relasjoner.ts';
export {
  sammenlignPlass,
  spillAv,
  vinner,
  type Endring,
  type Fold,
  type Innhold,
  type Plass,
  type PlassertMelding,
  type Tilstand,
  type Utfall,
  type Versjon,
} from './rekkefolge.ts';
export { dagensDato, lesDato, lesInstant, lesOslotid } from './tid.ts';
