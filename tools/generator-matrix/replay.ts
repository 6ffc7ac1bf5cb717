import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readAnswers, type Answer, type Answers } from './answers.ts';
import { isCase, type Case } from './cases.ts';

/** Answers clients with what was recorded. */
export interface Replay {
  /** of a case, as the address that a client is given */
  url: (name: Case) => string;
  /** the bodies that came in this case, and forgets them */
  takeBodies: (name: Case) => string[];
  stop: () => Promise<void>;
}

/**
 * The first part of a path is the case; the rest is as at the service. What was recorded is answered as it is, but in the
 * two cases of what is not there yet: a value and a field that a later version may add.
 */
export async function startReplay(answers: Answers = readAnswers()): Promise<Replay> {
  const bodies = new Map<Case, string[]>();
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const [, name = '', path = ''] = /^\/([^/]+)(\/.*)$/.exec(request.url ?? '') ?? [];
      if (!isCase(name)) return void response.writeHead(404).end();
      if (body !== '') bodies.set(name, [...(bodies.get(name) ?? []), body]);
      const { status, headers, body: answer } = answerTo(name, { path, body, headers: request.headers }, answers);
      response.writeHead(status, headers).end(answer);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: (name) => `http://127.0.0.1:${String(port)}/${name}`,
    takeBodies: (name) => {
      const taken = bodies.get(name) ?? [];
      bodies.delete(name);
      return taken;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

interface Asked {
  path: string;
  body: string;
  headers: IncomingMessage['headers'];
}

function answerTo(name: Case, { path, body, headers }: Asked, answers: Answers): Answer {
  if (path.startsWith('/api/v1/eksport')) return answers.eksport;
  if (path.startsWith('/api/v1/endringer')) return answers.utgaatt;
  if (path.startsWith('/api/v1/avtaler/sok')) return answerToSearch(name, body, answers);
  if (headers['if-none-match'] === answers.avtale.headers['etag']) return answers.uendret;
  return name === 'null' ? answers['fleste-null'] : answers.avtale;
}

/** As the service, which was asked all three: a list that is null is left out, and one that is empty is refused. */
function answerToSearch(name: Case, body: string, answers: Answers): Answer {
  const asked = JSON.parse(body) as Record<string, unknown>;
  if (Object.values(asked).some((value) => Array.isArray(value) && value.length === 0)) return answers['tom-liste'];
  if (name === 'ny-verdi') return changed(answers.side, (avtale) => ({ ...avtale, tiltakstype: NEW_VALUE }));
  if (name === 'nytt-felt') return changed(answers.side, (avtale) => ({ ...avtale, nyttFelt: { fra: '2031-01-01' } }));
  return name === 'liste' ? answers.antall : answers.side;
}

/** One that no version knows. */
export const NEW_VALUE = 'HELT_NY_TILTAKSTYPE';

function changed(answer: Answer, change: (avtale: Record<string, unknown>) => Record<string, unknown>): Answer {
  const page = JSON.parse(answer.body) as { avtaler: Record<string, unknown>[] };
  return {
    ...answer,
    body: JSON.stringify({ ...page, avtaler: page.avtaler.map((a, i) => (i === 0 ? change(a) : a)) }),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += String(part);
  return body;
}
