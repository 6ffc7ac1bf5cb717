import pg from 'pg';
import { feilTilLogg, skjul } from './logg.ts';

test('a national ident is masked, shorter and longer numbers aside', () => {
  const ident = '12345678910';
  expect(skjul(`person ${ident} (${ident}1)`)).toBe('person *********** (***********)');
  expect(skjul('tid 1234567890')).toBe('tid 1234567890');
});

test('of a database error only what names things is logged', () => {
  const feil = new pg.DatabaseError('invalid input syntax for type date: "12345678910"', 10, 'error');
  Object.assign(feil, {
    code: '22007',
    severity: 'ERROR',
    detail: 'Key (deltaker_fnr)=(12345678910)',
    where: 'COPY avtale, line 1: "12345678910"',
    table: 'avtale',
    column: 'start_dato',
    constraint: 'x',
  });
  const logget = feilTilLogg(feil);
  expect(logget).toMatchObject({ code: '22007', table: 'avtale', column: 'start_dato', constraint: 'x' });
  expect(JSON.stringify(logget)).not.toContain('12345678910');
});

test('any other error keeps its message, masked, and its cause', () => {
  const feil = new Error('no avtale for 12345678910', { cause: new Error('deeper 12345678910') });
  const logget = JSON.stringify(feilTilLogg(feil));
  expect(logget).toContain('no avtale for ***********');
  expect(logget).toContain('deeper');
  expect(logget).not.toContain('12345678910');
});
