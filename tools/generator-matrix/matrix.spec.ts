import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { ROOT } from '@tiltak/testing';
import { parse } from 'yaml';
import { ANSWER_NAMES, readAnswers, type AnswerName } from './answers.ts';
import { CASES, judge, type Case } from './cases.ts';
import { clientsPage, readPage } from './document.ts';
import { GENERATORS, SETTINGS } from './generators.ts';
import { findWorse, readResults, type Results } from './results.ts';
import { startReplay } from './replay.ts';
import { readVersions } from './versions.ts';

/* eslint-disable @typescript-eslint/no-explicit-any -- the document, as it is walked by the answers */
const DOCUMENT = JSON.parse(readFileSync(join(ROOT, 'apps', 'query-api', 'openapi.json'), 'utf8'));
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ ...DOCUMENT, $id: 'dokument' });

const invalid = (schema: object, value: unknown): unknown => {
  const validate = ajv.compile(schema);
  return validate(value) ? [] : validate.errors;
};
const refsIn = (schema: object): object => JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"dokument#/'));

/** Of the operation that answered: a path of the document is a pattern of paths. */
function operationOf({ method, path }: { method: string; path: string }): any {
  const asked = path.split('?')[0] ?? '';
  const found = Object.entries(DOCUMENT.paths).find(([known]) =>
    new RegExp(`^${known.replace(/\{\w+\}/g, '[^/]+')}$`).test(asked),
  );
  return (found?.[1] as any)?.[method.toLowerCase()];
}

test('docs/clients.md is what the last runs say; else: npm run klientmatrise', async () => {
  expect(readPage()).toBe(await clientsPage());
  expect(Object.keys(readVersions()).filter((name) => readVersions()[name] === '')).toEqual([]);
});

test('every generator has been run in every case', () => {
  const results = readResults();
  const missing = GENERATORS.flatMap(({ name }) =>
    SETTINGS.flatMap((settings) => {
      const run = results[name]?.[settings];
      if (!run) return [`${name} ${settings}: not run`];
      if ('notBuilt' in run) return [];
      return CASES.filter((known) => !(known.name in run.cases)).map((known) => `${name} ${settings}: ${known.name}`);
    }),
  );
  expect(missing).toEqual([]);
});

test('with the settings that its section tells, every client reads all of it', () => {
  const wrong = Object.entries(readResults()).flatMap(([name, { anbefalt: run }]) =>
    run && 'cases' in run
      ? CASES.flatMap((known) => (run.cases[known.name].ok ? [] : [`${name}: ${known.name}`]))
      : [name],
  );
  expect(wrong).toEqual([]);
});

test.each(ANSWER_NAMES)('the recorded answer «%s» fits the document', (name: AnswerName) => {
  const answer = readAnswers()[name];
  const documented = operationOf(answer).responses[String(answer.status)];
  const type = answer.headers['content-type']?.split(';')[0];
  if (type === undefined) return expect([documented.content, answer.body]).toEqual([undefined, '']);
  const media = documented.content[type];
  if (type !== 'application/x-ndjson')
    return expect(invalid(refsIn(media.schema), JSON.parse(answer.body))).toEqual([]);
  expect(media.schema).toMatchObject({ type: 'string', format: 'binary' });
  const lines = answer.body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map((line) => invalid(refsIn(media['x-itemSchema']), line))).toEqual(lines.map(() => []));
  expect(lines.length).toBe(lines[0].antall + 1);
});

test('what the service took is what the document takes: lists that are left out or null, and none that is empty', () => {
  const { antall, 'null-lister': nulls, 'tom-liste': empty } = readAnswers();
  const fits = ({ requestBody }: { requestBody: string | null }): boolean =>
    ajv.validate({ $ref: 'dokument#/components/schemas/Sok' }, JSON.parse(requestBody ?? ''));
  expect([antall, nulls, empty].map((answer) => [answer.status, fits(answer)])).toEqual([
    [200, true],
    [200, true],
    [400, false],
  ]);
  expect(nulls.body).toBe(antall.body);
});

test('a client that loses what it was given is seen, in each case', async () => {
  const answers = readAnswers();
  const lossy: Record<Case, Record<string, unknown>> = {
    kjent: { avtaleId: 'en annen', tiltakstype: 'MENTOR' },
    'ny-verdi': { antall: 2, verdi: null },
    'nytt-felt': { antall: 0 },
    null: { nuller: { avtaleNr: false, startDato: false } },
    mikrosekunder: { tid: '2026-02-04T08:46:39.573Z' },
    304: { status: 200 },
    problem: { status: 410, type: '', nyStart: '' },
    eksport: { linjer: 1, form: 'a text' },
    liste: { antall: 0 },
  };
  for (const { name } of CASES) {
    expect([name, judge(name, lossy[name], [], answers).ok]).toEqual([name, false]);
    expect([name, judge(name, undefined, [], answers).ok]).toEqual([name, false]);
  }
  const replay = await startReplay(answers);
  try {
    const body = JSON.stringify({ antall: 20, personidenter: [] });
    const refused = await fetch(`${replay.url('liste')}/api/v1/avtaler/sok`, { method: 'POST', body });
    expect([refused.status, replay.takeBodies('liste')]).toEqual([400, [body]]);
  } finally {
    await replay.stop();
  }
});

test('what worked before and no longer does is told, and nothing else', () => {
  const outcomes = (wrong?: Case): Results => {
    const cases = CASES.map(({ name }) => [name, { ok: name !== wrong, seen: 'x' }] as const);
    return { go: { standard: { cases: Object.fromEntries(cases) as never } } };
  };
  expect(findWorse(outcomes(), outcomes('304'))).toEqual(['go, standard, 304: x']);
  expect(findWorse(outcomes('304'), outcomes())).toEqual([]);
  expect(findWorse(outcomes(), { go: { standard: { notBuilt: 'y' } } })).toEqual(['go, standard: y']);
});

test('every command of the nightly run is one of the project, and its number of passed is shown', () => {
  const { jobs } = parse(readFileSync(join(ROOT, '.github', 'workflows', 'nightly.yml'), 'utf8'));
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(jobs.test.strategy.matrix.run).toEqual(['test:feil', 'test:fuzz', 'test:klienter', 'klientmatrise']);
  expect(jobs.test.strategy.matrix.run.filter((name: string) => !(name in scripts))).toEqual([]);
});
