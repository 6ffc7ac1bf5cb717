import { readAnswers, type Answers } from './answers.ts';

/** What a client must be able to read, or to ask. */
export const CASES = [
  { name: 'kjent', title: 'what is known', holds: 'an avtale as the service answers it today' },
  {
    name: 'ny-verdi',
    title: 'new value',
    holds: 'a page with a `tiltakstype` that is not in the document: all else in it is read',
  },
  { name: 'nytt-felt', title: 'new field', holds: 'a page where an avtale has a field that is not in the document' },
  { name: 'null', title: 'nulls', holds: 'the avtale with the most nulls: null is told from a value' },
  { name: 'mikrosekunder', title: 'µs', holds: 'times keep their microseconds' },
  { name: '304', title: '304', holds: 'a caller with `If-None-Match` sees that the answer was 304' },
  {
    name: 'problem',
    title: 'problem',
    holds: 'the status 410, `type` and `nyStart` of a problem+json reach the caller',
  },
  { name: 'eksport', title: 'export', holds: 'all lines of the export reach the caller, as they are' },
  { name: 'liste', title: 'lists left out', holds: 'a search with `antall` and nothing else sends no empty list' },
] as const;

export type Case = (typeof CASES)[number]['name'];

export const isCase = (name: string): name is Case => CASES.some((known) => known.name === name);

/** What the program in the client's language has seen: facts, that are judged here, the same for all. */
export type Facts = Record<string, unknown>;

export interface Outcome {
  ok: boolean;
  /** what was seen, short: how it is given when it went well, what came instead when it did not */
  seen: string;
}

/** @param bodies what the client sent in this case */
export function judge(
  name: Case,
  facts: Facts | undefined,
  bodies: string[],
  answers: Answers = readAnswers(),
): Outcome {
  if (!facts) return { ok: false, seen: 'no answer of the program' };
  if (typeof facts['error'] === 'string') return { ok: false, seen: firstSentence(facts['error']) };
  return JUDGES[name](facts, answers, bodies);
}

type Judge = (facts: Facts, answers: Answers, bodies: string[]) => Outcome;

const avtaleOf = (body: string): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>;

const JUDGES: Record<Case, Judge> = {
  kjent: ({ avtaleId, tiltakstype }, { avtale }) => {
    const expected = avtaleOf(avtale.body);
    const ok = avtaleId === expected['avtaleId'] && tiltakstype === expected['tiltakstype'];
    return { ok, seen: ok ? '' : `${text(avtaleId)}, ${text(tiltakstype)}` };
  },
  'ny-verdi': ({ antall, verdi }) => ({ ok: antall === 3, seen: `given as \`${text(verdi)}\`` }),
  'nytt-felt': ({ antall }) => ({ ok: antall === 3, seen: antall === 3 ? '' : `${text(antall)} avtaler` }),
  null: ({ nuller }, answers) => {
    const avtale = avtaleOf(answers['fleste-null'].body);
    const given = nuller as Record<string, boolean>;
    const wrong = Object.keys(given).filter((field) => given[field] !== (avtale[field] === null));
    return { ok: wrong.length === 0, seen: wrong.length === 0 ? '' : `not so: ${wrong.join(', ')}` };
  },
  mikrosekunder: ({ tid }, { avtale }) => {
    const [, fraction = ''] = /\.(\d+)/.exec(text(tid)) ?? [];
    const [, expected = ''] = /\.(\d+)/.exec(text(avtaleOf(avtale.body)['sistEndret'])) ?? [];
    const ok = fraction.replace(/0+$/, '') === expected;
    return { ok, seen: ok ? '' : `\`.${expected}\` is read as \`.${fraction}\`` };
  },
  304: ({ status }) => ({ ok: status === 304, seen: status === 304 ? '' : text(status) }),
  problem: ({ status, type, nyStart, form }) => {
    const ok = status === 410 && text(type).startsWith('urn:') && nyStart === '/api/v1/eksport';
    return { ok, seen: ok ? text(form) : [status, type, nyStart].map(text).join(', ') };
  },
  eksport: ({ linjer: lines, form }, { eksport }) => {
    const ok = lines === eksport.body.trim().split('\n').length;
    return { ok, seen: ok ? text(form) : `${text(lines)} lines, ${text(form)}` };
  },
  liste: ({ antall }, answers, bodies) => {
    const { avtaler } = JSON.parse(answers.antall.body) as { avtaler: unknown[] };
    const ok = antall === avtaler.length;
    return { ok, seen: ok ? `sends \`${bodies.at(-1)?.trim() ?? ''}\`` : text(antall) };
  },
};

const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));

/** Of what an exception says: places and idents of this run don't belong in what is kept. */
function firstSentence(message: string): string {
  const line = message.split('\n').find((candidate) => candidate.trim() !== '') ?? '';
  const cleaned = line
    .trim()
    .replace(/127\.0\.0\.1:\d+/g, 'host')
    .replace(/ JSON: .*/, '')
    .replace(/@[0-9a-f]{6,}\b/g, '')
    .replace(/[|`<>]/g, '');
  return cleaned.length > 140 ? `${cleaned.slice(0, 139)}…` : cleaned;
}
