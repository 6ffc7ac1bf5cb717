import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PROBLEMS, Problem } from '../problem.ts';

/** Headers that say who comes, to whom, and what: of which one is meant can't be told when there are two. */
const SINGLE = ['authorization', 'host', 'content-type'];
const SINGLE_LENGTHS: ReadonlySet<number> = new Set(SINGLE.map(({ length }) => length));
/** RFC 3986: a name or an address, and perhaps a port. */
const HOST = /^([\w.~!$&'()*+,;=%-]*|\[[\da-f:.]+\])(:\d{0,5})?$/i;

/**
 * The target of a request as a path, which is all that it is told apart by: a client may send a whole URL too. What is
 * none becomes one that there is nothing at; whoever decides by a route asks the router, and never this text.
 */
export function toPath(target: string): string {
  const [, path] = /^https?:\/\/[^/?#]+([^#]*)/i.exec(target) ?? [];
  const named = path ?? target;
  return named.startsWith('/') ? named : `/${named}`;
}

/** @throws Problem 400 for headers that can be read in two ways, here and at whoever passed them on */
export function requireClearHeaders({ headers, raw }: FastifyRequest): void {
  const { rawHeaders, httpVersion } = raw;
  const seen: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const given = rawHeaders[i] ?? '';
    // Most are told apart by this alone.
    if (!SINGLE_LENGTHS.has(given.length)) continue;
    const name = given.toLowerCase();
    if (!SINGLE.includes(name)) continue;
    if (seen.includes(name)) throw unclear(`The header ${name} stands twice`);
    seen.push(name);
  }
  const { host, 'transfer-encoding': encoding } = headers;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') throw unclear('The version of HTTP must be 1.1 or 1.0');
  if (host === undefined && httpVersion === '1.1') throw unclear('The header Host is missing');
  if (!HOST.test(host ?? '')) throw unclear('The header Host is not a host');
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked')
    throw unclear('Transfer-Encoding can only be chunked');
}

function unclear(detail: string): Problem {
  return new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, detail);
}

interface Route {
  methodName: string;
  url: string;
  pattern: RegExp;
}

/**
 * Notes the methods of every route made from now on. Tells, of a path that the router did not find, whether it exists with
 * other methods (405) or not at all (404): the router only says that it found nothing.
 */
export function collectMethods(server: FastifyInstance): (url: string) => Problem {
  const routes: Route[] = [];
  server.addHook('onRoute', ({ method, url }) => {
    if (url.includes('*')) return;
    const pattern = new RegExp(`^${url.replace(/[.+()]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+')}$`);
    for (const methodName of [method].flat()) routes.push({ methodName, url, pattern });
  });
  return (url) => {
    const path = decoded(url.split('?', 1)[0] ?? '');
    // The router prefers a path as it stands to one with parameters.
    const exact = routes.filter((route) => route.url === path);
    const matching = exact.length > 0 ? exact : routes.filter(({ pattern }) => pattern.test(path));
    const allowed = [...new Set(matching.map(({ methodName }) => methodName))];
    if (allowed.length === 0) return new Problem(PROBLEMS.FINNES_IKKE, 'There is nothing here');
    return new Problem(PROBLEMS.METODE_IKKE_TILLATT, 'The method is not offered here', {
      headers: { allow: allowed.join(', ') },
    });
  };
}

/** As the router reads it: a slash that is written otherwise divides nothing. */
function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
