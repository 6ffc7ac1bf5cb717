// @ts-check
// Draws what there is to show: the file's own data, or, live, what the demo tells again and again. SVG made by hand; nothing
// comes from another address.
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark', dark.matches);
follow();
dark.addEventListener('change', follow);

const root = document.getElementById('demo');
const SVG = 'http://www.w3.org/2000/svg';
const COLOURS = 6;
const TAGS = { WAITING: 'venter', PLAYING: 'spilles', HOLDS: 'holder', 'DOES NOT HOLD': 'brutt', STOPPED: 'brutt' };

/** An element with text, classes and children; text is never read as markup. */
function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== undefined));
  return node;
}

function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  node.append(...children);
  return node;
}

const clock = (scene, at) => `${((at - scene.begun) / 1000).toFixed(1)} s`;
const heldIn = (show) => show.scenes.filter(({ state }) => state === 'HOLDS').length;

const noticed = ({ state, checks: all, mustFall }) =>
  state === 'DOES NOT HOLD' &&
  mustFall.length > 0 &&
  mustFall.every((claim) => all.some((check) => check.claim === claim && !check.holds));

function draw(show) {
  const open = new Set([...document.querySelectorAll('details[open]')].map((each) => each.id));
  root.replaceChildren(hero(show), ...show.scenes.map((scene) => sceneOf(scene)), foot(show));
  for (const id of open) document.getElementById(id)?.setAttribute('open', '');
}

function hero(show) {
  const all = show.scenes.length;
  const held = show.done ? `${heldIn(show)} of ${all} held` : `${heldIn(show)} of ${all} held so far`;
  const seen = show.scenes.filter(noticed).length;
  const word = show.broken ? `${seen} of ${all} planted faults were noticed` : held;
  const what = show.broken
    ? 'Each scene was given the fault that its promise is about, and has to notice.'
    : 'Real processes, real Kafka and Postgres; every figure is read from the interfaces that consumers and people on duty have.';
  return el(
    'header',
    { class: 'hode' },
    el('p', { class: 'merkelapp' }, `tiltak-datadeling ${show.version}`),
    el('h1', {}, 'Every promise, tried'),
    el('p', { class: 'ingress' }, what),
    el('p', { class: 'dom', role: 'status' }, word),
    el(
      'ol',
      { class: 'oversikt' },
      ...show.scenes.map((scene) =>
        el(
          'li',
          {},
          el(
            'a',
            { href: `#scene-${scene.nr}`, 'data-tilstand': TAGS[scene.state] },
            el('span', { class: 'nr' }, String(scene.nr)),
            el('span', {}, scene.name),
            el('strong', {}, scene.state),
          ),
        ),
      ),
    ),
  );
}

function sceneOf(scene) {
  return el(
    'section',
    { id: `scene-${scene.nr}`, class: 'scene', 'data-tilstand': TAGS[scene.state] },
    el(
      'div',
      { class: 'tittel' },
      el('h2', {}, `${scene.nr}. ${scene.name}`),
      el('span', { class: 'tilstand' }, scene.state),
    ),
    el('p', { class: 'loefte' }, scene.promise),
    scene.error === undefined ? undefined : el('p', { class: 'feil' }, `It was stopped: ${scene.error}`),
    scene.checks.length === 0 ? undefined : checks(scene),
    charts(scene),
    scene.linked === undefined ? undefined : linked(scene.linked),
    scene.figures.length === 0 ? undefined : figures(scene),
    scene.steps.length === 0 ? undefined : steps(scene),
  );
}

const checks = ({ checks: all }) =>
  el(
    'ul',
    { class: 'sett' },
    ...all.map(({ claim, holds, seen }) =>
      el(
        'li',
        { 'data-holder': holds },
        el('span', { class: 'tegn' }, holds ? '✓' : '✗'),
        el('span', {}, el('b', {}, claim), ` ${seen}`),
      ),
    ),
  );

const figures = ({ figures: all }) =>
  el(
    'div',
    { class: 'tabell', tabindex: '0' },
    el(
      'table',
      {},
      el(
        'thead',
        {},
        el('tr', {}, ...['', 'before', 'during', 'after'].map((text) => el('th', { scope: 'col' }, text))),
      ),
      el(
        'tbody',
        {},
        ...all.map(({ name, before = '', during = '', after = '' }) =>
          el('tr', {}, el('th', { scope: 'row' }, name), ...[before, during, after].map((text) => el('td', {}, text))),
        ),
      ),
    ),
  );

