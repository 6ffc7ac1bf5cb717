// @ts-check
// Reading a topic again: of avtaler, and of every other resource that has a topic here.
import { ask } from './dialog.js';
import { el, perform, call, fillTable, row, number, time, login, page } from './felles.js';

const AVTALER = 'avtaler';
const chosen = () => el('gjenoppbygging-ressurs').value || AVTALER;
const query = () => `?ressurs=${chosen()}`;

/** By resource, as it was last read. */
let rebuilds = new Map();
let next;
let shownKind;
let timer;

const KINDS = { USETTE: 'Finnes ikke på topicen lenger', RETTEDE: 'Var ikke det topicen sier' };

export async function readRebuild() {
  const avtaler = await call('GET', '/gjenoppbygging');
  const others = avtaler.ressurser.filter((name) => name !== AVTALER);
  const read = await Promise.all(others.map((name) => call('GET', `/gjenoppbygging?ressurs=${name}`)));
  rebuilds = new Map([avtaler, ...read].map((rebuild) => [rebuild.ressurs, rebuild]));
  offer([...rebuilds.keys()]);
  const all = [...rebuilds.values()];
  el('gjenoppbygging-om').textContent = all.flatMap(aboutOf).join(', ');
  el('gjenoppbygging-prikk').dataset.tilstand = all.some(({ venterPaaBekreftelse }) => venterPaaBekreftelse)
    ? 'obs'
    : 'bra';
  await show();
  clearTimeout(timer);
  const isAny = all.some(({ tilstand }) => tilstand === 'KJORER');
  if (isAny && login.isIn) timer = setTimeout(() => perform(readRebuild), 2_000);
}

/** What there is to choose from, with what is chosen kept. */
function offer(names) {
  const list = el('gjenoppbygging-ressurs');
  el('gjenoppbygging-valg').hidden = names.length < 2;
  if ([...list.options].map(({ value }) => value).join() === names.join()) return;
  const before = chosen();
  list.replaceChildren(...names.map((name) => new Option(titleOf(name), name)));
  list.value = names.includes(before) ? before : AVTALER;
}

const titleOf = (name) => name.charAt(0).toUpperCase() + name.slice(1);

function aboutOf({ ressurs, tilstand, venterPaaBekreftelse, avsluttet }) {
  if (venterPaaBekreftelse) return [`${ressurs} venter på bekreftelse`];
  if (tilstand === 'KJORER') return [`${ressurs} pågår`];
  return tilstand === 'FERDIG' ? [`${ressurs} ferdig ${time(avsluttet)}`] : [];
}

async function show() {
  const rebuild = rebuilds.get(chosen());
  if (!rebuild) return;
  const isRunning = rebuild.tilstand === 'KJORER';
  const isOfAvtaler = rebuild.ressurs === AVTALER;
  const waits = rebuild.venterPaaBekreftelse === true;
  el('gjenoppbygging').textContent = wordsOf(rebuild);
  el('framdrift').hidden = !isRunning || waits;
  el('framdrift').max = Math.max(1, rebuild.antall);
  el('framdrift').value = rebuild.lest;
  el('start-gjenoppbygging').hidden = isRunning;
  el('rapport-gjenoppbygging').hidden = isRunning || isOfAvtaler;
  el('stopp-gjenoppbygging').hidden = !isRunning;
  el('bekreft-gjenoppbygging').hidden = !waits;
  el('bekreft-gjenoppbygging-ord').textContent = `La ${number(rebuild.usette)} ${rebuild.ressurs} gå`;
  el('lukk-hull-valg').hidden = isOfAvtaler || isRunning || rebuild.aapneHull === 0;
  el('lukk-hull-ord').textContent =
    `Kilden har sendt alle ${rebuild.ressurs} på nytt siden ${number(rebuild.aapneHull)} hull ble funnet: lukk dem når den er ferdig`;
  const isAnyUnseen = rebuild.usette > 0;
  el('usette-del').hidden = !(isOfAvtaler && rebuild.tilstand === 'FERDIG' && isAnyUnseen);
  if (el('usette-del').hidden) el('usette').replaceChildren();
  else await readUnseen();
  el('noekler-del').hidden = isOfAvtaler || (!isAnyUnseen && rebuild.rettet === 0);
  el('vis-usette-noekler').hidden = !isAnyUnseen;
  el('vis-rettede-noekler').hidden = rebuild.rettet === 0;
}

