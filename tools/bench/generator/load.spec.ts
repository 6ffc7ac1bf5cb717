import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeRequest, HttpConnection, type Answer } from './http-connection.ts';
import { runLoad, type LoadOptions, type LoadResult } from './load.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  stops.push(
    () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

const requests: LoadOptions['requests'] = [
  { method: 'POST', path: '/', body: '{"a":"å"}' },
  { method: 'GET', path: '/get' },
];

async function load(listener: RequestListener, more: Partial<LoadOptions> = {}): Promise<LoadResult> {
  const url = await serve(listener);
  return runLoad({ url, headers: {}, requests, connections: 4, seconds: 0.3, ...more });
}

test('an even load sends as many as it should, each in turn, with its body', async () => {
  const heard: string[] = [];
  const { answers, failed } = await load(
    (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.on('end', () => {
        heard.push(`${request.method ?? ''} ${request.url ?? ''} ${body}`);
        response.end('{}');
      });
    },
    { perSecond: 100 },
  );
  expect([answers, failed]).toEqual([31, 0]);
  expect(heard.filter((line) => line === 'POST / {"a":"å"}')).toHaveLength(16);
  expect(heard.filter((line) => line === 'GET /get ')).toHaveLength(15);
});

test('what is refused, and what breaks, is counted by how it was', async () => {
  let nr = 0;
  const { answers, failed, failures } = await load(
    (_, response) => {
      const turn = nr++ % 3;
      if (turn === 0) response.writeHead(503).end();
      else if (turn === 1) response.socket?.resetAndDestroy();
      else response.end('{}');
    },
    { perSecond: 100, connections: 1 },
  );
  expect([answers, failed]).toEqual([31, 21]);
  expect(failures).toEqual({ '503': 11, broken: 10 });
});

test('what is refused for now is sent again', async () => {
  let nr = 0;
  const { failed } = await load((_, response) => response.writeHead(nr++ % 2 === 0 ? 503 : 200).end('{}'), {
    perSecond: 30,
    connections: 1,
    retries: 1,
  });
  expect(failed).toBe(0);
});

test.each([
  ['with a length', { 'content-length': 2 * 70_000 }],
  ['in chunks', {}],
])('an answer that comes in pieces is read to its end, %s', async (_, headers) => {
  const url = await serve((__, response) => {
    response.writeHead(200, headers);
    response.write('å'.repeat(35_000));
    setTimeout(() => response.end('ø'.repeat(35_000)), 5);
  });
  const connection = new HttpConnection(url, { keepBody: true });
  for (let n = 0; n < 2; n++) {
    const request = encodeRequest({ method: 'GET', path: '/' }, {});
    const answer = await new Promise<Answer | undefined>((done) => connection.send(request, done));
    expect(answer?.body).toBe('å'.repeat(35_000) + 'ø'.repeat(35_000));
  }
  connection.close();
});
