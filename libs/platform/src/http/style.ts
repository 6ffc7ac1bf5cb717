import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { CSS, directoryOfPages, JS, servePage } from './pages.ts';

/** Where it lies, unless an app says otherwise: what is reached by one path only has it below that. */
export const STYLE_BASE = '/stil';

/** Of Nav's design system, in the order of its layers: the parts that a page of ours is made of. */
const PARTS = [
  'global/tokens',
  'global/reset',
  'global/baseline',
  ...['typography', 'link', 'button', 'form', 'table', 'tag', 'loader'].map((part) => `component/${part}`),
];
const FONT = ['latin', 'latin-ext'];

/**
 * Serves what pages have in common, below `base`: Nav's design system and its font from the installed packages, and what is
 * made of them here. Nothing comes from another address.
 */
export function serveStyle(server: FastifyInstance, base: string): void {
  const directory = directoryOfPages(import.meta.dirname);
  const { resolve } = createRequire(join(directory, 'program.cjs'));
  const navikt = dirname(resolve('@navikt/ds-css'));
  const font = dirname(resolve('@fontsource-variable/source-sans-3'));
  const own = (name: string): Buffer => readFileSync(join(directory, 'static', name));
  servePage(server, {
    [`${base}/navikt.css`]: {
      type: CSS,
      content: PARTS.map((part) => readFileSync(join(navikt, `${part}.min.css`), 'utf8')).join('\n'),
    },
    [`${base}/felles.css`]: { type: CSS, content: own('felles.css') },
    [`${base}/tema.js`]: { type: JS, content: own('tema.js') },
    [`${base}/ikon.svg`]: { type: 'image/svg+xml', content: own('ikon.svg') },
    ...Object.fromEntries(
      FONT.map((part) => [
        `${base}/source-sans-3-${part}.woff2`,
        { type: 'font/woff2', content: readFileSync(join(font, 'files', `source-sans-3-${part}-wght-normal.woff2`)) },
      ]),
    ),
  });
}
