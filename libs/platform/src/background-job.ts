import { setTimeout as wait } from 'node:timers/promises';
import { Counter } from 'prom-client';
import { logger } from './logger.ts';

const failures = new Counter({
  name: 'jobb_feil_total',
  help: 'Rounds of background jobs that failed; the next round tries again',
  labelNames: ['jobb'] as const,
});

export interface JobOptions {
  /** in the log and as the label of `jobb_feil_total` */
  name: string;
  /** from the end of one round to the beginning of the next */
  everyMs: number;
  /** after a round that failed; as after any other when left out */
  retryMs?: number;
  /** One round; `'done'` when there will be no more to do. The signal tells a long round to stop in between. */
  run: (signal: AbortSignal) => Promise<'done' | undefined> | Promise<void>;
}

export interface BackgroundJob {
  /**
   * Begins no more rounds, and waits for the one under way.
   *
   * @param withinMs the longest wait, for a round that itself waits for something that may be away
   */
  stop: (withinMs?: number) => Promise<void>;
}

/** Runs rounds one after another until it is stopped. A round that fails is logged and counted, and tried again. */
export function startJob({ name, everyMs, retryMs = everyMs, run }: JobOptions): BackgroundJob {
  const abort = new AbortController();
  const { signal } = abort;
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      let pause = everyMs;
      try {
        if ((await run(signal)) === 'done') return;
      } catch (error) {
        pause = retryMs;
        failures.inc({ jobb: name });
        logger.warn({ err: error, jobb: name }, 'A background job failed; it tries again');
      }
      await wait(pause, undefined, { signal }).catch(() => undefined);
    }
  };
  const ended = loop();
  return {
    stop: async (withinMs) => {
      abort.abort();
      await (withinMs === undefined ? ended : Promise.race([ended, wait(withinMs, undefined, { ref: false })]));
    },
  };
}
