import { avrundTider, beregnStatus, nyAvtale, trekkType, type Avtale, type Parter } from './avtale.ts';
import { epoke } from './epoker.ts';
import { tilJson, type Hendelse, type Innhold, type Kildemelding } from './kildemelding.ts';
import { DOEGN, erHelg, erKlokkeskifte, midnatt, Tidspunkt, tilfeldigNano, type Dag } from './klokke.ts';
import type { Tilfeldig } from './tilfeldig.ts';
import { UKJENT_TILTAKSTYPE } from './tiltakstyper.ts';

/** Who did it, as the message says. */
export type Utfoerer = Pick<Hendelse, 'utførtAv' | 'utførtAvRolle'>;

/** The source: its clock, the avtaler that something can still happen to, and the messages it has not sent yet. */
export class Kilde {
  readonly tilfeldig: Tilfeldig;
  readonly avtaler = new Set<Avtale>();
  dag: Dag = 0;
  naa = new Tidspunkt(0, 0);
  private readonly fart: number;
  private readonly usendt: Kildemelding[] = [];
  private personer = 0;
  private nummer = 1_000;

  /** `fart`: how many times faster than in life things happen, so that a large run has no more avtaler at once. */
  constructor(tilfeldig: Tilfeldig, fart: number) {
    this.tilfeldig = tilfeldig;
    this.fart = fart;
  }

  begynn(dag: Dag): void {
    this.dag = dag;
    this.stillKlokken(0);
  }

  /** Sets the clock to `sekund` after midnight of this day, and a bit. */
  stillKlokken(sekund: number): void {
    this.naa = new Tidspunkt(midnatt(this.dag) + sekund, tilfeldigNano(this.tilfeldig));
  }

  vent(fra: number, til: number): void {
    this.naa = new Tidspunkt(this.naa.sekunder + this.tilfeldig.tall(fra, til), tilfeldigNano(this.tilfeldig));
  }

  /** A second of today in which someone may be at work. */
  arbeidstid(): number {
    // Few work on a Sunday night, but those hours are the ones to get wrong.
    if (erKlokkeskifte(this.dag) && this.tilfeldig.sjanse(0.5)) return this.tilfeldig.tall(3_600, 5 * 3_600);
    if (erHelg(this.dag) || this.tilfeldig.sjanse(0.05)) return this.tilfeldig.tall(0, DOEGN - 7_200);
    return this.tilfeldig.tall(7 * 3_600, 17 * 3_600);
  }

  /** Something happens to it next in so many days. */
  om(avtale: Avtale, fra: number, til: number): void {
    avtale.neste = this.dag + this.dager(this.tilfeldig.tall(fra, til));
  }

  /** So many days, at the speed of this run; at least one. */
  dager(antall: number): number {
    return Math.max(1, Math.round(antall / this.fart));
  }

  /** New, not yet saved. Three in ten are about someone who has had one before, most of these not long ago. */
  nyAvtale(): Avtale {
    const igjen = this.personer > 0 && this.tilfeldig.sjanse(0.3);
    const person = igjen ? this.tidligerePerson() : this.personer++;
    return nyAvtale(this.tilfeldig, {
      ...trekkType(this.tilfeldig, this.dag),
      parter: this.parter(person),
      naa: this.naa,
    });
  }

  nyPerson(): Parter {
    return this.parter(this.personer++);
  }

  private tidligerePerson(): number {
    const nylig = this.tilfeldig.sjanse(0.6);
    return this.tilfeldig.tall(nylig ? Math.max(0, this.personer - 200) : 0, this.personer - 1);
  }

  private parter(person: number): Parter {
    const bedrifter = 1 + Math.floor(this.personer / 4);
    return {
      person,
      mentor: this.tilfeldig.tall(500_000, 509_999),
      bedrift: this.tilfeldig.tall(0, bedrifter),
      veileder: this.tilfeldig.tall(0, 400),
    };
  }

  /** The human number, which the database gives when it inserts; not dense. */
  nesteNummer(): number {
    return (this.nummer += this.tilfeldig.tall(1, 7));
  }

  /**
   * One save: a new sistEndret, the status computed again, and one message for each hendelse, equal but for what the
   * hendelse adds.
   */
  lagre(avtale: Avtale, hendelser: string[], utfoerer: Utfoerer, forkortetGrunn: string | null = null): void {
    avtale.innhold.avtaleStatus = this.tilfeldig.sjanse(0.002) ? 'PÅ_VENT' : beregnStatus(avtale, this.dag);
    avtale.innhold.sistEndret = this.naa;
    for (const hendelse of hendelser) this.send(avtale.innhold, hendelse, utfoerer, forkortetGrunn);
    avrundTider(avtale.innhold);
  }

  /** Saved by a way that tells nobody. */
  lagreStille(avtale: Avtale, endring: Partial<Innhold>): void {
    Object.assign(avtale.innhold, endring, { sistEndret: this.naa });
    avrundTider(avtale.innhold);
  }

  send(innhold: Innhold, hendelseType: string, utfoerer: Utfoerer, forkortetGrunn: string | null = null): void {
    const ukjent = this.dag >= epoke.ukjent && this.tilfeldig.sjanse(0.01);
    const hendelse = { ...utfoerer, hendelseType: ukjent ? 'NY_HENDELSE_2027' : hendelseType, forkortetGrunn };
    const ekstra = innhold.tiltakstype === UKJENT_TILTAKSTYPE ? { etNyttFelt: { verdier: [1, 'to', null] } } : {};
    const melding = { nokkel: innhold.avtaleId, verdi: tilJson(innhold, hendelse, this.dag, ekstra) };
    this.usendt.push(melding);
    // Sent again by a producer that did not hear that it had arrived.
    if (this.tilfeldig.sjanse(0.003)) this.usendt.push(melding);
  }

  /** What has been sent since the last time. */
  toem(): Kildemelding[] {
    return this.usendt.splice(0);
  }
}
