import { beregnStatus, fyllUt, nyAvtale, type Avtale } from './avtale.ts';
import { gift, gravstein } from './gift.ts';
import { tilJson, type Hendelse, type Kildemelding } from './kildemelding.ts';
import { dato, DOEGN, instant, nano, oslotid, type Oyeblikk } from './klokke.ts';
import { Tilfeldig } from './tilfeldig.ts';

export interface Valg {
  /** how many messages */
  antall: number;
  seed?: number;
  /** Also what the source never sends: messages that can't be used, and tombstones. */
  gift?: boolean;
}

/** Avtaler that are alive at the same time. */
const SAMTIDIGE = 400;
/** 2025-03-20, ten days before the clocks change. */
const BEGYNNELSE = 1_742_457_600;

/**
 * Messages as the source would publish them: many avtaler living at the same time, each through its life. The same seed
 * gives the same bytes. Lazy, and of constant memory.
 */
export function* lagHendelser({ antall, seed = 1, gift: medGift = false }: Valg): Generator<Kildemelding> {
  const kilde = new Kilde(new Tilfeldig(seed));
  for (let n = 0; n < antall; n++) {
    if (medGift && n % 97 === 96) yield gift(kilde.tilfeldig, Math.floor(n / 97));
    else if (medGift && n % 211 === 210) yield gravstein(kilde.neste());
    else yield kilde.neste();
  }
}

/**
 * The avtaler of `lagHendelser` with the same seed, changed again: seven in ten newer, the rest resent as they were or
 * with an older time.
 */
