import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Front } from './front.ts';
import { freePort, waitUntil } from './process.ts';

interface Named {
  server: Server;
  port: number;
  sockets: Set<Socket>;
}

const servers: Named[] = [];
let front: Front;

/** Answers each line with its name and the line. */
async function startNamed(name: string): Promise<Named> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('data', (text) => socket.write(`${name} ${String(text)}`));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const named = { server, port: (server.address() as AddressInfo).port, sockets };
  servers.push(named);
  return named;
}

interface Client {
  ask: (text: string) => void;
  said: () => string;
  ended: () => 'closed' | 'reset' | undefined;
}

function openClient(): Client {
  const socket = connect(front.port, '127.0.0.1');
  let text = '';
  let ended: 'closed' | 'reset' | undefined;
  socket
    .on('data', (part) => (text += String(part)))
    .on('error', () => (ended = 'reset'))
    .on('close', () => (ended ??= 'closed'));
  return { ask: (line) => void socket.write(line), said: () => text, ended: () => ended };
}

const hears = (client: Client, text: string): Promise<boolean> =>
  waitUntil(() => client.said() === text, { what: `«${text}», not «${client.said()}»`, everyMs: 5 });

let one: Named;
let two: Named;

beforeEach(async () => {
  [one, two] = [await startNamed('one'), await startNamed('two')];
  front = await Front.start(0, () => [one.port, two.port]);
});
afterEach(async () => {
  await front.stop();
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

test('connections are shared between those that answer, and end as the server ends them', async () => {
  const [first, second] = [openClient(), openClient()];
  first.ask('a');
  await hears(first, 'one a');
  second.ask('b');
  await hears(second, 'two b');
  one.server.close();
  for (const socket of one.sockets) socket.resetAndDestroy();
  await waitUntil(() => first.ended() === 'reset', { what: 'the reset to be passed on' });
  for (const socket of two.sockets) socket.end();
  await waitUntil(() => second.ended() === 'closed', { what: 'the end to be passed on' });
  for (const name of ['c', 'd']) {
    const later = openClient();
    later.ask(name);
    await hears(later, `two ${name}`);
  }
  const nobody = await freePort();
  front.targets = () => [nobody];
  const refused = openClient();
  await waitUntil(() => refused.ended() === 'reset', { what: 'a connection to nobody to be reset' });
});

test('what goes silent learns of nothing, and what comes after it passes elsewhere', async () => {
  front.targets = () => [one.port];
  const before = openClient();
  before.ask('a');
  await hears(before, 'one a');
  front.silence();
  const meanwhile = openClient();
  await waitUntil(() => front.connections === 2, { what: 'the second connection', everyMs: 5 });
  for (const client of [before, meanwhile]) client.ask('b');
  for (const socket of one.sockets) socket.resetAndDestroy();
  front.targets = () => [two.port];
  front.restore();
  const after = openClient();
  after.ask('c');
  await hears(after, 'two c');
  expect([before.said(), before.ended(), meanwhile.said(), meanwhile.ended()]).toEqual([
    'one a',
    undefined,
    '',
    undefined,
  ]);
  front.cut();
  for (const client of [before, meanwhile, after])
    await waitUntil(() => client.ended() === 'reset', { what: 'a reset' });
});

test('a cable that is put in again brings what was said meanwhile', async () => {
  const client = openClient();
  client.ask('a');
  await hears(client, 'one a');
  front.silence();
  client.ask('b');
  front.restore({ old: true });
  await hears(client, 'one aone b');
});
