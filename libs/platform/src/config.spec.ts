import { tmpdir } from 'node:os';
import {
  databaseVariables,
  commonVariables,
  filePath,
  hosts,
  integer,
  ConfigError,
  readEnvironment,
  list,
  port,
  toMarkdown,
  text,
  url,
  oneOf,
} from './config.ts';

const schema = {
  NAVN: text({ description: 'a name', pattern: /^[a-z]+$/ }),
  PORT: port({ description: 'a port', default: 8080 }),
  ANTALL: integer({ description: 'a number', default: 3, min: 1, max: 5 }),
  ADRESSE: url({ description: 'an address', default: 'http://localhost' }),
  NIVAA: oneOf(['lav', 'høy'], { description: 'a level', default: 'lav' }),
  MEGLERE: list({ description: 'brokers', default: [] }),
  FIL: filePath({ description: 'a file', optional: true }),
};
const FILE = import.meta.filename;

test('values, standards and what is optional', () => {
  expect(readEnvironment(schema, { NAVN: 'kari', ANTALL: '5', MEGLERE: 'a:1, b:2', PORT: '' })).toEqual({
    NAVN: 'kari',
    PORT: 8080,
    ANTALL: 5,
    ADRESSE: 'http://localhost',
    NIVAA: 'lav',
    MEGLERE: ['a:1', 'b:2'],
    FIL: undefined,
  });
});

test.each([
  [{}, 'NAVN is missing: a name'],
  [{ NAVN: 'KARI' }, 'NAVN must be text like ^[a-z]+$: a name'],
  [{ NAVN: 'k', PORT: '99999' }, 'PORT must be a whole number from 0 to 65535: a port'],
  [{ NAVN: 'k', PORT: '80.5' }, 'PORT must be a whole number from 0 to 65535: a port'],
  [{ NAVN: 'k', ANTALL: '0' }, 'ANTALL must be a whole number from 1 to 5: a number'],
  [{ NAVN: 'k', ADRESSE: 'ftp://x' }, 'ADRESSE must be a URL, http or https: an address'],
  [{ NAVN: 'k', NIVAA: 'middels' }, 'NIVAA must be one of lav, høy: a level'],
  [{ NAVN: 'k', MEGLERE: 'a,,b' }, 'MEGLERE must be a list separated by commas: brokers'],
  [{ NAVN: 'k', FIL: '/finnes/ikke' }, 'FIL must be the path of a file that exists: a file'],
  [{ NAVN: 'k', FIL: tmpdir() }, 'FIL must be the path of a file that exists: a file'],
])('%j: %s', (env, error) => {
  expect(() => readEnvironment(schema, env)).toThrow(new ConfigError([error]));
});

test('what must be apart is, also from what is not set', () => {
  const apart = { apart: 'EMNE' };
  const topics = {
    A: text({ description: 'one', default: 'en', ...apart }),
    B: text({ description: 'another', optional: true, ...apart }),
    C: text({ description: 'a third', optional: true, ...apart }),
    D: text({ description: 'something else', optional: true }),
  };
  expect(readEnvironment(topics, { D: 'en' })).toEqual({ A: 'en', B: undefined, C: undefined, D: 'en' });
  expect(readEnvironment(topics, { B: 'to', C: 'tre' })).toMatchObject({ A: 'en', B: 'to', C: 'tre' });
  expect(() => readEnvironment(topics, { C: 'en' })).toThrow(new ConfigError(['A and C must not be the same']));
});

test.each([
  ['a', [{ host: 'a' }]],
  ['a, b.c-d:6432', [{ host: 'a' }, { host: 'b.c-d', port: 6432 }]],
  ['10.0.0.1,[::1]:5433', [{ host: '10.0.0.1' }, { host: '::1', port: 5433 }]],
  ['', undefined],
])('hosts: %j', (text, found) => {
  expect(readEnvironment({ REPLIKAER: hosts({ description: 'hosts', optional: true }) }, { REPLIKAER: text })).toEqual({
    REPLIKAER: found,
  });
});

test.each(['a,', 'a,a', 'a:0', 'a:70000', 'a b', 'postgres://a', 'a:1:2'])('hosts are not %j', (text) => {
  expect(() =>
    readEnvironment({ REPLIKAER: hosts({ description: 'read here', optional: true }) }, { REPLIKAER: text }),
  ).toThrow(
    new ConfigError(['REPLIKAER must be hosts, each as host or host:port, separated by commas, none twice: read here']),
  );
});

test.each<[Record<string, string>, string[]]>([
  [{}, []],
  [{ A: FILE, B: FILE, C: FILE }, []],
  [{ A: FILE, B: FILE }, ['C is missing: it is set together with A and B']],
  [{ C: FILE, A: '' }, ['A is missing: it is set together with C', 'B is missing: it is set together with C']],
])('what belongs together is set together: %j', (env, errors) => {
  const member = filePath({ description: 'a part', optional: true, group: 'mTLS' });
  const read = (): unknown => readEnvironment({ A: member, B: member, C: member }, env);
  if (errors.length === 0) expect(read).not.toThrow();
  else expect(read).toThrow(new ConfigError(errors));
});

test('everything that is wrong is told at once, and never the value', () => {
  const env = { ORGANISASJON: 'Hemmelig!', DB_PASSWORD: 'hemmelig', DB_PORT: 'hemmelig', LOG_LEVEL: 'hemmelig' };
  try {
    readEnvironment({ ...commonVariables, ...databaseVariables }, env);
  } catch (error) {
    const { errors: lines } = error as ConfigError;
    expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual([
      'DB_DATABASE',
      'DB_HOST',
      'DB_PORT',
      'DB_USERNAME',
      'LOG_LEVEL',
      'ORGANISASJON',
    ]);
    expect(lines.join('\n').toLowerCase()).not.toContain('hemmelig');
    return;
  }
  throw new Error('nothing was wrong');
});

test('a schema documents itself', () => {
  const { NAVN: NAME, ANTALL: COUNT, FIL: FILE, NIVAA: LEVEL } = schema;
  expect(toMarkdown({ NAVN: NAME, ANTALL: COUNT, FIL: FILE, NIVAA: LEVEL })).toBe(
    [
      '| Variable | Meaning | Value | Default |',
      '| --- | --- | --- | --- |',
      '| `NAVN` | a name | text like ^[a-z]+$ | **required** |',
      '| `ANTALL` | a number | a whole number from 1 to 5 | `3` |',
      '| `FIL` | a file | the path of a file that exists | optional |',
      '| `NIVAA` | a level | one of lav, høy | `lav` |',
      '',
    ].join('\n'),
  );
});
