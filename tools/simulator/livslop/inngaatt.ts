import type { Avtale } from '../kilde/avtale.ts';
import { fyllUt, nyVersjon, type Del } from '../kilde/innhold.ts';
import type { Kilde, Utfoerer } from '../kilde/kilde.ts';
import { dagnummer, datotekst } from '../kilde/klokke.ts';
import { ARENA, veileder } from './utfoerer.ts';

/** Also when it has ended: then it is under way again. */
export function forleng(kilde: Kilde, avtale: Avtale): void {
  const { innhold } = avtale;
  const fra = Math.max(kilde.dag, innhold.sluttDato === null ? 0 : dagnummer(innhold.sluttDato));
  innhold.sluttDato = datotekst(fra + kilde.tilfeldig.tall(7, 200));
  nyVersjonAv(kilde, avtale, 'FORLENGE', 'AVTALE_FORLENGET');
}

/** Possibly to a day that has passed: then it ends at once. */
export function forkort(kilde: Kilde, avtale: Avtale): void {
  const { innhold } = avtale;
  const dag = kilde.dag + kilde.tilfeldig.tall(-6, 30);
  if (innhold.startDato !== null && dag < dagnummer(innhold.startDato)) return endreInnhold(kilde, avtale);
  innhold.sluttDato = datotekst(dag);
  const grunn = kilde.tilfeldig.velg(['Begynt i arbeid', 'Syk', 'Ikke møtt', 'Fullført', 'flyttet til et annet sted']);
  nyVersjonAv(kilde, avtale, 'FORKORTE', 'AVTALE_FORKORTET', grunn);
}

const ENDRINGER = [
  ['STILLING', 'ENDRE_STILLING', 'STILLINGSBESKRIVELSE_ENDRET'],
  ['KONTAKT', 'ENDRE_KONTAKTINFO', 'KONTAKTINFORMASJON_ENDRET'],
  ['MAAL', 'ENDRE_MÅL', 'MÅL_ENDRET'],
  ['OPPFOLGING', 'ENDRE_OPPFØLGING_OG_TILRETTELEGGING', 'OPPFØLGING_OG_TILRETTELEGGING_ENDRET'],
] as const satisfies [Del, string, string][];
const STOENADSENDRINGER = {
  INGEN: ENDRINGER[0],
  VTAO: ENDRINGER[0],
  LOENN: ['STOENAD', 'ENDRE_TILSKUDDSBEREGNING', 'TILSKUDDSBEREGNING_ENDRET'],
  MENTOR: ['STOENAD', 'ENDRE_OM_MENTOR', 'OM_MENTOR_ENDRET'],
  INKLUDERING: ['STOENAD', 'ENDRE_INKLUDERINGSTILSKUDD', 'INKLUDERINGSTILSKUDD_ENDRET'],
} as const satisfies Record<Avtale['type']['stoenad'], [Del, string, string] | (typeof ENDRINGER)[0]>;

export function endreInnhold(kilde: Kilde, avtale: Avtale): void {
  const { tilfeldig } = kilde;
  const [del, innholdType, hendelse] = tilfeldig.velg([...ENDRINGER, STOENADSENDRINGER[avtale.type.stoenad]]);
  Object.assign(avtale.innhold, fyllUt(tilfeldig, del, avtale, kilde.dag));
  nyVersjonAv(kilde, avtale, innholdType, hendelse);
}

/** Arena clears what was approved by the parties, and what was annulled, but not the beslutter's approval. */
export function endreIArena(kilde: Kilde, avtale: Avtale): void {
  Object.assign(avtale.innhold, {
    avtaleInngått: null,
    ikrafttredelsestidspunkt: null,
    godkjentAvDeltaker: null,
    godkjentAvArbeidsgiver: null,
    godkjentAvVeileder: null,
    godkjentAvNavIdent: null,
    annullertTidspunkt: null,
    annullertGrunn: null,
    feilregistrert: false,
    ...fyllUt(kilde.tilfeldig, 'TID', avtale, kilde.dag),
  });
  nyVersjon(kilde.tilfeldig, avtale.innhold, 'ENDRET_AV_ARENA');
  kilde.lagre(avtale, ['ENDRET_AV_ARENA'], ARENA);
  kilde.om(avtale, 1, 10);
}

function nyVersjonAv(
  kilde: Kilde,
  avtale: Avtale,
  innholdType: string,
  hendelse: string,
  forkortetGrunn: string | null = null,
  av: Utfoerer = veileder(avtale),
): void {
  nyVersjon(kilde.tilfeldig, avtale.innhold, innholdType);
  avtale.innhold.ikrafttredelsestidspunkt = kilde.naa.somLokal();
  kilde.lagre(avtale, [hendelse], av, forkortetGrunn);
  kilde.om(avtale, 20, 120);
}
