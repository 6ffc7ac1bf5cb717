import { syntheticOrgnr } from '@tiltak/testing';
import { Random } from '../source/random.ts';
import { createUnit, FORMS, struckOff, type RegisterUnit } from './unit.ts';

/** Of the register: main units, and establishments, which each have a file, a feed and addresses of their own. */
export const UNIT_KINDS = ['enheter', 'underenheter'] as const;
export type UnitKind = (typeof UNIT_KINDS)[number];

export interface RegisterUpdate {
  oppdateringsid: number;
  dato: string;
  organisasjonsnummer: string;
  endringstype: 'Ny' | 'Endring' | 'Sletting' | 'Fjernet' | 'Ukjent';
}

/** A unit that is there from the start, with the number and name that somebody needs it to have. */
export interface PlantedUnit {
  organisasjonsnummer: string;
  navn: string;
  /** of a main unit its form; an establishment has BEDR */
  organisasjonsform: string;
  overordnetEnhet?: string;
}

export interface RegisterOptions {
  /** units at the start, without those that are planted */
  count: number;
  seed?: number;
  /** the register's clock at the start */
  start?: Date;
  planted?: readonly PlantedUnit[];
}

const ACTIVE = 0;
const STRUCK = 1;
const REMOVED = 2;
const LOST = 3;

/**
 * A national register of units as it is published: main units and establishments, hierarchies of several levels, sole
 * traders, units that are struck off or removed. It changes when told to, each change is in a feed, and the same options
 * and steps give the same register. A unit is a few numbers, and is written out when it is asked for: a million fit.
 */
export class Register {
  private readonly random: Random;
  private readonly planted: readonly PlantedUnit[];
  /** of each unit, by its place */
  private readonly forms: number[] = [];
  private readonly parents: number[] = [];
  private readonly versions: number[] = [];
  private readonly states: number[] = [];
  private readonly struckDays: number[] = [];
  private readonly placeOf = new Map<string, number>();
  /** main units that may have others below them */
  private readonly above: number[] = [];
  private readonly updates: Record<UnitKind, RegisterUpdate[]> = { enheter: [], underenheter: [] };
  private nextId = 1_000;
  /** the register's clock, ms */
  now: number;

  constructor({ count, seed = 1, start = new Date('2026-01-05T04:00:00Z'), planted = [] }: RegisterOptions) {
    this.random = new Random(seed + 29);
    this.now = start.getTime();
    this.planted = planted;
    for (const unit of planted) this.plant(unit);
    for (let i = 0; i < count; i++) this.add();
  }

  get size(): number {
    return this.forms.length;
  }

  /** What the file of this moment holds: neither what is struck off nor what is removed. */
  *file(kind: UnitKind): Generator<RegisterUnit> {
    for (let place = 0; place < this.size; place++) {
      if (this.states[place] === ACTIVE && this.kindOf(place) === kind) yield this.unitAt(place);
    }
  }

  /** One unit as it is now; REMOVED when the register may not tell of it any more. */
  read(kind: UnitKind, organisasjonsnummer: string): RegisterUnit | 'REMOVED' | undefined {
    const place = this.placeOf.get(organisasjonsnummer);
    if (place === undefined || this.kindOf(place) !== kind || this.states[place] === LOST) return undefined;
    return this.states[place] === REMOVED ? 'REMOVED' : this.unitAt(place);
  }

  /** Of the feed, in its order. */
  updatesFrom(kind: UnitKind, from: { oppdateringsid?: number; dato?: number }): RegisterUpdate[] {
    const { oppdateringsid = 0, dato = 0 } = from;
    return this.updates[kind].filter(
      (update) => update.oppdateringsid >= oppdateringsid && Date.parse(update.dato) >= dato,
    );
  }

  /** Lets time go by, with that many changes in it. */
  change(count: number, everyMs = 1_000): void {
    for (let i = 0; i < count; i++) {
      this.now += everyMs;
      this.changeOne();
    }
  }

  /** The last of those that are in its files are gone from then on, and no feed tells of it. */
  lose(count: number): void {
    for (let place = this.size - 1, left = count; place >= 0 && left > 0; place--) {
      if (this.states[place] !== ACTIVE) continue;
      this.states[place] = LOST;
      left--;
    }
  }

  /** What somebody who has followed all of it knows: each unit that is not removed, whole, also when it is struck off. */
  *state(): Generator<{ unit: RegisterUnit; slettedato: string | undefined }> {
    for (let place = 0; place < this.size; place++) {
      if (this.states[place] === REMOVED || this.states[place] === LOST) continue;
      const { slettedato } = this.unitAt(place);
      yield { unit: this.wholeUnitAt(place), slettedato };
    }
  }

