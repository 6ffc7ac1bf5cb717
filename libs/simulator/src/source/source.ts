import { roundTimes, computeStatus, newAvtale, drawType, type SourceAvtale, type Parties } from './avtale.ts';
import { epoch } from './epochs.ts';
import { toJson, type Event, type SourceContent, type SourceMessage } from './source-message.ts';
import { DAY_SECONDS, isWeekend, isClockChange, midnight, Moment, randomNano, type Day } from './clock.ts';
import type { Random } from './random.ts';
import { UNKNOWN_TILTAKSTYPE } from './tiltakstyper.ts';

/** Who did it, as the message says. */
export type Performer = Pick<Event, 'utførtAv' | 'utførtAvRolle'>;

/** The source: its clock, the avtaler that something can still happen to, and the messages it has not sent yet. */
export class Source {
  readonly random: Random;
  readonly avtaler = new Set<SourceAvtale>();
  day: Day = 0;
  now = new Moment(0, 0);
  private readonly rate: number;
  private readonly unsent: SourceMessage[] = [];
  private personer = 0;
  private avtaleNr = 1_000;

  /** `rate`: how many times faster than in life things happen, so that a large run has no more avtaler at once. */
  constructor(random: Random, rate: number) {
    this.random = random;
    this.rate = rate;
  }

  begin(day: Day): void {
    this.day = day;
    this.setClock(0);
  }

  /** Sets the clock to `second` after midnight of this day, and a bit. */
  setClock(second: number): void {
    this.now = new Moment(midnight(this.day) + second, randomNano(this.random));
  }

  wait(from: number, to: number): void {
    this.now = new Moment(this.now.seconds + this.random.number(from, to), randomNano(this.random));
  }

  /** A second of today in which someone may be at work. */
  workingHours(): number {
    // Few work on a Sunday night, but those hours are the ones to get wrong.
    if (isClockChange(this.day) && this.random.chance(0.5)) return this.random.number(3_600, 5 * 3_600);
    if (isWeekend(this.day) || this.random.chance(0.05)) return this.random.number(0, DAY_SECONDS - 7_200);
    return this.random.number(7 * 3_600, 17 * 3_600);
  }

  /** Something happens to it next in so many days. */
  scheduleNext(avtale: SourceAvtale, from: number, to: number): void {
    avtale.next = this.day + this.days(this.random.number(from, to));
  }

  /** So many days, at the speed of this run; at least one. */
  days(count: number): number {
    return Math.max(1, Math.round(count / this.rate));
  }

  /** New, not yet saved. Three in ten are about someone who has had one before, most of these not long ago. */
  newAvtale(): SourceAvtale {
    const isKnown = this.personer > 0 && this.random.chance(0.3);
    const person = isKnown ? this.earlierPerson() : this.personer++;
    return newAvtale(this.random, {
      ...drawType(this.random, this.day),
      parties: this.parties(person),
      now: this.now,
    });
  }

  newPerson(): Parties {
    return this.parties(this.personer++);
  }

  private earlierPerson(): number {
    const recent = this.random.chance(0.6);
    return this.random.number(recent ? Math.max(0, this.personer - 200) : 0, this.personer - 1);
  }

  private parties(person: number): Parties {
    const bedrifter = 1 + Math.floor(this.personer / 4);
    return {
      person,
      mentor: this.random.number(500_000, 509_999),
      bedrift: this.random.number(0, bedrifter),
      veileder: this.random.number(0, 400),
    };
  }

  /** The human number, which the database gives when it inserts; not dense. */
  nextNumber(): number {
    return (this.avtaleNr += this.random.number(1, 7));
  }

  /**
   * One save: a new sistEndret, the status computed again, and one message for each hendelse, equal but for what the
   * hendelse adds.
   */
  save(avtale: SourceAvtale, events: string[], actor: Performer, forkortetGrunn: string | null = null): void {
    avtale.content.avtaleStatus = this.random.chance(0.002) ? 'PÅ_VENT' : computeStatus(avtale, this.day);
    avtale.content.sistEndret = this.now;
    for (const event of events) this.send(avtale.content, event, actor, forkortetGrunn);
    roundTimes(avtale.content);
  }

  /** Saved by a way that tells nobody. */
  saveSilently(avtale: SourceAvtale, change: Partial<SourceContent>): void {
    Object.assign(avtale.content, change, { sistEndret: this.now });
    roundTimes(avtale.content);
  }

  send(content: SourceContent, hendelseType: string, actor: Performer, forkortetGrunn: string | null = null): void {
    const unknown = this.day >= epoch.unknownValues && this.random.chance(0.01);
    const event = { ...actor, hendelseType: unknown ? 'NY_HENDELSE_2027' : hendelseType, forkortetGrunn };
    const extra = content.tiltakstype === UNKNOWN_TILTAKSTYPE ? { etNyttFelt: { values: [1, 'to', null] } } : {};
    const message = { key: content.avtaleId, value: toJson(content, event, this.day, extra) };
    this.unsent.push(message);
    // Sent again by a producer that did not hear that it had arrived.
    if (this.random.chance(0.003)) this.unsent.push(message);
  }

  /** What has been sent since the last time. */
  drain(): SourceMessage[] {
    return this.unsent.splice(0);
  }
}
