import { syntetiskFnr, syntetiskNavIdent, syntetiskOrgnr } from '@tiltak/testing';
import type { Innhold } from './kildemelding.ts';
import { dato, DOEGN, oslotid, type Oyeblikk } from './klokke.ts';
import type { Tilfeldig } from './tilfeldig.ts';

/** An avtale at the source, as its database would have it. */
export interface Avtale {
  innhold: Innhold;
  sistEndret: Oyeblikk;
  /** Oslo dates as seconds, to compute the status from */
  start: number | undefined;
  slutt: number | undefined;
  /** the source's old format, and its old ways */
  gammel: boolean;
}

export const TILTAKSTYPER = [
  'ARBEIDSTRENING',
  'MIDLERTIDIG_LONNSTILSKUDD',
  'VARIG_LONNSTILSKUDD',
  'MENTOR',
  'INKLUDERINGSTILSKUDD',
  'SOMMERJOBB',
  'VTAO',
  'FIREARIG_LONNSTILSKUDD',
] as const;

const FRITEKST =
  'Fritekst som i kilden er skrevet av veileder, og som her bare er fyll av omtrent samme lengde: deltaker skal prøve seg i arbeid med jevn oppfølging på arbeidsplassen. ';

/** Created, mostly empty; `nummer` numbers it, its participant and its employer. */
export function nyAvtale(tilfeldig: Tilfeldig, nummer: number, naa: Oyeblikk): Avtale {
  const tiltakstype = tilfeldig.sjanse(0.01) ? 'NYTT_TILTAK_2027' : tilfeldig.velg(TILTAKSTYPER);
  const fraArena = tilfeldig.sjanse(0.06);
  const gammel = tilfeldig.sjanse(0.2);
  const opprettet = { ...naa, sekunder: fraArena ? naa.sekunder - tilfeldig.tall(1, 2_000) * DOEGN : naa.sekunder };
  const opphav = fraArena ? 'ARENA' : tilfeldig.sjanse(0.15) ? 'ARBEIDSGIVER' : 'VEILEDER';
  return {
    innhold: {
      ...tomt(tilfeldig),
      // One person in four has an earlier avtale.
      deltakerFnr: deltaker(tilfeldig, nummer),
      mentorFnr: tiltakstype === 'MENTOR' && tilfeldig.sjanse(0.5) ? syntetiskFnr(nummer + 500_000) : null,
      bedriftNr: tilfeldig.sjanse(0.005) ? '' : syntetiskOrgnr(Math.floor(nummer / 6)),
      bedriftNavn: `BEDRIFT ${String(Math.floor(nummer / 6))} AS`,
      veilederNavIdent: fraArena ? null : syntetiskNavIdent(nummer % 400),
      tiltakstype,
      opprettetTidspunkt: oslotid(opprettet),
      avtaleId: tilfeldig.uuid(),
      opphav,
      opprettetAvArbeidsgiver: opphav === 'ARBEIDSGIVER',
      godkjentForEtterregistrering: fraArena,
    },
    sistEndret: naa,
    start: undefined,
    slutt: undefined,
    gammel,
  };
}

function deltaker(tilfeldig: Tilfeldig, nummer: number): string | null {
  if (tilfeldig.sjanse(0.002)) return null;
  const person = tilfeldig.sjanse(0.25) ? tilfeldig.tall(0, nummer) : nummer;
  const fnr = syntetiskFnr(person, person % 9 === 0 ? 'NAV' : person % 11 === 0 ? 'DNR' : 'TESTNORGE');
  // Numbers with a wrong check digit exist in the source's database.
  return person % 211 === 0 ? `${fnr.slice(0, 10)}${String((Number(fnr.slice(10)) + 1) % 10)}` : fnr;
}

/** The participant's, the employer's and the veileder's parts are filled in. */
export function fyllUt(tilfeldig: Tilfeldig, avtale: Avtale, naa: Oyeblikk): void {
  const { innhold } = avtale;
  avtale.start ??= naa.sekunder + tilfeldig.tall(-60, 40) * DOEGN;
  avtale.slutt = avtale.start + tilfeldig.tall(14, 500) * DOEGN;
  const lonn = tilfeldig.tall(18_000, 48_000);
  const prosent = tilfeldig.sjanse(0.3) ? tilfeldig.tall(2_000, 10_000) / 100 : tilfeldig.velg([20, 50, 80, 100]);
  const tekst = FRITEKST.repeat(tilfeldig.tall(1, 2));
  Object.assign(innhold, {
    deltakerFornavn: 'Syntetisk',
    deltakerEtternavn: 'Person',
    deltakerTlf: '00000000',
    arbeidsgiverFornavn: 'Syntetisk',
    arbeidsgiverEtternavn: 'Person',
    arbeidsgiverTlf: '00000000',
    veilederFornavn: 'Syntetisk',
    veilederEtternavn: 'Person',
    veilederTlf: '00000001',
    oppfolging: tekst,
    tilrettelegging: tekst,
    arbeidsoppgaver: tekst,
    startDato: dato(avtale.start),
    sluttDato: innhold.opphav === 'ARENA' && tilfeldig.sjanse(0.2) ? null : dato(avtale.slutt),
    stillingprosent: prosent,
    antallDagerPerUke: avtale.gammel && tilfeldig.sjanse(0.3) ? null : tilfeldig.tall(1, 6),
    stillingstittel: 'Medarbeider',
    stillingStyrk08: 2411,
    stillingKonseptId: 22944,
    stillingstype: tilfeldig.sjanse(0.01) ? 'DELT_STILLING' : tilfeldig.velg(['FAST', 'MIDLERTIDIG', null]),
    arbeidsgiverKontonummer: '0'.repeat(11),
    manedslonn: lonn,
    ...lonnstilskudd(lonn, tilfeldig.velg([40, 50, 60, 75])),
    refusjonKontaktperson: tilfeldig.sjanse(0.3)
      ? {
          refusjonKontaktpersonFornavn: '',
          refusjonKontaktpersonEtternavn: '',
          refusjonKontaktpersonTlf: '',
          ønskerVarslingOmRefusjon: true,
        }
      : null,
    maal: [{ id: tilfeldig.uuid(), kategori: 'FÅ_JOBB_I_BEDRIFTEN', beskrivelse: 'fritekst' }],
  });
}

