// @ts-check
// What is filled in, as an entry of the registry of consumers; and what it comes to. No part of it knows the page.

/**
 * @typedef {{ id: string, lenke: string, operasjoner: string[] | 'alle', felter: string[] | 'alle',
 *   ressurser?: Record<string, { felter: string[] }>, utvalg?: { tiltakstyper: string[] } }} Purpose
 * @typedef {{ navn: string, namespace?: string, azp?: string, organisasjonsnummer?: string, leverandoerer?: string[],
 *   bruksvilkaar?: number, behandlingsgrunnlag: Purpose[],
 *   graphql?: { som: string }, kvote?: { perSekund: number, burst: number } }} Entry
 * @typedef {{ operations: Record<string, string[]>, fields: { name: string, aboutPerson: boolean }[],
 *   filters: Record<string, string[]>, terms: number, organisasjon: string, kinds: string[],
 *   withKinds: Record<string, 'SVARER' | 'BARE_MED_ABONNEMENT' | 'AVVIST'> }} Rules
 */

/** A member of a registry, as it stands under `- ` in the file: YAML that says the same as the entry. */
export function toYaml(/** @type {Entry} */ entry) {
  const lines = [
    `navn: ${scalar(entry.navn)}`,
    ...(entry.namespace === undefined ? [] : [`namespace: ${scalar(entry.namespace)}`]),
    ...(entry.azp === undefined ? [] : [`azp: ${scalar(entry.azp)}`]),
    ...(entry.organisasjonsnummer === undefined ? [] : [`organisasjonsnummer: ${scalar(entry.organisasjonsnummer)}`]),
    ...(entry.leverandoerer === undefined ? [] : [`leverandoerer: ${list(entry.leverandoerer)}`]),
    ...(entry.bruksvilkaar === undefined ? [] : [`bruksvilkaar: ${String(entry.bruksvilkaar)}`]),
    ...(entry.graphql === undefined ? [] : [`graphql: { som: ${entry.graphql.som} }`]),
    'behandlingsgrunnlag:',
    ...entry.behandlingsgrunnlag.flatMap(purposeLines),
    ...(entry.kvote === undefined
      ? []
      : [`kvote: { perSekund: ${String(entry.kvote.perSekund)}, burst: ${String(entry.kvote.burst)} }`]),
  ];
  return `${lines.map((line, i) => `${i === 0 ? '- ' : '  '}${line}`).join('\n')}\n`;
}

/** @param {Purpose} purpose */
function purposeLines({ id, lenke, operasjoner, felter, ressurser, utvalg }) {
  return [
    `  - id: ${scalar(id)}`,
    `    lenke: ${scalar(lenke)}`,
    `    operasjoner: ${list(operasjoner)}`,
    `    felter: ${list(felter)}`,
    ...(ressurser === undefined ? [] : ['    ressurser:', ...Object.entries(ressurser).map(resourceLine)]),
    ...(utvalg === undefined ? [] : [`    utvalg: { tiltakstyper: ${list(utvalg.tiltakstyper)} }`]),
  ];
}

/** @param {[string, { felter: string[] }]} resource */
const resourceLine = ([name, { felter }]) => `      ${scalar(name)}: { felter: ${list(felter)} }`;

const list = (/** @type {string[] | 'alle'} */ names) =>
  names === 'alle' ? names : `[${names.map(scalar).join(', ')}]`;

/** What YAML takes for something else than a text stands in quotes; JSON's are YAML's too. */
function scalar(/** @type {string} */ text) {
  const isPlain = /^[A-Za-z][\w-]*$/.test(text) && !/^(null|true|false|yes|no|on|off|y|n|nan|inf)$/i.test(text);
  return isPlain || /^https:\/\/[\w./-]+$/.test(text) ? text : JSON.stringify(text);
}

/**
 * What the entry does not say itself, in words: what is missing, and what it comes to.
 *
 * @param {Entry} entry
 * @param {Rules} rules
 * @returns {{ problems: string[], consequences: string[] }}
 */
export function explain(entry, rules) {
  const problems = [];
  const consequences = [];
  if (entry.bruksvilkaar === undefined) {
    problems.push(
      `Bruksvilkårene versjon ${String(rules.terms)} er ikke godtatt: alt annet enn hentTilgang blir avvist.`,
    );
  }
  const numbers = [entry.organisasjonsnummer ?? [], entry.leverandoerer ?? []].flat();
  for (const number of numbers.filter((number) => /^\d{9}$/.test(number) && !hasCheckDigit(number)))
    problems.push(`${number} er ikke et organisasjonsnummer: det siste sifferet stemmer ikke.`);
  if (entry.leverandoerer?.includes(entry.organisasjonsnummer ?? ''))
    problems.push('Dere kan ikke være deres egen leverandør.');
  if (entry.organisasjonsnummer !== undefined)
    consequences.push('Dere henter token hos Maskinporten, med scopet til denne tjenesten og adressen som resource.');
  const ids = entry.behandlingsgrunnlag.map(({ id }) => id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i)))
    problems.push(`Formålet ${id} står to ganger.`);
  if (ids.length > 1) {
    consequences.push(`Hvert kall må ha headeren Behandlingsgrunnlag: ${ids.join(' eller ')}.`);
  }
  for (const purpose of entry.behandlingsgrunnlag) {
    const { id } = purpose;
    for (const { operation, fields } of missingFields(purpose, rules)) {
      problems.push(`${id}: ${operation} svarer alltid med ${fields.join(', ')}, som ikke er valgt. Den blir avvist.`);
    }
    consequences.push(...consequencesOf(purpose, rules).map((line) => `${id}: ${line}`));
  }
  if (entry.kvote === undefined)
    consequences.push('Uten kvote er det ingen grense for hvor mange kall i sekundet dere gjør.');
  return { problems, consequences };
}