const steps = (scene) =>
  el(
    'details',
    { id: `steg-${scene.nr}` },
    el('summary', {}, `What was done, step by step (${scene.seconds > 0 ? `${scene.seconds.toFixed(0)} s` : 'now'})`),
    el(
      'ol',
      { class: 'steg' },
      ...scene.steps.map(({ at, text, fault }, i) =>
        el('li', { 'data-feil': fault }, el('span', { class: 'naar' }, `${i + 1} · ${clock(scene, at)}`), text),
      ),
    ),
  );

/** One chart for each thing that was measured, side by side, on the same time. */
function charts(scene) {
  const byChart = Map.groupBy(scene.lines, ({ chart }) => chart);
  if (byChart.size === 0) return undefined;
  const names = [...new Set(scene.lines.map((line) => line.of))];
  return el('div', { class: 'grafer' }, ...[...byChart].map(([name, lines]) => chart(scene, name, lines, names)));
}

const WIDTH = 420;
const HEIGHT = 150;
const LEFT = 44;
const BOTTOM = 20;
const TOP = 12;

function chart(scene, name, lines, names) {
  // What is done before the first step is only to get ready.
  const from = scene.steps[0]?.at ?? scene.begun;
  const shown = lines.map((line) => ({ ...line, points: line.points.filter(([at]) => at >= from) }));
  const to = Math.max(from + 1_000, ...shown.flatMap(({ points }) => points.map(([at]) => at)));
  const top = niceTop(Math.max(1, ...shown.flatMap(({ points }) => points.map(([, value]) => value))));
  const x = (at) => LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT - 4);
  const y = (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
  const picture = svg('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: 'img',
    'aria-label': `${name}: ${shown.map((line) => `${line.of}, last ${line.points.at(-1)?.[1] ?? 0} ${line.unit}`).join('; ')}`,
  });
  for (const share of [0, 0.5, 1]) {
    picture.append(svg('line', { x1: LEFT, x2: WIDTH - 4, y1: y(top * share), y2: y(top * share), class: 'rute' }));
    picture.append(
      svg('text', { x: LEFT - 6, y: y(top * share) + 4, class: 'akse', 'text-anchor': 'end' }, short(top * share)),
    );
  }
  const span = (to - from) / 1000;
  for (const share of [0, 0.5, 1])
    picture.append(
      svg(
        'text',
        {
          x: x(from + share * (to - from)),
          y: HEIGHT - 5,
          class: 'akse',
          'text-anchor': share === 0 ? 'start' : share === 1 ? 'end' : 'middle',
        },
        `${(span * share).toFixed(0)} s`,
      ),
    );
  scene.steps.forEach(({ at, fault }, i) => {
    if (at > to) return;
    picture.append(
      svg('line', { x1: x(at), x2: x(at), y1: TOP - 4, y2: HEIGHT - BOTTOM, class: fault ? 'merke feil' : 'merke' }),
    );
    picture.append(svg('text', { x: x(at) + 2, y: TOP - 3, class: 'merketekst' }, String(i + 1)));
  });
  for (const line of shown) picture.append(...pathsOf(line, x, y, names.indexOf(line.of) % COLOURS));
  return el(
    'figure',
    {},
    el('figcaption', {}, el('b', {}, name), ...shown.map((line) => legend(line, names.indexOf(line.of) % COLOURS))),
    picture,
  );
}

/** A line is broken where nothing could be seen for a while. */
function pathsOf(line, x, y, colour) {
  const pieces = [];
  for (const [i, [at, value]] of line.points.entries()) {
    const before = line.points[i - 1];
    if (!before || at - before[0] > 2_500) pieces.push([]);
    pieces.at(-1).push(`${x(at).toFixed(1)},${y(value).toFixed(1)}`);
  }
  return pieces.map((points) =>
    points.length === 1
      ? svg('circle', {
          cx: points[0].split(',')[0],
          cy: points[0].split(',')[1],
          r: 2,
          class: `prikk farge-${colour}`,
        })
      : svg('polyline', { points: points.join(' '), class: `linje farge-${colour}` }),
  );
}

/** Each link once: the way back of one is not drawn. */
const RELATIONS = { neste: 'follows', samtidige: 'at the same time', mentor: 'mentor' };
const ROW = 26;

