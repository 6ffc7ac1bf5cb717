import { createServer, type Server } from 'node:net';
import { ledigPort } from '@tiltak/testing';
import { krevLedigePorter, lesValg, Startfeil } from './valg.ts';

const NAV = { navn: 'nav', porter: { postgres: 15_432, queryApi: 3_000, ingestor: 3_001 } };

test('what npm start does when nothing is said', () => {
  const { allePorter, ...valg } = lesValg([], {});
  const felles = { KAFKA_PORT: 19_092, ISSUER_PORT: 8_090 };
  expect(valg).toEqual({ tom: false, data: undefined, organisasjoner: [NAV], porter: felles });
  expect(allePorter).toEqual({ ...felles, POSTGRES_PORT: 15_432, QUERY_API_PORT: 3_000, INGESTOR_PORT: 3_001 });
});

test('what is said', () => {
  const valg = lesValg(['--tom', '--data', 'her', '--organisasjoner', 'oslo'], {
    KAFKA_PORT: '9',
    INIT_CWD: '/et/sted',
  });
  expect(valg).toMatchObject({ tom: true, data: '/et/sted/her', organisasjoner: [{ navn: 'oslo' }] });
  expect(valg.porter.KAFKA_PORT).toBe(9);
});

test('each organisation has ports of its own, which follow the first unless they are set', () => {
  const argumenter = ['--organisasjoner', 'nav,demo-fylke,oslo'];
  const { organisasjoner, allePorter } = lesValg(argumenter, { QUERY_API_PORT_OSLO: '4000' });
  expect(organisasjoner).toEqual([
    NAV,
    { navn: 'demo-fylke', porter: { postgres: 15_442, queryApi: 3_010, ingestor: 3_011 } },
    { navn: 'oslo', porter: { postgres: 15_452, queryApi: 4_000, ingestor: 3_021 } },
  ]);
  expect(allePorter).toMatchObject({
    INGESTOR_PORT: 3_001,
    INGESTOR_PORT_DEMO_FYLKE: 3_011,
    QUERY_API_PORT_OSLO: 4_000,
  });
  expect(Object.keys(allePorter)).toHaveLength(2 + 3 * 3);
});

test.each([
  [['--finnes-ikke'], {}, /Unknown option '--finnes-ikke'.*Usage: npm start/],
  [['--organisasjoner', 'nav,Æ'], {}, /--organisasjoner: each must be/],
  [['--organisasjoner', 'nav,'], {}, /--organisasjoner: each must be/],
  [['--organisasjoner', 'nav,nav'], {}, /--organisasjoner: one stands twice/],
  [[], { POSTGRES_PORT: 'femten' }, /^POSTGRES_PORT must be a port, 1 to 65535$/],
  [[], { POSTGRES_PORT: '70000' }, /^POSTGRES_PORT must be a port, 1 to 65535$/],
])('%j %j is refused in one sentence', (argumenter, env, melding) => {
  expect(() => lesValg(argumenter, env)).toThrow(Startfeil);
  expect(() => lesValg(argumenter, env)).toThrow(melding);
});

describe('before anything starts', () => {
  let porter: Record<'KAFKA_PORT' | 'POSTGRES_PORT' | 'ISSUER_PORT' | 'QUERY_API_PORT' | 'INGESTOR_PORT', number>;
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
