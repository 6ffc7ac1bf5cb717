import { oldAvtale, type SourceAvtale } from '../source/avtale.ts';
import { PARTS, fillIn, type Part } from '../source/content.ts';
import type { Source } from '../source/source.ts';
import { arbeidsgiver, ARENA, system, veileder } from './actor.ts';

/** Created, by whoever does it; the number comes from the database, after the message was made. */
export function create(source: Source): void {
  const avtale = source.newAvtale();
  const { content } = avtale;
  if (content.opphav === 'ARENA') {
    // Arena knows when it begins, and often when it ends.
    fill(source, avtale, 'TID');
    if (source.random.chance(0.3)) content.sluttDato = null;
    source.save(avtale, ['OPPRETTET_AV_ARENA'], ARENA);
  } else if (content.opprettetAvArbeidsgiver) {
    source.save(avtale, ['OPPRETTET_AV_ARBEIDSGIVER'], arbeidsgiver(avtale, source.day));
  } else if (source.random.chance(0.02)) {
    createCopy(source, avtale);
  } else {
    source.save(avtale, ['OPPRETTET'], veileder(avtale));
  }
  content.avtaleNr = source.nextNumber();
  source.avtaler.add(avtale);
  source.scheduleNext(avtale, 1, 6);
}

/** An administrator's copy is filled in before it is saved, and says ENDRET, still without a number. */
function createCopy(source: Source, avtale: SourceAvtale): void {
  for (const part of PARTS) fill(source, avtale, part);
  source.save(avtale, ['OPPRETTET', 'ENDRET'], veileder(avtale));
}

/** What is left from before the source had events: resent as it is, possibly twice. */
export function sendOld(source: Source): void {
  const { content } = oldAvtale(source.random, source.newPerson());
  source.send(content, 'STATUSENDRING', system(source.day));
  if (source.random.chance(0.3)) source.send(content, 'PATCH', system(source.day));
}

/** The UI saves while people write: a burst, seconds apart, sometimes with nothing changed. */
export function fillInMore(source: Source, avtale: SourceAvtale): void {
  for (let n = source.random.number(1, 4); n > 0; n--) {
    const part = avtale.missing[0];
    if (part && !source.random.chance(0.1)) fill(source, avtale, part);
    const changedByBedrift = source.random.chance(0.25);
    source.save(avtale, ['ENDRET'], changedByBedrift ? arbeidsgiver(avtale, source.day) : veileder(avtale));
    source.wait(3, 40);
  }
  source.scheduleNext(avtale, 1, 14);
}

/** Something that was filled in is changed, or taken out: then it is PÅBEGYNT again. */
export function correctDraft(source: Source, avtale: SourceAvtale): void {
  const part = source.random.pick(PARTS);
  fill(source, avtale, part);
  if (source.random.chance(0.4)) {
    avtale.content.arbeidsgiverTlf = source.random.pick([null, '']);
    avtale.missing.push('KONTAKT');
  }
  source.save(avtale, ['ENDRET'], veileder(avtale));
  source.scheduleNext(avtale, 1, 10);
}

function fill(source: Source, avtale: SourceAvtale, part: Part): void {
  Object.assign(avtale.content, fillIn(source.random, part, avtale, source.day));
  avtale.missing = avtale.missing.filter((other) => other !== part);
}
