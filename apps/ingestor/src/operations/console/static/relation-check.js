// @ts-check
import { ask } from './dialog.js';
import { button, call, el, fillTable, number, page, perform, row, save, say, time } from './felles.js';

let isWaiting = false;

export async function readRelationChecks() {
  const { kontroller } = await call('GET', '/relasjonskontroll?antall=10');
  fillTable(
    'kontroller',
    kontroller.map((report) => {
      const isDone = report.avsluttet !== null;
      const files = document.createElement('span');
      files.className = 'knapperad';
      if (isDone && !report.feilet) {
        for (const form of ['CSV', 'JSON']) {
          files.append(button(form, `rapport ${report.id}`, () => download(report.id, form)));
        }
      }
      return row([
        report.id,
        time(report.bestilt),
        report.startetAv,
        report.feilet ? 'Feilet' : isDone ? number(report.deltakere) : report.startet ? 'Pågår' : 'Venter',
        isDone && !report.feilet ? number(report.mangler) : '',
        isDone && !report.feilet ? number(report.overfloedige) : '',
        report.rett ? 'Ja' : 'Nei',
        files,
      ]);
    }),
    'Ingen kontroll er gjort',
  );
  const [last] = kontroller;
  const isRunning = last !== undefined && last.avsluttet === null;
  el('relasjoner-om').textContent = last
    ? isRunning
      ? 'kontroll pågår'
      : `${last.feilet ? 'feilet' : 'kontrollert'} ${time(last.avsluttet)}`
    : '';
  if (isWaiting && last && !isRunning) {
    isWaiting = false;
    say(
      last.feilet
        ? 'Kontrollen feilet. Loggen sier hvorfor.'
        : `Kontrollen er ferdig: ${number(last.mangler)} mangler, ${number(last.overfloedige)} er overflødige.`,
    );
  }
}

/** Whether the report that somebody here has asked for is still to come. */
export const awaitsRelations = () => isWaiting;

const download = (id, form) =>
  save(`/relasjonskontroll/${id}/rapport?form=${form}`, `relasjonskontroll-${id}.${form.toLowerCase()}`);

async function check(repair) {
  await call('POST', '/relasjonskontroll', { rett: repair });
  isWaiting = true;
  await page.readAll();
  say('Kontrollen er bestilt. Den begynner innen noen sekunder.');
}

el('kontroller-relasjoner')?.addEventListener('click', () => perform(() => check(false)));
el('rett-relasjoner')?.addEventListener('click', async () => {
  const isSure = await ask({
    title: 'Kontrollere og rette relasjonene?',
    happens: [
      'Lenkene til alle deltakere blir regnet ut på nytt.',
      'De som er feil, blir rettet, og avtalene deres kommer i endringsstrømmen.',
      'Hva som var feil, står i rapporten.',
    ],
    action: 'Kontroller og rett',
  });
  if (isSure) void perform(() => check(true));
});
