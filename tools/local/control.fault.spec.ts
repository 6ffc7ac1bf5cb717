import { join } from 'node:path';
import { createWorkDir, freePort, PostgresGroup } from '@tiltak/testing';
import { System } from '../e2e/system.ts';
import { startControl } from './control.ts';
import { RunningOrganisasjon } from './running-organisasjon.ts';
import { ShutdownStack } from './shutdown-stack.ts';

test('processes join and leave while the stack runs, and its standby is promoted, at addresses that stay', async () => {
  const { directory, clean } = createWorkDir('stakk');
  const logFile = (name: string): string => join(directory, `${name}.log`);
  const group = await PostgresGroup.start({ directory, logFile, standby: true, replica: true });
  const system = await System.create({ group });
  const stack = new ShutdownStack();
  try {
    const running = new RunningOrganisasjon(stack, {
      surroundings: system.env,
      group,
      queryApiEnv: {},
      ingestorEnv: {},
    });
    const [queryApi, ingestor, revisor] = [await freePort(), await freePort(), await freePort()];
    const ports = { postgres: group.primary.port, queryApi, ingestor, revisor };
    await running.start({ queryApis: 1, ingestors: 1, standby: true, replica: true }, ports);
    const control = await startControl([running]);
    stack.remember('the control', control, control.stop);
    const address = running.ready().queryApi;
    const count = (): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const { name } of running.ready().processes) counts[name] = (counts[name] ?? 0) + 1;
      return counts;
    };
    const tell = async (...words: string[]): Promise<number> => {
      const { status } = await fetch(`${control.url}${words.join('/')}`, { method: 'POST' });
      // A new connection each time: the address must have somebody to pass it to.
      expect((await fetch(`${address}/internal/isalive`, { headers: { connection: 'close' } })).status).toBe(200);
      return status;
    };
    const database = { postgres: 1, standby: 1, replica: 1 };
    expect(count()).toEqual({ ...database, revisor: 1, ingestor: 1, 'query-api': 1 });
    expect([await tell('nav', 'query-api', '+1'), await tell('nav', 'ingestor', '+1')]).toEqual([200, 200]);
    expect(count()).toEqual({ ...database, revisor: 1, ingestor: 2, 'query-api': 2 });
    const [first] = running.ready().processes.filter(({ name }) => name === 'postgres');
    expect([
      await tell('nav', 'promoter'),
      await tell('nav', 'query-api', '-1'),
      await tell('nav', 'ingestor', '-1'),
    ]).toEqual([200, 200, 200]);
    expect(count()).toEqual({ ...database, revisor: 1, ingestor: 1, 'query-api': 1 });
    expect(running.ready().processes).not.toContainEqual(first);
    expect([await tell('oslo', 'query-api', '+1'), await tell('nav', 'query-api', '+0')]).toEqual([404, 404]);
    expect((await fetch(new URL('/nav/ingestor/-1', control.url), { method: 'POST' })).status).toBe(404);
    expect(await system.sql('select 1 as n')).toEqual([{ n: 1 }]);
  } finally {
    await stack.stop();
    await system.stop();
    await group.stop();
    clean();
  }
}, 300_000);
