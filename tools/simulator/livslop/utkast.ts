import { gammelAvtale, type Avtale } from '../kilde/avtale.ts';
import { DELER, fyllUt, type Del } from '../kilde/innhold.ts';
import type { Kilde } from '../kilde/kilde.ts';
import { arbeidsgiver, ARENA, system, veileder } from './utfoerer.ts';

/** Created, by whoever does it; the number comes from the database, after the message was made. */
export function opprett(kilde: Kilde): void {
  const avtale = kilde.nyAvtale();
  const { innhold } = avtale;
  if (innhold.opphav === 'ARENA') {
    // Arena knows when it begins, and often when it ends.
    fyll(kilde, avtale, 'TID');
    if (kilde.tilfeldig.sjanse(0.3)) innhold.sluttDato = null;
    kilde.lagre(avtale, ['OPPRETTET_AV_ARENA'], ARENA);
  } else if (innhold.opprettetAvArbeidsgiver) {
    kilde.lagre(avtale, ['OPPRETTET_AV_ARBEIDSGIVER'], arbeidsgiver(avtale, kilde.dag));
  } else if (kilde.tilfeldig.sjanse(0.02)) {
    opprettKopi(kilde, avtale);
  } else {
    kilde.lagre(avtale, ['OPPRETTET'], veileder(avtale));
  }
  innhold.avtaleNr = kilde.nesteNummer();
  kilde.avtaler.add(avtale);
  kilde.om(avtale, 1, 6);
}

/** An administrator's copy is filled in before it is saved, and says ENDRET, still without a number. */
function opprettKopi(kilde: Kilde, avtale: Avtale): void {
  for (const del of DELER) fyll(kilde, avtale, del);
  kilde.lagre(avtale, ['OPPRETTET', 'ENDRET'], veileder(avtale));
}

/** What is left from before the source had events: resent as it is, possibly twice. */
export function sendGammel(kilde: Kilde): void {
  const { innhold } = gammelAvtale(kilde.tilfeldig, kilde.nyPerson());
  kilde.send(innhold, 'STATUSENDRING', system(kilde.dag));
  if (kilde.tilfeldig.sjanse(0.3)) kilde.send(innhold, 'PATCH', system(kilde.dag));
}

/** The UI saves while people write: a burst, seconds apart, sometimes with nothing changed. */
export function fyllUtMer(kilde: Kilde, avtale: Avtale): void {
  for (let n = kilde.tilfeldig.tall(1, 4); n > 0; n--) {
    const del = avtale.gjenstaar[0];
    if (del && !kilde.tilfeldig.sjanse(0.1)) fyll(kilde, avtale, del);
    const skrevetAvBedriften = kilde.tilfeldig.sjanse(0.25);
    kilde.lagre(avtale, ['ENDRET'], skrevetAvBedriften ? arbeidsgiver(avtale, kilde.dag) : veileder(avtale));
    kilde.vent(3, 40);
  }
  kilde.om(avtale, 1, 14);
}

/** Something that was filled in is changed, or taken out: then it is PÅBEGYNT again. */
export function rettUtkast(kilde: Kilde, avtale: Avtale): void {
  const del = kilde.tilfeldig.velg(DELER);
  fyll(kilde, avtale, del);
  if (kilde.tilfeldig.sjanse(0.4)) {
    avtale.innhold.arbeidsgiverTlf = kilde.tilfeldig.velg([null, '']);
    avtale.gjenstaar.push('KONTAKT');
  }
  kilde.lagre(avtale, ['ENDRET'], veileder(avtale));
  kilde.om(avtale, 1, 10);
}

function fyll(kilde: Kilde, avtale: Avtale, del: Del): void {
  Object.assign(avtale.innhold, fyllUt(kilde.tilfeldig, del, avtale, kilde.dag));
  avtale.gjenstaar = avtale.gjenstaar.filter((annen) => annen !== del);
}
