import { join } from 'node:path';
import { freePort, startPostgres, type LocalPostgres } from '@tiltak/testing';
import { System } from '../e2e/system.ts';
import type { Linked, Phase, SceneShown } from './show.ts';
import type { Stage } from './stage.ts';
import { Watch } from './watch.ts';

/** What a scene has at hand while it is played, and how it tells what it does and sees. */
export class Act {
  readonly stage: Stage;
  private readonly shown: SceneShown;
  private readonly tell: (line: string) => void;
  private readonly stops: (() => Promise<unknown>)[] = [];

  constructor(stage: Stage, shown: SceneShown, tell: (line: string) => void) {
    this.stage = stage;
    this.shown = shown;
    this.tell = tell;
  }

  /** One of the two sizes of a scene. */
  size<T>(full: T, brief: T): T {
    return this.stage.brief ? brief : full;
  }

  does(text: string): void {
    this.step(text, false);
  }

  /**
   * Makes `claim` untrue, from outside of the product, when the run is to see whether the scene notices. Nothing of the apps
   * knows of it.
   */
  async breaks(claim: string, text: string, work: () => Promise<unknown>): Promise<void> {
    if (!this.stage.broken) return;
    this.step(`Planted fault: ${text}`, true);
    this.shown.mustFall.push(claim);
    await work();
  }

  figure(name: string, values: Partial<Record<Phase, string>>): void {
    const known = this.shown.figures.find((figure) => figure.name === name);
    if (known) Object.assign(known, values);
    else this.shown.figures.push({ name, ...values });
  }

  /** In place of what was drawn before. */
  draws(linked: Linked): void {
    this.shown.linked = linked;
  }

  /** What of the promise is seen to be so, or not. */
  holds(claim: string, holds: boolean, seen: string): void {
    this.shown.checks.push({ claim, holds, seen });
  }

  /** The apps of an organisation, on a database and a topic of their own. */
  async system(options: NonNullable<Parameters<typeof System.create>[0]> = {}): Promise<System> {
    const { postgres, kafka, issuer } = this.stage;
    const system = await System.create({ postgres: postgres.url, brokers: kafka.brokers, issuer, ...options });
    this.ending(() => system.stop());
    return system;
  }

  /** A Postgres that may be killed: the others have theirs. */
  async postgres(): Promise<LocalPostgres> {
    const port = await freePort();
    const place = join(this.stage.directory, `postgres-${String(port)}`);
    const postgres = await startPostgres({ port, dataDir: place, logFile: `${place}.log`, throwaway: true });
    this.ending(() => postgres.stop());
    return postgres;
  }

  watch(): Watch {
    const watch = new Watch(this.shown.lines);
    this.ending(() => watch.stop());
    return watch;
  }

  /** When the scene is over, in the reverse order. */
  ending(stop: () => Promise<unknown>): void {
    this.stops.push(stop);
  }

  /** @throws when something that was started could not be ended, or had ended by itself */
  async end(): Promise<void> {
    const errors: unknown[] = [];
    for (const stop of this.stops.splice(0).reverse()) await stop().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }

  private step(text: string, fault: boolean): void {
    const at = Date.now();
    this.shown.steps.push({ at, text, fault });
    this.tell(`  ${((at - this.shown.begun) / 1_000).toFixed(1).padStart(6)} s  ${text}`);
  }
}