  private changeOne(): void {
    const what = this.random.draw(WHAT_HAPPENS) ?? 'Ukjent';
    if (what === 'Ny') {
      this.tell(this.add(), 'Ny');
      return;
    }
    let place = this.random.number(this.planted.length, this.size - 1);
    while (this.states[place] === LOST) place = this.random.number(this.planted.length, this.size - 1);
    // What is gone is gone, and the feed tells of it again now and then.
    if (this.states[place] !== ACTIVE || what === 'Ukjent') this.tell(place, 'Ukjent');
    else if (what === 'Sletting') this.end(place, STRUCK, 'Sletting');
    else if (what === 'Fjernet') this.end(place, REMOVED, 'Fjernet');
    else {
      if (what === 'Flyttet' && (this.parents[place] ?? -1) >= 0) this.parents[place] = this.pickParent(place);
      this.versions[place] = (this.versions[place] ?? 0) + 1;
      this.tell(place, 'Endring');
    }
  }

  private end(place: number, state: number, type: 'Sletting' | 'Fjernet'): void {
    this.states[place] = state;
    this.struckDays[place] = Math.floor(this.now / DAY_MS);
    this.tell(place, type);
  }

  private tell(place: number, endringstype: RegisterUpdate['endringstype']): void {
    this.updates[this.kindOf(place)].push({
      oppdateringsid: this.nextId++,
      dato: new Date(this.now).toISOString(),
      organisasjonsnummer: this.numberOf(place) ?? '',
      endringstype,
    });
  }

  private plant(unit: PlantedUnit): void {
    const { organisasjonsform, overordnetEnhet } = unit;
    const form = FORMS.findIndex(({ kode }) => kode === organisasjonsform);
    this.insert(Math.max(form, 0), overordnetEnhet === undefined ? -1 : (this.placeOf.get(overordnetEnhet) ?? -1));
  }

  private add(): number {
    const form = this.random.draw(FORM_LOT) ?? 0;
    const place = this.size;
    // Below another one when it is an establishment, or a part of an organisation.
    const hasParent = form === ESTABLISHMENT || form === PART;
    const parent = hasParent && this.above.length > 0 ? this.pickParent(place) : -1;
    return this.insert(form === ESTABLISHMENT && parent < 0 ? 0 : form, parent);
  }

  private insert(form: number, parent: number): number {
    const place = this.size;
    this.forms.push(form);
    this.parents.push(parent);
    this.versions.push(0);
    this.states.push(ACTIVE);
    this.struckDays.push(0);
    this.placeOf.set(this.numberOf(place) ?? '', place);
    if (form !== ESTABLISHMENT) this.above.push(place);
    return place;
  }

  /** One that came before it, so that nothing is above itself; the newest ones more often, which makes chains. */
  private pickParent(place: number): number {
    let end = this.above.length;
    while (end > 1 && (this.above[end - 1] ?? 0) >= place) end--;
    const from = this.random.chance(0.5) ? Math.max(0, end - 50) : 0;
    return this.above[this.random.number(from, end - 1)] ?? -1;
  }

  private kindOf(place: number): UnitKind {
    return this.forms[place] === ESTABLISHMENT ? 'underenheter' : 'enheter';
  }

  private numberOf(place: number): string | undefined {
    if (place < 0) return undefined;
    return this.planted[place]?.organisasjonsnummer ?? syntheticOrgnr(1_000_000 + place);
  }

  private unitAt(place: number): RegisterUnit {
    const unit = this.wholeUnitAt(place);
    return this.states[place] === STRUCK ? struckOff(unit, new Date((this.struckDays[place] ?? 0) * DAY_MS)) : unit;
  }

  private wholeUnitAt(place: number): RegisterUnit {
    return createUnit({
      organisasjonsnummer: this.numberOf(place) ?? '',
      navn: this.planted[place]?.navn,
      form: FORMS[this.forms[place] ?? 0] ?? FORMS[0],
      overordnetEnhet: this.numberOf(this.parents[place] ?? -1),
      place,
      version: this.versions[place] ?? 0,
    });
  }
}

const DAY_MS = 86_400_000;
const indexOf = (code: string): number => FORMS.findIndex((form) => form.kode === code);
const ESTABLISHMENT = indexOf('BEDR');
const PART = indexOf('ORGL');
const FORM_LOT = [
  [30, indexOf('AS')],
  [20, indexOf('ENK')],
  [4, indexOf('FLI')],
  [1, indexOf('KOMM')],
  [5, PART],
  [40, ESTABLISHMENT],
] as const;
const WHAT_HAPPENS = [
  [50, 'Endring'],
  [10, 'Flyttet'],
  [15, 'Ny'],
  [12, 'Sletting'],
  [3, 'Fjernet'],
  [10, 'Ukjent'],
] as const;
