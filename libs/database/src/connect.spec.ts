import { DatabaseError } from 'pg';
import { isTransient } from './connect.ts';

function withCode(code: string): Error {
  return Object.assign(new Error('x'), { code });
}

function fromPostgres(code: string): Error {
  return Object.assign(new DatabaseError('x', 1, 'error'), { code });
}

test.each([
  ['the connection is refused', withCode('ECONNREFUSED')],
  ['the connection is reset', withCode('ECONNRESET')],
  ['the name is not known for now', withCode('EAI_AGAIN')],
  ['there are no more files', withCode('EMFILE')],
  ['the certificate has expired', withCode('CERT_HAS_EXPIRED')],
  ['there is no TLS', new Error('The server does not support SSL connections')],
  ['a connection ended', new Error('Connection terminated unexpectedly')],
  ['no connection came free', new Error('timeout exceeded when trying to connect')],
  ['the pool is ended', new Error('Cannot use a pool after calling end on the pool')],
  ['it goes down', fromPostgres('57P01')],
  ['it is read-only, as after a failover', fromPostgres('25006')],
  ['the time limit has passed', fromPostgres('57014')],
  ['a lock was waited for too long', fromPostgres('55P03')],
  ['there is a deadlock', fromPostgres('40P01')],
  ['the disk is full', fromPostgres('53100')],
])('may pass: %s', (_, error) => expect(isTransient(error)).toBe(true));

test.each([
  ['a fault of ours', new TypeError('x is not a function')],
  ['a row that is refused', fromPostgres('23514')],
  ['a value that can not be read', fromPostgres('22P02')],
  ['a table that is not there', fromPostgres('42P01')],
  ['a right that is missing', fromPostgres('42501')],
  ['what is no error', 'ECONNREFUSED'],
])('does not pass: %s', (_, error) => expect(isTransient(error)).toBe(false));
