import { beregnStatus, type Avtale } from '../kilde/avtale.ts';
import { epoke } from '../kilde/epoker.ts';
import type { Innhold, Kildemelding } from '../kilde/kildemelding.ts';
import type { Kilde } from '../kilde/kilde.ts';
import { DOEGN } from '../kilde/klokke.ts';
import { annullerMed } from './uansett.ts';
import { system } from './utfoerer.ts';

/** Days after which an avtale that nobody touches is annulled. */
const UTLOEPER_ETTER = 84;

/** 00:05: time has passed, so the status may be another. One transaction for all avtaler, so a burst. */
export function oppdaterStatuser(kilde: Kilde): void {
  kilde.stillKlokken(5 * 60);
  for (const avtale of kilde.avtaler) {
    const { innhold } = avtale;
    if (innhold.avtaleStatus !== 'KLAR_FOR_OPPSTART' && innhold.avtaleStatus !== 'GJENNOMFØRES') continue;
    const status = beregnStatus(avtale, kilde.dag);
    if (status === innhold.avtaleStatus) continue;
    innhold.avtaleStatus = status;
    if (kilde.dag >= epoke.nyttVedStatusendring) innhold.sistEndret = kilde.naa;
    kilde.send(innhold, 'STATUSENDRING', system(kilde.dag));
    innhold.sistEndret = innhold.sistEndret.avrundet();
  }
}

/** 00:10: drafts that nobody has touched for twelve weeks are annulled, as wrongly registered. */
export function ryddUtkast(kilde: Kilde): void {
  kilde.stillKlokken(10 * 60);
  const grense = kilde.naa.sekunder - kilde.dager(UTLOEPER_ETTER) * DOEGN;
  for (const avtale of kilde.avtaler) {
    const { annullertTidspunkt, avtaleInngått, sistEndret } = avtale.innhold;
    if (annullertTidspunkt || avtaleInngått || avtale.slettet || sistEndret.sekunder > grense) continue;
    annullerMed(kilde, avtale, 'Utløpt');
  }
}

/** One avtale is resent, as it is in the database now; sometimes twice. */
export function sendPaaNytt(kilde: Kilde, avtale: Avtale): void {
  const ganger = kilde.tilfeldig.sjanse(0.2) ? 2 : 1;
  for (let n = 0; n < ganger; n++) kilde.send(avtale.innhold, 'PATCH', system(kilde.dag));
  kilde.om(avtale, 5, 40);
}

/** All of them, read before the first is sent: what changes meanwhile is sent with its old content after its new. */
export function* sendAlle(kilde: Kilde, skjer: (avtale: Avtale) => void): Generator<Kildemelding> {
  kilde.stillKlokken(19 * 3_600);
  for (const avtale of [...kilde.avtaler]) {
    if (kilde.tilfeldig.sjanse(0.03)) sendForeldet(kilde, avtale, skjer);
    else kilde.send(avtale.innhold, 'PATCH', system(kilde.dag));
    yield* kilde.toem();
  }
}

/** `skjer` happens to it after it was read for a resend and before that is sent. */
export function sendForeldet(kilde: Kilde, avtale: Avtale, skjer: (avtale: Avtale) => void): void {
  const lest: Innhold = { ...avtale.innhold };
  kilde.vent(1, 600);
  skjer(avtale);
  kilde.send(lest, 'PATCH', system(kilde.dag));
}
