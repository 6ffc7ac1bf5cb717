import type { Avtale } from '../kilde/avtale.ts';
import { epoke } from '../kilde/epoker.ts';
import type { Innhold } from '../kilde/kildemelding.ts';
import type { Kilde } from '../kilde/kilde.ts';
import type { Lodd } from '../kilde/tilfeldig.ts';
import { syntetiskNavIdent } from '@tiltak/testing';
import { system, veileder } from './utfoerer.ts';

const GRUNNER = [
  [20, 'Begynt i arbeid'],
  [15, 'Fått tilbud om annet tiltak'],
  [15, 'Syk'],
  [15, 'Ikke møtt'],
  [25, 'Feilregistrering'],
  [10, 'deltaker trakk seg'],
] as const satisfies Lodd<string>;

export function annuller(kilde: Kilde, avtale: Avtale): void {
  const fraArena = avtale.innhold.opphav === 'ARENA' && kilde.tilfeldig.sjanse(0.5);
  const grunn = fraArena ? 'Avtalen er ikke aktiv i Arena' : (kilde.tilfeldig.trekk(GRUNNER) ?? 'Syk');
  annullerMed(kilde, avtale, grunn);
}

export function annullerMed(kilde: Kilde, avtale: Avtale, grunn: string): void {
  Object.assign(avtale.innhold, {
    annullertTidspunkt: kilde.naa,
    annullertGrunn: grunn,
    feilregistrert: grunn === 'Feilregistrering' || grunn === 'Utløpt',
  });
  kilde.lagre(avtale, ['ANNULLERT'], grunn === 'Utløpt' ? system(kilde.dag) : veileder(avtale));
  kilde.om(avtale, 5, 60);
}

/** Marked as deleted; when the source no longer marks, only the hendelse tells. */
export function slett(kilde: Kilde, avtale: Avtale): void {
  avtale.slettet = true;
  avtale.innhold.slettemerket = kilde.dag < epoke.feilregistrert;
  kilde.lagre(avtale, ['AVTALE_SLETTET'], veileder(avtale));
  kilde.om(avtale, 5, 40);
}

/** By hand, in the database, and then resent. */
export function gjenopprett(kilde: Kilde, avtale: Avtale): void {
  avtale.slettet = false;
  kilde.lagreStille(avtale, { slettemerket: false });
  kilde.send(avtale.innhold, 'PATCH', system(kilde.dag));
  kilde.om(avtale, 5, 40);
}

export function nyVeileder(kilde: Kilde, avtale: Avtale): void {
  avtale.innhold.veilederNavIdent = syntetiskNavIdent(kilde.tilfeldig.tall(0, 400));
  kilde.lagre(avtale, ['NY_VEILEDER'], veileder(avtale));
  kilde.om(avtale, 5, 40);
}

type Stille = (kilde: Kilde, avtale: Avtale) => Partial<Innhold>;

/** Section 3.3 of the contract: changes that send no message. With a new sistEndret … */
const STILLE_MED_TID: readonly [Stille, ...Stille[]] = [
  (kilde) => ({
    veilederNavIdent: syntetiskNavIdent(kilde.tilfeldig.tall(0, 400)),
    veilederFornavn: 'Syntetisk',
    veilederEtternavn: 'Veileder',
  }),
  (_, { innhold }) => ({
    arbeidsgiverKontonummer: '1'.repeat(11),
    versjon: innhold.versjon + 1,
    innholdType: 'ENDRE_KID_OG_KONTONUMMER',
  }),
  (_, { innhold }) => ({ godkjentForEtterregistrering: !innhold.godkjentForEtterregistrering }),
  (_, { innhold }) => (innhold.avtaleInngått ? { enhetKostnadssted: '0315' } : { godkjentAvArbeidsgiver: null }),
];
/** … and without one. */
const STILLE_UTEN_TID: readonly [Stille, ...Stille[]] = [
  (kilde) => ({ journalpostId: String(kilde.tilfeldig.tall(100_000_000, 999_999_999)) }),
  () => ({ enhetOppfolging: '0101', enhetsnavnOppfolging: 'NAV Testvik' }),
  (_, { innhold }) => ({ bedriftNavn: innhold.bedriftNavn?.replace(/( AVD)? AS$/, ' AVD AS') ?? null }),
];

/** Something changes without a message, and often the avtale is resent later so that it shows. */
export function endreStille(kilde: Kilde, avtale: Avtale): void {
  if (kilde.tilfeldig.sjanse(0.5)) kilde.lagreStille(avtale, kilde.tilfeldig.velg(STILLE_MED_TID)(kilde, avtale));
  else Object.assign(avtale.innhold, kilde.tilfeldig.velg(STILLE_UTEN_TID)(kilde, avtale));
  if (kilde.tilfeldig.sjanse(0.4)) {
    kilde.vent(60, 3_600);
    kilde.send(avtale.innhold, 'PATCH', system(kilde.dag));
  }
  kilde.om(avtale, 1, 20);
}