export function* lagOppdateringer({ antall, seed = 1 }: Omit<Valg, 'gift'>): Generator<Kildemelding> {
  const tilfeldig = new Tilfeldig(seed + 1_000_003);
  for (const { nokkel, verdi } of lagHendelser({ antall, seed })) {
    if (typeof verdi !== 'string') continue;
    const skjebne = tilfeldig.neste();
    if (skjebne < 0.15) yield { nokkel, verdi };
    else {
      const aar = skjebne < 0.3 ? -1 : 20;
      const flyttet = verdi.replace(
        /"sistEndret":"(\d{4})/,
        (_, tall: string) => `"sistEndret":"${String(Number(tall) + aar)}`,
      );
      yield { nokkel, verdi: flyttet.replace(/"bedriftNavn":"/, `"bedriftNavn":"NY ${String(tilfeldig.tall(0, 9))} `) };
    }
  }
}

type Handling = (kilde: Kilde, avtale: Avtale) => void;

/** What happens to an avtale, by how often. */
const FOER_INNGAAELSE: [number, Handling][] = [
  [30, (kilde, avtale) => kilde.autolagre(avtale)],
  [14, (kilde, avtale) => kilde.godkjennAvParter(avtale)],
  [16, (kilde, avtale) => kilde.inngaa(avtale)],
  [4, (kilde, avtale) => kilde.opphevGodkjenninger(avtale)],
  [5, (kilde, avtale) => kilde.annuller(avtale, 'Utløpt')],
  [3, (kilde, avtale) => kilde.annuller(avtale, 'Ikke møtt')],
  [2, (kilde, avtale) => kilde.slettmerk(avtale)],
  [6, (kilde, avtale) => kilde.endreStille(avtale)],
  [8, (kilde, avtale) => kilde.sendPaaNytt(avtale)],
];
const ETTER_INNGAAELSE: [number, Handling][] = [
  [16, (kilde, avtale) => kilde.forleng(avtale)],
  [10, (kilde, avtale) => kilde.forkort(avtale)],
  [18, (kilde, avtale) => kilde.endreVersjon(avtale)],
  [6, (kilde, avtale) => kilde.annuller(avtale, 'Begynt i arbeid')],
  [3, (kilde, avtale) => kilde.annuller(avtale, 'Feilregistrering')],
  [4, (kilde, avtale) => kilde.endreIArena(avtale)],
  [8, (kilde, avtale) => kilde.endreStille(avtale)],
  [14, (kilde, avtale) => kilde.sendPaaNytt(avtale)],
  [6, (kilde, avtale) => kilde.sendForeldet(avtale)],
  [15, (kilde, avtale) => kilde.glem(avtale)],
];
const ETTER_ANNULLERING: [number, Handling][] = [
  [12, (kilde, avtale) => kilde.endreIArena(avtale)],
  [12, (kilde, avtale) => kilde.sendPaaNytt(avtale)],
  [4, (kilde, avtale) => kilde.slettmerk(avtale)],
  [72, (kilde, avtale) => kilde.glem(avtale)],
];

/** The source: its database, its clock, and the messages that it has yet to send. */
class Kilde {
  readonly tilfeldig: Tilfeldig;
  private readonly avtaler: Avtale[] = [];
  private readonly usendt: Kildemelding[] = [];
  private readonly gamle: Kildemelding[] = [];
  private naa: Oyeblikk = { sekunder: BEGYNNELSE, nano: 0 };
  private nummer = 0;

  constructor(tilfeldig: Tilfeldig) {
    this.tilfeldig = tilfeldig;
  }

  neste(): Kildemelding {
    for (;;) {
      const melding = this.usendt.shift();
      if (melding) return melding;
      this.tiden(this.tilfeldig.tall(60, 4_500));
      if (this.avtaler.length < SAMTIDIGE && this.tilfeldig.sjanse(0.5)) this.opprett();
      else this.noeSkjer();
    }
  }

  private noeSkjer(): void {
    const avtale = this.avtaler[this.tilfeldig.tall(0, this.avtaler.length - 1)];
    if (!avtale) return this.opprett();
    const { annullertTidspunkt, avtaleInngått } = avtale.innhold;
    const mulige = annullertTidspunkt ? ETTER_ANNULLERING : avtaleInngått ? ETTER_INNGAAELSE : FOER_INNGAAELSE;
    if (avtale.start === undefined) return this.autolagre(avtale);
    let lodd = this.tilfeldig.neste() * mulige.reduce((sum, [vekt]) => sum + vekt, 0);
    mulige.find(([vekt]) => (lodd -= vekt) < 0)?.[1](this, avtale);
  }

  /** Passes, and at midnight the nightly job runs. */
  private tiden(sekunder: number): void {
    const foer = dato(this.naa.sekunder);
    this.naa = { sekunder: this.naa.sekunder + sekunder, nano: nano(this.tilfeldig) };
    if (dato(this.naa.sekunder) !== foer) this.nattjobb();
  }

  /** One transaction for all avtaler; until 2026-02-10 the messages carried the old sistEndret. */
  private nattjobb(): void {
    for (const avtale of this.avtaler) {
      const status = beregnStatus(avtale, this.naa);
      if (status === avtale.innhold.avtaleStatus || avtale.innhold.annullertTidspunkt) continue;
      if (this.naa.sekunder > 1_770_681_600) avtale.sistEndret = this.naa;
      avtale.innhold.avtaleStatus = status;
      this.send(avtale, 'STATUSENDRING', SYSTEM);
    }
  }

  opprett(): void {
    const avtale = nyAvtale(this.tilfeldig, this.nummer++, this.naa);
    this.avtaler.push(avtale);
    const fraArena = avtale.innhold.opphav === 'ARENA';
    this.send(avtale, fraArena ? 'OPPRETTET_AV_ARENA' : 'OPPRETTET', fraArena ? ARENA : this.veileder(avtale));
    // The database numbers it when it is inserted, after the message was made.
    avtale.innhold.avtaleNr = 1_000 + this.nummer * 3;
  }

  /** The UI saves as people write: a burst, seconds apart. */
  autolagre(avtale: Avtale): void {
    for (let n = this.tilfeldig.tall(1, 3); n > 0; n--) {
      this.naa = { sekunder: this.naa.sekunder + this.tilfeldig.tall(2, 9), nano: nano(this.tilfeldig) };
      fyllUt(this.tilfeldig, avtale, this.naa);
      this.lagre(avtale, ['ENDRET'], this.veileder(avtale));
    }
  }

  godkjennAvParter(avtale: Avtale): void {
    const paaVegne = this.tilfeldig.sjanse(0.3);
    Object.assign(avtale.innhold, {
      godkjentAvArbeidsgiver: oslotid(this.naa),
      godkjentAvDeltaker: oslotid(this.naa),
      godkjentPaVegneAv: paaVegne,
      godkjentPaVegneAvArbeidsgiver: paaVegne && this.tilfeldig.sjanse(0.5),
    });
    const { bedriftNr, deltakerFnr } = avtale.innhold;
    // Old messages name the person who approved for the employer.
    this.lagre(avtale, ['GODKJENT_AV_ARBEIDSGIVER'], {
      utførtAv: String(avtale.gammel ? deltakerFnr : bedriftNr),
      utførtAvRolle: 'ARBEIDSGIVER',
    });
  }

  inngaa(avtale: Avtale): void {
    const { innhold } = avtale;
    if (!innhold.godkjentAvArbeidsgiver) this.godkjennAvParter(avtale);
    const tid = oslotid(this.naa);
    Object.assign(innhold, {
      godkjentAvVeileder: tid,
      godkjentAvNavIdent: innhold.veilederNavIdent,
      avtaleInngått: tid,
      ikrafttredelsestidspunkt: tid,
    });
    if (innhold.tiltakstype !== 'ARBEIDSTRENING') {
      Object.assign(innhold, { godkjentAvBeslutter: tid, godkjentAvBeslutterNavIdent: 'Z992800' });
    }
    this.lagre(avtale, ['AVTALE_INNGÅTT', 'GODKJENT_AV_VEILEDER'], this.veileder(avtale));
  }

  opphevGodkjenninger(avtale: Avtale): void {
    // godkjentPaVegneAvArbeidsgiver is not cleared: so it is at the source.
    Object.assign(avtale.innhold, { godkjentAvDeltaker: null, godkjentAvArbeidsgiver: null, godkjentPaVegneAv: false });
    const begge = ['DELTAKERS_GODKJENNING_OPPHEVET_AV_VEILEDER', 'ARBEIDSGIVERS_GODKJENNING_OPPHEVET_AV_VEILEDER'];
    this.lagre(avtale, begge, this.veileder(avtale));
  }

  forleng(avtale: Avtale): void {
    avtale.slutt = Math.max(avtale.slutt ?? 0, this.naa.sekunder) + this.tilfeldig.tall(7, 200) * DOEGN;
    avtale.innhold.sluttDato = dato(avtale.slutt);
    this.nyVersjon(avtale, 'FORLENGE', 'AVTALE_FORLENGET');
  }

  /** Possibly to a day that has passed: it ends at once. */
  forkort(avtale: Avtale): void {
    avtale.slutt = Math.min(avtale.slutt ?? Infinity, this.naa.sekunder + this.tilfeldig.tall(-5, 30) * DOEGN);
    avtale.innhold.sluttDato = dato(avtale.slutt);
    this.nyVersjon(avtale, 'FORKORTE', 'AVTALE_FORKORTET', 'Fullført');
  }

  endreVersjon(avtale: Avtale): void {
    avtale.innhold.stillingprosent = this.tilfeldig.tall(10, 100);
    this.nyVersjon(avtale, 'ENDRE_STILLING', 'STILLINGSBESKRIVELSE_ENDRET');
  }

  annuller(avtale: Avtale, grunn: string): void {
    const feilregistrert = grunn === 'Feilregistrering' || grunn === 'Utløpt';
    Object.assign(avtale.innhold, {
      annullertTidspunkt: instant(this.naa),
      annullertGrunn: grunn,
      feilregistrert,
      // The old abort operation left the status AVBRUTT, and no time.
      ...(avtale.gammel && !feilregistrert && this.tilfeldig.sjanse(0.5) ? { annullertTidspunkt: null } : {}),
    });
    const avbrutt = avtale.innhold.annullertTidspunkt === null;
    this.lagre(
      avtale,
      ['ANNULLERT'],
      grunn === 'Utløpt' ? SYSTEM : this.veileder(avtale),
      avbrutt ? 'AVBRUTT' : undefined,
    );
    if (avbrutt) this.glem(avtale);
  }

  /** Arena clears what was approved, and what was annulled, but not the beslutter's approval. */
  endreIArena(avtale: Avtale): void {
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
    });
    this.nyVersjon(avtale, 'ENDRET_AV_ARENA', 'ENDRET_AV_ARENA');
  }

  slettmerk(avtale: Avtale): void {
    if (avtale.gammel) avtale.innhold.slettemerket = true;
    this.lagre(avtale, [avtale.gammel ? 'ANNULLERT' : 'AVTALE_SLETTET'], SYSTEM);
    this.glem(avtale);
  }

  /** Saved without a message; every other time not even sistEndret tells. */
  endreStille(avtale: Avtale): void {
    avtale.innhold.veilederNavIdent = `Z99${String(this.tilfeldig.tall(1_000, 9_999))}`;
    if (this.tilfeldig.sjanse(0.5)) return;
    avtale.sistEndret = this.naa;
    avtale.innhold.versjon = Number(avtale.innhold.versjon) + 1;
  }

  /** From the database: sistEndret is rounded, and the content is what it is now. */
  sendPaaNytt(avtale: Avtale): void {
    this.send(avtale, 'PATCH', SYSTEM, { fraDatabasen: true });
  }

  /** A bulk resend was read before a change that was published before it. */
  sendForeldet(avtale: Avtale): void {
    const { innhold, sistEndret } = avtale;
    const foer = {
      ...avtale,
      innhold: { ...innhold, bedriftNavn: 'FORELDET NAVN AS' },
      sistEndret: { ...sistEndret, sekunder: sistEndret.sekunder - this.tilfeldig.tall(1, 90_000) },
    };
    this.endreVersjon(avtale);
    this.send(foer, 'PATCH', SYSTEM, { fraDatabasen: true });
  }

  /** Nothing more happens to it, but for a late duplicate now and then. */
  glem(avtale: Avtale): void {
    this.avtaler.splice(this.avtaler.indexOf(avtale), 1);
    const duplikat = this.gamle.length > 50 && this.tilfeldig.sjanse(0.2) ? this.gamle.shift() : undefined;
    if (duplikat) this.usendt.push(duplikat);
  }

  private nyVersjon(
    avtale: Avtale,
    innholdType: string,
    hendelseType: string,
    forkortetGrunn: string | null = null,
  ): void {
    Object.assign(avtale.innhold, { innholdType, versjon: Number(avtale.innhold.versjon) + 1, journalpostId: null });
    this.lagre(
      avtale,
      [hendelseType],
      innholdType === 'ENDRET_AV_ARENA' ? ARENA : this.veileder(avtale),
      undefined,
      forkortetGrunn,
    );
  }

  /** One save, one or more messages with the same content. */
  private lagre(
    avtale: Avtale,
    hendelser: string[],
    utfoerer: Utfoerer,
    status?: string,
    forkortetGrunn: string | null = null,
  ): void {
    avtale.sistEndret = this.naa;
    avtale.innhold.avtaleStatus = this.tilfeldig.sjanse(0.003) ? 'PÅ_VENT' : (status ?? beregnStatus(avtale, this.naa));
    for (const hendelse of hendelser) this.send(avtale, hendelse, utfoerer, { forkortetGrunn });
  }

  private send(
    avtale: Avtale,
    hendelseType: string,
    utfoerer: Utfoerer,
    { fraDatabasen = false, forkortetGrunn = null }: { fraDatabasen?: boolean; forkortetGrunn?: string | null } = {},
  ): void {
    const innhold = { ...avtale.innhold, sistEndret: instant(avtale.sistEndret, fraDatabasen) };
    const ukjent = this.tilfeldig.sjanse(0.002) ? 'NY_HENDELSE_2027' : hendelseType;
    const hendelse: Hendelse = { hendelseType: ukjent, ...utfoerer, forkortetGrunn };
    const json = tilJson(innhold, hendelse, avtale.gammel);
    const verdi = this.tilfeldig.sjanse(0.005) ? `${json.slice(0, -1)},"etNyttFelt":{"a":[1]}}` : json;
    const melding = { nokkel: String(innhold.avtaleId), verdi };
    this.usendt.push(melding);
    if (this.gamle.length < 100) this.gamle.push(melding);
  }

  private veileder({ innhold }: Avtale): Utfoerer {
    return { utførtAv: String(innhold.veilederNavIdent ?? 'Z990000'), utførtAvRolle: 'VEILEDER' };
  }
}

type Utfoerer = Pick<Hendelse, 'utførtAv' | 'utførtAvRolle'>;
const SYSTEM: Utfoerer = { utførtAv: 'System', utførtAvRolle: 'SYSTEM' };
const ARENA: Utfoerer = { utførtAv: 'Arena', utførtAvRolle: 'SYSTEM' };
