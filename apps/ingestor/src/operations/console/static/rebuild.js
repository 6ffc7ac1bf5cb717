// @ts-check
import { ask } from './dialog.js';
import { el, perform, call, row, number, time, login, page } from './felles.js';

let next;
let timer;

export async function readRebuild() {
  const rebuild = await call('GET', '/gjenoppbygging');
  const running = rebuild.tilstand === 'KJORER';
  const texts = {
    INGEN: 'Ingen gjenoppbygging er startet.',
    KJORER: `Pågår: ${number(rebuild.lest)} av ${number(rebuild.antall)} plasser på topicen er lest.${rebuild.ferdigOmtrent ? ` Ferdig omtrent ${time(rebuild.ferdigOmtrent)}.` : ''}`,
    STOPPET: `Stoppet ${time(rebuild.avsluttet)}.`,
    FERDIG: `Ferdig ${time(rebuild.avsluttet)}. ${number(rebuild.rettet)} rader er rettet. ${number(rebuild.usette)} avtaler fantes ikke lenger på topicen; de er ikke slettet.`,
  };
  el('gjenoppbygging').textContent = texts[rebuild.tilstand];
  el('gjenoppbygging-om').textContent = running
    ? 'pågår'
    : rebuild.tilstand === 'FERDIG'
      ? `ferdig ${time(rebuild.avsluttet)}`
      : '';
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
    const isSure = await ask({
      title: 'Lese hele topicet på nytt?',
      happens: [
        'Alt som ligger på topicet, blir lest fra begynnelsen, og det som er feil her, blir rettet.',
        'Dagens data blir vist imens, og nye meldinger blir tatt inn som ellers.',
        'Avtaler som ikke finnes på topicet lenger, blir nevnt, og ikke slettet.',
        'Det kan stoppes, og begynne igjen.',
      ],
      action: 'Start',
    });
    if (!isSure) return;
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
