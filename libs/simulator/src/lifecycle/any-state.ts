import type { SourceAvtale } from '../source/avtale.ts';
import { epoch } from '../source/epochs.ts';
import type { SourceContent } from '../source/source-message.ts';
import type { Source } from '../source/source.ts';
import type { Lot } from '../source/random.ts';
import { syntheticNavIdent } from '@tiltak/testing';
import { system, veileder } from './actor.ts';

const REASONS = [
  [20, 'Begynt i arbeid'],
  [15, 'Fått tilbud om annet tiltak'],
  [15, 'Syk'],
  [15, 'Ikke møtt'],
  [25, 'Feilregistrering'],
  [10, 'deltaker trakk seg'],
] as const satisfies Lot<string>;

export function annul(source: Source, avtale: SourceAvtale): void {
  const fromArena = avtale.content.opphav === 'ARENA' && source.random.chance(0.5);
  const reason = fromArena ? 'Avtalen er ikke aktiv i Arena' : (source.random.draw(REASONS) ?? 'Syk');
  annulWith(source, avtale, reason);
}

export function annulWith(source: Source, avtale: SourceAvtale, reason: string): void {
  Object.assign(avtale.content, {
    annullertTidspunkt: source.now,
    annullertGrunn: reason,
    feilregistrert: reason === 'Feilregistrering' || reason === 'Utløpt',
  });
  source.save(avtale, ['ANNULLERT'], reason === 'Utløpt' ? system(source.day) : veileder(avtale));
  source.scheduleNext(avtale, 5, 60);
}

/** Marked as deleted; when the source no longer marks, only the hendelse tells. */
export function removeAvtale(source: Source, avtale: SourceAvtale): void {
  avtale.deleted = true;
  avtale.content.slettemerket = source.day < epoch.feilregistrert;
  source.save(avtale, ['AVTALE_SLETTET'], veileder(avtale));
  source.scheduleNext(avtale, 5, 40);
}

/** By hand, in the database, and then resent. */
export function restore(source: Source, avtale: SourceAvtale): void {
  avtale.deleted = false;
  source.saveSilently(avtale, { slettemerket: false });
  source.send(avtale.content, 'PATCH', system(source.day));
  source.scheduleNext(avtale, 5, 40);
}

export function changeVeileder(source: Source, avtale: SourceAvtale): void {
  avtale.content.veilederNavIdent = syntheticNavIdent(source.random.number(0, 400));
  source.save(avtale, ['NY_VEILEDER'], veileder(avtale));
  source.scheduleNext(avtale, 5, 40);
}

type Silent = (source: Source, avtale: SourceAvtale) => Partial<SourceContent>;

/** Section 3.3 of the contract: changes that send no message. With a new sistEndret … */
const SILENT_WITH_TIME: readonly [Silent, ...Silent[]] = [
  (source) => ({
    veilederNavIdent: syntheticNavIdent(source.random.number(0, 400)),
    veilederFornavn: 'Syntetisk',
    veilederEtternavn: 'Veileder',
  }),
  (_, { content }) => ({
    arbeidsgiverKontonummer: '1'.repeat(11),
    versjon: content.versjon + 1,
    innholdType: 'ENDRE_KID_OG_KONTONUMMER',
  }),
  (_, { content }) => ({ godkjentForEtterregistrering: !content.godkjentForEtterregistrering }),
  (_, { content }) => (content.avtaleInngått ? { enhetKostnadssted: '0315' } : { godkjentAvArbeidsgiver: null }),
];
/** … and without one. */
const SILENT_WITHOUT_TIME: readonly [Silent, ...Silent[]] = [
  (source) => ({ journalpostId: String(source.random.number(100_000_000, 999_999_999)) }),
  () => ({ enhetOppfolging: '0101', enhetsnavnOppfolging: 'NAV Testvik' }),
  (_, { content }) => ({ bedriftNavn: content.bedriftNavn?.replace(/( AVD)? AS$/, ' AVD AS') ?? null }),
];

/** Something changes without a message, and often the avtale is resent later so that it shows. */
export function changeSilently(source: Source, avtale: SourceAvtale): void {
  if (source.random.chance(0.5)) source.saveSilently(avtale, source.random.pick(SILENT_WITH_TIME)(source, avtale));
  else Object.assign(avtale.content, source.random.pick(SILENT_WITHOUT_TIME)(source, avtale));
  if (source.random.chance(0.4)) {
    source.wait(60, 3_600);
    source.send(avtale.content, 'PATCH', system(source.day));
  }
  source.scheduleNext(avtale, 1, 20);
}
