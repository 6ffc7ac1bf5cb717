import type { AdapterApi } from './api.ts';

/** Sends one heartbeat now, and one in each interval until it is stopped: silence looks like an adapter that is dead. */
export function startHeartbeat(api: Pick<AdapterApi, 'sendHjerteslag'>, everyMs: number): { stop: () => void } {
  const beat = (): void => {
    // The next one comes soon; what the adapter is doing goes on.
    api.sendHjerteslag().catch((error: unknown) => console.error(`\nNo heartbeat: ${String(error)}`));
  };
  beat();
  const timer = setInterval(beat, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