/** Section 5.3 of the contract. */
function lonnstilskudd(lonn: number, prosent: number): Partial<Innhold> {
  const [feriepengesats, otpSats, arbeidsgiveravgift] = [0.12, 0.02, 0.141];
  const ferie = lonn * feriepengesats;
  const otp = (lonn + ferie) * otpSats;
  const avgift = (lonn + ferie + otp) * arbeidsgiveravgift;
  const sum = lonn + Math.round(ferie + otp + avgift);
  return {
    lonnstilskuddProsent: prosent,
    feriepengesats,
    otpSats,
    arbeidsgiveravgift,
    feriepengerBelop: Math.round(ferie),
    otpBelop: Math.round(otp),
    arbeidsgiveravgiftBelop: Math.round(avgift),
    sumLonnsutgifter: sum,
    sumLonnstilskudd: Math.round((sum * prosent) / 100),
    manedslonn100pst: lonn,
  };
}

/** Section 2.2 of the contract: first match wins. */
export function beregnStatus({ innhold, start, slutt }: Avtale, naa: Oyeblikk): string {
  if (innhold.annullertTidspunkt) return 'ANNULLERT';
  const idag = dato(naa.sekunder);
  if (innhold.avtaleInngått) {
    if (slutt !== undefined && dato(slutt) < idag) return 'AVSLUTTET';
    return start !== undefined && dato(start) <= idag ? 'GJENNOMFØRES' : 'KLAR_FOR_OPPSTART';
  }
  return start !== undefined ? 'MANGLER_GODKJENNING' : 'PÅBEGYNT';
}

/** What a new avtale has none of. */
const UTEN = [
  'mentorFnr',
  'avtaleNr',
  'annullertTidspunkt',
  'annullertGrunn',
  'deltakerFornavn',
  'deltakerEtternavn',
  'deltakerTlf',
  'arbeidsgiverFornavn',
  'arbeidsgiverEtternavn',
  'arbeidsgiverTlf',
  'veilederFornavn',
  'veilederEtternavn',
  'veilederTlf',
  'oppfolging',
  'tilrettelegging',
  'startDato',
  'sluttDato',
  'stillingprosent',
  'journalpostId',
  'arbeidsoppgaver',
  'stillingstittel',
  'stillingStyrk08',
  'stillingKonseptId',
  'antallDagerPerUke',
  'refusjonKontaktperson',
  'mentorFornavn',
  'mentorEtternavn',
  'mentorOppgaver',
  'mentorAntallTimer',
  'mentorTimelonn',
  'mentorTlf',
  'arbeidsgiverKontonummer',
  'lonnstilskuddProsent',
  'manedslonn',
  'feriepengesats',
  'arbeidsgiveravgift',
  'harFamilietilknytning',
  'familietilknytningForklaring',
  'feriepengerBelop',
  'otpSats',
  'otpBelop',
  'arbeidsgiveravgiftBelop',
  'sumLonnsutgifter',
  'sumLonnstilskudd',
  'manedslonn100pst',
  'sumLønnstilskuddRedusert',
  'datoForRedusertProsent',
  'stillingstype',
  'inkluderingstilskuddBegrunnelse',
  'godkjentAvDeltaker',
  'godkjentTaushetserklæringAvMentor',
  'godkjentAvArbeidsgiver',
  'godkjentAvVeileder',
  'godkjentAvBeslutter',
  'avtaleInngått',
  'ikrafttredelsestidspunkt',
  'godkjentAvNavIdent',
  'godkjentAvBeslutterNavIdent',
  'enhetKostnadssted',
  'enhetsnavnKostnadssted',
  'godkjentPaVegneGrunn',
  'godkjentPaVegneAvArbeidsgiverGrunn',
] as const;

function tomt(tilfeldig: Tilfeldig): Innhold {
  const enhet = String(tilfeldig.tall(100, 2_100)).padStart(4, '0');
  return {
    ...(Object.fromEntries(UTEN.map((felt) => [felt, null])) as Record<(typeof UTEN)[number], null>),
    avtaleStatus: 'PÅBEGYNT',
    deltakerFnr: null,
    bedriftNr: '',
    bedriftNavn: null,
    veilederNavIdent: null,
    tiltakstype: 'ARBEIDSTRENING',
    opprettetTidspunkt: null,
    avtaleId: '',
    sistEndret: null,
    slettemerket: false,
    opprettetAvArbeidsgiver: false,
    enhetGeografisk: enhet,
    enhetsnavnGeografisk: 'NAV Syntetisk',
    enhetOppfolging: enhet,
    enhetsnavnOppfolging: 'NAV Syntetisk',
    godkjentForEtterregistrering: false,
    kvalifiseringsgruppe: tilfeldig.velg(['BATT', 'BFORM', 'VARIG', 'IKVAL', null]),
    formidlingsgruppe: 'ARBS',
    tilskuddPeriode: [],
    feilregistrert: false,
    opphav: null,
    versjon: 1,
    maal: [],
    inkluderingstilskuddsutgift: [],
    inkluderingstilskuddTotalBeløp: 0,
    godkjentPaVegneAv: false,
    godkjentPaVegneAvArbeidsgiver: false,
    innholdType: 'INNGÅ',
  };
}
