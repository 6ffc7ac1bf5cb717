/** A search by person as a team would write it, with the answer that the query-api gives, to the byte. */
type Row = Record<string, string | number | boolean | null>;

const MEMBERS = [
  'avtaleId avtaleNr deltakerFnr bedriftNr bedriftNavn veilederNavIdent tiltakstype versjon avtaleStatus avtaleInngaatt',
  'startDato sluttDato stillingprosent antallDagerPerUke stillingstype godkjentAvDeltaker godkjentAvArbeidsgiver',
  'godkjentAvVeileder godkjentAvBeslutter godkjentAvNavIdent godkjentAvBeslutterNavIdent godkjentPaaVegneAv',
  'godkjentPaaVegneAvArbeidsgiver opphav opprettetTidspunkt annullertTidspunkt sistEndret fase',
]
  .join(' ')
  .split(' ');

/** What is published of each code list; the source spells two of them with letters of its own. */
const CODES: Record<string, string[]> = {
  tiltakstype: [
    'ARBEIDSTRENING',
    'MIDLERTIDIG_LONNSTILSKUDD',
    'VARIG_LONNSTILSKUDD',
    'MENTOR',
    'INKLUDERINGSTILSKUDD',
    'SOMMERJOBB',
    'VTAO',
    'FIREARIG_LONNSTILSKUDD',
  ],
  avtaleStatus: [
    'ANNULLERT',
    'AVBRUTT',
    'PÅBEGYNT',
    'MANGLER_GODKJENNING',
    'KLAR_FOR_OPPSTART',
    'GJENNOMFØRES',
    'AVSLUTTET',
  ],
  stillingstype: ['FAST', 'MIDLERTIDIG'],
  opphav: ['VEILEDER', 'ARBEIDSGIVER', 'ARENA'],
};
const TIMES =
  'avtaleInngaatt godkjentAvDeltaker godkjentAvArbeidsgiver godkjentAvVeileder godkjentAvBeslutter opprettetTidspunkt annullertTidspunkt sistEndret'.split(
    ' ',
  );

const columnOf = (member: string): string => member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const READERS = MEMBERS.map((name) => ({
  name,
  column: columnOf(name),
  isCode: name in CODES,
  isTime: TIMES.includes(name),
}));

const PHASE = (day: string): string =>
  `fase(${day}, start_dato, slutt_dato, avtale_inngaatt is not null, har_vaert_inngaatt, annullert, annullert_dag, annullert_underveis, fra_arena) as fase`;
const TODAY = `(now() at time zone 'Europe/Oslo')::date`;

export const SEARCH = `select ${READERS.map(({ column }) => (column === 'fase' ? PHASE(TODAY) : column)).join(', ')},
    annullert_underveis, deltaker_id, lenker(deltaker_id, avtale_id) as relasjoner
  from avtale_synlig where deltaker_fnr = any($1::text[]) order by avtale_id limit 101`;

export function toSearchAnswer(rows: Row[]): object {
  return { avtaler: rows.map(toAvtale) };
}

function toAvtale(row: Row): object {
  const avtale: Record<string, unknown> = {};
  for (const { name, column, isCode, isTime } of READERS) {
    const value = row[column] ?? null;
    if (isCode) {
      if (value !== null) avtale[name] = published(name, String(value));
    } else avtale[name] = isTime && value !== null ? toTime(String(value)) : value;
  }
  if (row['annullert_underveis'] === true) avtale['annullertUnderveis'] = true;
  avtale['_links'] = linksOf(row);
  return avtale;
}

/** Of a code of the source; one that is not known yet is told as such. */
export function published(list: string, code: string): string {
  if (!CODES[list]?.includes(code)) return 'UKJENT';
  return code === 'GJENNOMFØRES' ? 'GJENNOMFORES' : code === 'PÅBEGYNT' ? 'PAABEGYNT' : code;
}

const toTime = (text: string): string => `${text.slice(0, 10)}T${text.slice(11, -3)}Z`;
const linkTo = (avtaleId: string): object => ({ href: `/api/v1/avtaler/${avtaleId}` });

function linksOf(row: Row): object {
  const links: Record<string, unknown> = { self: linkTo(String(row['avtale_id'])) };
  if (row['deltaker_id']) links['deltaker'] = { href: `/api/v1/deltakere/${String(row['deltaker_id'])}/avtaler` };
  if (row['bedrift_nr']) links['bedrift'] = { href: `/api/v1/bedrifter/${String(row['bedrift_nr'])}/avtaler` };
  for (const relation of row['relasjoner'] ? String(row['relasjoner']).split(',') : []) {
    const [name = '', to = ''] = relation.split(' ');
    if (name === 'forrige' || name === 'neste') links[name] = linkTo(to);
    else links[name] = [...((links[name] as object[] | undefined) ?? []), linkTo(to)];
  }
  return links;
}
