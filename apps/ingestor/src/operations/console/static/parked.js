// @ts-check
import { el, fyllFakta, fyllTabell, gjor, kall, knapp, rad, si, tall, tid, siden } from './felles.js';

const TILSTANDER = { PARKERT: 'Parkert', SPILT_AV: 'Spilt av', FORKASTET: 'Forkastet' };
const UTFALL = {
  TATT_INN: 'Meldingen er tatt inn.',
  UENDRET: 'Meldingen er spilt av, og endret ingenting.',
  FORELDET: 'Meldingen er spilt av. Noe nyere var lagret fra før.',
  SLETTET: 'Meldingen er spilt av, og avtalen er slettet.',
  PARKERT: 'Meldingen kan fremdeles ikke brukes, og er fortsatt parkert.',
};

let neste;
let vist;

const grunn = ({ kode, felt }) => (felt ? `${kode} (${felt})` : kode);

/** The reasons that there are messages for. */
export function visAarsaker(parkerte) {
  const valgt = el('aarsak').value;
  const valg = parkerte.map((p) => new Option(`${grunn(p)}: ${tall(p.antall)}`, JSON.stringify([p.kode, p.felt])));
  el('aarsak').replaceChildren(new Option('Alle', ''), ...valg);
  el('aarsak').value = valg.some(({ value }) => value === valgt) ? valgt : '';
}

function filter() {
  const [kode, felt] = el('aarsak').value ? JSON.parse(el('aarsak').value) : [];
  return { ...(kode ? { kode } : {}), ...(felt ? { felt } : {}) };
}

export async function lesParkerte(fra) {
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
      knapp('Vis', `melding ${melding.id}`, () => visMelding(melding.id)),
    ]),
  );
  if (fra) el('parkerte').append(...rader);
  else fyllTabell('parkerte', rader, 'Ingen meldinger');
  neste = side.neste;
  el('flere').hidden = neste === undefined;
  el('spill-av-flere').textContent = el('aarsak').value ? 'Spill av alle med denne årsaken' : 'Spill av alle parkerte';
}

async function visMelding(id) {
  vist = await kall('GET', `/parkerte/${id}`);
  el('vis-tittel').textContent = `Melding ${vist.id}: ${TILSTANDER[vist.tilstand]}`;
  fyllFakta('vis-fakta', {
    Årsak: `${grunn(vist)}: ${vist.aarsak}`,
    Sted: `${vist.topic}, partisjon ${vist.partisjon}, offset ${vist.offset}`,
    Nøkkel: vist.nokkel ?? 'ingen',
    Forsøk: tall(vist.forsok),
    ...(vist.behandlet ? { Behandlet: `${tid(vist.behandlet)} av ${vist.behandletAv}` } : {}),
    ...(vist.begrunnelse ? { Begrunnelse: vist.begrunnelse } : {}),
  });
  el('vis-innhold').textContent = vist.melding ?? 'Ingen verdi (gravstein)';
  el('forkast-skjema').hidden = vist.tilstand !== 'PARKERT';
  el('begrunnelse').value = '';
  el('vis').showModal();
  await siden.lesHandlinger();
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
  await siden.lesAlt();
  si(`${tall(spiltAv)} meldinger er spilt av, ${tall(igjen)} er fortsatt parkert.`);
}

el('filter').addEventListener('submit', (hendelse) => hendelse.preventDefault());
el('filter').addEventListener('change', () => gjor(() => lesParkerte()));
el('flere').addEventListener('click', () => gjor(() => lesParkerte(neste)));
el('spill-av-flere').addEventListener('click', () => gjor(spillAvFlere));
el('spill-av').addEventListener('click', () =>
  gjor(async () => {
    const { utfall } = await kall('POST', `/parkerte/${vist.id}/spill-av`);
    el('vis').close();
    await siden.lesAlt();
    si(UTFALL[utfall]);
  }),
);
el('forkast-skjema').addEventListener('submit', (hendelse) => {
  hendelse.preventDefault();
  void gjor(async () => {
    await kall('POST', `/parkerte/${vist.id}/forkast`, { begrunnelse: el('begrunnelse').value });
    el('vis').close();
    await siden.lesAlt();
    si('Meldingen er forkastet.');
  });
});
