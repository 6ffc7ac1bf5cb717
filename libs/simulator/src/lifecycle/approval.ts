import { needsBeslutter, type SourceAvtale } from '../source/avtale.ts';
import type { Source } from '../source/source.ts';
import { arbeidsgiver, BESLUTTER, deltaker, mentor, veileder } from './actor.ts';

/** The next of those who must approve does so; the last one enters the avtale. */
export function approve(source: Source, avtale: SourceAvtale): void {
  const { content } = avtale;
  const parties = [
    ...(content.mentorFnr && !content.godkjentTaushetserklæringAvMentor ? [approveAsMentor] : []),
    ...(content.godkjentAvArbeidsgiver ? [] : [approveAsArbeidsgiver]),
    ...(content.godkjentAvDeltaker ? [] : [approveAsDeltaker]),
  ];
  if (content.godkjentAvVeileder) approveAsBeslutter(source, avtale);
  else if (parties.length === 0) approveAsVeileder(source, avtale);
  else if (content.veilederNavIdent && source.random.chance(0.12)) approveOnBehalfOf(source, avtale);
  else parties[source.random.number(0, parties.length - 1)]?.(source, avtale);
  source.scheduleNext(avtale, 1, 9);
}

function approveAsMentor(source: Source, avtale: SourceAvtale): void {
  avtale.content.godkjentTaushetserklæringAvMentor = source.now.asLocal();
  source.save(avtale, ['SIGNERT_AV_MENTOR'], mentor(avtale));
}

function approveAsArbeidsgiver(source: Source, avtale: SourceAvtale): void {
  avtale.content.godkjentAvArbeidsgiver = source.now.asLocal();
  source.save(avtale, ['GODKJENT_AV_ARBEIDSGIVER'], arbeidsgiver(avtale, source.day));
}

function approveAsDeltaker(source: Source, avtale: SourceAvtale): void {
  avtale.content.godkjentAvDeltaker = source.now.asLocal();
  source.save(avtale, ['GODKJENT_AV_DELTAKER'], deltaker(avtale));
}

/** For the participant, and sometimes for the employer as well, together with the veileder's own approval. */
function approveOnBehalfOf(source: Source, avtale: SourceAvtale): void {
  const { content } = avtale;
  const andArbeidsgiver = !content.godkjentAvArbeidsgiver;
  const time = source.now.asLocal();
  Object.assign(content, {
    godkjentAvDeltaker: content.godkjentAvDeltaker ?? time,
    godkjentPaVegneAv: true,
    godkjentPaVegneGrunn: {
      ikkeBankId: true,
      reservert: source.random.chance(0.2),
      digitalKompetanse: false,
      arenaMigreringDeltaker: content.opphav === 'ARENA',
    },
  });
  if (andArbeidsgiver) {
    Object.assign(content, {
      godkjentAvArbeidsgiver: time,
      godkjentPaVegneAvArbeidsgiver: true,
      godkjentPaVegneAvArbeidsgiverGrunn: {
        klarerIkkeGiFaTilgang: true,
        vetIkkeHvemSomKanGiTilgang: false,
        farIkkeTilgangPersonvern: false,
        arenaMigreringArbeidsgiver: content.opphav === 'ARENA',
      },
    });
  }
  const event = andArbeidsgiver ? 'GODKJENT_PAA_VEGNE_AV_DELTAKER_OG_ARBEIDSGIVER' : 'GODKJENT_PAA_VEGNE_AV';
  recordVeilederApproval(source, avtale, event);
}

function approveAsVeileder(source: Source, avtale: SourceAvtale): void {
  recordVeilederApproval(source, avtale, 'GODKJENT_AV_VEILEDER');
}

function recordVeilederApproval(source: Source, avtale: SourceAvtale, event: string): void {
  const time = source.now.asLocal();
  Object.assign(avtale.content, {
    godkjentAvVeileder: time,
    godkjentAvNavIdent: avtale.content.veilederNavIdent,
    ikrafttredelsestidspunkt: time,
  });
  const isEntered = !needsBeslutter(avtale, source.day);
  if (isEntered) avtale.content.avtaleInngått = time;
  source.save(avtale, isEntered ? ['AVTALE_INNGÅTT', event] : [event], veileder(avtale));
}

function approveAsBeslutter(source: Source, avtale: SourceAvtale): void {
  const time = source.now.asLocal();
  Object.assign(avtale.content, {
    godkjentAvBeslutter: time,
    godkjentAvBeslutterNavIdent: BESLUTTER.utførtAv,
    avtaleInngått: time,
    enhetKostnadssted: avtale.content.enhetGeografisk,
    enhetsnavnKostnadssted: avtale.content.enhetsnavnGeografisk,
  });
  source.save(avtale, ['AVTALE_INNGÅTT'], BESLUTTER);
}

/** The veileder lifts them all. The mentor's stays, and so does godkjentPaVegneAvArbeidsgiver: so it is at the source. */
export function revokeApprovals(source: Source, avtale: SourceAvtale): void {
  const { content } = avtale;
  const events = [
    ...(content.godkjentAvDeltaker ? ['DELTAKERS_GODKJENNING_OPPHEVET_AV_VEILEDER'] : []),
    ...(content.godkjentAvArbeidsgiver ? ['ARBEIDSGIVERS_GODKJENNING_OPPHEVET_AV_VEILEDER'] : []),
  ];
  if (events.length === 0) return approve(source, avtale);
  Object.assign(content, {
    godkjentAvDeltaker: null,
    godkjentAvArbeidsgiver: null,
    godkjentAvVeileder: null,
    godkjentAvNavIdent: null,
    godkjentPaVegneAv: false,
    godkjentPaVegneGrunn: null,
  });
  source.save(avtale, events, veileder(avtale));
  source.scheduleNext(avtale, 1, 10);
}
