import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { p99 } from './measure.ts';

/**
 * Requests at even intervals, whether or not earlier ones have been answered, as independent callers send them. A load
 * generator that waits for answers sends in step with the server, and hides or makes up queues.
 *
 * @returns requests answered per second, and the 99th percentile of the time from when a request was due to its answer
 */
export async function steadyLoad(
  { url, headers }: { url: string; headers: Record<string, string> },
  requests: { path: string; body: string }[],
  { connections, takt: pace, seconds }: { connections: number; takt: number; seconds: number },
): Promise<{ perSekund: number; p99Ms: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  const pending: Promise<void>[] = [];
  const count = Math.floor(pace * seconds);
  const from = performance.now();
  for (let n = 0; n < count; n++) {
    const dueAt = from + (n / pace) * 1_000;
    if (dueAt > performance.now()) await wait(Math.max(1, dueAt - performance.now()));
    const request = requests[n % requests.length];
    if (request)
      pending.push(send(url, agent, headers, request).then(() => void times.push(performance.now() - dueAt)));
  }
  await Promise.all(pending);
  const duration = (performance.now() - from) / 1_000;
  agent.destroy();
  return { perSekund: count / duration, p99Ms: p99(times) };
}

function send(
  url: string,
  agent: Agent,
  headers: Record<string, string>,
  { path, body }: { path: string; body: string },
): Promise<void> {
  return new Promise((done, failed) => {
    const call = request(
      url + path,
      { method: 'POST', agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } },
      (response) => {
        response.resume();
        response.on('end', () =>
          response.statusCode === 200 ? done() : failed(new Error(`Answered ${String(response.statusCode)}`)),
        );
      },
    );
    call.on('error', failed);
    call.end(body);
  });
}
