import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';

const FILE = join(ROOT, 'tools', 'generator-matrix', 'fixtures', 'answers.json');

/** A request to the running query-api, and what it answered. */
export interface Answer {
  method: string;
  /** with its query */
  path: string;
  /** without the token */
  requestHeaders: Record<string, string>;
  requestBody: string | null;
  status: number;
  headers: Record<string, string>;
  /** as it was sent, not packed */
  body: string;
}

export const ANSWER_NAMES = [
  'avtale',
  'uendret',
  'side',
  'fleste-null',
  'antall',
  'null-lister',
  'tom-liste',
  'utgaatt',
  'eksport',
] as const;
export type AnswerName = (typeof ANSWER_NAMES)[number];
export type Answers = Record<AnswerName, Answer>;

export function readAnswers(): Answers {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Answers;
}

export function writeAnswers(answers: Answers): void {
  writeFileSync(FILE, `${JSON.stringify(answers, null, 2)}\n`);
}
