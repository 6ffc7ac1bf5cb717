import type { SourceAvtale } from '../source/avtale.ts';
import { fillIn, newVersion, type Part } from '../source/content.ts';
import type { Source, Performer } from '../source/source.ts';
import { dayNumber, dateText } from '../source/clock.ts';
import { ARENA, veileder } from './actor.ts';

/** Also when it has ended: then it is under way again. */
export function extend(source: Source, avtale: SourceAvtale): void {
  const { content } = avtale;
  const from = Math.max(source.day, content.sluttDato === null ? 0 : dayNumber(content.sluttDato));
  content.sluttDato = dateText(from + source.random.number(7, 200));
  newVersionOf(source, avtale, 'FORLENGE', 'AVTALE_FORLENGET');
}

/** Possibly to a day that has passed: then it ends at once. */
export function shorten(source: Source, avtale: SourceAvtale): void {
  const { content } = avtale;
  const day = source.day + source.random.number(-6, 30);
  if (content.startDato !== null && day < dayNumber(content.startDato)) return changeContent(source, avtale);
  content.sluttDato = dateText(day);
  const reason = source.random.pick(['Begynt i arbeid', 'Syk', 'Ikke møtt', 'Fullført', 'flyttet til et annet sted']);
  newVersionOf(source, avtale, 'FORKORTE', 'AVTALE_FORKORTET', reason);
}

const CHANGES = [
  ['STILLING', 'ENDRE_STILLING', 'STILLINGSBESKRIVELSE_ENDRET'],
  ['KONTAKT', 'ENDRE_KONTAKTINFO', 'KONTAKTINFORMASJON_ENDRET'],
  ['MAAL', 'ENDRE_MÅL', 'MÅL_ENDRET'],
  ['OPPFOLGING', 'ENDRE_OPPFØLGING_OG_TILRETTELEGGING', 'OPPFØLGING_OG_TILRETTELEGGING_ENDRET'],
] as const satisfies [Part, string, string][];
const BENEFIT_CHANGES = {
  INGEN: CHANGES[0],
  VTAO: CHANGES[0],
  LOENN: ['STOENAD', 'ENDRE_TILSKUDDSBEREGNING', 'TILSKUDDSBEREGNING_ENDRET'],
  MENTOR: ['STOENAD', 'ENDRE_OM_MENTOR', 'OM_MENTOR_ENDRET'],
  INKLUDERING: ['STOENAD', 'ENDRE_INKLUDERINGSTILSKUDD', 'INKLUDERINGSTILSKUDD_ENDRET'],
} as const satisfies Record<SourceAvtale['type']['stoenad'], [Part, string, string] | (typeof CHANGES)[0]>;

export function changeContent(source: Source, avtale: SourceAvtale): void {
  const { random } = source;
  const [part, kind, event] = random.pick([...CHANGES, BENEFIT_CHANGES[avtale.type.stoenad]]);
  Object.assign(avtale.content, fillIn(random, part, avtale, source.day));
  newVersionOf(source, avtale, kind, event);
}

/** Arena clears what was approved by the parties, and what was annulled, but not the beslutter's approval. */
export function changeInArena(source: Source, avtale: SourceAvtale): void {
  Object.assign(avtale.content, {
    avtaleInngått: null,
    ikrafttredelsestidspunkt: null,
    godkjentAvDeltaker: null,
    godkjentAvArbeidsgiver: null,
    godkjentAvVeileder: null,
    godkjentAvNavIdent: null,
    annullertTidspunkt: null,
    annullertGrunn: null,
    feilregistrert: false,
    ...fillIn(source.random, 'TID', avtale, source.day),
  });
  newVersion(source.random, avtale.content, 'ENDRET_AV_ARENA');
  source.save(avtale, ['ENDRET_AV_ARENA'], ARENA);
  source.scheduleNext(avtale, 1, 10);
}

function newVersionOf(
  source: Source,
  avtale: SourceAvtale,
  kind: string,
  event: string,
  forkortetGrunn: string | null = null,
  actor: Performer = veileder(avtale),
): void {
  newVersion(source.random, avtale.content, kind);
  avtale.content.ikrafttredelsestidspunkt = source.now.asLocal();
  source.save(avtale, [event], actor, forkortetGrunn);
  source.scheduleNext(avtale, 20, 120);
}
