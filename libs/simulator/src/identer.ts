import { syntheticFnr } from '@tiltak/testing';
import { Random } from './source/random.ts';
import type { SourceMessage } from './source/source-message.ts';

/** D numbers that no participant of `createEvents` has. */
const FIRST_DNR = 500_000;

/**
 * Messages of a person register about these idents, in the order of its topic: everyone has one ident at first; some had
 * a D number before, some get a correction that is taken back, and some turn out to be one person under two keys, of
 * which the one that goes gets a tombstone. The same idents and seed give the same bytes.
 */
export function* createIdentEvents(idents: Iterable<string>, seed = 1): Generator<SourceMessage> {
  const random = new Random(seed + 13);
  let before: { key: string; ident: string } | undefined;
  let n = 0;
  for (const ident of new Set(idents)) {
    const key = String(1_000_000_000_000 + n);
    const dnr = syntheticFnr(FIRST_DNR + n, 'DNR');
    const fate = random.next();
    n++;
    yield message(key, [ident]);
    if (fate < 0.2) yield message(key, [ident, dnr]);
    if (fate >= 0.2 && fate < 0.3 && before) {
      yield message(key, [ident, before.ident]);
      yield { key: before.key, value: null };
    }
    if (fate >= 0.3 && fate < 0.4 && before) {
      yield message(key, [ident, before.ident]);
      yield message(key, [ident]);
    }
    // Who has been joined with somebody is left alone.
    before = fate >= 0.2 && fate < 0.4 && before ? undefined : { key, ident };
  }
}

/** @param idents the current one first */
function message(key: string, idents: readonly string[]): SourceMessage {
  const national = idents.map((idnummer, i) => ({ idnummer, type: 'FOLKEREGISTERIDENT', gjeldende: i === 0 }));
  const identifikatorer = [...national, { idnummer: key, type: 'AKTORID', gjeldende: true }];
  return { key, value: JSON.stringify({ identifikatorer }) };
}

/** The participants' idents of messages of the source, each once; what isn't one of those is passed over. */
export async function participantsIn(
  messages: AsyncIterable<SourceMessage> | Iterable<SourceMessage>,
): Promise<Set<string>> {
  const idents = new Set<string>();
  for await (const { value } of messages) {
    const [, ident] = /"deltakerFnr":"(\d{11})"/.exec(String(value)) ?? [];
    if (ident !== undefined) idents.add(ident);
  }
  return idents;
}

/** What the messages come to: for each ident, all idents of the same person. An ident that is not there is alone. */
export function expectedPersons(messages: Iterable<SourceMessage>): Map<string, ReadonlySet<string>> {
  const last = new Map<string, string[]>();
  for (const { key, value } of messages) {
    const { identifikatorer = [] } = (JSON.parse(String(value)) ?? {}) as {
      identifikatorer?: { idnummer: string; type: string }[];
    };
    const idents = identifikatorer.flatMap(({ idnummer, type }) => (type === 'AKTORID' ? [] : [idnummer]));
    last.set(String(key), idents);
  }
  const persons = new Map<string, ReadonlySet<string>>();
  for (const idents of last.values()) {
    const person = new Set(idents.flatMap((ident) => [...(persons.get(ident) ?? [ident])]));
    for (const ident of person) persons.set(ident, person);
  }
  return persons;
}