function wordsOf(rebuild) {
  const { ressurs, tilstand, lest, antall, rettet, varslet, usette, fjernet, ferdigOmtrent, avsluttet } = rebuild;
  if (rebuild.rapport && tilstand === 'FERDIG') {
    return `Rapport ferdig ${time(avsluttet)}. Ingenting er endret. ${number(rettet)} rader er ikke det topicen sier, og ${number(usette)} ${ressurs} finnes ikke på topicen lenger.`;
  }
  if (rebuild.venterPaaBekreftelse) {
    return `Alt er lest, og ${number(rettet)} rader er rettet. ${number(usette)} ${ressurs} finnes ikke på topicen lenger. De er så mange at ingen av dem blir fjernet før noen bekrefter det.`;
  }
  const left =
    ressurs === AVTALER
      ? `${number(usette)} avtaler fantes ikke lenger på topicen; de er ikke slettet.`
      : `${number(fjernet ?? 0)} ${ressurs} som ikke fantes på topicen lenger, er fjernet.`;
  const told = varslet > 0 ? ` Endringsstrømmen sa noe annet om ${number(varslet)}, og er rettet.` : '';
  const texts = {
    INGEN: 'Ingen gjenoppbygging er startet.',
    KJORER: `Pågår: ${number(lest)} av ${number(antall)} plasser på topicen er lest.${ferdigOmtrent ? ` Ferdig omtrent ${time(ferdigOmtrent)}.` : ''}`,
    STOPPET: `Stoppet ${time(avsluttet)}.`,
    FERDIG: `Ferdig ${time(avsluttet)}. ${number(rettet)} rader er rettet. ${left}${told}`,
  };
  return texts[tilstand];
}

async function readUnseen(from) {
  const result = await call('GET', `/gjenoppbygging/usette?antall=100${from ? `&neste=${from}` : ''}`);
  const rows = result.avtaleIder.map((avtaleId) => row([avtaleId]));
  if (from) el('usette').append(...rows);
  else el('usette').replaceChildren(...rows);
  next = result.neste;
  el('flere-usette').hidden = next === undefined;
}

/** When somebody asks: a number may be a person's, and who looked is noted. */
async function readKeys(slag, from) {
  const body = { ressurs: chosen(), slag, ...(from === undefined ? {} : { neste: from }) };
  const result = await call('POST', '/gjenoppbygging/noekler', body);
  const rows = result.noekler.map((key) => row([key]));
  if (from === undefined) fillTable('noekler', rows, 'Ingen');
  else el('noekler').append(...rows);
  next = result.neste;
  shownKind = slag;
  el('noekler-ord').textContent = KINDS[slag];
  el('noekler-tabell').hidden = false;
  el('flere-noekler').hidden = next === undefined;
  await page.readActions();
}

el('gjenoppbygging-ressurs').addEventListener('change', () => {
  // What was shown is of the other.
  el('noekler').replaceChildren();
  el('noekler-tabell').hidden = true;
  el('lukk-hull').checked = false;
  void perform(show);
});
el('flere-usette').addEventListener('click', () => perform(() => readUnseen(next)));
el('vis-usette-noekler').addEventListener('click', () => perform(() => readKeys('USETTE')));
el('vis-rettede-noekler').addEventListener('click', () => perform(() => readKeys('RETTEDE')));
el('flere-noekler').addEventListener('click', () => perform(() => readKeys(shownKind, next)));
el('rapport-gjenoppbygging').addEventListener('click', () =>
  perform(async () => {
    await call('POST', `/gjenoppbygging${query()}&rapport=true`);
    await page.readAll();
  }),
);
el('start-gjenoppbygging').addEventListener('click', () =>
  perform(async () => {
    const resource = chosen();
    const closes = !el('lukk-hull-valg').hidden && el('lukk-hull').checked;
    const isSure = await ask({
      title: 'Lese hele topicet på nytt?',
      happens: [
        'Alt som ligger på topicet, blir lest fra begynnelsen, og det som er feil her, blir rettet.',
        'Dagens data blir vist imens, og nye meldinger blir tatt inn som ellers.',
        resource === AVTALER
          ? 'Avtaler som ikke finnes på topicet lenger, blir nevnt, og ikke slettet.'
          : `${titleOf(resource)} som ikke finnes på topicet lenger, blir fjernet. Er de mange, venter det på at noen bekrefter.`,
        ...(closes ? ['Hull som er funnet til nå, blir lukket når den er ferdig.'] : []),
        'Det kan stoppes, og begynne igjen.',
      ],
      action: 'Start',
    });
    if (!isSure) return;
    await call('POST', `/gjenoppbygging?ressurs=${resource}${closes ? '&lukkHull=true' : ''}`);
    el('lukk-hull').checked = false;
    await page.readAll();
  }),
);
el('stopp-gjenoppbygging').addEventListener('click', () =>
  perform(async () => {
    await call('POST', `/gjenoppbygging/stopp${query()}`);
    await page.readAll();
  }),
);
el('bekreft-gjenoppbygging').addEventListener('click', () =>
  perform(async () => {
    const { ressurs, usette } = rebuilds.get(chosen());
    const isSure = await ask({
      title: `Fjerne ${number(usette)} ${ressurs}?`,
      happens: [
        'De finnes ikke på topicen lenger, og blir fjernet her, med historikken.',
        'De som meldes på nytt imens, blir stående.',
        'Det kan ikke angres. Kilden kan sende dem på nytt.',
      ],
      action: 'Fjern dem',
      danger: true,
    });
    if (!isSure) return;
    await call('POST', `/gjenoppbygging/bekreft?ressurs=${ressurs}`, { bekreft: usette });
    await page.readAll();
  }),
);
