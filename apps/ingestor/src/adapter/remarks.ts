import { asJsonObject, type JsonObject } from '@tiltak/resource';
import type { FieldError } from '@tiltak/platform';
import type { Known } from './pushed/pushed.ts';

export const UNKNOWN_FIELDS = ['MELD', 'AVVIS'] as const;
/** What becomes of what the contract does not know: told in the answer, or refused. */
export type UnknownFields = (typeof UNKNOWN_FIELDS)[number];

export const REMARK_KINDS = ['UKJENT_FELT', 'UKJENT_KODE', 'TID_MED_FORSKYVNING'] as const;

/** What an adapter is told of entries that are taken. */
export interface Remark {
  slag: (typeof REMARK_KINDS)[number];
  /** as in `feil`, without the index */
  felt: string;
  /** the field that it seems to mean */
  mente: string | null;
  /** entries of the page */
  antall: number;
  /** index of the first of them */
  innslag: number;
}

/** Of a page, and of all pages: whoever sends a hundred has sent something else altogether. */
export const MAX_REMARKS = 100;

const HAS_OFFSET = /T.*(?:[zZ]|[+-]\d{2}(?::?\d{2})?)$/;
/** Gathers what is told of the entries of a page, and refuses what the contract wants refused. */
export class Remarks {
  private readonly found = new Map<string, Remark>();

  constructor(
    private readonly contract: Known,
    private readonly unknownFields: UnknownFields,
    private readonly errors: FieldError[],
  ) {}

  get list(): Remark[] {
    return [...this.found.values()];
  }

  /** Of something around the entries' content. @param path with a dot at its end when it is not empty */
  checkMembers(object: JsonObject, known: readonly string[], path: string, index: number): void {
    for (const name in object) {
      if (!known.includes(name)) this.addUnknown(path.replace(/\[\d+\]/, ''), name, closest(name, known), index, path);
    }
  }

  checkResource(content: JsonObject, path: string, index: number): void {
    const { members, objects, isUnknownCode, localTimes } = this.contract;
    for (const name in content) {
      if (!members.has(name)) {
        this.addUnknown('ressurser.ressurs.', name, meantBy(this.contract, name), index, `${path}.`);
      }
    }
    for (const [field, only] of objects) {
      const object = asJsonObject(content[field]);
      if (object) this.checkMembers(object, [only], `${path}.${field}.`, index);
    }
    for (const [field, isUnknown] of isUnknownCode) {
      const value = content[field];
      if (typeof value === 'string' && value !== '' && isUnknown(value)) {
        this.add({ slag: 'UKJENT_KODE', felt: `ressurser.ressurs.${field}`, mente: null }, index);
      }
    }
    for (const field of localTimes) {
      const value = content[field];
      if (typeof value !== 'string' || !HAS_OFFSET.test(value)) continue;
      this.refuseOrAdd(
        { slag: 'TID_MED_FORSKYVNING', felt: `ressurser.ressurs.${field}`, mente: null },
        { felt: `${path}.${field}`, melding: 'is local time in Norway, and must have no offset' },
        index,
      );
    }
  }

  private addUnknown(group: string, name: string, meant: string | null, index: number, path: string): void {
    const shown = shownName(name);
    this.refuseOrAdd(
      { slag: 'UKJENT_FELT', felt: `${group}${shown}`, mente: meant },
      {
        felt: `${path}${shown}`,
        melding: `is not a field of the contract${meant === null ? '' : `: did you mean ${meant}?`}`,
      },
      index,
    );
  }

  private refuseOrAdd(remark: Omit<Remark, 'antall' | 'innslag'>, error: FieldError, index: number): void {
    if (this.unknownFields === 'AVVIS') this.errors.push(error);
    else this.add(remark, index);
  }

  private add(remark: Omit<Remark, 'antall' | 'innslag'>, index: number): void {
    const key = `${remark.slag} ${remark.felt}`;
    const known = this.found.get(key);
    if (known) known.antall++;
    else if (this.found.size < MAX_REMARKS) this.found.set(key, { ...remark, antall: 1, innslag: index });
  }
}

/** A name is shown when it looks like one: where idents or people's names have become names of fields, they are not. */
function shownName(name: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$-]{0,59}$/u.test(name) && !/\d{6}/.test(name) ? name : '(a name that is not shown)';
}

/** The published name, another case, or other letters for å, ø and æ. */
function plain(name: string): string {
  return name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll('ø', 'o')
    .replaceAll('æ', 'ae')
    .replaceAll('aa', 'a')
    .replaceAll('oe', 'o')
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}

const byPlainName = new WeakMap<Known, ReadonlyMap<string, string>>();

function meantBy(contract: Known, name: string): string | null {
  let names = byPlainName.get(contract);
  if (!names) {
    const { members, otherNames } = contract;
    names = new Map([
      ...[...members].map((member) => [plain(member), member] as const),
      ...otherNames.map(([other, member]) => [plain(other), member] as const),
    ]);
    byPlainName.set(contract, names);
  }
  return names.get(plain(name)) ?? null;
}

function closest(name: string, known: readonly string[]): string | null {
  return known.find((other) => plain(other) === plain(name)) ?? null;
}
