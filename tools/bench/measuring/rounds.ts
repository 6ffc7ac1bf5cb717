import { conditionsBetween, disturbancesOf, sampleMachine, type Conditions } from './machine.ts';

/** Which of the two goes first: ABBA, so that what grows or warms up over time favours neither. */
export function systemFirst(round: number): boolean {
  return round % 2 === 0;
}

export interface RoundOptions {
  rounds: number;
  /** before each measurement: until nothing of what was done before is still going on */
  settle: () => Promise<void>;
  /** how many rounds may be taken again; half as many as there are, unless told */
  spare?: number;
  /** why a round is taken again, for who waits */
  tell?: (text: string) => void;
}

/** One time that everything of a benchmark is measured, system and limit beside each other. */
export class Round {
  readonly nr: number;
  /** why it says nothing; empty when all went well */
  readonly troubles: string[] = [];
  readonly conditions: Conditions[] = [];
  private readonly settle: () => Promise<void>;

  constructor(nr: number, settle: () => Promise<void>) {
    this.nr = nr;
    this.settle = settle;
  }

  /** On a settled machine; what others did on it meanwhile is noted. */
  async measure<T>(work: () => Promise<T>): Promise<T> {
    await this.settle();
    const from = sampleMachine();
    const value = await work();
    const conditions = conditionsBetween(from, sampleMachine());
    this.conditions.push(conditions);
    this.troubles.push(...disturbancesOf(conditions));
    return value;
  }

  /** One after the other, and the other way around in the next round. */
  async pair<S, L>(system: () => Promise<S>, limit: () => Promise<L>): Promise<{ system: S; limit: L }> {
    if (systemFirst(this.nr)) return { system: await this.measure(system), limit: await this.measure(limit) };
    const first = await this.measure(limit);
    return { system: await this.measure(system), limit: first };
  }
}

export interface TakenRounds<T> {
  values: T[];
  /** of the rounds that count */
  troubles: string[];
  conditions: Conditions[];
  /** rounds that were thrown away and taken again */
  thrownAway: number;
}

/**
 * Takes a round again when the generator was late in it or others used the machine. When there are no more to spare it is
 * kept, and its troubles are told with the result.
 */
export async function takeRounds<T>(
  { rounds, settle, spare = Math.ceil(rounds / 2), tell = console.error }: RoundOptions,
  take: (round: Round) => Promise<T>,
): Promise<TakenRounds<T>> {
  const taken: TakenRounds<T> = { values: [], troubles: [], conditions: [], thrownAway: 0 };
  while (taken.values.length < rounds) {
    const round = new Round(taken.values.length, settle);
    const value = await take(round);
    if (round.troubles.length > 0 && taken.thrownAway < spare) {
      taken.thrownAway++;
      tell(`Round ${String(round.nr + 1)} is taken again: ${round.troubles.join('; ')}`);
      continue;
    }
    taken.values.push(value);
    taken.troubles.push(...round.troubles.map((trouble) => `round ${String(round.nr + 1)}: ${trouble}`));
    taken.conditions.push(...round.conditions);
  }
  return taken;
}

/** Beyond these an even load was not even: it waited for the generator, and not for the system. */
const MAX_LATE_P99_MS = 10;
const MAX_LATE_MS = 80;

/** Why the load says nothing; empty when it was as even as it should be. */
export function latenessOf({ p99, max }: { p99: number; max: number }): string[] {
  if (p99 <= MAX_LATE_P99_MS && max <= MAX_LATE_MS) return [];
  return [`the generator was late: ${p99.toFixed(1)} ms at p99, ${max.toFixed(0)} ms at most`];
}
