import { Front } from '@tiltak/testing';
import type { App } from './apps.ts';

const CHECK_EVERY_MS = 250;
/** ms; one that has been stopped (SIGSTOP) takes connections, and answers nothing */
const MAX_ANSWER_MS = 1_000;

/**
 * One address in front of the processes of one app, as a service has it on the platform: a new connection goes to one that
 * is ready. Nothing is sent again when one ends; that is for who asked.
 */
export class OneAddress {
  readonly front: Front;
  private readonly members = new Map<App, { ready: boolean }>();
  private readonly checks: NodeJS.Timeout;

  private constructor(front: Front) {
    this.front = front;
    front.targets = () => [...this.members].filter(([, { ready }]) => ready).map(([{ url }]) => portOf(url));
    this.checks = setInterval(() => void this.check(), CHECK_EVERY_MS);
  }

  static async start(port: number): Promise<OneAddress> {
    return new OneAddress(await Front.start(port, () => []));
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.front.port)}`;
  }

  /** One that is ready. */
  join(app: App): void {
    this.members.set(app, { ready: true });
    // One that is killed gets no more connections; those that it had end with it.
    void app.proc.done.then(() => this.leave(app));
  }

  /** It gets no new connections; those that it has, it ends itself. */
  leave(app: App): void {
    this.members.delete(app);
  }

  async stop(): Promise<void> {
    clearInterval(this.checks);
    await this.front.stop();
  }

  private async check(): Promise<void> {
    const checks = [...this.members].map(async ([{ url }, state]) => {
      const signal = AbortSignal.timeout(MAX_ANSWER_MS);
      state.ready = await fetch(`${url}/internal/isready`, { signal }).then(
        ({ ok }) => ok,
        () => false,
      );
    });
    await Promise.all(checks);
  }
}

const portOf = (url: string): number => Number(new URL(url).port);
