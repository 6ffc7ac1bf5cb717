import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { waitUntil } from '@tiltak/testing';
import { AdapterApi, RefusedError, type Entry, type Page, type Sync } from '../reference-adapter/api.ts';
import { builtApp, type App } from '../local/apps.ts';
import { APP_ENV } from '../local/options.ts';
import { AdapterData, shuffled } from './adapter-data.ts';
import type { System } from './system.ts';

export const RUN_CONTRACT = {
  adapterId: 'spec',
  heartbeatIntervallMinutter: 15,
  fullSynkIntervallDager: 7,
  deltaSynk: 'STRAKS',
  ressurser: ['avtaler'],
};
const MAX_MS = 300_000;
const CONCURRENCY = 4;

/** One step of a random run. Numbers of avtaler are per thousand of those that the adapter holds. */
export interface Step {
  full: 'INGEN' | 'HEL' | 'AVBRUTT' | 'OVERLAPPET';
  /** when the ingestor is killed; another takes its place at once */
  kill: 'IKKE' | 'UNDER_SIDER' | 'UNDER_SLETTING';
  fresh: number;
  changed: number;
  deleted: number;
  forgotten: number;
  /** pages of the full sync */
  pages: number;
  /** whether every page is sent twice */
  repeat: boolean;
  seed: number;
}

const perMille = (max: number): fc.Arbitrary<number> => fc.oneof(fc.constant(0), fc.integer({ min: 1, max }));

/** Steps that the same seed gives again. */
export function createSteps(seed: number, count: number): Step[] {
  const step = fc.record<Step>({
    full: fc.constantFrom('INGEN', 'HEL', 'HEL', 'AVBRUTT', 'OVERLAPPET'),
    kill: fc.constantFrom('IKKE', 'IKKE', 'UNDER_SIDER', 'UNDER_SLETTING'),
    fresh: perMille(50),
    changed: perMille(300),
    deleted: perMille(100),
    forgotten: perMille(300),
    pages: fc.integer({ min: 2, max: 40 }),
    repeat: fc.boolean(),
    seed: fc.nat(),
  });
  return fc.sample(step, { seed, numRuns: count });
}

/** An adapter that does what it is told, at random, on real processes, and knows what must come of it. */
export class AdapterRun {
  readonly data: AdapterData;
  private readonly api: AdapterApi;
  private readonly system: System;
  private readonly count: number;
  private app: App;

  private constructor(system: System, app: App, count: number, seed: number) {
    this.system = system;
    this.app = app;
    this.count = count;
    this.data = new AdapterData(seed, count);
    this.api = new AdapterApi(app.url, () => system.tokenForAdapter());
  }

  static async start(system: System, count: number, seed: number): Promise<AdapterRun> {
    const run = new AdapterRun(system, await system.startIngestor(), count, seed);
    await run.api.settKontrakt(RUN_CONTRACT);
    run.data.fresh(count);
    await run.perform({ ...NOTHING, full: 'HEL', pages: Math.ceil(count / 2_000) });
    return run;
  }

  /** Does the step, and waits until all that came of it is stored. */
  async perform(step: Step): Promise<void> {
    const { data } = this;
    const older = step.full === 'OVERLAPPET' ? await this.begin(data.all().entry, step) : undefined;
    data.forget(data.selection(step.full === 'INGEN' ? 0 : step.forgotten, step.seed));
    const olderDone = older?.rest();
    const { entry, completed } = data.all();
    const sync = step.full === 'INGEN' ? undefined : await this.begin(entry, step);
    const deleted = data.selection(step.deleted, step.seed + 1);
    const gone = new Set(deleted);
    const changed = data.selection(step.changed, step.seed + 2).filter((id) => !gone.has(id));
    const delta = [...data.change(changed), ...data.fresh(Math.ceil((step.fresh * this.count) / 1_000))];
    await Promise.all([
      sync?.rest(),
      olderDone,
      this.send('PATCH', delta, step),
      this.send('DELETE', data.delete(deleted), step),
      step.kill === 'UNDER_SIDER' && this.killAndStart(),
    ]);
    if (sync && step.full !== 'AVBRUTT') {
      await this.complete(sync.synkId, step.kill === 'UNDER_SLETTING');
      completed();
    }
    await this.system.waitForTopic(MAX_MS);
  }

  private async killAndStart(): Promise<void> {
    await this.app.proc.kill();
    this.app = await this.system.startIngestor({}, Number(new URL(this.app.url).port));
  }

  private async complete(syncId: string, kill: boolean): Promise<void> {
    let shouldBeKilled = kill;
    await waitUntil(
      async () => {
        const { tilstand: state } = await this.api.hentSynk(syncId);
        if (state === 'VENTER_PAA_BEKREFTELSE') await this.api.bekreft(syncId);
        if (shouldBeKilled) await this.killAndStart();
        shouldBeKilled = false;
        return state === 'FULLFOERT';
      },
      { what: 'the full sync to be completed', maxMs: MAX_MS, everyMs: 20 },
    );
  }

