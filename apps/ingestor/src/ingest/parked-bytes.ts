import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** Before what is packed: no message that is JSON, or anything else that a person has written, begins so. */
const PACKED = Buffer.from('\0ZLIB1\0', 'latin1');
/** Before the ids of a message whose bytes are left on the topic. */
const LEFT_OUT = Buffer.from('\0BORTE1\0', 'latin1');
/** After the ids, which stand as the database looks for them (`parkerte_avtaler`). */
const END_OF_IDS = 0;
/** Of one whose bytes are not here: nothing but an id could be told of the others. */
const MAX_IDS = 100;
/** With its key, and packed; larger ones are left on the topic. */
const MAX_BYTES = 64 * 1024;
/** A key is an id; one that is longer is as large as anything else may be. */
const MAX_KEY = 100;

/**
 * What compression may refer to: a message is mostly names of fields. Never to be changed: what is packed with it could
 * not be read. Another one takes another mark than `PACKED`.
 */
const DICTIONARY = Buffer.from(
  [
    'utførtAvRolle utførtAv innholdType godkjentPaVegneAvArbeidsgiverGrunn godkjentPaVegneGrunn enhetsnavnKostnadssted',
    'enhetKostnadssted ikrafttredelsestidspunkt godkjentTaushetserklæringAvMentor inkluderingstilskuddTotalBeløp',
    'inkluderingstilskuddBegrunnelse inkluderingstilskuddsutgift maal datoForRedusertProsent sumLønnstilskuddRedusert',
    'manedslonn100pst sumLonnstilskudd sumLonnsutgifter arbeidsgiveravgiftBelop otpBelop otpSats feriepengerBelop',
    'familietilknytningForklaring harFamilietilknytning arbeidsgiveravgift feriepengesats manedslonn lonnstilskuddProsent',
    'arbeidsgiverKontonummer mentorTlf mentorTimelonn mentorAntallTimer mentorOppgaver mentorEtternavn mentorFornavn',
    'refusjonKontaktperson stillingKonseptId stillingStyrk08 stillingstittel arbeidsoppgaver journalpostId tilrettelegging',
    'oppfolging veilederTlf veilederEtternavn veilederFornavn arbeidsgiverTlf arbeidsgiverEtternavn arbeidsgiverFornavn',
    'deltakerTlf deltakerEtternavn deltakerFornavn tilskuddPeriode formidlingsgruppe kvalifiseringsgruppe',
    'godkjentForEtterregistrering enhetsnavnOppfolging enhetOppfolging enhetsnavnGeografisk enhetGeografisk',
    'opprettetAvArbeidsgiver annullertGrunn mentorFnr godkjentPaVegneAvArbeidsgiver godkjentPaVegneAv opphav',
    'godkjentAvBeslutterNavIdent godkjentAvNavIdent avtaleInngått godkjentAvBeslutter godkjentAvVeileder',
    'godkjentAvArbeidsgiver godkjentAvDeltaker stillingstype antallDagerPerUke stillingprosent sluttDato startDato',
    'feilregistrert slettemerket annullertTidspunkt sistEndret opprettetTidspunkt versjon avtaleStatus tiltakstype',
    'veilederNavIdent bedriftNavn bedriftNr deltakerFnr avtaleNr avtaleId hendelseType',
  ]
    .join(' ')
    .split(' ')
    .map((name) => `"${name}":null,`)
    .join('') + '"VEILEDER","ENDRET","STATUSENDRING","PÅBEGYNT","GJENNOMFØRES":false,":true,":"2026-01-01T12:00:00.',
);

/** A message as it is kept. */
export interface ParkedBytes {
  key: Buffer | null;
  value: Buffer | null;
  /** what is not here of it is left on the topic */
  leftOut: boolean;
}

type Bytes = Pick<ParkedBytes, 'key' | 'value'>;

export function packBytes({ key, value }: Bytes, mayLeaveOut: boolean): ParkedBytes {
  const packed = packValue(value);
  const isTooLarge = (key?.length ?? 0) + (packed?.length ?? 0) > MAX_BYTES;
  return mayLeaveOut && isTooLarge ? leaveOut({ key, value }) : { key, value: packed, leftOut: false };
}

/** Null is a tombstone. What would not get smaller stays as it came. */
function packValue(value: Buffer | null): Buffer | null {
  if (value === null) return null;
  const packed = Buffer.concat([PACKED, idsIn(value), deflateRawSync(value, { dictionary: DICTIONARY, level: 9 })]);
  const isOurs = startsWith(value, PACKED) || startsWith(value, LEFT_OUT);
  return packed.length < value.length || isOurs ? packed : value;
}

/** The avtaler that it names stay: a deletion of one is told to all that name it. A tombstone with a short key is whole. */
export function leaveOut({ key, value }: Bytes): ParkedBytes {
  const isKeyKept = (key?.length ?? 0) <= MAX_KEY;
  return {
    key: isKeyKept ? key : null,
    value: value && Buffer.concat([LEFT_OUT, idsIn(value, MAX_IDS)]),
    leftOut: value !== null || !isKeyKept,
  };
}

/** The value as it came; what was stored before anything was packed is that. */
export function unpackValue(stored: Buffer | null): Buffer | null {
  if (stored === null || !startsWith(stored, PACKED)) return stored;
  const start = stored.indexOf(END_OF_IDS, PACKED.length) + 1;
  return inflateRawSync(stored.subarray(start), { dictionary: DICTIONARY });
}

function startsWith(bytes: Buffer, mark: Buffer): boolean {
  return bytes.subarray(0, mark.length).equals(mark);
}

const AVTALE_ID = /"avtaleId"\s*:\s*"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"/gi;

/** In clear text, as they stood: the database finds them there as in a value that is not packed. */
function idsIn(value: Buffer, most = Infinity): Buffer {
  const ids = new Set(Array.from(value.toString('latin1').matchAll(AVTALE_ID), ([, id]) => id?.toLowerCase()));
  const text = Array.from(ids)
    .slice(0, most)
    .map((id) => `"avtaleId":"${String(id)}"`)
    .join('');
  return Buffer.concat([Buffer.from(text, 'latin1'), Buffer.from([END_OF_IDS])]);
}
