// @ts-check
// Small charts of the last hours, drawn as SVG.
import { number } from './felles.js';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 320;
const HEIGHT = 96;
/** Longer than this between two measurements, and nobody measured; ms. */
const GAP_MS = 120_000;

const clock = (time) =>
  new Date(time).toLocaleTimeString('nb-NO', { timeZone: 'Europe/Oslo', hour: '2-digit', minute: '2-digit' });

function make(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** The least round number that all values fit under. */
function roundUp(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((n) => n * size).find((top) => top >= value) ?? value;
}

/**
 * @param {{ title: string, unit: string, limit?: number, points: { time: number, value: number | null }[], from: number, to: number }} chart
 */
export function drawChart({ title, unit, limit, points, from, to }) {
  const known = points.filter(({ value }) => value !== null);
  const highest = Math.max(0, ...known.map(({ value }) => value));
  const top = roundUp(Math.max(highest, 1));
  const x = (time) => ((time - from) / (to - from)) * WIDTH;
  const y = (value) => HEIGHT - (Math.min(value, top) / top) * (HEIGHT - 8) - 1;
  const last = known.at(-1);
  const figure = document.createElement('figure');
  figure.className = 'kurve';
  const words = (value) => `${number(Math.round(value * 10) / 10)} ${unit}`.trim();
  figure.append(captionOf(title, last ? words(last.value) : 'Ingen målinger ennå'));
  const svg = make('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': last
      ? `${title}: nå ${words(last.value)}, høyest ${words(highest)}`
      : `${title}: ingen målinger ennå`,
  });
  svg.append(make('line', { x1: 0, x2: WIDTH, y1: HEIGHT - 1, y2: HEIGHT - 1, class: 'akse' }));
  if (limit !== undefined && limit < top) {
    svg.append(make('line', { x1: 0, x2: WIDTH, y1: y(limit), y2: y(limit), class: 'grense' }));
  }
  for (const run of runsOf(known)) {
    const line = run.map(({ time, value }) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    const [first, end] = [x(run[0].time), x(run.at(-1).time)];
    svg.append(make('polygon', { points: `${first},${HEIGHT} ${line} ${end},${HEIGHT}`, class: 'flate' }));
    svg.append(make('polyline', { points: line, class: 'strek' }));
  }
  const mark = make('line', { y1: 0, y2: HEIGHT, class: 'merke-naa', visibility: 'hidden' });
  svg.append(mark);
  figure.append(svg, scaleOf(from, to, highest > 0 ? `høyest ${words(highest)}` : ''));
  followPointer(figure, svg, { mark, known, x, words });
  return figure;
}

function captionOf(title, value) {
  const caption = document.createElement('figcaption');
  const name = Object.assign(document.createElement('span'), { textContent: title });
  const now = Object.assign(document.createElement('strong'), { textContent: value });
  caption.append(name, now);
  return caption;
}

function scaleOf(from, to, highest) {
  const scale = document.createElement('p');
  scale.className = 'skala';
  for (const text of [clock(from), highest, clock(to)]) {
    scale.append(Object.assign(document.createElement('span'), { textContent: text }));
  }
  return scale;
}

/** Where nobody measured there is no line. */
function runsOf(points) {
  const runs = [];
  for (const point of points) {
    const run = runs.at(-1);
    if (run && point.time - run.at(-1).time <= GAP_MS) run.push(point);
    else runs.push([point]);
  }
  return runs;
}

function followPointer(figure, svg, { mark, known, x, words }) {
  const now = figure.querySelector('strong');
  const usual = now.textContent;
  svg.addEventListener('pointermove', (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * WIDTH;
    const nearest = known.reduce(
      (best, point) => (best && Math.abs(x(best.time) - at) <= Math.abs(x(point.time) - at) ? best : point),
      undefined,
    );
    if (!nearest) return;
    mark.setAttribute('x1', x(nearest.time));
    mark.setAttribute('x2', x(nearest.time));
    mark.setAttribute('visibility', 'visible');
    now.textContent = `${words(nearest.value)} kl. ${clock(nearest.time)}`;
  });
  svg.addEventListener('pointerleave', () => {
    mark.setAttribute('visibility', 'hidden');
    now.textContent = usual;
  });
}
