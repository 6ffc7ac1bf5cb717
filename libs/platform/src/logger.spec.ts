import pg from 'pg';
import { errorForLog, maskIdents } from './logger.ts';

test('a national ident is masked, shorter and longer numbers aside', () => {
  const ident = '12345678910';
  expect(maskIdents(`person ${ident} (${ident}1)`)).toBe('person *********** (***********)');
  expect(maskIdents('tid 1234567890')).toBe('tid 1234567890');
});

test('of a database error only what names things is logged', () => {
  const error = new pg.DatabaseError('invalid input syntax for type date: "12345678910"', 10, 'error');
  Object.assign(error, {
    code: '22007',
    severity: 'ERROR',
    detail: 'Key (deltaker_fnr)=(12345678910)',
    where: 'COPY avtale, line 1: "12345678910"',
    table: 'avtale',
    column: 'start_dato',
    constraint: 'x',
  });
  const logged = errorForLog(error);
  expect(logged).toMatchObject({ code: '22007', table: 'avtale', column: 'start_dato', constraint: 'x' });
  expect(JSON.stringify(logged)).not.toContain('12345678910');
});

test('any other error keeps its message, masked, and its cause', () => {
  const error = new Error('no avtale for 12345678910', { cause: new Error('deeper 12345678910') });
  const logged = JSON.stringify(errorForLog(error));
  expect(logged).toContain('no avtale for ***********');
  expect(logged).toContain('deeper');
  expect(logged).not.toContain('12345678910');
});