  private async send(method: 'PATCH' | 'DELETE', entry: Entry[], step: Step): Promise<void> {
    if (entry.length > 0) await (await this.begin(entry, step, method)).rest();
  }

  /** A sync begins with its first page; the rest come in any order, several at a time. */
  private async begin(
    entry: Entry[],
    { full, pages, repeat, seed }: Step,
    method: 'POST' | 'PATCH' | 'DELETE' = 'POST',
  ): Promise<{ synkId: string; rest: () => Promise<void> }> {
    const pageCount = Math.max(pages, Math.ceil(entry.length / 5_000));
    const syncId = randomUUID();
    const createPage = (page: number): Page => ({
      metadata: { synkId: syncId, side: page, antallSider: pageCount, antallTotalt: entry.length },
      ressurser: entry.filter((_, i) => i % pageCount === page - 1),
    });
    const numbers = Array.from({ length: pageCount }, (_, i) => i + 1);
    const [first = 1, ...others] = numbers.sort((a, b) => shuffled(a, seed) - shuffled(b, seed));
    const send = async (page: number): Promise<Sync | undefined> => {
      const times = repeat ? [1, 2] : [1];
      const response = await Promise.all(
        times.map(() => this.api.sendPage(method, createPage(page)).catch(ignoreReplaced)),
      );
      return response[0];
    };
    await send(first);
    const queue = method === 'POST' && full === 'AVBRUTT' ? others.slice(1) : others;
    const worker = async (): Promise<void> => {
      for (let page = queue.shift(); page !== undefined; page = queue.shift()) await send(page);
    };
    return {
      synkId: syncId,
      rest: async () => {
        await Promise.all(Array.from({ length: CONCURRENCY }, worker));
      },
    };
  }
}

const NOTHING: Step = {
  full: 'INGEN',
  kill: 'IKKE',
  fresh: 0,
  changed: 0,
  deleted: 0,
  forgotten: 0,
  pages: 1,
  repeat: false,
  seed: 0,
};

/** What a page of the older of two overlapping syncs is told. A page of the newer one never is: it would not complete. */
function ignoreReplaced(error: unknown): undefined {
  if (error instanceof RefusedError && error.status === 409 && error.message.includes('"ERSTATTET"')) return undefined;
  throw error;
}

/** avtaleId → avtaleNr of what is served. */
export async function stored(system: System): Promise<Record<string, number>> {
  const rows = await system.sql<{ id: string; nr: number }>(
    'select avtale_id as id, avtale_nr as nr from avtale where slettet is null',
  );
  return Object.fromEntries(rows.map(({ id, nr }) => [id, nr]));
}

/** What is wrong with what was derived from the avtaler: links that differ from those recomputed, and the feed's last word. */
export async function deviations(system: System): Promise<string[]> {
  const last = await system.sql<{ id: string }>(
    `select avtale_id as id from avtale a left join (
       select distinct on (avtale_id) avtale_id, type from endring order by avtale_id, tx desc, lopenr desc) e using (avtale_id)
     where coalesce(e.type, 'SLETTET') <> case when a.slettet is null then 'ENDRET' else 'SLETTET' end`,
  );
  return [...last.map(({ id }) => `the feed's last word of ${id}`), ...(await deviatingRelations(system))];
}

/** `npm run drift -- relasjoner` on the system's database: a line for each link that differs. */
async function deviatingRelations({ env: { database, organisasjon } }: System): Promise<string[]> {
  const proc = spawn(process.execPath, [builtApp('ingestor'), 'relasjoner'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...APP_ENV,
      ORGANISASJON: organisasjon,
      DB_HOST: database.host,
      DB_PORT: String(database.port),
      DB_DATABASE: database.database,
      DB_USERNAME: database.ingestor.username,
      DB_PASSWORD: database.ingestor.password,
    },
  });
  const pieces: Buffer[] = [];
  proc.stdout.on('data', (chunk: Buffer) => pieces.push(chunk));
  const [code] = (await once(proc, 'close')) as [number | null];
  const lines = Buffer.concat(pieces).toString().trim().split('\n');
  return code === 0 ? [] : lines;
}

/** Everything on the topic once more, into an empty database: what it comes to, beside what the system has. */
export async function replay(system: System): Promise<{ here: string[]; there: string[]; deviation: string[] }> {
  const empty = await system.onEmptyDatabase();
  try {
    await empty.startIngestor({ KAFKA_GROUP_ID: `${system.env.topic}-${randomUUID()}` });
    await empty.waitForTopic(MAX_MS);
    return { here: await content(system), there: await content(empty), deviation: await deviations(empty) };
  } finally {
    await empty.stop();
  }
}

const content = async (system: System): Promise<string[]> => {
  const avtaler = await system.state();
  const relations = await system.sql<{ content: string }>('select r::text as content from relasjon r order by 1');
  return [...avtaler.avtaler.map((avtale) => JSON.stringify(avtale)), ...relations.map(({ content: row }) => row)];
};
