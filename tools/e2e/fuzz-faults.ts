import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { createEvents } from '@tiltak/simulator';
import { waitUntil } from '@tiltak/testing';
import type { App } from '../local/apps.ts';
import { sendOtherwise, type FuzzWorld } from './fuzz-world.ts';

/** A whole number from 0 to below `below`, from the seed. */
export type Draw = (below: number) => number;

/** Something that goes wrong, and how it is made good again. They may be under way together. */
export interface FuzzFault {
  name: string;
  /** only one of those with the same word at a time: they would stand in each other's way */
  on: 'ingestor' | 'query-api' | 'database' | 'replica' | 'broker' | 'messages';
  apply: Apply;
}

/** @returns what heals it */
type Apply = (world: FuzzWorld, draw: Draw) => Promise<() => Promise<unknown>>;

const nothing = (): Promise<void> => Promise.resolve();

/** One of them, taken out of those that the world has. */
function take(apps: App[], draw: Draw): App {
  const [app] = apps.splice(draw(apps.length), 1);
  if (!app) throw new Error('All of them have been taken');
  return app;
}

const stopped = (apps: 'ingestors' | 'queryApis'): Apply => {
  return (world, draw) => {
    const app = world[apps][draw(world[apps].length)];
    if (app) process.kill(app.proc.pid, 'SIGSTOP');
    return Promise.resolve(() => Promise.resolve(app && process.kill(app.proc.pid, 'SIGCONT')));
  };
};

const ended = (how: 'kill' | 'stop'): Apply => {
  return async (world, draw) => {
    const app = take(world.ingestors, draw);
    await app.proc[how]();
    return async () => world.ingestors.push(await world.system.startIngestor());
  };
};

const promoted = (silent: boolean): Apply => {
  return async ({ group }) => {
    await group.failOver({ silent });
    return () => group.addStandby();
  };
};

/** A session of the database that does something and hangs. */
async function hanging({ group, system }: FuzzWorld, sql: string): Promise<() => Promise<void>> {
  const url = new URL(group.primary.url);
  url.pathname = `/${system.env.database.database}`;
  const client = new pg.Client({ connectionString: url.href });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('begin');
  await client.query(sql);
  return async () => {
    await client.query('rollback').catch(() => undefined);
    await client.end();
  };
}

async function onPrimary({ group }: FuzzWorld, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: group.primary.url });
  await client.connect();
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    await client.end();
  }
}

const deletions = (world: FuzzWorld, count: number): { key: string; value: null }[] =>
  world.system.history
    .latest(2_000)
    .slice(-count)
    .map((key) => ({ key, value: null }));

const madeUp = (): { key: string; value: string } => {
  const avtaleId = randomUUID();
  return { key: avtaleId, value: JSON.stringify({ avtaleId, sistEndret: new Date().toISOString(), avtaleNr: 2 }) };
};

const FAULTS: readonly FuzzFault[] = [
  { name: 'an ingestor is killed', on: 'ingestor', apply: ended('kill') },
  { name: 'an ingestor leaves', on: 'ingestor', apply: ended('stop') },
  { name: 'an ingestor stands still', on: 'ingestor', apply: stopped('ingestors') },
  {
    name: 'a query-api is killed',
    on: 'query-api',
    apply: async (world, draw) => {
      await take(world.queryApis, draw).proc.kill();
      return async () => {
        const app = await world.system.startQueryApi();
        world.address.join(app);
        world.queryApis.push(app);
      };
    },
  },
  { name: 'a query-api stands still', on: 'query-api', apply: stopped('queryApis') },
  {
    name: 'the address of the query-apis goes silent',
    on: 'query-api',
    apply: ({ address }, draw) => {
      address.front.silence();
      return Promise.resolve(() => Promise.resolve(address.front.restore({ old: draw(2) === 0 })));
    },
  },
  {
    name: 'the database is killed',
    on: 'database',
    apply: async ({ group }) => {
      await group.primary.kill();
      return () => group.primary.restart();
    },
  },
  { name: 'a standby is promoted', on: 'database', apply: promoted(false) },
  { name: 'a standby is promoted in silence', on: 'database', apply: promoted(true) },
  {
    name: 'connections to the database go silent',
    on: 'database',
    apply: ({ group }, draw) => {
      group.front?.silence();
      return Promise.resolve(() => Promise.resolve(group.front?.restore({ old: draw(2) === 0 })));
    },
  },
  {
    name: 'the database can only be read',
    on: 'database',
    apply: async (world) => {
      await onPrimary(world, 'alter system set default_transaction_read_only = on', 'select pg_reload_conf()');
      return () =>
        onPrimary(
          world,
          'set default_transaction_read_only = off',
          'alter system reset default_transaction_read_only',
          'select pg_reload_conf()',
        );
    },
  },
  { name: 'the audit is locked', on: 'database', apply: (world) => hanging(world, 'lock table oppslag') },
  {
    name: 'a transaction holds avtaler and hangs',
    on: 'database',
    apply: (world) => hanging(world, 'select from avtale order by avtale_id limit 50 for update'),
  },
  {
    name: 'the replica lags',
    on: 'replica',
    apply: async ({ group }) => {
      await group.replica?.pause();
      return async () => group.replica?.resume();
    },
  },
  {
    name: 'the replica is killed',
    on: 'replica',
    apply: async ({ group }) => {
      await group.replica?.kill();
      return async () => group.replica?.restart();
    },
  },
  {
    name: 'the broker is killed',
    on: 'broker',
    apply: async ({ kafka }) => {
      await kafka.kill();
      return () => kafka.restart();
    },
  },
  {
    name: 'a packed batch',
    on: 'messages',
    apply: async (world) => {
      await sendOtherwise(world, Array.from({ length: 50 }, madeUp), 'packed');
      return nothing;
    },
  },
  {
    name: 'a transaction that comes to nothing',
    on: 'messages',
    apply: async (world, draw) => {
      await sendOtherwise(world, deletions(world, 20), 'aborted', draw(4) * 1_000);
      return nothing;
    },
  },
  {
    name: 'messages that can not be used',
    on: 'messages',
    apply: async ({ system }, draw) => {
      await system.publishUntilKept([...createEvents({ count: 300, seed: 1_000 + draw(1_000), poison: true })]);
      return nothing;
    },
  },
  {
    name: 'tombstones',
    on: 'messages',
    apply: async (world) => {
      await world.system.publishUntilKept(deletions(world, 30));
      return nothing;
    },
  },
  {
    name: 'a partition is added',
    on: 'messages',
    apply: async ({ system }) => {
      await system.addPartition();
      return nothing;
    },
  },
];

/** Any of them. */
export function drawFault(draw: Draw): FuzzFault | undefined {
  return FAULTS[draw(FAULTS.length)];
}

/** Makes it good, at the first attempt that works: another fault may stand in the way of the first ones. */
export async function healed(heal: () => Promise<unknown>): Promise<void> {
  await waitUntil(
    () =>
      heal().then(
        () => true,
        () => undefined,
      ),
    { what: 'a fault to be made good', maxMs: 120_000, everyMs: 500 },
  );
}
