// @ts-check
// The page of those on duty. It holds no data of its own: everything comes from /drift/v1 with the token of who asks.

const TOKEN = 'drift-token';
const TILSTANDER = { PARKERT: 'Parkert', SPILT_AV: 'Spilt av', FORKASTET: 'Forkastet' };
const UTFALL = {
  TATT_INN: 'Meldingen er tatt inn.',
  UENDRET: 'Meldingen er spilt av, og endret ingenting.',
  FORELDET: 'Meldingen er spilt av. Noe nyere var lagret fra før.',
  SLETTET: 'Meldingen er spilt av, og avtalen er slettet.',
  PARKERT: 'Meldingen kan fremdeles ikke brukes, og er fortsatt parkert.',
};
const HANDLINGER = {
  VIS_PARKERT: 'Så på en parkert melding',
  SPILL_AV: 'Spilte av en melding',
  SPILL_AV_FLERE: 'Spilte av flere meldinger',
  FORKAST: 'Forkastet en melding',
  START_GJENOPPBYGGING: 'Startet gjenoppbygging',
  STOPP_GJENOPPBYGGING: 'Stoppet gjenoppbygging',
};

const el = (id) => document.getElementById(id);
let neste;
let vist;

async function kall(metode, sti, body) {
  const svar = await fetch(`/drift/v1${sti}`, {
    method: metode,
    headers: {
      authorization: `Bearer ${sessionStorage.getItem(TOKEN)}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (svar.ok) return svar.status === 204 ? undefined : svar.json();
  const problem = await svar.json().catch(() => ({}));
  const feil = new Error(forklar(svar.status, problem));
  feil.name = String(svar.status);
  throw feil;
}

function forklar(status, { detail = '', feil = [], callId = '' }) {
  if (status === 401) return 'Tokenet er ikke gyldig her, eller har gått ut. Logg inn igjen.';
  if (status === 403) return 'Tokenet mangler rollen drift.';
  if (status === 409) return 'Noen andre har behandlet meldingen. Listen er lest på nytt.';
  const felter = feil.map((en) => `${en.felt} ${en.melding}`).join('; ');
  return `Det gikk ikke (${status}): ${felter || detail} ${callId}`;
}

function si(tekst, erFeil = false) {
  el('melding').textContent = tekst;
  el('melding').className = erFeil ? 'feil' : '';
}

/** Runs what a button does: one at a time, with what goes wrong told in words. */
async function gjor(arbeid) {
  si('');
  try {
    await arbeid();
  } catch (feil) {
    si(feil.message, true);
    if (feil.name === '401' || feil.name === '403') visInnlogging();
    else if (feil.name === '409') {
      el('vis').close();
      await lesAlt();
    }
  }
}

const tid = (iso) => (iso ? new Date(iso).toLocaleString('nb-NO', { timeZone: 'Europe/Oslo' }) : 'aldri');
const tall = (n) => (n === null ? 'ukjent' : n.toLocaleString('nb-NO'));
const grunn = ({ kode, felt }) => (felt ? `${kode} (${felt})` : kode);

function rad(celler) {
  const tr = document.createElement('tr');
  tr.className = 'aksel-table__row';
  for (const innhold of celler) {
    const td = document.createElement('td');
    td.className = 'aksel-table__data-cell';
    td.append(innhold);
    tr.append(td);
  }
  return tr;
}

function visknapp(melding) {
  const knapp = document.createElement('button');
  knapp.type = 'button';
  knapp.className = 'aksel-button aksel-button--small';
  knapp.dataset.variant = 'tertiary';
  knapp.dataset.color = 'accent';
  knapp.textContent = 'Vis';
  knapp.setAttribute('aria-label', `Vis melding ${melding.id}`);
  knapp.addEventListener('click', () => gjor(() => visMelding(melding.id)));
  return knapp;
}

async function lesStatus() {
  const status = await kall('GET', '/status');
  el('organisasjon').textContent = `(${status.organisasjon})`;
  el('oppdatert').textContent = tid(status.dataOppdatert);
  el('etterslep').textContent = tall(status.partisjoner.reduce((sum, p) => sum + (p.etterslep ?? 0), 0));
  el('antall-parkerte').textContent = tall(status.parkerte.reduce((sum, p) => sum + p.antall, 0));
  el('partisjoner').replaceChildren(
    ...status.partisjoner.map((p) =>
      rad([tall(p.partisjon), tall(p.nesteOffset), tall(p.sluttOffset), tall(p.etterslep), tid(p.oppdatertTil)]),
    ),
  );
  const valgt = el('aarsak').value;
  const valg = status.parkerte.map(
    (p) => new Option(`${grunn(p)}: ${tall(p.antall)}`, JSON.stringify([p.kode, p.felt])),
  );
  el('aarsak').replaceChildren(new Option('Alle', ''), ...valg);
  el('aarsak').value = valg.some(({ value }) => value === valgt) ? valgt : '';
}

function filter() {
  const [kode, felt] = el('aarsak').value ? JSON.parse(el('aarsak').value) : [];
  return { ...(kode ? { kode } : {}), ...(felt ? { felt } : {}) };
}

async function lesParkerte(fra) {
  const tilstand = el('tilstand').value;
  const sporring = new URLSearchParams({
    ...filter(),
    ...(tilstand ? { tilstand } : {}),
    ...(fra ? { neste: fra } : {}),
  });
  const side = await kall('GET', `/parkerte?${sporring}`);
  const rader = side.parkerte.map((melding) =>
    rad([
      melding.id,
      `${melding.partisjon} / ${melding.offset}`,
      grunn(melding),
      TILSTANDER[melding.tilstand],
      tid(melding.parkert),
      tall(melding.forsok),
      visknapp(melding),
    ]),
  );
  if (fra) el('parkerte').append(...rader);
  else el('parkerte').replaceChildren(...(rader.length > 0 ? rader : [rad(['Ingen meldinger'])]));
  neste = side.neste;
  el('flere').hidden = neste === undefined;
  el('spill-av-flere').textContent = el('aarsak').value ? 'Spill av alle med denne årsaken' : 'Spill av alle parkerte';
}

async function lesHandlinger() {
  const { handlinger } = await kall('GET', '/handlinger?antall=20');
  el('handlinger').replaceChildren(
    ...handlinger.map((h) =>
      rad([tid(h.tidspunkt), h.hvem, HANDLINGER[h.handling] ?? h.handling, h.gjelder ?? '', tall(h.antall)]),
    ),
  );
}

async function lesGjenoppbygging() {
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
  if (kjorer && sessionStorage.getItem(TOKEN)) setTimeout(() => gjor(lesGjenoppbygging), 2_000);
}

async function lesAlt() {
  await lesGjenoppbygging();
  await lesStatus();
  await lesParkerte();
  await lesHandlinger();
}

async function visMelding(id) {
  vist = await kall('GET', `/parkerte/${id}`);
  el('vis-tittel').textContent = `Melding ${vist.id}: ${TILSTANDER[vist.tilstand]}`;
  const fakta = {
    Årsak: `${grunn(vist)}: ${vist.aarsak}`,
    Sted: `${vist.topic}, partisjon ${vist.partisjon}, offset ${vist.offset}`,
    Nøkkel: vist.nokkel ?? 'ingen',
    Forsøk: tall(vist.forsok),
    ...(vist.behandlet ? { Behandlet: `${tid(vist.behandlet)} av ${vist.behandletAv}` } : {}),
    ...(vist.begrunnelse ? { Begrunnelse: vist.begrunnelse } : {}),
  };
  el('vis-fakta').replaceChildren(
    ...Object.entries(fakta).flatMap(([navn, verdi]) => {
      const dt = document.createElement('dt');
      const dd = document.createElement('dd');
      dt.textContent = navn;
      dd.textContent = verdi;
      return [dt, dd];
    }),
  );
  el('vis-innhold').textContent = vist.melding ?? 'Ingen verdi (gravstein)';
  el('forkast-skjema').hidden = vist.tilstand !== 'PARKERT';
  el('begrunnelse').value = '';
  el('vis').showModal();
  await lesHandlinger();
}

async function spillAvFlere() {
  const valgt = filter();
  if (!confirm('Spille av alle parkerte meldinger i utvalget?')) return;
  let fra;
  let spiltAv = 0;
  let igjen = 0;
  do {
    const body = { ...(valgt.kode ? valgt : { alle: true }), ...(fra ? { neste: fra } : {}) };
    const svar = await kall('POST', '/parkerte/spill-av', body);
    spiltAv += svar.spiltAv;
    igjen += svar.fortsattParkert;
    fra = svar.neste;
    si(`Spiller av … ${tall(spiltAv + igjen)} så langt`);
  } while (fra);
  await lesAlt();
  si(`${tall(spiltAv)} meldinger er spilt av, ${tall(igjen)} er fortsatt parkert.`);
}

function visInnlogging() {
  sessionStorage.removeItem(TOKEN);
  el('innlogging').hidden = false;
  el('drift').hidden = true;
  el('logg-ut').hidden = true;
  if (el('vis').open) el('vis').close();
  for (const id of ['partisjoner', 'parkerte', 'handlinger', 'vis-innhold', 'vis-fakta']) el(id).replaceChildren();
  el('token').focus();
}

async function loggInn() {
  await lesAlt();
  el('innlogging').hidden = true;
  el('drift').hidden = false;
  el('logg-ut').hidden = false;
}

el('innloggingsskjema').addEventListener('submit', (hendelse) => {
  hendelse.preventDefault();
  sessionStorage.setItem(TOKEN, el('token').value.trim());
  el('token').value = '';
  void gjor(loggInn);
});
el('logg-ut').addEventListener('click', visInnlogging);
el('filter').addEventListener('submit', (hendelse) => hendelse.preventDefault());
el('filter').addEventListener('change', () => gjor(() => lesParkerte()));
el('flere').addEventListener('click', () => gjor(() => lesParkerte(neste)));
el('spill-av-flere').addEventListener('click', () => gjor(spillAvFlere));
el('start-gjenoppbygging').addEventListener('click', () =>
  gjor(async () => {
    if (!confirm('Lese hele topicen på nytt? Dagens data vises imens.')) return;
    await kall('POST', '/gjenoppbygging');
    await lesAlt();
  }),
);
el('stopp-gjenoppbygging').addEventListener('click', () =>
  gjor(async () => {
    await kall('POST', '/gjenoppbygging/stopp');
    await lesAlt();
  }),
);
el('lukk').addEventListener('click', () => el('vis').close());
el('spill-av').addEventListener('click', () =>
  gjor(async () => {
    const { utfall } = await kall('POST', `/parkerte/${vist.id}/spill-av`);
    el('vis').close();
    await lesAlt();
    si(UTFALL[utfall]);
  }),
);
el('forkast-skjema').addEventListener('submit', (hendelse) => {
  hendelse.preventDefault();
  void gjor(async () => {
    await kall('POST', `/parkerte/${vist.id}/forkast`, { begrunnelse: el('begrunnelse').value });
    el('vis').close();
    await lesAlt();
    si('Meldingen er forkastet.');
  });
});

if (sessionStorage.getItem(TOKEN)) void gjor(loggInn);
