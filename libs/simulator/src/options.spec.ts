import { readOptions } from './options.ts';

const STACK = { kafka: '127.0.0.1:19092', topic: 'avtaler' };

test('what is not said is taken from the local stack', () => {
  expect(readOptions(['--antall', '10'], {}, STACK)).toEqual({
    brokers: ['127.0.0.1:19092'],
    topic: 'avtaler',
    identer: false,
    source: { count: 10, seed: 1, poison: false },
    pace: undefined,
    state: undefined,
  });
  const all = ['--antall', '10', '--seed', '0', '--gift', '--takt', '5', '--topic', 'annen', '--tilstand', 'ut.json'];
  expect(readOptions(all, { KAFKA_BROKERS: 'a:1,b:2', INIT_CWD: '/tmp' }, undefined)).toEqual({
    brokers: ['a:1', 'b:2'],
    topic: 'annen',
    identer: false,
    source: { count: 10, seed: 0, poison: true },
    pace: 5,
    state: '/tmp/ut.json',
  });
});

test.each([
  [[], /^--antall or --fil is missing\. Usage: npm run simuler --/],
  [['--antall', '0'], /^--antall must be a whole number from 1/],
  [['--antall', 'mange'], /^--antall must be .*, not "mange"\.$/],
  [['--antall', '1', '--takt', '0.5'], /^--takt must be a whole number from 1/],
  [['--antall', '1', '--seed', 'x'], /^--seed must be a whole number from 0/],
  [['--fil', 'finnes-ikke.jsonl'], /^--fil: there is no file finnes-ikke\.jsonl\.$/],
  [['--fil', 'package.json', '--antall', '1'], /^--antall has no meaning with --fil/],
  [['--fil', 'package.json', '--gift'], /^--gift has no meaning with --fil/],
  [['--antall', '1', '--identer', '--tilstand', 'ut.json'], /^--tilstand has no meaning with --identer/],
  [['--antall', '1', '--identer'], /reads no person register/],
  [['--mengde', '1'], /'--mengde'/],
  [['--antall'], /--antall/],
])('%j is said to be wrong', (args, said) => {
  expect(() => readOptions(args, {}, STACK)).toThrow(said);
});

test('idents go to the topic of the person register', () => {
  const stack = { ...STACK, identTopic: 'identer' };
  expect(readOptions(['--antall', '1', '--identer'], {}, stack)).toMatchObject({ identer: true, topic: 'identer' });
});

test('without a stack, broker and topic must be said', () => {
  expect(() => readOptions(['--antall', '1'], {}, undefined)).toThrow('The local stack is not running');
  expect(() => readOptions(['--antall', '1'], { KAFKA_BROKERS: 'a:1' }, undefined)).toThrow(
    'The local stack is not running',
  );
});
