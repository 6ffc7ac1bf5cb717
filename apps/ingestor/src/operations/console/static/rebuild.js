// @ts-check
import { el, gjor, kall, rad, tall, tid, token, siden } from './felles.js';

let neste;
let venter;

export async function lesGjenoppbygging() {
  const g = await kall('GET', '/gjenoppbygging');
  const kjorer = g.tilstand === 'KJORER';
  const tekster = {
    INGEN: 'Ingen gjenoppbygging er startet.',
    KJORER: `Pågår: ${tall(g.lest)} av ${tall(g.antall)} plasser på topicen er lest.`,
    STOPPET: `Stoppet ${tid(g.avsluttet)}.`,
    FERDIG: `Ferdig ${tid(g.avsluttet)}. ${tall(g.rettet)} rader er rettet. ${tall(g.usette)} avtaler fantes ikke lenger på topicen; de er ikke slettet.`,
  };
  el('gjenoppbygging').textContent = tekster[g.tilstand];
  el('framdrift').hidden = !kjorer;
  el('framdrift').max = Math.max(1, g.antall);
  el('framdrift').value = g.lest;
  el('start-gjenoppbygging').hidden = kjorer;
  el('stopp-gjenoppbygging').hidden = !kjorer;
  el('usette-del').hidden = g.tilstand !== 'FERDIG' || g.usette === 0;
  if (el('usette-del').hidden) el('usette').replaceChildren();
  else await lesUsette();
  clearTimeout(venter);
  if (kjorer && token.finnes()) venter = setTimeout(() => gjor(lesGjenoppbygging), 2_000);
}

async function lesUsette(fra) {
  const side = await kall('GET', `/gjenoppbygging/usette?antall=100${fra ? `&neste=${fra}` : ''}`);
  const rader = side.avtaleIder.map((avtaleId) => rad([avtaleId]));
  if (fra) el('usette').append(...rader);
  else el('usette').replaceChildren(...rader);
  neste = side.neste;
  el('flere-usette').hidden = neste === undefined;
}

el('flere-usette').addEventListener('click', () => gjor(() => lesUsette(neste)));
el('start-gjenoppbygging').addEventListener('click', () =>
  gjor(async () => {
    if (!confirm('Lese hele topicen på nytt? Dagens data vises imens.')) return;
    await kall('POST', '/gjenoppbygging');
    await siden.lesAlt();
  }),
);
el('stopp-gjenoppbygging').addEventListener('click', () =>
  gjor(async () => {
    await kall('POST', '/gjenoppbygging/stopp');
    await siden.lesAlt();
  }),
);
