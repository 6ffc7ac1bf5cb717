import { freePort, type PostgresGroup } from '@tiltak/testing';
import {
  auditorClientId,
  clientId,
  startAuditorPageProcess,
  startIngestorProcess,
  startQueryApiProcess,
  waitUntilReady,
  type App,
  type Surroundings,
} from './apps.ts';
import { followLog, lastLogLines } from './log-watch.ts';
import { OneAddress } from './one-address.ts';
import { APP_LOG_LEVEL, StartError, type Counts, type OrganisasjonOptions } from './options.ts';
import type { ReadyOrganisasjon } from './ready-file.ts';
import type { ShutdownStack } from './shutdown-stack.ts';

export type AppName = 'ingestor' | 'query-api';
type Env = Record<string, string>;

/** The processes of one organisation, which come and go while it runs. */
export class RunningOrganisasjon {
  readonly name: string;
  private readonly stack: ShutdownStack;
  private readonly group: PostgresGroup;
  private readonly surroundings: Surroundings;
  private readonly queryApiEnv: Env;
  private readonly ingestorEnv: Env;
  private readonly apps: Record<AppName, App[]> = { ingestor: [], 'query-api': [] };
  /** Those that were asked to end. */
  private readonly leaving = new Set<App>();
  private address: OneAddress | undefined;
  /** of auditors; there is one, whatever there is of the apps */
  private page: App | undefined;
  /** called when a process has come or gone */
  onChange: () => void = () => undefined;

  constructor(
    stack: ShutdownStack,
    {
      surroundings,
      group,
      queryApiEnv,
      ingestorEnv,
    }: { surroundings: Surroundings; group: PostgresGroup; queryApiEnv: Env; ingestorEnv: Env },
  ) {
    this.stack = stack;
    this.name = surroundings.organisasjon;
    this.group = group;
    this.surroundings = surroundings;
    this.queryApiEnv = queryApiEnv;
    this.ingestorEnv = ingestorEnv;
  }

  /** All at once; resolves when they are ready. */
  async start({ queryApis, ingestors }: Counts, ports: OrganisasjonOptions['ports']): Promise<void> {
    if (queryApis !== undefined) {
      const address = await OneAddress.start(ports.queryApi);
      this.address = this.stack.remember(`the address of ${this.name}`, address, () => address.stop());
    }
    const others = (count: number): (number | undefined)[] => Array.from({ length: count }, () => undefined);
    const first = this.address ? undefined : ports.queryApi;
    await Promise.all([
      this.startAuditorPage(ports.revisor),
      ...[ports.ingestor, ...others(ingestors - 1)].map((port) => this.add('ingestor', port)),
      ...[first, ...others((queryApis ?? 1) - 1)].map((port) => this.add('query-api', port)),
    ]);
  }

  /** One more; resolves when it is ready. */
  async add(name: AppName, port?: number): Promise<App> {
    if (name === 'query-api' && !this.address && this.apps[name].length > 0)
      throw new StartError(
        'The one query-api is alone at its address: start with --query-api N to have others join it.',
      );
    const app =
      name === 'ingestor'
        ? startIngestorProcess(this.surroundings, port ?? (await freePort()), {
            ...APP_LOG_LEVEL,
            ...this.ingestorEnv,
          })
        : startQueryApiProcess(this.surroundings, port ?? (await freePort()), {
            ...APP_LOG_LEVEL,
            ...this.queryApiEnv,
          });
    this.apps[name].push(app);
    void app.proc.done.then(() => this.forget(name, app));
    await this.watch(app);
    if (name === 'query-api') this.address?.join(app);
    this.onChange();
    return app;
  }

  private async startAuditorPage(port: number): Promise<void> {
    this.page = startAuditorPageProcess(this.surroundings, port, APP_LOG_LEVEL);
    await this.watch(this.page);
  }

  /** It stops with the stack, and the stack with it; resolves when it is ready. */
  private async watch(app: App): Promise<void> {
    this.stack.remember(app.navn, app, () => app.proc.stop(8_000));
    this.stack.watch(app.navn, app.proc, app.logFile, () => this.leaving.has(app));
    await waitUntilReady(app).catch((error: unknown) => {
      throw new StartError(`${error instanceof Error ? error.message : String(error)}\n${lastLogLines(app.logFile)}`);
    });
    // From now on: while they wait for each other they have much to remark on.
    const log = followLog(app.navn, app.logFile);
    this.stack.remember(`the log of ${app.navn}`, log, log.stop);
    void app.proc.done.then(log.stop);
  }

  /** The one that came last is asked to end, as at a release; resolves when it has. */
  async remove(name: AppName): Promise<App> {
    const app = this.apps[name].at(-1);
    if (!app) throw new StartError(`There is no ${name} left of ${this.name}.`);
    this.leaving.add(app);
    this.address?.leave(app);
    await app.proc.stop();
    return app;
  }

  /** The primary is killed and the standby takes its place; another standby is made of it, for the next time. */
  async promote(options: { silent: boolean }): Promise<{ ms: number }> {
    if (!this.group.standby) throw new StartError('There is no standby: start with --standby.');
    const begun = performance.now();
    await this.group.failOver(options);
    const ms = Math.round(performance.now() - begun);
    this.onChange();
    await this.group.addStandby();
    this.onChange();
    return { ms };
  }

  ready(): ReadyOrganisasjon {
    const { database, topic, identTopic, triggerTopic } = this.surroundings;
    const { ingestor, 'query-api': queryApis } = this.apps;
    const revisor = this.page ? [this.page] : [];
    return {
      queryApi: this.address?.url ?? queryApis[0]?.url ?? '',
      ingestor: ingestor[0]?.url ?? '',
      revisor: this.page?.url ?? '',
      postgres: database.url,
      topic,
      identTopic,
      triggerTopic,
      audience: clientId(this.name),
      auditorAudience: auditorClientId(this.name),
      pids: {
        postgres: this.group.primary.proc().pid,
        ingestor: ingestor[0]?.proc.pid ?? 0,
        queryApi: queryApis[0]?.proc.pid ?? 0,
        revisor: this.page?.proc.pid ?? 0,
      },
      processes: [
        ...this.group.servers.map(({ name, server }) => ({ name, port: server.port, pid: server.proc().pid })),
        ...(['ingestor', 'query-api', 'revisor'] as const).flatMap((name) =>
          (name === 'revisor' ? revisor : this.apps[name]).map(({ url, proc }) => ({
            name,
            port: Number(new URL(url).port),
            pid: proc.pid,
          })),
        ),
      ],
    };
  }

  private forget(name: AppName, app: App): void {
    this.apps[name] = this.apps[name].filter((other) => other !== app);
    this.onChange();
  }
}
