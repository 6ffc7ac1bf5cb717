// @ts-check
// The page reads by itself what it shows, for as long as somebody can see it, and says when it did.
import { el, login, page } from './felles.js';

const EVERY_MS = 10_000;
const clock = (date) => date.toLocaleTimeString('nb-NO', { timeZone: 'Europe/Oslo' });

let timer;
let lastRead;
let isReading = false;

/** What has been read by somebody's action counts too. */
export function wasRead() {
  lastRead = new Date();
  el('lest').textContent = `Lest ${clock(lastRead)}`;
  el('lest').className = 'dempet';
}

/** @param {() => Promise<void>} read */
export function refreshWith(read) {
  const round = async () => {
    if (isReading || !login.isIn) return;
    isReading = true;
    try {
      await read();
      wasRead();
    } catch (error) {
      if (!login.isIn) return;
      if (error.name === '401' || error.name === '403') page.logOut();
      else couldNotRead();
    } finally {
      isReading = false;
    }
  };
  const start = () => {
    clearInterval(timer);
    timer = setInterval(() => void round(), EVERY_MS);
  };
  document.addEventListener('visibilitychange', () => {
    clearInterval(timer);
    if (document.hidden) {
      if (lastRead) el('lest').textContent = `Lest ${clock(lastRead)}, står stille mens siden ikke vises`;
      return;
    }
    void round();
    start();
  });
  el('les-naa').addEventListener('click', () => void round());
  start();
}

function couldNotRead() {
  const since = lastRead ? `Sist lest ${clock(lastRead)}: ` : '';
  el('lest').textContent = `${since}får ikke lest nå, prøver igjen`;
  el('lest').className = 'fikk-ikke-lest';
}
