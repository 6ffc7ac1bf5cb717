import { join } from 'node:path';
import { Problem, readEnvironment } from '@tiltak/platform';
import { ROOT } from '@tiltak/testing';
import fc from 'fast-check';
import { SCHEMA } from '../config.ts';
import { createQueryApi } from '../query-api.ts';
import { Cursors } from './cursor.ts';

const cursors = new Cursors('ab'.repeat(32));
const ident = (n: number): string => String(n).padStart(11, '0');
const search = (n: number): unknown => ['konsument', 'sokAvtaler', [['personidenter', [ident(n)]]]];
const seal = (cursor: string): string => Buffer.from(cursor, 'base64url').subarray(0, 16).toString('hex');

test('a cursor is read with its own search, and refused with any other', () => {
  fc.assert(
    fc.property(fc.nat(99_999), fc.nat(99_999), fc.uuid(), (n, other, after) => {
      const cursor = cursors.encode(search(n), after);
      expect(cursors.decode(search(n), cursor)).toBe(after);
      if (n !== other) expect(() => cursors.decode(search(other), cursor)).toThrow(Problem);
    }),
  );
});

test('a cursor with any byte changed is refused', () => {
  const bytes = Buffer.from(cursors.encode(search(1), '00000000-0000-4000-8000-000000000001'), 'base64url');
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i] = (changed[i] ?? 0) ^ 1;
    expect(() => cursors.decode(search(1), changed.toString('base64url'))).toThrow(Problem);
  }
});

test('without the key nobody can tell which person a cursor was asked for, by trying them all', () => {
  const after = '00000000-0000-4000-8000-000000000001';
  const secret = cursors.encode(search(4711), after);
  // Who knows all of this but the key: another key tells nothing of the person who was searched for.
  const guesses = Array.from({ length: 10_000 }, (_, n) => seal(new Cursors('cd'.repeat(32)).encode(search(n), after)));
  expect(guesses).not.toContain(seal(secret));
  expect(secret).not.toContain(Buffer.from(ident(4711)).toString('base64url'));
});

test('with a new key, pages begin again', () => {
  const old = cursors.encode(search(1), '00000000-0000-4000-8000-000000000001');
  expect(() => new Cursors('cd'.repeat(32)).decode(search(1), old)).toThrow(
    expect.objectContaining({
      extras: { feil: [{ felt: 'neste', melding: expect.stringContaining('begin again without it') }] },
    }),
  );
});

describe('the key', () => {
  const create = (env: Record<string, string>): unknown =>
    createQueryApi(
      readEnvironment(SCHEMA, {
        ...{ ORGANISASJON: 'nav', HOST: '127.0.0.1', DB_HOST: '127.0.0.1', DB_DATABASE: 'x', DB_USERNAME: 'x' },
        ...{ DB_PASSWORD: 'x', DELTAKER_ID_NOEKKEL: 'ab'.repeat(32), AZURE_APP_CLIENT_ID: 'x' },
        ...{ AZURE_OPENID_CONFIG_ISSUER: 'http://127.0.0.1', AZURE_OPENID_CONFIG_JWKS_URI: 'http://127.0.0.1' },
        KONSUMENTER_FIL: join(ROOT, 'tools', 'local', 'konsumenter.yaml'),
        ...env,
      }),
    );

  test('is needed, but on one machine', () => {
    expect(() => create({})).not.toThrow();
    for (const place of [{ HOST: '0.0.0.0' }, { DB_HOST: 'database' }]) {
      expect(() => create(place)).toThrow('MARKOER_NOEKKEL is missing');
      expect(() => create({ ...place, MARKOER_NOEKKEL: 'cd'.repeat(32) })).not.toThrow();
    }
  });
});