/** Avtaler on a line of time, one row for each, and an arc from each to those that it links to. */
function linked({ avtaler, links }) {
  const byStart = avtaler.toSorted((a, b) => a.from.localeCompare(b.from));
  const row = new Map(byStart.map(({ id }, nr) => [id, nr]));
  const days = byStart.flatMap(({ from, to }) => [Date.parse(from), Date.parse(to)]);
  const [first, last] = [Math.min(...days), Math.max(...days)];
  const x = (day) => 8 + ((Date.parse(day) - first) / Math.max(1, last - first)) * (2 * WIDTH - 16);
  const y = (id) => (row.get(id) ?? 0) * ROW + ROW / 2;
  const at = (id) => byStart[row.get(id) ?? 0];
  const shown = links.filter(
    ({ relation, from, to }) => relation in RELATIONS && row.has(to) && (relation !== 'samtidige' || from < to),
  );
  const arcs = shown.map(({ relation, from, to }) => {
    const [x1, x2] = relation === 'neste' ? [x(at(from).to), x(at(to).from)] : [x(at(from).from), x(at(to).from)];
    const bend = relation === 'neste' ? 24 : -24;
    const path = `M${x1} ${y(from)} C${x1 + bend} ${y(from)} ${x2 - (relation === 'neste' ? bend : -bend)} ${y(to)} ${x2} ${y(to)}`;
    return svg('path', { d: path, class: `linje farge-${Object.keys(RELATIONS).indexOf(relation)}` });
  });
  const bars = byStart.flatMap(({ id, name, from, to }) => [
    svg('rect', { x: x(from), y: y(id) - 7, width: Math.max(3, x(to) - x(from)), height: 14, rx: 4, class: 'avtale' }),
    x(to) - x(from) >= 34
      ? svg('text', { x: (x(from) + x(to)) / 2, y: y(id) + 4, class: 'akse', 'text-anchor': 'middle' }, name)
      : svg('text', { x: x(to) + 8, y: y(id) + 4, class: 'akse' }, name),
  ]);
  const said = `${avtaler.length} avtaler of one person, ${links.length} links`;
  const picture = svg('svg', { viewBox: `0 0 ${2 * WIDTH} ${Math.max(1, byStart.length) * ROW}`, role: 'img' });
  picture.setAttribute('aria-label', said);
  picture.append(...bars, ...arcs);
  const names = Object.entries(RELATIONS).filter(([relation]) => shown.some((link) => link.relation === relation));
  return el(
    'figure',
    {},
    el(
      'figcaption',
      {},
      el('b', {}, said),
      ...names.map(([relation, text]) =>
        el('span', { class: `navn farge-${Object.keys(RELATIONS).indexOf(relation)}` }, text),
      ),
    ),
    picture,
  );
}

function legend({ of, points, unit }, colour) {
  const last = points.at(-1)?.[1];
  return el(
    'span',
    { class: `navn farge-${colour}` },
    `${of}${last === undefined ? '' : ` ${short(last)}${unit === '/s' ? unit : unit === '' ? '' : ` ${unit}`}`}`,
  );
}

const short = (value) =>
  value >= 10_000
    ? `${(value / 1000).toFixed(0)}k`
    : value >= 1000
      ? `${(value / 1000).toFixed(1)}k`
      : value >= 10 || Number.isInteger(value)
        ? value.toFixed(0)
        : value.toFixed(1);

function niceTop(most) {
  const size = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 5, 10].map((n) => n * size).find((top) => top >= most) ?? most;
}

const foot = (show) =>
  el(
    'footer',
    { class: 'dempet' },
    `npm run demo${show.brief ? ' -- --fort' : ''}${show.broken ? ' --brudd' : ''}, ${new Date(show.begun).toISOString().slice(0, 16).replace('T', ' ')} UTC, ${show.machine}. The numbers in the charts are the steps.`,
  );

const own = JSON.parse(document.getElementById('data')?.textContent ?? 'null');
if (own) draw(own);
else {
  const ask = async () => {
    try {
      const show = await (await fetch('/demo/tilstand')).json();
      draw(show);
      if (!show.done) setTimeout(ask, 700);
    } catch {
      document.body.append(
        el('p', { class: 'feil ramme' }, 'The demo has ended. What it came to is in the file that it named.'),
      );
    }
  };
  void ask();
}
