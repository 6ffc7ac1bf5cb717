import { createServer, type Server } from 'node:net';
import { freePort } from '@tiltak/testing';
import { requireFreePorts, parseOptions, StartError } from './options.ts';

const NAV = { name: 'nav', ports: { postgres: 15_432, queryApi: 3_000, ingestor: 3_001, revisor: 3_002 } };

test('what npm start does when nothing is said', () => {
  const { allPorts, ...options } = parseOptions([], {});
  const common = { KAFKA_PORT: 19_092, ISSUER_PORT: 8_090 };
  const counts = { queryApis: undefined, ingestors: 1, replica: false, standby: false };
  expect(options).toEqual({ empty: false, counts, data: undefined, organisasjoner: [NAV], ports: common });
  const own = { POSTGRES_PORT: 15_432, QUERY_API_PORT: 3_000, INGESTOR_PORT: 3_001, REVISOR_PORT: 3_002 };
  expect(allPorts).toEqual({ ...common, ...own });
});

test('what is said', () => {
  const env = { KAFKA_PORT: '9', INIT_CWD: '/et/sted' };
  const options = parseOptions(['--tom', '--data', 'her', '--organisasjoner', 'oslo'], env, ['oslo']);
  expect(options).toMatchObject({ empty: true, data: '/et/sted/her', organisasjoner: [{ name: 'oslo' }] });
  expect(options.ports.KAFKA_PORT).toBe(9);
});

test('how many processes there are', () => {
  expect(parseOptions(['--query-api', '3', '--ingestor', '2', '--replika', '--standby'], {}).counts).toEqual({
    queryApis: 3,
    ingestors: 2,
    replica: true,
    standby: true,
  });
});

test('each organisation has ports of its own, which follow the first unless they are set', () => {
  const args = ['--organisasjoner', 'nav,demo-fylke,oslo'];
  const { organisasjoner, allPorts } = parseOptions(args, { QUERY_API_PORT_OSLO: '4000' }, [
    ...['nav', 'demo-fylke', 'oslo'],
  ]);
  expect(organisasjoner).toEqual([
    NAV,
    { name: 'demo-fylke', ports: { postgres: 15_442, queryApi: 3_010, ingestor: 3_011, revisor: 3_012 } },
    { name: 'oslo', ports: { postgres: 15_452, queryApi: 4_000, ingestor: 3_021, revisor: 3_022 } },
  ]);
  expect(allPorts).toMatchObject({
    INGESTOR_PORT: 3_001,
    INGESTOR_PORT_DEMO_FYLKE: 3_011,
    QUERY_API_PORT_OSLO: 4_000,
  });
  expect(Object.keys(allPorts)).toHaveLength(2 + 3 * 4);
});

test.each([
  [['--finnes-ikke'], {}, /Unknown option '--finnes-ikke'.*Usage: npm start/],
  [['--organisasjoner', 'nav,Æ'], {}, /--organisasjoner: each must be/],
  [['--organisasjoner', 'nav,'], {}, /--organisasjoner: each must be/],
  [
    ['--organisasjoner', 'nav,norge'],
    {},
    /^--organisasjoner: there is no organisation norge, only: demo-fylke, nav\. npx nx g organisasjon norge makes it\.$/,
  ],
  [['--organisasjoner', 'nav,nav'], {}, /--organisasjoner: one stands twice/],
  [['--ingestor', '0'], {}, /^--ingestor must be a number of processes, 1 to 20$/],
  [['--query-api', 'to'], {}, /^--query-api must be a number of processes, 1 to 20$/],
  [[], { POSTGRES_PORT: 'femten' }, /^POSTGRES_PORT must be a port, 1 to 65535$/],
  [[], { POSTGRES_PORT: '70000' }, /^POSTGRES_PORT must be a port, 1 to 65535$/],
])('%j %j is refused in one sentence', (args, env, message) => {
  expect(() => parseOptions(args, env)).toThrow(StartError);
  expect(() => parseOptions(args, env)).toThrow(message);
});

describe('before anything starts', () => {
  let ports: Record<'KAFKA_PORT' | 'POSTGRES_PORT' | 'ISSUER_PORT' | 'QUERY_API_PORT' | 'INGESTOR_PORT', number>;
  beforeEach(async () => {
    const [KAFKA_PORT, POSTGRES_PORT, ISSUER_PORT, QUERY_API_PORT, INGESTOR_PORT] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    ports = { KAFKA_PORT, POSTGRES_PORT, ISSUER_PORT, QUERY_API_PORT, INGESTOR_PORT };
  });

  test('free ports are fine', () => requireFreePorts(ports));

  test('a taken one is named, with the variable that sets it', async () => {
    const busy = await new Promise<Server>((ready) => {
      const server = createServer().listen(ports.ISSUER_PORT, '127.0.0.1', () => ready(server));
    });
    try {
      await expect(requireFreePorts(ports)).rejects.toThrow(
        new StartError(
          `Port ${String(ports.ISSUER_PORT)} is taken. Stop what uses it, or set ISSUER_PORT to another port.`,
        ),
      );
    } finally {
      busy.close();
    }
  });

  test('one that is used for two things is named', async () => {
    await expect(requireFreePorts({ ...ports, KAFKA_PORT: ports.QUERY_API_PORT })).rejects.toThrow(
      /^KAFKA_PORT and QUERY_API_PORT are both \d+: set one of them to another port\.$/,
    );
  });
});
