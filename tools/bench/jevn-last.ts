import { Agent, request } from 'node:http';
import { setTimeout as vent } from 'node:timers/promises';
import { p99 } from './maaling.ts';

/**
 * Requests at even intervals, whether or not earlier ones have been answered, as independent callers send them. A load
 * generator that waits for answers sends in step with the server, and hides or makes up queues.
 *
 * @returns requests answered per second, and the 99th percentile of the time from when a request was due to its answer
 */
export async function jevnLast(
  { url, hoder }: { url: string; hoder: Record<string, string> },
  foresporsler: { path: string; body: string }[],
  { forbindelser, takt, sekunder }: { forbindelser: number; takt: number; sekunder: number },
): Promise<{ perSekund: number; p99Ms: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: forbindelser });
  const tider: number[] = [];
  const underveis: Promise<void>[] = [];
  const antall = Math.floor(takt * sekunder);
  const fra = performance.now();
  for (let n = 0; n < antall; n++) {
    const skulle = fra + (n / takt) * 1_000;
    if (skulle > performance.now()) await vent(Math.max(1, skulle - performance.now()));
    const foresporsel = foresporsler[n % foresporsler.length];
    if (foresporsel)
      underveis.push(send(url, agent, hoder, foresporsel).then(() => void tider.push(performance.now() - skulle)));
  }
  await Promise.all(underveis);
  const varighet = (performance.now() - fra) / 1_000;
  agent.destroy();
  return { perSekund: antall / varighet, p99Ms: p99(tider) };
}

function send(
  url: string,
  agent: Agent,
  headers: Record<string, string>,
  { path, body }: { path: string; body: string },
): Promise<void> {
  return new Promise((ferdig, feilet) => {
    const kall = request(
      url + path,
      { method: 'POST', agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } },
      (svar) => {
        svar.resume();
        svar.on('end', () =>
          svar.statusCode === 200 ? ferdig() : feilet(new Error(`Answered ${String(svar.statusCode)}`)),
        );
      },
    );
    kall.on('error', feilet);
    kall.end(body);
  });
}
