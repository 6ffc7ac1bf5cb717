// @ts-check
import { el, perform, call, row, number, time, login, page } from './felles.js';

let next;
let timer;

export async function readRebuild() {
  const rebuild = await call('GET', '/gjenoppbygging');
  const running = rebuild.tilstand === 'KJORER';
  const texts = {
    INGEN: 'Ingen gjenoppbygging er startet.',
    KJORER: `Pågår: ${number(rebuild.lest)} av ${number(rebuild.antall)} plasser på topicen er lest.`,
    STOPPET: `Stoppet ${time(rebuild.avsluttet)}.`,
    FERDIG: `Ferdig ${time(rebuild.avsluttet)}. ${number(rebuild.rettet)} rader er rettet. ${number(rebuild.usette)} avtaler fantes ikke lenger på topicen; de er ikke slettet.`,
  };
  el('gjenoppbygging').textContent = texts[rebuild.tilstand];
  el('framdrift').hidden = !running;
  el('framdrift').max = Math.max(1, rebuild.antall);
  el('framdrift').value = rebuild.lest;
  el('start-gjenoppbygging').hidden = running;
  el('stopp-gjenoppbygging').hidden = !running;
  el('usette-del').hidden = rebuild.tilstand !== 'FERDIG' || rebuild.usette === 0;
  if (el('usette-del').hidden) el('usette').replaceChildren();
  else await readUnseen();
  clearTimeout(timer);
  if (running && login.isIn) timer = setTimeout(() => perform(readRebuild), 2_000);
}

async function readUnseen(from) {
  const result = await call('GET', `/gjenoppbygging/usette?antall=100${from ? `&neste=${from}` : ''}`);
  const rows = result.avtaleIder.map((avtaleId) => row([avtaleId]));
  if (from) el('usette').append(...rows);
  else el('usette').replaceChildren(...rows);
  next = result.neste;
  el('flere-usette').hidden = next === undefined;
}

el('flere-usette').addEventListener('click', () => perform(() => readUnseen(next)));
el('start-gjenoppbygging').addEventListener('click', () =>
  perform(async () => {
    if (!confirm('Lese hele topicen på nytt? Dagens data vises imens.')) return;
    await call('POST', '/gjenoppbygging');
    await page.readAll();
  }),
);
el('stopp-gjenoppbygging').addEventListener('click', () =>
  perform(async () => {
    await call('POST', '/gjenoppbygging/stopp');
    await page.readAll();
  }),
);
