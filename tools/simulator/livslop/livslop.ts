import type { Avtale } from '../kilde/avtale.ts';
import { BEGYNNELSE, epoke, MASSEUTSENDINGER, SLUTT } from '../kilde/epoker.ts';
import type { Kildemelding } from '../kilde/kildemelding.ts';
import { Kilde } from '../kilde/kilde.ts';
import { Tilfeldig, type Lodd } from '../kilde/tilfeldig.ts';
import { oppdaterStatuser, ryddUtkast, sendAlle, sendForeldet, sendPaaNytt } from './drift.ts';
import { godkjenn, opphevGodkjenninger } from './godkjenning.ts';
import { endreIArena, endreInnhold, forkort, forleng } from './inngaatt.ts';
import { annuller, endreStille, gjenopprett, nyVeileder, slett } from './uansett.ts';
import { fyllUtMer, opprett, rettUtkast, sendGammel } from './utkast.ts';

type Handling = (kilde: Kilde, avtale: Avtale) => void;

const foreldet: Handling = (kilde, avtale) => sendForeldet(kilde, avtale, (den) => skjer(kilde, den));
/** Nothing more happens to it. */
const glem: Handling = (kilde, avtale) => kilde.avtaler.delete(avtale);

const UTKAST: Lodd<Handling> = [
  [70, fyllUtMer],
  [6, endreStille],
  [4, nyVeileder],
  [4, annuller],
  [3, sendPaaNytt],
  [1, slett],
  [2, foreldet],
  [4, (kilde, avtale) => kilde.om(avtale, 90, 120)], // left alone until it is annulled
];
const TIL_GODKJENNING: Lodd<Handling> = [
  [75, godkjenn],
  [7, rettUtkast],
  [6, opphevGodkjenninger],
  [5, endreStille],
  [3, annuller],
  [2, sendPaaNytt],
  [2, foreldet],
  [1, slett],
];
const INNGAATT: Lodd<Handling> = [
  [30, endreInnhold],
  [12, forleng],
  [9, forkort],
  [8, nyVeileder],
  [8, endreStille],
  [7, annuller],
  [5, sendPaaNytt],
  [5, foreldet],
  [40, (kilde, avtale) => kilde.om(avtale, 40, 200)],
];
const AVSLUTTET: Lodd<Handling> = [
  [10, forleng],
  [6, sendPaaNytt],
  [3, foreldet],
  [81, glem],
];
const ANNULLERT: Lodd<Handling> = [
  [8, sendPaaNytt],
  [4, foreldet],
  [1, slett],
  [87, glem],
];
const SLETTET: Lodd<Handling> = [
  [15, sendPaaNytt],
  [12, gjenopprett],
  [73, glem],
];
/** Arena goes on changing what came from there. */
const FRA_ARENA: Lodd<Handling> = [
  [30, endreIArena],
  [70, (kilde, avtale) => trekk(kilde, avtale, avtale.innhold.annullertTidspunkt ? ANNULLERT : INNGAATT)],
];

function skjer(kilde: Kilde, avtale: Avtale): void {
  trekk(kilde, avtale, muligheter(avtale));
}

function trekk(kilde: Kilde, avtale: Avtale, lodd: Lodd<Handling>): void {
  kilde.tilfeldig.trekk(lodd)?.(kilde, avtale);
}

function muligheter({ slettet, gjenstaar, innhold }: Avtale): Lodd<Handling> {
  const { annullertTidspunkt, avtaleInngått, avtaleStatus, opphav } = innhold;
  if (slettet) return SLETTET;
  if (annullertTidspunkt) return opphav === 'ARENA' ? FRA_ARENA : ANNULLERT;
  if (avtaleStatus === 'AVSLUTTET') return AVSLUTTET;
  if (avtaleInngått) return opphav === 'ARENA' ? FRA_ARENA : INNGAATT;
  return gjenstaar.length > 0 ? UTKAST : TIL_GODKJENNING;
}

/** Messages that an avtale comes to, of those that fall within the simulated time. */
const MELDINGER_PER_AVTALE = 13.2;
/** More than this at one time, and everything happens faster instead. */
const FULL_FART_FRA = 100_000;

/**
 * Day by day from `BEGYNNELSE`, without end: so many avtaler that about `antall` messages take until `SLUTT`. Memory is
 * that of the avtaler that something can still happen to, some thousands.
 */
export function* livslop(seed: number, antall: number): Generator<Kildemelding> {
  const kilde = new Kilde(new Tilfeldig(seed), Math.max(1, antall / FULL_FART_FRA));
  const foedslerPerDag = Math.max(0.1, antall / MELDINGER_PER_AVTALE / (SLUTT - BEGYNNELSE));
  let ufoedt = 1;
  for (let dag = BEGYNNELSE; ; dag++, ufoedt += foedslerPerDag) {
    kilde.begynn(dag);
    oppdaterStatuser(kilde);
    ryddUtkast(kilde);
    yield* kilde.toem();
    for (const { sekund, gjoer } of dagsverk(kilde, Math.floor(ufoedt))) {
      kilde.stillKlokken(sekund);
      gjoer();
      yield* kilde.toem();
    }
    ufoedt %= 1;
    if (MASSEUTSENDINGER.has(dag)) yield* sendAlle(kilde, (avtale) => skjer(kilde, avtale));
  }
}

/** What is done on this day, in the order of time. */
function dagsverk(kilde: Kilde, foedsler: number): { sekund: number; gjoer: () => void }[] {
  const gjoeremaal = [...kilde.avtaler]
    .filter(({ neste }) => neste <= kilde.dag)
    .map((avtale) => () => skjer(kilde, avtale));
  for (let n = 0; n < foedsler; n++) {
    const erGammel = kilde.dag < epoke.feilregistrert && kilde.tilfeldig.sjanse(0.03);
    gjoeremaal.push(() => (erGammel ? sendGammel : opprett)(kilde));
  }
  return gjoeremaal.map((gjoer) => ({ sekund: kilde.arbeidstid(), gjoer })).sort((a, b) => a.sekund - b.sekund);
}
