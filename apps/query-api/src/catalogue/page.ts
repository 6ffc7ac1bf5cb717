import { DECISION_TABLE, type PersonalData } from '@tiltak/avtale';
import { API_VERSION, pageTop } from '@tiltak/platform';
import { BAR } from '../front-page/bar.ts';
import { DECISION_HEADER, decisionCells, TERMS } from '../personer/on-a-measure.ts';
import { granted, type ReadResource } from '../resources/resource.ts';
import { RESOURCES } from '../resources/resources.ts';
import { resourceFields, type CatalogueField } from './catalogue.ts';

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
  const top = pageTop({
    title: 'Catalogue of fields – tiltak-datadeling',
    lang: 'en',
    bar: BAR,
    path: '/katalog',
    styles: [STYLE_ROUTE],
    skip: ['innhold', 'Skip to the catalogue'],
  });
  return `${top}
    <main id="innhold" class="ramme katalog" tabindex="-1">
      <h1>Catalogue of fields</h1>
      <p class="ingress">What each field of an avtale means, and of ${several(RESOURCES)}, where it comes from at the source, what is done to it on the way, and which operations answer with it. Made from the table that the service runs on, version ${API_VERSION}.</p>
      <nav aria-label="On this page">
        <a href="#dokumenter">Documents</a> <a href="#tiltak">What on a measure means</a> <a href="#felter">Fields</a> ${RESOURCES.map(({ words }) => `<a href="#${words.tag}">${words.tag}</a>`).join(' ')} <a href="#personopplysninger">Personal data</a>
      </nav>
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
${RESOURCES.map(resourceSection).join('\n')}
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

const several = (resources: readonly ReadResource[]): string =>
  resources.map(({ words }) => words.several).join(' and ');

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
  return entry({ id: name, name, type, meaning }, rows);
}

/** The fields of another resource, each under the name that a grant has for it. */
function resourceSection(read: ReadResource): string {
  const { resource, words, operations } = read;
  const answered = [operations.search, operations.one, operations.export].map((name) => `<code>${name}</code>`);
  const entries = resourceFields(read).map(({ name, source, rule, column, type, mayBeEmpty, ...field }) =>
    entry({ id: granted(read, name), name, type, meaning: field.meaning }, [
      ['Source', source === undefined ? 'Worked out here' : `<code>${escape(source)}</code>`],
      ['Rule', inline(rule)],
      ['Column', `<code>${resource.table}.${column.name}</code> <span class="quiet">${column.type}</span>`],
      ['Type', `${type}${mayBeEmpty ? ', or null' : ''}`],
      ['Grant', `<code>${granted(read, name)}</code>`],
      ['Personal data', `<a href="#personopplysninger"><code>${field.personalData}</code></a>`],
      ['Since', field.since],
    ]),
  );
  return `      <section aria-labelledby="${words.tag}">
        <h2 id="${words.tag}">${words.tag}</h2>
        <p>${inline(words.about)} Answered by ${answered.join(', ')}, with the fields that are granted.</p>
${entries.join('\n')}
      </section>`;
}

/** @param rows those without a value are left out */
function entry(
  { id, name, type, meaning }: Record<'id' | 'name' | 'type' | 'meaning', string>,
  rows: readonly [string, string | undefined][],
): string {
  const entries = rows.flatMap(([title, value]) => (value === undefined ? [] : [row(title, value)]));
  return `        <article aria-labelledby="${id}">
          <h3 id="${id}"><code>${name}</code> <span class="quiet">${type}</span></h3>
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

/** Beside what is common to all pages. */
export const STYLE = `.katalog { padding-block: 2.5rem 5rem; overflow-wrap: anywhere; }
.katalog h1 { margin: 0 0 0.75rem; font-size: clamp(2rem, 5vw, 2.5rem); line-height: 1.2; }
.katalog .ingress { max-width: 48rem; margin-block: 0 1.5rem; }
.katalog h2 { margin: 3rem 0 0.75rem; padding-block-start: 1.5rem; border-block-start: 1px solid var(--ax-border-neutral-subtle); font-size: 1.5rem; }
.katalog h3 { margin: 0; font-size: 1.25rem; }
.katalog a { color: var(--ax-text-accent); }
.katalog nav a, .names a { display: inline-block; margin-inline-end: 0.75rem; padding: 0.125rem 0; }
.quiet, .katalog dt { color: var(--ax-text-neutral-subtle); }
.quiet { font-weight: 400; font-size: 1rem; }
.katalog article { margin-block: 1rem; padding: 1.125rem 1.375rem; border: 1px solid var(--ax-border-neutral-subtle); border-radius: 16px; background: var(--ax-bg-raised); }
.katalog article:target, .katalog article:has(:target) { border-color: var(--ax-border-accent); }
.katalog article p { margin: 0.5rem 0; }
.katalog dl { margin: 0.5rem 0 0; }
.katalog dl > div { display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); gap: 0 1rem; padding: 0.375rem 0; border-block-start: 1px solid var(--ax-border-neutral-subtle); font-size: 1rem; }
.katalog .links > div { grid-template-columns: 15rem minmax(0, 1fr); }
.katalog dd { margin: 0; }
.wide { overflow-x: auto; }
.katalog table { width: 100%; min-width: 40rem; border-collapse: collapse; font-size: 1rem; overflow-wrap: normal; }
.katalog :is(th, td) { padding: 0.5rem 0.75rem; border-block-end: 1px solid var(--ax-border-neutral-subtle); text-align: start; vertical-align: top; }
@media (width < 40rem) {
  .katalog dl > div, .katalog .links > div { grid-template-columns: minmax(0, 1fr); }
}
`;
