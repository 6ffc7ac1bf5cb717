import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { waitUntil } from '@tiltak/testing';
import { startProbeApp, type ProbeApp } from '../testing/probe-app.ts';

const MIB = 1024 * 1024;
/** More than the system takes for a client. */
const LARGE = 8 * MIB;

/** A connection that has sent this, and takes nothing of what comes back until it is told to. */
async function send(app: ProbeApp, text: string): Promise<Socket> {
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  socket.write(text);
  return socket;
}

const get = async (app: ProbeApp, path: string, azp = 'en-klient'): Promise<string> =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await app.issuer.token({ azp })}\r\n\r\n`;

/** All that comes until the server closes. */
async function received(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (part) => (text += part.toString())).resume();
  // A reset shows by what has not come.
  if (!socket.closed) await new Promise((done) => socket.once('close', done));
  return text;
}

test('whoever takes nothing of an answer is let go, and who takes it is not', async () => {
  const app = await startProbeApp({ maxStallSeconds: 2 });
  const dead = await send(app, await get(app, `/api/stort/${String(LARGE)}`));
  const waiting = await send(app, await get(app, '/api/tregt'));
  await app.gate.reached;
  expect(await sizeOf(app, `/api/stort/${String(LARGE)}`)).toBeGreaterThan(LARGE);
  // The one whose answer is not made yet stays, and the one that has asked for nothing more.
  await waitUntil(async () => (await connections(app)) === 2, { what: 'it to be let go', maxMs: 20_000 });
  dead.destroy();
  waiting.destroy();
  await app.stop();
}, 60_000);

const sizeOf = async (app: ProbeApp, path: string): Promise<number> =>
  (await (await app.call(path)).arrayBuffer()).byteLength;

/** With all of the answer taken. */
async function statusOf(app: ProbeApp, path: string, azp = 'en-klient'): Promise<number> {
  const authorization = `Bearer ${await app.issuer.token({ azp })}`;
  const response = await fetch(app.url + path, { headers: { authorization } });
  await response.arrayBuffer();
  return response.status;
}

/** That the server has open. */
function connections(app: ProbeApp): Promise<number> {
  return new Promise((done, failed) =>
    app.server.getConnections((error, count) => (error ? failed(error) : done(count))),
  );
}

test('answers that are not taken are bounded, and one caller leaves the others room', async () => {
  const app = await startProbeApp({ maxBytes: { answers: 26 * MIB } });
  const path = `/api/stort/${String(LARGE)}`;
  const hoarder = await Promise.all([1, 2].map(async () => send(app, await get(app, path))));
  await Promise.all(hoarder.map((socket) => once(socket, 'readable')));
  const refused = await app.call(path);
  await refused.body?.cancel();
  expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('content-type')]).toEqual([
    503,
    '2',
    'application/problem+json; charset=utf-8',
  ]);
  expect(await statusOf(app, '/api/ting/1')).toBe(200);
  expect(await statusOf(app, path, 'en-annen')).toBe(200);
  // What they held is free when they are gone.
  for (const socket of hoarder) socket.destroy();
  await waitUntil(async () => (await statusOf(app, path)) === 200, { what: 'room' });
  await app.stop();
}, 60_000);

test('answers that wait behind another go with their connection', async () => {
  const app = await startProbeApp({ maxBytes: { answers: 26 * MIB } });
  const text = (await get(app, '/api/tregt')) + (await get(app, `/api/stort/${String(LARGE)}`)).repeat(2);
  const socket = await send(app, text);
  await app.gate.reached;
  const refusal = async (): Promise<boolean> => (await statusOf(app, `/api/stort/${String(LARGE)}`)) === 503;
  await waitUntil(refusal, { what: 'both to be made' });
  socket.destroy();
  await waitUntil(async () => !(await refusal()), { what: 'both to be gone' });
  await app.stop();
}, 60_000);

test('what came whole before the stop is answered, on connections old and new, and then they close', async () => {
  const app = await startProbeApp();
  const request = await get(app, '/api/ting/1');
  const used = await Promise.all(Array.from({ length: 10 }, () => send(app, request)));
  await Promise.all(used.map((socket) => once(socket, 'readable')));
  for (const socket of used) socket.read();
  for (const socket of used) socket.write(request);
  const fresh = Array.from({ length: 30 }, () => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.on('error', () => undefined).write(request);
    return socket;
  });
  // They have connected, and the server has accepted none of them: only the system knows.
  const stopped = app.stop();
  const answers = await Promise.all([...used, ...fresh].map(received));
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  await stopped;
}, 60_000);

test('a stop ends in time, whatever clients leave undone', async () => {
  const app = await startProbeApp({ maxStopMs: 1_000 });
  const unread = await send(app, await get(app, `/api/stort/${String(LARGE)}`));
  await once(unread, 'readable');
  const half = await send(app, 'GET /api/ting/1 HTTP/1.1\r\nHost');
  await app.stopHttp();
  expect(await received(half)).toBe('');
  unread.destroy();
  await app.stop();
}, 60_000);
