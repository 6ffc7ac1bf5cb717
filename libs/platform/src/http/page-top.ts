import { STYLE_BASE } from './style.ts';

/** Where else there is something to read, in the bar at the top: path and name. */
export type Bar = readonly (readonly [path: string, name: string])[];

interface PageTop {
  title: string;
  lang: 'en' | 'nb';
  bar: Bar;
  /** where the page lies */
  path: string;
  /** of the page itself; between what is common and them nothing comes, but for `before` */
  styles: readonly string[];
  /** styles that give way to what is common */
  before?: readonly string[];
  /** where the common style lies */
  style?: string;
  /** what a keyboard can leap to, past the bar: its id, and the words */
  skip: readonly [id: string, words: string];
}

/** A page from its first line to the end of the bar: the same on each that is made here. The first of the bar is home. */
export function pageTop({ title, lang, bar, path, styles, before = [], style = STYLE_BASE, skip }: PageTop): string {
  const sheets = [...before, `${style}/navikt.css`, `${style}/felles.css`, ...styles];
  const links = bar.map(([to, name]) => `<a href="${to}"${to === path ? ' aria-current="page"' : ''}>${name}</a>`);
  return `<!doctype html>
<html lang="${lang}">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <link rel="icon" type="image/svg+xml" href="${style}/ikon.svg" />
${sheets.map((sheet) => `    <link rel="stylesheet" href="${sheet}" />`).join('\n')}
    <script src="${style}/tema.js"></script>
  </head>
  <body>
    <a class="hopp" href="#${skip[0]}">${skip[1]}</a>
    <header class="topplinje">
      <div class="ramme">
        <a class="merke" href="${bar[0]?.[0] ?? '/'}"><img src="${style}/ikon.svg" alt="" /><span>tiltak-datadeling</span></a>
        <nav aria-label="Sider" lang="nb">${links.join('')}</nav>
      </div>
    </header>`;
}
