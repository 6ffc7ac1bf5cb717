import { trengerBeslutter, type Avtale } from '../kilde/avtale.ts';
import type { Kilde } from '../kilde/kilde.ts';
import { arbeidsgiver, BESLUTTER, deltaker, mentor, veileder } from './utfoerer.ts';

/** The next of those who must approve does so; the last one enters the avtale. */
export function godkjenn(kilde: Kilde, avtale: Avtale): void {
  const { innhold } = avtale;
  const parter = [
    ...(innhold.mentorFnr && !innhold.godkjentTaushetserklæringAvMentor ? [godkjennSomMentor] : []),
    ...(innhold.godkjentAvArbeidsgiver ? [] : [godkjennSomArbeidsgiver]),
    ...(innhold.godkjentAvDeltaker ? [] : [godkjennSomDeltaker]),
  ];
  if (innhold.godkjentAvVeileder) godkjennSomBeslutter(kilde, avtale);
  else if (parter.length === 0) godkjennSomVeileder(kilde, avtale);
  else if (innhold.veilederNavIdent && kilde.tilfeldig.sjanse(0.12)) godkjennPaaVegneAv(kilde, avtale);
  else parter[kilde.tilfeldig.tall(0, parter.length - 1)]?.(kilde, avtale);
  kilde.om(avtale, 1, 9);
}

function godkjennSomMentor(kilde: Kilde, avtale: Avtale): void {
  avtale.innhold.godkjentTaushetserklæringAvMentor = kilde.naa.somLokal();
  kilde.lagre(avtale, ['SIGNERT_AV_MENTOR'], mentor(avtale));
}

function godkjennSomArbeidsgiver(kilde: Kilde, avtale: Avtale): void {
  avtale.innhold.godkjentAvArbeidsgiver = kilde.naa.somLokal();
  kilde.lagre(avtale, ['GODKJENT_AV_ARBEIDSGIVER'], arbeidsgiver(avtale, kilde.dag));
}

function godkjennSomDeltaker(kilde: Kilde, avtale: Avtale): void {
  avtale.innhold.godkjentAvDeltaker = kilde.naa.somLokal();
  kilde.lagre(avtale, ['GODKJENT_AV_DELTAKER'], deltaker(avtale));
}

/** For the participant, and sometimes for the employer as well, together with the veileder's own approval. */
function godkjennPaaVegneAv(kilde: Kilde, avtale: Avtale): void {
  const { innhold } = avtale;
  const ogArbeidsgiver = !innhold.godkjentAvArbeidsgiver;
  const tid = kilde.naa.somLokal();
  Object.assign(innhold, {
    godkjentAvDeltaker: innhold.godkjentAvDeltaker ?? tid,
    godkjentPaVegneAv: true,
    godkjentPaVegneGrunn: {
      ikkeBankId: true,
      reservert: kilde.tilfeldig.sjanse(0.2),
      digitalKompetanse: false,
      arenaMigreringDeltaker: innhold.opphav === 'ARENA',
    },
  });
  if (ogArbeidsgiver) {
    Object.assign(innhold, {
      godkjentAvArbeidsgiver: tid,
      godkjentPaVegneAvArbeidsgiver: true,
      godkjentPaVegneAvArbeidsgiverGrunn: {
        klarerIkkeGiFaTilgang: true,
        vetIkkeHvemSomKanGiTilgang: false,
        farIkkeTilgangPersonvern: false,
        arenaMigreringArbeidsgiver: innhold.opphav === 'ARENA',
      },
    });
  }
  const hendelse = ogArbeidsgiver ? 'GODKJENT_PAA_VEGNE_AV_DELTAKER_OG_ARBEIDSGIVER' : 'GODKJENT_PAA_VEGNE_AV';
  veilederGodkjenner(kilde, avtale, hendelse);
}

function godkjennSomVeileder(kilde: Kilde, avtale: Avtale): void {
  veilederGodkjenner(kilde, avtale, 'GODKJENT_AV_VEILEDER');
}

function veilederGodkjenner(kilde: Kilde, avtale: Avtale, hendelse: string): void {
  const tid = kilde.naa.somLokal();
  Object.assign(avtale.innhold, {
    godkjentAvVeileder: tid,
    godkjentAvNavIdent: avtale.innhold.veilederNavIdent,
    ikrafttredelsestidspunkt: tid,
  });
  const inngaas = !trengerBeslutter(avtale, kilde.dag);
  if (inngaas) avtale.innhold.avtaleInngått = tid;
  kilde.lagre(avtale, inngaas ? ['AVTALE_INNGÅTT', hendelse] : [hendelse], veileder(avtale));
}

function godkjennSomBeslutter(kilde: Kilde, avtale: Avtale): void {
  const tid = kilde.naa.somLokal();
  Object.assign(avtale.innhold, {
    godkjentAvBeslutter: tid,
    godkjentAvBeslutterNavIdent: BESLUTTER.utførtAv,
    avtaleInngått: tid,
    enhetKostnadssted: avtale.innhold.enhetGeografisk,
    enhetsnavnKostnadssted: avtale.innhold.enhetsnavnGeografisk,
  });
  kilde.lagre(avtale, ['AVTALE_INNGÅTT'], BESLUTTER);
}

/** The veileder lifts them all. The mentor's stays, and so does godkjentPaVegneAvArbeidsgiver: so it is at the source. */
export function opphevGodkjenninger(kilde: Kilde, avtale: Avtale): void {
  const { innhold } = avtale;
  const hendelser = [
    ...(innhold.godkjentAvDeltaker ? ['DELTAKERS_GODKJENNING_OPPHEVET_AV_VEILEDER'] : []),
    ...(innhold.godkjentAvArbeidsgiver ? ['ARBEIDSGIVERS_GODKJENNING_OPPHEVET_AV_VEILEDER'] : []),
  ];
  if (hendelser.length === 0) return godkjenn(kilde, avtale);
  Object.assign(innhold, {
    godkjentAvDeltaker: null,
    godkjentAvArbeidsgiver: null,
    godkjentAvVeileder: null,
    godkjentAvNavIdent: null,
    godkjentPaVegneAv: false,
    godkjentPaVegneGrunn: null,
  });
  kilde.lagre(avtale, hendelser, veileder(avtale));
  kilde.om(avtale, 1, 10);
}
