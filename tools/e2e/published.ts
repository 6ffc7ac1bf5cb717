import { expected, type ExpectedAvtale } from '@tiltak/simulator';
import type { Placement } from '@tiltak/testing';
import type { PublishedMessage } from './system.ts';

/** ms since 1970, both of this process */
interface Moments {
  sentAt: number;
  /** when the broker had said that it is kept; Infinity while nobody knows */
  ackedAt: number;
}

type Told = PublishedMessage & Placement & Moments;

/** What of an avtale tells its states apart. */
export interface Seen {
  avtaleId: string;
  sistEndret: string;
  versjon?: number | null;
  deltakerFnr?: string | null;
}

const NONE = 'nothing';

/** What had been published of each avtale, and when: from it follows what an answer may say, and what it may not. */
export class Published {
  private readonly byAvtale = new Map<string, About>();
  private readonly order: string[] = [];

  note(messages: readonly PublishedMessage[], placements: readonly Placement[], moments: Moments): void {
    for (const [i, message] of messages.entries()) {
      const [place, key] = [placements[i], message.key?.toString().toLowerCase()];
      if (!place || key === undefined) continue;
      const about = this.byAvtale.get(key) ?? newAbout();
      this.byAvtale.set(key, about);
      about.told.push({ ...message, ...place, ...moments });
      this.order.push(key);
    }
  }

  /** avtaleIder of what was published last, the last one first. */
  latest(count: number): string[] {
    return [...new Set(this.order.slice(-count).reverse())];
  }

  /**
   * What is wrong with an answer about an avtale, if anything is: it must hold all that the broker had kept at the moment
   * that it promises, and nothing that was sent after it came.
   *
   * @param seen undefined: it was not among what was answered with
   * @param promised Data-Oppdatert of the answer
   */
  objection(avtaleId: string, seen: Seen | undefined, promised: number, answeredAt: number): string | undefined {
    const allowed = this.between(avtaleId, promised, answeredAt).map(identity);
    const actual = identity(seen);
    if (allowed.includes(actual)) return undefined;
    const moments = `promised ${new Date(promised).toISOString()}, answered ${new Date(answeredAt).toISOString()}`;
    return `${avtaleId}: served ${actual}, may be ${[...new Set(allowed)].join(' or ')} (${moments})`;
  }

  /** The one person who certainly had the avtale in all of that time; undefined when it had none, or another in between. */
  personOf(avtaleId: string, promised: number, answeredAt: number): string | undefined {
    const persons = new Set(
      this.between(avtaleId, promised, answeredAt).map((state) => state?.deltakerFnr ?? undefined),
    );
    return persons.size === 1 ? [...persons][0] : undefined;
  }

  private between(avtaleId: string, promised: number, answeredAt: number): (ExpectedAvtale | undefined)[] {
    const about = this.byAvtale.get(avtaleId);
    if (!about) return [undefined];
    const { told, states } = about;
    const least = told.findLastIndex(({ ackedAt }) => ackedAt <= promised) + 1;
    const most = told.findLastIndex(({ sentAt }) => sentAt <= answeredAt) + 1;
    while (states.length <= most) goOn(about, avtaleId);
    return states.slice(Math.min(least, most), most + 1);
  }
}

interface About {
  told: Told[];
  /** after so many of them */
  states: (ExpectedAvtale | undefined)[];
  /** those that still decide: to read all of them again for each state keeps this process from anything else */
  decisive: Told[];
}

const newAbout = (): About => ({ told: [], states: [undefined], decisive: [] });

/** One state more. */
function goOn({ told, states, decisive }: About, avtaleId: string): void {
  const next = told[states.length - 1];
  if (!next) throw new Error('There are no more messages');
  const before = afterAll(decisive, avtaleId);
  const after = afterAll([...decisive, next], avtaleId);
  if (next.value === null) decisive.splice(0, decisive.length, ...decisive.filter(({ value }) => value !== null), next);
  else if (after.decidedBy !== before.decidedBy) decisive.splice(0, decisive.length, next);
  states.push(after.visible);
}

/** As consumers see it: what is wrongly registered, they don't. */
function afterAll(told: Told[], avtaleId: string): { visible: ExpectedAvtale | undefined; decidedBy: string } {
  const { avtaler, slettet: deleted } = expected(told);
  const avtale = avtaler.get(avtaleId);
  return {
    visible: avtale && !avtale.feilregistrert ? avtale : undefined,
    decidedBy: JSON.stringify([avtale, deleted.has(avtaleId), deleted.get(avtaleId)]),
  };
}

function identity(state: Omit<Seen, 'avtaleId'> | undefined): string {
  if (!state) return NONE;
  return `${instant(state.sistEndret)} version ${String(state.versjon ?? null)}`;
}

/** The same text for the same moment, to the microsecond, however it is written. */
function instant(text: string): string {
  const [, seconds = '', fraction = '', zone = ''] = /^(.{19})(?:\.(\d+))?(.+)$/.exec(text) ?? [];
  const whole = new Date(`${seconds}${zone}`);
  return `${whole.toISOString().slice(0, 19)}.${fraction.padEnd(6, '0')}Z`;
}
