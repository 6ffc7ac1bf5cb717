// @ts-check
import { ask } from './dialog.js';
import { el, fillTable, perform, call, button, row, say, number, save, time, duration, page } from './felles.js';

const TYPES = ['MANGLER', 'UTDATERT', 'FREMMED', 'NYERE'];
const MEANINGS = {
  MANGLER: 'Kilden har dem, ikke vi.',
  UTDATERT: 'Våre er eldre enn kildens.',
  FREMMED: 'Vi har dem, ikke kilden.',
  NYERE: 'Våre er nyere enn kildens: spør kilden.',
};

let shown;
let next;

export async function readAvstemminger() {
  const { avstemminger } = await call('GET', '/avstemming?antall=10');
  fillTable(
    'avstemminger',
    avstemminger.map((report) =>
      row([
        report.id,
        report.kilde === 'TOPIC' ? 'Topicen' : 'Kildens liste',
        time(report.per),
        report.startetAv,
        number(report.antallHosKilden),
        ...TYPES.map((type) => sumOf(report, type)),
        button('Vis', `avstemming ${report.id}`, () => showReport(report.id)),
      ]),
    ),
    'Ingen avstemming er gjort',
  );
  el('avstemming-om').textContent = avstemminger[0] ? `sist ${time(avstemminger[0].avsluttet)}` : 'aldri gjort';
}

const partOf = (report, type) => report.differanser.find((part) => part.type === type);

function sumOf(report, type) {
  const { antall, rettet, ferske } = partOf(report, type);
  const more = [rettet > 0 ? `${number(rettet)} rettet` : '', ferske > 0 ? `${number(ferske)} ferske` : ''].filter(
    Boolean,
  );
  return more.length > 0 ? `${number(antall)} (${more.join(', ')})` : number(antall);
}

async function showReport(id) {
  shown = await call('GET', `/avstemming/${id}`);
  el('avstemming-rapport-tittel').textContent = `Avstemming ${shown.id}, per ${time(shown.per)}`;
  el('differansetype').value = TYPES.find((type) => partOf(shown, type).antall > 0) ?? 'MANGLER';
  await showDifferences();
  if (!el('vis-avstemming').open) el('vis-avstemming').showModal();
}

async function showDifferences(from) {
  const type = el('differansetype').value;
  const { antall, rettet, eldsteAlderSekunder } = partOf(shown, type);
  const remaining = antall - rettet;
  el('differanse-betyr').textContent =
    `${MEANINGS[type]} ${sumOf(shown, type)}${antall > 0 ? `, den eldste i ${duration(eldsteAlderSekunder)}` : ''}.`;
  el('rett').hidden = remaining === 0 || type === 'NYERE';
  el('rett').textContent = type === 'FREMMED' ? `Slett ${number(remaining)} avtaler` : 'Les tilbake fra topicen';
  el('rett').dataset.color = type === 'FREMMED' ? 'danger' : 'accent';
  const result = await call(
    'GET',
    `/avstemming/${shown.id}/differanser?type=${type}&antall=100${from ? `&neste=${from}` : ''}`,
  );
  const rows = result.differanser.map((difference) =>
    row([
      difference.avtaleId,
      difference.sistEndretHosKilden ? time(difference.sistEndretHosKilden) : '',
      difference.sistEndretHer ? time(difference.sistEndretHer) : '',
      duration(difference.alderSekunder),
      difference.rettet ? time(difference.rettet) : '',
    ]),
  );
  if (from) el('differanser').append(...rows);
  else fillTable('differanser', rows, 'Ingen avtaler');
  next = result.neste;
  el('flere-differanser').hidden = next === undefined;
}

async function reconcile(query, list) {
  say('Avstemmer …');
  const { id } = await call('POST', `/avstemming${query}`, list);
  await page.readAll();
  say(`Avstemming ${id} er ferdig.`);
  await showReport(id);
}

async function mend() {
  const type = el('differansetype').value;
  const { antall, rettet } = partOf(shown, type);
  const remaining = antall - rettet;
  if (type === 'FREMMED' && !(await isSureToDelete(remaining))) return;
  const answer = await call('POST', `/avstemming/${shown.id}/rett`, {
    type,
    ...(type === 'FREMMED' ? { bekreft: remaining } : {}),
  });
  await showReport(shown.id);
  await page.readAll();
  el('rett-utfall').textContent = `${number(answer.rettet)} er rettet, ${number(answer.igjen)} gjenstår.`;
}

const isSureToDelete = (count) =>
  ask({
    title: `Slette ${number(count)} avtaler som kilden ikke har?`,
    happens: [
      'Hver av dem får en gravstein på topicet, så de også er borte etter en gjenoppbygging.',
      'Konsumentene får vite det i endringsstrømmen, og innhold og historikk blir slettet.',
      'De som er endret etter avstemmingen, blir stående.',
    ],
    action: 'Slett dem',
    danger: true,
  });

el('avstem-topic').addEventListener('click', () => perform(() => reconcile('?kilde=TOPIC')));
el('avstem-liste').addEventListener('submit', (event) => {
  event.preventDefault();
  const [file] = el('liste').files;
  const per = el('liste-per').value ? `?per=${encodeURIComponent(new Date(el('liste-per').value).toISOString())}` : '';
  void perform(() => reconcile(per, file));
});
el('differansetype').addEventListener('change', () => perform(() => showDifferences()));
el('flere-differanser').addEventListener('click', () => perform(() => showDifferences(next)));
el('rett').addEventListener('click', () => perform(mend));
const report = (form) =>
  perform(() => save(`/avstemming/${shown.id}/rapport?form=${form}`, `avstemming-${shown.id}.${form.toLowerCase()}`));
el('last-ned').addEventListener('click', () =>
  perform(() => save(`/avstemming/${shown.id}/sendes-paa-nytt`, `sendes-paa-nytt-${shown.id}.ndjson`)),
);
el('rapport-csv').addEventListener('click', () => report('CSV'));
el('rapport-json').addEventListener('click', () => report('JSON'));
el('vis-avstemming').addEventListener('close', () => (el('rett-utfall').textContent = ''));
