import type { ManagedProcess } from '@tiltak/testing';

type Stop = () => Promise<unknown> | unknown;

/** What is started is stopped in reverse. */
export class ShutdownStack {
  private readonly started: { navn: string; stop: Stop }[] = [];
  private closing = false;

  remember<T>(name: string, thing: T, stop: Stop): T {
    this.started.push({ navn: name, stop });
    return thing;
  }

  /** A process that ends by itself is told of, unless that was `expected`; the rest goes on. */
  watch(name: string, proc: ManagedProcess, logFile: string, expected = (): boolean => false): void {
    void proc.done.then(() => {
      const outcome = String(proc.outcome());
      if (!this.closing && !expected())
        console.error(`${name} has ended (${outcome}); its last words are in ${logFile}`);
    });
  }

  /** Stops everything, also when something does not stop in order. */
  async stop(): Promise<void> {
    this.closing = true;
    for (const { navn: name, stop } of this.started.splice(0).reverse()) {
      try {
        await stop();
      } catch (error) {
        console.error(`${name} did not stop in order: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}
