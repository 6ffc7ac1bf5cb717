import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { Show } from './show.ts';

const { resolve } = createRequire(import.meta.url);
const own = (name: string): string => readFileSync(join(import.meta.dirname, 'static', name), 'utf8');

/** The parts of Nav's design system that the page is made of, and the font as the page itself holds it. */
function style(): string {
  const navikt = dirname(resolve('@navikt/ds-css'));
  const parts = ['global/tokens', 'global/reset', 'global/baseline', 'component/typography'];
  const font = join(dirname(resolve('@fontsource-variable/source-sans-3')), 'files');
  const bytes = readFileSync(join(font, 'source-sans-3-latin-wght-normal.woff2')).toString('base64');
  const face = `@font-face { font-family: 'Source Sans 3'; font-weight: 200 900; src: url(data:font/woff2;base64,${bytes}) format('woff2'); }`;
  return [...parts.map((part) => readFileSync(join(navikt, `${part}.min.css`), 'utf8')), face, own('demo.css')].join(
    '\n',
  );
}

/** One file with all that it is made of, to be opened anywhere. */
export const fileOf = (show: Show): string => page(show);

/** @param show what there is to show; undefined: the page asks for it again and again */
function page(show: Show | undefined): string {
  // Inside a script element only this could end it.
  const data = show === undefined ? 'null' : JSON.stringify(show).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tiltak-datadeling: every promise, tried</title>
<style>${style()}</style>
</head>
<body>
<main id="demo"></main>
<noscript><p>This page is drawn by a script that it holds itself.</p></noscript>
<script type="application/json" id="data">${data}</script>
<script>${own('demo.js')}</script>
</body>
</html>
`;
}

/** The page while it is played: `/demo`, on 127.0.0.1 and for nobody else. */
export async function startLivePage(show: Show, port: number): Promise<{ url: string; stop: () => Promise<void> }> {
  const html = page(undefined);
  const answer = ({ url, method, headers }: IncomingMessage, response: ServerResponse): void => {
    // Another site that has its name point here must not read along.
    const isLocal = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '');
    if (method !== 'GET' || !isLocal) response.writeHead(404).end();
    else if (url === '/demo') response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
    else if (url === '/demo/tilstand')
      response
        .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
        .end(JSON.stringify(show));
    else response.writeHead(404).end();
  };
  const server = createServer(answer);
  await new Promise<void>((ready, failed) => {
    server.once('error', failed).listen(port, '127.0.0.1', ready);
  });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
