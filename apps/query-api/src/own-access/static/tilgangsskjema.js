// @ts-check
// The form for access: what is filled in becomes the entry that a pull request adds to the registry of consumers. Nothing
// is sent anywhere.
import { explain, missingFields, toYaml } from './oppforing.js';
import { RULES, validate } from './regler.js';

const el = (id) => document.getElementById(id);
const form = el('skjema');
const purposes = el('formaal-liste');

/** Of what each operation answers, from the document that this service publishes. */
const questions = new Map();

function checkbox({ group, name, hint, personal }) {
  const label = document.createElement('label');
  const input = Object.assign(document.createElement('input'), { type: 'checkbox', value: name });
  input.dataset.gruppe = group;
  const text = document.createElement('span');
  const code = Object.assign(document.createElement('code'), { textContent: name });
  text.append(
    code,
    ...(hint
      ? [
          document.createElement('br'),
          Object.assign(document.createElement('small'), { textContent: hint, lang: 'en' }),
        ]
      : []),
  );
  if (personal)
    text.append(
      ' ',
      Object.assign(document.createElement('small'), { className: 'merke', textContent: 'om en person' }),
    );
  label.append(input, text);
  return label;
}

let purposeNumber = 0;
function addPurpose() {
  purposeNumber += 1;
  const number = String(purposeNumber);
  const node = el('formaal-mal').content.cloneNode(true);
  const root = node.querySelector('fieldset');
  for (const input of root.querySelectorAll('[data-navn]')) {
    input.id = `${input.dataset.navn}-${number}`;
    root.querySelector(`[data-for="${input.dataset.navn}"]`)?.setAttribute('for', input.id);
  }
  for (const [operation, fields] of Object.entries(RULES.operations)) {
    const needs = fields.length === 0 ? '' : `Trenger ${fields.length > 6 ? 'alle lagrede felter' : fields.join(', ')}`;
    const hint = [questions.get(operation), needs].filter(Boolean).join(' · ');
    root
      .querySelector('.operasjoner')
      .append(checkbox({ group: 'operasjoner', name: operation, hint, personal: false }));
  }
  for (const { name, aboutPerson } of RULES.fields) {
    root.querySelector('.felter').append(checkbox({ group: 'felter', name, hint: '', personal: aboutPerson }));
  }
  for (const { name, aboutPerson } of RULES.resourceFields) {
    root.querySelector('.felter').append(checkbox({ group: 'ressurser', name, hint: '', personal: aboutPerson }));
  }
  for (const kind of RULES.kinds) {
    root
      .querySelector('.tiltakstyper')
      .append(checkbox({ group: 'tiltakstyper', name: kind, hint: '', personal: false }));
  }
  root.querySelector('.legg-til-felter').addEventListener('click', () => {
    for (const { fields } of missingFields(purposeOf(root), RULES)) {
      for (const input of root.querySelectorAll('[data-gruppe="felter"], [data-gruppe="ressurser"]'))
        input.checked ||= fields.includes(input.value);
    }
    show();
  });
  root.querySelector('.fjern').addEventListener('click', () => {
    root.remove();
    numberPurposes();
    show();
    el('nytt-formaal').focus();
  });
  purposes.append(node);
  numberPurposes();
  return root;
}

function numberPurposes() {
  const all = [...purposes.children];
  for (const [i, root] of all.entries()) {
    root.querySelector('legend').textContent = `Formål ${String(i + 1)}`;
    root.querySelector('.fjern').hidden = all.length === 1;
  }
}

const value = (root, name) => root.querySelector(`[data-navn="${name}"]`).value.trim();

function purposeOf(root) {
  const checked = (group) => [...root.querySelectorAll(`[data-gruppe="${group}"]:checked`)].map((input) => input.value);
  const of = (group) => (root.querySelector(`[data-navn="alle-${group}"]`).checked ? 'alle' : checked(group));
  const kinds = checked('tiltakstyper');
  const resources = {};
  for (const [resource, field] of checked('ressurser').map((name) => name.split('.'))) {
    (resources[resource] ??= { felter: [] }).felter.push(field);
  }
  return {
    id: value(root, 'id'),
    lenke: value(root, 'lenke'),
    operasjoner: of('operasjoner'),
    felter: of('felter'),
    ...(Object.keys(resources).length === 0 ? {} : { ressurser: resources }),
    ...(kinds.length === 0 ? {} : { utvalg: { tiltakstyper: kinds } }),
  };
}

/** An application, or an organisation with those who call for it. */
function whoCalls() {
  const namespace = el('namespace').value.trim();
  if (el('hvem').value === 'nav') return { ...(namespace === '' ? {} : { namespace }), azp: el('azp').value.trim() };
  const suppliers = el('leverandoerer')
    .value.split(/[\s,]+/)
    .filter((number) => number !== '');
  return {
    organisasjonsnummer: el('organisasjonsnummer').value.trim(),
    ...(suppliers.length === 0 ? {} : { leverandoerer: suppliers }),
  };
}

