import type { FastifyInstance } from 'fastify';
import { PROBLEMS, Problem } from '../problem.ts';

interface Route {
  methodName: string;
  url: string;
  pattern: RegExp;
}

/**
 * Notes the methods of every route made from now on. Tells, of a URL that the router did not find, whether it exists with
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
    const [path = ''] = url.split('?', 1);
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
