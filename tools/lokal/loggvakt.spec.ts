import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { lagArbeidsmappe } from '@tiltak/testing';
import { lesNytt, sisteLinjer } from './loggvakt.ts';

const { katalog, rydd } = lagArbeidsmappe('spec');
afterAll(rydd);

const linje = (level: string, message: string): string => `${JSON.stringify({ level, message })}\n`;

test('only warnings and errors are mentioned, each once, and none before its line is whole', () => {
  const fil = join(katalog, 'app.log');
  const logg = { fil, lest: 0 };
  expect(lesNytt(logg)).toEqual([]);
  appendFileSync(fil, linje('info', 'alt vel') + linje('warn', 'pass på') + 'ikke JSON\n{"level":"err');
  expect(lesNytt(logg)).toEqual(['warn: pass på']);
  appendFileSync(fil, 'or","message":"galt"}\n');
  expect(lesNytt(logg)).toEqual(['error: galt']);
  expect(lesNytt(logg)).toEqual([]);
});

test('the last lines', () => {
  const fil = join(katalog, 'linjer.log');
  appendFileSync(fil, 'a\nb\nc\n');
  expect(sisteLinjer(fil, 2)).toBe('b\nc');
  expect(sisteLinjer(join(katalog, 'finnes-ikke.log'))).toBe('');
});
