import { computeStatus, type SourceAvtale } from '../source/avtale.ts';
import { epoch } from '../source/epochs.ts';
import type { SourceContent, SourceMessage } from '../source/source-message.ts';
import type { Source } from '../source/source.ts';
import { DAY_SECONDS } from '../source/clock.ts';
import { annulWith } from './any-state.ts';
import { system } from './actor.ts';

/** Days after which an avtale that nobody touches is annulled. */
const EXPIRES_AFTER = 84;

/** 00:05: time has passed, so the status may be another. One transaction for all avtaler, so a burst. */
export function updateStatuses(source: Source): void {
  source.setClock(5 * 60);
  for (const avtale of source.avtaler) {
    const { content } = avtale;
    if (content.avtaleStatus !== 'KLAR_FOR_OPPSTART' && content.avtaleStatus !== 'GJENNOMFØRES') continue;
    const status = computeStatus(avtale, source.day);
    if (status === content.avtaleStatus) continue;
    content.avtaleStatus = status;
    if (source.day >= epoch.freshAtStatusendring) content.sistEndret = source.now;
    source.send(content, 'STATUSENDRING', system(source.day));
    content.sistEndret = content.sistEndret.rounded();
  }
}

/** 00:10: drafts that nobody has touched for twelve weeks are annulled, as wrongly registered. */
export function cleanDrafts(source: Source): void {
  source.setClock(10 * 60);
  const limit = source.now.seconds - source.days(EXPIRES_AFTER) * DAY_SECONDS;
  for (const avtale of source.avtaler) {
    const { annullertTidspunkt, avtaleInngått, sistEndret } = avtale.content;
    if (annullertTidspunkt || avtaleInngått || avtale.deleted || sistEndret.seconds > limit) continue;
    annulWith(source, avtale, 'Utløpt');
  }
}

/** One avtale is resent, as it is in the database now; sometimes twice. */
export function resend(source: Source, avtale: SourceAvtale): void {
  const times = source.random.chance(0.2) ? 2 : 1;
  for (let n = 0; n < times; n++) source.send(avtale.content, 'PATCH', system(source.day));
  source.scheduleNext(avtale, 5, 40);
}

/** All of them, read before the first is sent: what changes meanwhile is sent with its old content after its new. */
export function* sendAll(source: Source, happens: (avtale: SourceAvtale) => void): Generator<SourceMessage> {
  source.setClock(19 * 3_600);
  for (const avtale of [...source.avtaler]) {
    if (source.random.chance(0.03)) sendStale(source, avtale, happens);
    else source.send(avtale.content, 'PATCH', system(source.day));
    yield* source.drain();
  }
}

/** `happens` is done to it after it was read for a resend and before that is sent. */
export function sendStale(source: Source, avtale: SourceAvtale, happens: (avtale: SourceAvtale) => void): void {
  const wasRead: SourceContent = { ...avtale.content };
  source.wait(1, 600);
  happens(avtale);
  source.send(wasRead, 'PATCH', system(source.day));
}
