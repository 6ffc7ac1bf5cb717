import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';

/** The status of the answer to a request that says it has a large body, and has sent nothing of it. */
export async function statusBeforeBody(method: string, url: string, token: string): Promise<number | undefined> {
  const call = request(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': 1_000_000 },
  });
  call.on('error', () => undefined).flushHeaders();
  const [response] = (await once(call, 'response', { signal: AbortSignal.timeout(10_000) })) as [IncomingMessage];
  call.destroy();
  return response.statusCode;
}
