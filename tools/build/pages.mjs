/**
 * What pages are made of, beside the program: the files in each folder `static` of the app and of what it is made with,
 * and the documents that are read in a browser, made from the same Markdown as in the repository.
 */
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { Marked } from 'marked';

/** By app: where its documents are served, and each by its name there. One that is not in the checkout is left out. */
const DOCUMENTS = {
  'apps/query-api': {
    base: '/dokumentasjon/',
    bar: [
      ['/', 'Forsiden'],
      ['/katalog', 'Katalog'],
      ['/swagger', 'Swagger UI'],
      ['/dokumentasjon/konsumenter', 'Dokumentasjon'],
      ['/dokumentasjon/endringslogg', 'Endringslogg'],
    ],
    style: '/stil',
    home: '/',
    files: {
      konsumenter: 'docs/konsumenter.md',
      klienter: 'docs/clients.md',
      biblioteker: 'clients/README.md',
      typescript: 'clients/typescript/README.md',
      kotlin: 'clients/kotlin/README.md',
      sandkasse: 'sandbox/README.md',
      fase: 'docs/fase.md',
      feil: 'docs/errors.md',
      bruksvilkaar: 'docs/bruksvilkaar.md',
      'bruksvilkaar-1': 'docs/bruksvilkaar-1.md',
      ordliste: 'docs/glossary.md',
      endringslogg: 'CHANGELOG.md',
    },
  },
  'apps/ingestor': {
    base: '/drift/dokumentasjon/',
    bar: [
      ['/drift', 'Drift'],
      ['/drift/organisasjoner', 'Organisasjoner'],
      ['/drift/dokumentasjon/haandbok', 'Håndbok'],
    ],
    style: '/drift/stil',
    home: '/drift',
    files: { haandbok: 'docs/operations.md', adaptere: 'docs/adapters.md', ordliste: 'docs/glossary.md' },
  },
};

export function layPages(root, app, output) {
  for (const folder of [`${app}/src/**/static`, 'libs/platform/src/**/static']) {
    for (const found of globSync(folder, { cwd: root })) {
      cpSync(join(root, found), join(output, 'static'), { recursive: true });
    }
  }
  const site = DOCUMENTS[app];
  if (!site) return;
  mkdirSync(join(output, 'documents'), { recursive: true });
  const files = Object.entries(site.files).filter(([, file]) => existsSync(join(root, file)));
  for (const [name, file] of files) {
    const markdown = readFileSync(join(root, file), 'utf8').replaceAll(/<!--.*?-->\n?/gs, '');
    writeFileSync(join(output, 'documents', `${name}.html`), toPage(markdown, { file, name, ...site, files }));
  }
}

function toPage(markdown, { file, name, base, bar, style, home, files }) {
  const headings = [];
  const renderer = {
    heading({ tokens, depth, text }) {
      const id = slug(text);
      const inner = this.parser.parseInline(tokens);
      if (depth > 1) headings.push({ id, depth, inner: inner.replaceAll(/<\/?a\b[^>]*>/g, '') });
      return `<h${depth} id="${id}">${inner}</h${depth}>\n`;
    },
    link({ href, tokens }) {
      const inner = this.parser.parseInline(tokens);
      const to = resolveLink(href, { file, base, files });
      return to === undefined ? `<span>${inner}</span>` : `<a href="${to}">${inner}</a>`;
    },
    code({ text }) {
      return `<pre class="kode" tabindex="0"><code>${escapeHtml(text)}</code></pre>\n`;
    },
  };
  const body = new Marked({ renderer })
    .parse(markdown)
    .replaceAll('<table>', '<div class="tabell" tabindex="0"><table>')
    .replaceAll('</table>', '</table></div>');
  const title = /<h1[^>]*>(.*?)<\/h1>/.exec(body)?.[1] ?? name;
  const own = base + name;
  const links = bar.map(([path, text]) => `<a href="${path}"${path === own ? ' aria-current="page"' : ''}>${text}</a>`);
  const contents = headings
    .filter(({ depth }) => depth === 2)
    .map(({ id, inner }) => `<li><a href="#${id}">${inner}</a></li>`);
  const index =
    contents.length > 2 ? `<nav aria-label="Innhold på denne siden"><ul>${contents.join('')}</ul></nav>` : '';
  // The documents are written in English; what stands around them is not.
  return `<!doctype html>
<html lang="nb">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title} – tiltak-datadeling</title>
    <link rel="icon" type="image/svg+xml" href="${style}/ikon.svg" />
    <link rel="stylesheet" href="${style}/navikt.css" />
    <link rel="stylesheet" href="${style}/felles.css" />
    <script src="${style}/tema.js"></script>
  </head>
  <body>
    <a class="hopp" href="#innhold">Hopp til innholdet</a>
    <header class="topplinje">
      <div class="ramme">
        <a class="merke" href="${home}"><img src="${style}/ikon.svg" alt="" /><span>tiltak-datadeling</span></a>
        <nav aria-label="Sider">${links.join('')}</nav>
      </div>
    </header>
    <div class="ramme dokument">
      ${index}
      <main id="innhold" tabindex="-1"><article lang="en">
${body}
      </article></main>
    </div>
  </body>
</html>
`;
}

/** As it is served; undefined for what lies in the repository only. */
function resolveLink(href, { file, base, files }) {
  if (/^(https?:|#)/.test(href)) return href;
  const [path, anchor] = href.split('#');
  const target = posix.normalize(posix.join(posix.dirname(file), path));
  const found = files.find(([, served]) => served === target);
  return found && `${base}${found[0]}${anchor ? `#${anchor}` : ''}`;
}

/** As the documents' own links to headings are written. */
const slug = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');

const escapeHtml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