function entry() {
  const quota = { perSekund: el('per-sekund').valueAsNumber, burst: el('burst').valueAsNumber };
  return {
    navn: el('navn').value.trim(),
    ...whoCalls(),
    ...(el('vilkaar').checked ? { bruksvilkaar: RULES.terms } : {}),
    ...(el('gammel').checked ? { graphql: { som: 'gammel' } } : {}),
    behandlingsgrunnlag: [...purposes.children].map(purposeOf),
    ...(Number.isNaN(quota.perSekund) && Number.isNaN(quota.burst) ? {} : { kvote: quota }),
  };
}

/** What the schema says of a place, in the words of the page. */
const PLACES = {
  navn: 'Applikasjonens navn må være små bokstaver, tall og bindestrek, og begynne med en bokstav.',
  namespace: 'Namespace må være små bokstaver, tall og bindestrek, og begynne med en bokstav.',
  azp: 'Klient-id (azp) mangler, er for lang eller har kolon.',
  organisasjonsnummer: 'Organisasjonsnummeret må være ni sifre.',
  'kvote/perSekund': 'Kvotens kall i sekundet må være et helt tall fra 1.',
  'kvote/burst': 'Kvotens kall på en gang må være et helt tall fra 1.',
  id: 'formålets id må være bokstaver, tall og bindestrek.',
  lenke: 'lenken til formålet må begynne med https://.',
  operasjoner: 'velg minst én operasjon.',
  felter: 'velg minst ett felt.',
};

function inWords({ instancePath, message = 'er feil' }) {
  const path = instancePath.split('/').slice(2);
  if (path[0] === 'leverandoerer') return 'Leverandørene må være organisasjonsnumre med ni sifre, hver bare en gang.';
  if (path[0] !== 'behandlingsgrunnlag')
    return PLACES[path.join('/')] ?? `${path.join('.') || 'oppføringen'}: ${message}`;
  return `Formål ${String(Number(path[1]) + 1)}: ${PLACES[path[2]] ?? `${path.slice(2).join('.')}: ${message}`}`;
}

function show() {
  for (const part of document.querySelectorAll('[data-hvem]')) part.hidden = part.dataset.hvem !== el('hvem').value;
  for (const root of purposes.children) {
    for (const group of ['operasjoner', 'felter']) {
      const all = root.querySelector(`[data-navn="alle-${group}"]`).checked;
      for (const input of root.querySelectorAll(`[data-gruppe="${group}"]`)) input.disabled = all;
    }
    root.querySelector('.legg-til-felter').hidden = missingFields(purposeOf(root), RULES).length === 0;
  }
  const made = entry();
  const isValid = validate([made]);
  const wrong = isValid ? [] : [...new Set(validate.errors.map(inWords))];
  const { problems, consequences } = explain(made, RULES);
  fill('mangler', [...wrong, ...problems]);
  fill('folger', consequences);
  el('mangler-del').hidden = wrong.length + problems.length === 0;
  el('folger-del').hidden = consequences.length === 0;
  el('yaml').textContent = isValid ? toYaml(made) : '';
  el('yaml-del').hidden = !isValid;
  const env = el('miljo').value;
  el('fil').textContent = `nais/${RULES.organisasjon}/konsumenter-${env}.yaml`;
  el('kommando').textContent = `npx nx g organisasjon ${RULES.organisasjon}`;
  const left = wrong.length + problems.length;
  el('tilstand').textContent =
    left === 0 ? 'Oppføringen er klar.' : `${String(left)} ${left === 1 ? 'ting' : 'ting'} gjenstår.`;
}

function fill(id, lines) {
  el(id).replaceChildren(...lines.map((line) => Object.assign(document.createElement('li'), { textContent: line })));
}

async function readQuestions() {
  try {
    const { paths } = await (await fetch('/openapi.json')).json();
    for (const methods of Object.values(paths)) {
      for (const { operationId, summary } of Object.values(methods)) questions.set(operationId, summary);
    }
  } catch {
    // The names of the operations tell enough.
  }
}

await readQuestions();
el('vilkaar-versjon').textContent = String(RULES.terms);
addPurpose();
form.addEventListener('input', show);
form.addEventListener('submit', (event) => event.preventDefault());
el('nytt-formaal').addEventListener('click', () => {
  addPurpose().querySelector('[data-navn="id"]').focus();
  show();
});
el('kopier').addEventListener('click', async () => {
  await navigator.clipboard.writeText(el('yaml').textContent);
  el('tilstand').textContent = 'Kopiert.';
});
show();
