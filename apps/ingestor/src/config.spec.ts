import { readEnvironment } from '@tiltak/platform';
import { SCHEMA } from './config.ts';

const TOPICS = ['KAFKA_TOPIC', 'IDENT_TOPIC', 'VIRKSOMHET_TOPIC', 'TRIGGER_TOPIC'];
const PAIRS = TOPICS.flatMap((one, i) => TOPICS.slice(i + 1).map((other) => [one, other] as const));

test.each(PAIRS)(
  '%s and %s are two topics: of one, each message would be read as the one or the other',
  (one, other) => {
    expect(() => readEnvironment(SCHEMA, { [one]: 'x', [other]: 'x' })).toThrow(
      `${one} and ${other} must not be the same`,
    );
    expect(() => readEnvironment(SCHEMA, { [one]: 'x', [other]: 'y' })).not.toThrow('must not be the same');
  },
);
