import type { FastifyInstance } from 'fastify';
import { fellesFeil, Problem } from '../problem.ts';

interface Rute {
  metode: string;
  url: string;
  monster: RegExp;
}

/**
 * Notes the methods of every route made from now on. Tells, of a URL that the router did not find, whether it exists with
 * other methods (405) or not at all (404): the router only says that it found nothing.
 */
export function samleMetoder(server: FastifyInstance): (url: string) => Problem {
  const ruter: Rute[] = [];
  server.addHook('onRoute', ({ method, url }) => {
    if (url.includes('*')) return;
    const monster = new RegExp(`^${url.replace(/[.+()]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+')}$`);
    for (const metode of [method].flat()) ruter.push({ metode, url, monster });
  });
  return (url) => {
    const [sti = ''] = url.split('?', 1);
    // The router prefers a path as it stands to one with parameters.
    const like = ruter.filter((rute) => rute.url === sti);
    const passer = like.length > 0 ? like : ruter.filter(({ monster }) => monster.test(sti));
    const tillatt = [...new Set(passer.map(({ metode }) => metode))];
    if (tillatt.length === 0) return new Problem(fellesFeil.FINNES_IKKE, 'There is nothing here');
    return new Problem(fellesFeil.METODE_IKKE_TILLATT, 'The method is not offered here', {
      hoder: { allow: tillatt.join(', ') },
    });
  };
}
