import { createServer, type Server } from 'node:net';
import { ledigPort } from '@tiltak/testing';
import { krevLedigePorter, lesValg, Startfeil } from './valg.ts';

test('what npm start does when nothing is said', () => {
  expect(lesValg([], {})).toEqual({
    tom: false,
    data: undefined,
    organisasjon: 'nav',
    porter: {
      KAFKA_PORT: 19_092,
      POSTGRES_PORT: 15_432,
      ISSUER_PORT: 8_090,
      QUERY_API_PORT: 3_000,
      INGESTOR_PORT: 3_001,
    },
  });
});

test('what is said', () => {
  const valg = lesValg(['--tom', '--data', 'her', '--organisasjon', 'oslo'], { KAFKA_PORT: '9', INIT_CWD: '/et/sted' });
  expect(valg).toMatchObject({ tom: true, data: '/et/sted/her', organisasjon: 'oslo', porter: { KAFKA_PORT: 9 } });
});

test.each([
  [['--finnes-ikke'], {}, /Unknown option '--finnes-ikke'.*Usage: npm start/],
  [['--organisasjon', 'Æ'], {}, /--organisasjon must be/],
  [[], { POSTGRES_PORT: 'femten' }, /^POSTGRES_PORT must be a port, 1 to 65535$/],
  [[], { POSTGRES_PORT: '70000' }, /^POSTGRES_PORT must be a port, 1 to 65535$/],
])('%j %j is refused in one sentence', (argumenter, env, melding) => {
  expect(() => lesValg(argumenter, env)).toThrow(Startfeil);
  expect(() => lesValg(argumenter, env)).toThrow(melding);
});

describe('before anything starts', () => {
  let porter: Parameters<typeof krevLedigePorter>[0];
  beforeEach(async () => {
    const [KAFKA_PORT, POSTGRES_PORT, ISSUER_PORT, QUERY_API_PORT, INGESTOR_PORT] = [
      await ledigPort(),
      await ledigPort(),
      await ledigPort(),
      await ledigPort(),
      await ledigPort(),
    ];
    porter = { KAFKA_PORT, POSTGRES_PORT, ISSUER_PORT, QUERY_API_PORT, INGESTOR_PORT };
  });

  test('free ports are fine', () => krevLedigePorter(porter));

  test('a taken one is named, with the variable that sets it', async () => {
    const opptatt = await new Promise<Server>((klar) => {
      const server = createServer().listen(porter.ISSUER_PORT, '127.0.0.1', () => klar(server));
    });
    try {
      await expect(krevLedigePorter(porter)).rejects.toThrow(
        new Startfeil(
          `Port ${String(porter.ISSUER_PORT)} is taken. Stop what uses it, or set ISSUER_PORT to another port.`,
        ),
      );
    } finally {
      opptatt.close();
    }
  });

  test('one that is used for two things is named', async () => {
    await expect(krevLedigePorter({ ...porter, KAFKA_PORT: porter.QUERY_API_PORT })).rejects.toThrow(
      /^KAFKA_PORT and QUERY_API_PORT are both \d+: set one of them to another port\.$/,
    );
  });
});