/** Modulo 11, of a number of nine digits. */
function hasCheckDigit(/** @type {string} */ number) {
  const sum = [3, 2, 7, 6, 5, 4, 3, 2].reduce((total, weight, i) => total + weight * Number(number[i]), 0);
  return (11 - (sum % 11)) % 11 === Number(number[8]);
}

/** @param {Purpose} purpose @param {Rules} rules */
export function missingFields({ operasjoner, felter, ressurser = {} }, rules) {
  const has = (/** @type {string} */ field) => {
    const [resource = '', name] = field.split('.');
    if (name !== undefined) return ressurser[resource]?.felter.includes(name) === true;
    return felter === 'alle' || felter.includes(field);
  };
  return chosen(operasjoner, Object.keys(rules.operations))
    .map((operation) => ({
      operation,
      fields: (rules.operations[operation] ?? []).filter((field) => !has(field)),
    }))
    .filter(({ fields }) => fields.length > 0);
}

/** Operations that search, and so are given filters. */
const SEARCHES = ['sokAvtaler', 'hentUtdrag'];
/** Operations that tell of everybody. */
const OF_ALL = ['eksporterAvtaler', 'hentEndringer'];

/** @param {Purpose} purpose @param {Rules} rules */
function consequencesOf({ operasjoner, felter, utvalg }, rules) {
  const operations = chosen(operasjoner, Object.keys(rules.operations));
  const fields = chosen(
    felter,
    rules.fields.map(({ name }) => name),
  );
  const lines = [];
  if (operations.some((operation) => SEARCHES.includes(operation))) {
    const without = Object.entries(rules.filters).filter(
      ([, needed]) => !needed.every((field) => fields.includes(field)),
    );
    if (without.length > 0) {
      const lacking = (needed) => needed.filter((field) => !fields.includes(field)).join(' og ');
      const each = without.map(([filter, needed]) => `${filter} (trenger ${lacking(needed)})`);
      lines.push(`dere kan ikke søke med ${each.join(', ')}.`);
    }
  }
  if (utvalg !== undefined) lines.push(...consequencesOfKinds(utvalg.tiltakstyper, operations, rules));
  const ofAll = operations.filter((operation) => OF_ALL.includes(operation));
  if (ofAll.length > 0 && utvalg === undefined) {
    lines.push(`${ofAll.join(' og ')} forteller om alle avtaler, ikke bare dem dere spør om.`);
  }
  const personal = rules.fields.filter(({ name, aboutPerson }) => aboutPerson && fields.includes(name));
  if (personal.length > 0) {
    lines.push(`${personal.map(({ name }) => name).join(', ')} kan fortelle hvem noen er. Formålet må trenge det.`);
  }
  if (felter === 'alle' || operasjoner === 'alle') {
    lines.push(
      '«alle» gir også det som kommer til senere. Det dere ikke bruker på 90 dager, blir fortalt i hentTilgang.',
    );
  }
  return lines;
}

/** @param {string[]} kinds @param {string[]} operations @param {Rules} rules */
function consequencesOfKinds(kinds, operations, rules) {
  const refused = operations.filter((operation) => rules.withKinds[operation] === 'AVVIST');
  const following = operations.filter((operation) => rules.withKinds[operation] === 'BARE_MED_ABONNEMENT');
  const lines = [`svarene har bare avtaler om ${kinds.join(', ')}: at noen ikke er på tiltak, gjelder bare disse.`];
  if (operations.includes('eksporterAvtaler'))
    lines.push('eksporterAvtaler forteller om alle avtaler av disse typene.');
  if (refused.length > 0) lines.push(`${refused.join(', ')} kan ikke avgrenses til dette, og blir avvist.`);
  if (following.length > 0) lines.push(`${following.join(', ')} blir avvist uten abonnement.`);
  if (following.length > 0) lines.push('dere kan ikke lytte på topicet med endringer, som forteller om alle avtaler.');
  return lines;
}

/** @param {string[] | 'alle'} names @param {string[]} all */
const chosen = (names, all) => (names === 'alle' ? all : names);
