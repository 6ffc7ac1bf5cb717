// @ts-check
import { ask } from './dialog.js';
import { el, fillTable, call, button, row, say, number, time, page } from './felles.js';

/** Shown only when there are any. */
export async function readHeld() {
  const { stansede } = await call('GET', '/stansede');
  el('stansede-del').hidden = stansede.length === 0;
  el('stansede-om').textContent = number(stansede.length);
  fillTable(
    'stansede',
    stansede.map((held) =>
      row([
        `${held.topic} / ${held.partisjon}`,
        `${held.fraOffset}–${held.tilOffset}`,
        held.aarsak,
        number(held.byte),
        time(held.stanset),
        time(held.forsoekt),
        button('Parker', `bunken på partisjon ${held.partisjon}`, () => park(held)),
      ]),
    ),
    'Ingen',
  );
}

async function park(held) {
  const isSure = await ask({
    title: `Parkere bunken på partisjon ${held.partisjon}?`,
    happens: [
      `Bunken blir parkert som den er, og partisjonen leses videre etter offset ${held.tilOffset}.`,
      'Det den sier, mangler til kilden sender det på nytt, eller den kan spilles av.',
    ],
    action: 'Parker',
  });
  if (!isSure) return;
  const { parkert } = await call('POST', `/stansede/${held.id}/parker`);
  await page.readAll();
  say(`Bunken er parkert som melding ${parkert}. Partisjonen leses videre.`);
}
