// @ts-check
import { el, fillTable, perform, get, call, button, row, say, number, time, duration, page } from './felles.js';

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
        number(report.antallHosKilden),
        ...TYPES.map((type) => sumOf(report, type)),
        button('Vis', `avstemming ${report.id}`, () => showReport(report.id)),
      ]),
    ),
    'Ingen avstemming er gjort',
  );
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
  el('avstemming-tittel').textContent = `Avstemming ${shown.id}, per ${time(shown.per)}`;
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
  if (type === 'FREMMED' && !confirm(`Slette ${number(remaining)} avtaler som kilden ikke har?`)) return;
  const answer = await call('POST', `/avstemming/${shown.id}/rett`, {
    type,
    ...(type === 'FREMMED' ? { bekreft: remaining } : {}),
  });
  await showReport(shown.id);
  await page.readAll();
  el('rett-utfall').textContent = `${number(answer.rettet)} er rettet, ${number(answer.igjen)} gjenstår.`;
}

async function download() {
  const answer = await get('GET', `/avstemming/${shown.id}/sendes-paa-nytt`);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = `sendes-paa-nytt-${shown.id}.ndjson`;
  link.click();
  URL.revokeObjectURL(link.href);
}

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
el('last-ned').addEventListener('click', () => perform(download));
el('vis-avstemming').addEventListener('close', () => (el('rett-utfall').textContent = ''));
