import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorkDir } from '@tiltak/testing';
import { readNew, lastLogLines } from './log-watch.ts';

const { directory, clean } = createWorkDir('spec');
afterAll(clean);

const line = (level: string, message: string): string => `${JSON.stringify({ level, message })}\n`;

test('only warnings and errors are mentioned, each once, and none before its line is whole', () => {
  const file = join(directory, 'app.log');
  const log = { file, bytesRead: 0 };
  expect(readNew(log)).toEqual([]);
  appendFileSync(file, line('info', 'alt vel') + line('warn', 'pass på') + 'ikke JSON\n{"level":"err');
  expect(readNew(log)).toEqual(['warn: pass på']);
  appendFileSync(file, 'or","message":"galt"}\n');
  expect(readNew(log)).toEqual(['error: galt']);
  expect(readNew(log)).toEqual([]);
});

test('the last lines', () => {
  const file = join(directory, 'linjer.log');
  appendFileSync(file, 'a\nb\nc\n');
  expect(lastLogLines(file, 2)).toBe('b\nc');
  expect(lastLogLines(join(directory, 'finnes-ikke.log'))).toBe('');
});
