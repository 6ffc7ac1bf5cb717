import { DECISION_TABLE, type PersonalData } from '@tiltak/avtale';
import { API_VERSION } from '@tiltak/platform';
import { DECISION_HEADER, decisionCells, TERMS } from '../personer/on-a-measure.ts';
import type { CatalogueField } from './catalogue.ts';

export const STYLE_ROUTE = '/katalog/side.css';

/** A document beside the page. */
export interface Link {
  href: string;
  title: string;
  about: string;
}

const PERSONAL_DATA: Record<PersonalData, string> = {
  FODSELSNUMMER: 'National ident: says who the participant is',
  ANSATT: "Says which of Nav's employees",
  VIRKSOMHET: 'Says which employer, who may be a sole trader',
  NOKKEL: 'Key of the avtale, and so of what is known of its participant',
  OM_DELTAKER: 'About the participant, once one knows whose avtale it is',
};

/** The catalogue as a page: HTML as it stands, which needs no script. */
export function cataloguePage(fields: readonly CatalogueField[], links: readonly Link[]): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Catalogue of fields – tiltak-datadeling</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="${STYLE_ROUTE}" />
  </head>
  <body>
    <header>
      <p><a href="/">tiltak-datadeling</a> <span class="quiet">version ${API_VERSION}</span></p>
      <h1>Catalogue of fields</h1>
      <p>What each field of an avtale means, where it comes from at the source, what is done to it on the way, and which operations answer with it. Made from the table that the service runs on.</p>
      <nav aria-label="On this page">
        <a href="#dokumenter">Documents</a> <a href="#tiltak">What on a measure means</a> <a href="#felter">Fields</a> <a href="#personopplysninger">Personal data</a>
      </nav>
    </header>
    <main>
      <section aria-labelledby="dokumenter">
        <h2 id="dokumenter">Documents</h2>
        <dl class="links">
${links.map(linkEntry).join('\n')}
        </dl>
      </section>
      <section aria-labelledby="tiltak">
        <h2 id="tiltak">What on a measure means</h2>
        <p>The first row that holds decides, for each avtale. This is how <code>hentTiltaksstatus</code> and <code>fase</code> answer.</p>
        <ul>
${TERMS.map((term) => `          <li>${inline(term)}</li>`).join('\n')}
        </ul>
        <div class="wide" role="region" aria-labelledby="tiltak" tabindex="0">
${decisionTable()}
        </div>
      </section>
      <section aria-labelledby="felter">
        <h2 id="felter">Fields</h2>
        <p class="names">${fields.map(({ name }) => `<a href="#${name}"><code>${name}</code></a>`).join(' ')}</p>
${fields.map(fieldEntry).join('\n')}
      </section>
      <section aria-labelledby="personopplysninger">
        <h2 id="personopplysninger">Personal data</h2>
        <p>All of an avtale is about persons. The classes tell what each field says of whom; a grant is for each field, and is given for a purpose.</p>
        <dl>
${Object.entries(PERSONAL_DATA)
  .map(([name, meaning]) => row(`<code>${name}</code>`, escape(meaning)))
  .join('\n')}
        </dl>
      </section>
    </main>
  </body>
</html>
`;
}

const row = (name: string, value: string): string => `          <div><dt>${name}</dt><dd>${value}</dd></div>`;

function linkEntry({ href, title, about }: Link): string {
  return row(`<a href="${href}">${escape(title)}</a>`, escape(about));
}

function decisionTable(): string {
  const cells = (tag: string, values: readonly string[]): string =>
    values.map((value) => `<${tag}>${inline(value)}</${tag}>`).join('');
  const head = DECISION_HEADER.map((name) => `<th scope="col">${inline(name)}</th>`).join('');
  const rows = DECISION_TABLE.map((decision) => `            <tr>${cells('td', decisionCells(decision))}</tr>`);
  return `          <table>
            <thead><tr>${head}</tr></thead>
            <tbody>
${rows.join('\n')}
            </tbody>
          </table>`;
}

function fieldEntry(field: CatalogueField): string {
  const { name, source, meaning, unit, personalData, since, column, type, values, rule, answers } = field;
  const shown = values.length > 0 ? values.map((value) => `<code>${value}</code>`).join(' ') : undefined;
  const rows: [string, string | undefined][] = [
    ['Source', source === undefined ? 'Worked out here' : `<code>${escape(source)}</code>`],
    ['Rule', inline(rule)],
    ['Column', column && `<code>avtale.${column.name}</code> <span class="quiet">${column.type}</span>`],
    ['Type', `${typeName(field)}${unit === undefined ? '' : `, in ${escape(unit)}`}`],
    ['Values', shown],
    ['Answered in', answers.length > 0 ? answers.map(answerEntry).join('<br />') : 'Nothing: it is not shown'],
    ['Personal data', `<a href="#personopplysninger"><code>${personalData}</code></a>`],
    ['Since', since],
  ];
  const entries = rows.flatMap(([title, value]) => (value === undefined ? [] : [row(title, value)]));
  return `        <article aria-labelledby="${name}">
          <h3 id="${name}"><code>${name}</code> <span class="quiet">${type}</span></h3>
          <p>${inline(meaning)}</p>
          <dl>
${entries.join('\n')}
          </dl>
        </article>`;
}

function typeName({ type, column, values, mayBeEmpty, maxLength }: CatalogueField): string {
  const isUuid = column?.type === 'uuid';
  const form = isUuid ? ', a UUID' : maxLength === undefined ? '' : `, at most ${String(maxLength)} characters`;
  const empty = values.length > 0 ? ', left out where the source has none' : ', or null';
  return `${type}${values.length > 0 ? '' : form}${mayBeEmpty ? empty : ''}`;
}

function answerEntry({ schema, operations }: CatalogueField['answers'][number]): string {
  const names = operations.map((name) => `<code>${name}</code>`).join(', ');
  return `<strong>${escape(schema)}</strong>: ${names}`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${String(char.charCodeAt(0))};`);
}

/** Text with `code` in it. */
function inline(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

export const STYLE = `:root {
  color-scheme: light dark;
  --text: light-dark(#202733, #e8ebf0);
  --quiet: light-dark(#525c6b, #aab4c3);
  --ground: light-dark(#ffffff, #15191f);
  --card: light-dark(#f5f6f8, #1e242d);
  --line: light-dark(#c6cbd3, #3b4553);
  --link: light-dark(#0056b4, #8fc1ff);
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
h1, h2, h3 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); padding-bottom: 0.25rem; }
h3 { margin: 0; }
nav a, .names a { display: inline-block; margin-right: 0.75rem; padding: 0.125rem 0; }
code { font-family: ui-monospace, monospace; font-size: 0.9em; }
.quiet { color: var(--quiet); font-weight: normal; font-size: 0.9rem; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; padding: 1rem; margin: 1rem 0; }
article:target, article:has(:target) { border-color: var(--link); }
article p { margin: 0.5rem 0; }
dl { margin: 0.5rem 0 0; }
dl > div { display: grid; grid-template-columns: 8.5rem 1fr; gap: 0 1rem; padding: 0.25rem 0; border-top: 1px solid var(--line); }
.links > div { grid-template-columns: 14rem 1fr; }
dt { color: var(--quiet); }
dd { margin: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; min-width: 34rem; width: 100%; overflow-wrap: normal; }
th, td { text-align: left; vertical-align: top; padding: 0.375rem 0.5rem; border-bottom: 1px solid var(--line); }
@media (max-width: 34rem) {
  dl > div, .links > div { grid-template-columns: 1fr; }
}
`;
