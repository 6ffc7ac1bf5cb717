// @ts-check
import { el, fyllTabell, gjor, hent, kall, knapp, rad, si, tall, tid, varighet, siden } from './felles.js';

const TYPER = ['MANGLER', 'UTDATERT', 'FREMMED', 'NYERE'];
const BETYR = {
  MANGLER: 'Kilden har dem, ikke vi.',
  UTDATERT: 'Våre er eldre enn kildens.',
  FREMMED: 'Vi har dem, ikke kilden.',
  NYERE: 'Våre er nyere enn kildens: spør kilden.',
};

let vist;
let neste;

export async function lesAvstemminger() {
  const { avstemminger } = await kall('GET', '/avstemming?antall=10');
  fyllTabell(
    'avstemminger',
    avstemminger.map((rapport) =>
      rad([
        rapport.id,
        rapport.kilde === 'TOPIC' ? 'Topicen' : 'Kildens liste',
        tid(rapport.per),
        tall(rapport.antallHosKilden),
        ...TYPER.map((type) => sumI(rapport, type)),
        knapp('Vis', `avstemming ${rapport.id}`, () => visRapport(rapport.id)),
      ]),
    ),
    'Ingen avstemming er gjort',
  );
}

const delI = (rapport, type) => rapport.differanser.find((del) => del.type === type);

function sumI(rapport, type) {
  const { antall, rettet, ferske } = delI(rapport, type);
  const mer = [rettet > 0 ? `${tall(rettet)} rettet` : '', ferske > 0 ? `${tall(ferske)} ferske` : ''].filter(Boolean);
  return mer.length > 0 ? `${tall(antall)} (${mer.join(', ')})` : tall(antall);
}

async function visRapport(id) {
  vist = await kall('GET', `/avstemming/${id}`);
  el('avstemming-tittel').textContent = `Avstemming ${vist.id}, per ${tid(vist.per)}`;
  el('differansetype').value = TYPER.find((type) => delI(vist, type).antall > 0) ?? 'MANGLER';
  await visDifferanser();
  if (!el('vis-avstemming').open) el('vis-avstemming').showModal();
}

async function visDifferanser(fra) {
  const type = el('differansetype').value;
  const { antall, rettet, eldsteAlderSekunder } = delI(vist, type);
  const igjen = antall - rettet;
  el('differanse-betyr').textContent =
    `${BETYR[type]} ${sumI(vist, type)}${antall > 0 ? `, den eldste i ${varighet(eldsteAlderSekunder)}` : ''}.`;
  el('rett').hidden = igjen === 0 || type === 'NYERE';
  el('rett').textContent = type === 'FREMMED' ? `Slett ${tall(igjen)} avtaler` : 'Les tilbake fra topicen';
  el('rett').dataset.color = type === 'FREMMED' ? 'danger' : 'accent';
  const side = await kall(
    'GET',
    `/avstemming/${vist.id}/differanser?type=${type}&antall=100${fra ? `&neste=${fra}` : ''}`,
  );
  const rader = side.differanser.map((en) =>
    rad([
      en.avtaleId,
      en.sistEndretHosKilden ? tid(en.sistEndretHosKilden) : '',
      en.sistEndretHer ? tid(en.sistEndretHer) : '',
      varighet(en.alderSekunder),
      en.rettet ? tid(en.rettet) : '',
    ]),
  );
  if (fra) el('differanser').append(...rader);
  else fyllTabell('differanser', rader, 'Ingen avtaler');
  neste = side.neste;
  el('flere-differanser').hidden = neste === undefined;
}

async function avstem(sti, liste) {
  si('Avstemmer …');
  const { id } = await kall('POST', `/avstemming${sti}`, liste);
  await siden.lesAlt();
  si(`Avstemming ${id} er ferdig.`);
  await visRapport(id);
}

async function rett() {
  const type = el('differansetype').value;
  const { antall, rettet } = delI(vist, type);
  const bekreft = antall - rettet;
  if (type === 'FREMMED' && !confirm(`Slette ${tall(bekreft)} avtaler som kilden ikke har?`)) return;
  const svar = await kall('POST', `/avstemming/${vist.id}/rett`, {
    type,
    ...(type === 'FREMMED' ? { bekreft } : {}),
  });
  await visRapport(vist.id);
  await siden.lesAlt();
  el('rett-utfall').textContent = `${tall(svar.rettet)} er rettet, ${tall(svar.igjen)} gjenstår.`;
}

async function lastNed() {
  const svar = await hent('GET', `/avstemming/${vist.id}/sendes-paa-nytt`);
  const lenke = document.createElement('a');
  lenke.href = URL.createObjectURL(await svar.blob());
  lenke.download = `sendes-paa-nytt-${vist.id}.ndjson`;
  lenke.click();
  URL.revokeObjectURL(lenke.href);
}

el('avstem-topic').addEventListener('click', () => gjor(() => avstem('?kilde=TOPIC')));
el('avstem-liste').addEventListener('submit', (hendelse) => {
  hendelse.preventDefault();
  const [fil] = el('liste').files;
  const per = el('liste-per').value ? `?per=${encodeURIComponent(new Date(el('liste-per').value).toISOString())}` : '';
  void gjor(() => avstem(per, fil));
});
el('differansetype').addEventListener('change', () => gjor(() => visDifferanser()));
el('flere-differanser').addEventListener('click', () => gjor(() => visDifferanser(neste)));
el('rett').addEventListener('click', () => gjor(rett));
el('last-ned').addEventListener('click', () => gjor(lastNed));
el('vis-avstemming').addEventListener('close', () => (el('rett-utfall').textContent = ''));
