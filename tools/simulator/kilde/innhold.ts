import type { Innhold } from './kildemelding.ts';
import { dagnummer, datotekst, type Dag } from './klokke.ts';
import type { Tiltakstype } from './tiltakstyper.ts';
import type { Tilfeldig } from './tilfeldig.ts';

/** The parts of the form, as people fill them in. */
export const DELER = ['KONTAKT', 'STILLING', 'TID', 'STOENAD', 'OPPFOLGING', 'MAAL'] as const;
export type Del = (typeof DELER)[number];

const SETNING =
  'Fritekst som i kilden er skrevet av veileder eller arbeidsgiver, her bare fyll: deltaker prøver seg i arbeid med jevn oppfølging. ';

/** What a part of the form holds when it has been filled in; filled in again, it holds something else. */
export function fyllUt(
  tilfeldig: Tilfeldig,
  del: Del,
  { type, innhold }: { type: Tiltakstype; innhold: Innhold },
  dag: Dag,
): Partial<Innhold> {
  switch (del) {
    case 'KONTAKT':
      return kontakt(tilfeldig);
    case 'STILLING':
      return type.stoenad === 'INKLUDERING' ? {} : stilling(tilfeldig);
    case 'TID':
      return tid(tilfeldig, type, dag);
    case 'STOENAD':
      return stoenad(tilfeldig, type, innhold, dag);
    case 'OPPFOLGING':
      return { oppfolging: fritekst(tilfeldig), tilrettelegging: fritekst(tilfeldig) };
    case 'MAAL':
      return { maal: maal(tilfeldig) };
  }
}

const fritekst = (tilfeldig: Tilfeldig): string => SETNING.repeat(tilfeldig.tall(1, 3));

function kontakt(tilfeldig: Tilfeldig): Partial<Innhold> {
  return {
    deltakerTlf: '00000000',
    arbeidsgiverFornavn: 'Syntetisk',
    arbeidsgiverEtternavn: 'Kontakt',
    arbeidsgiverTlf: '00000001',
    veilederFornavn: 'Syntetisk',
    veilederEtternavn: 'Veileder',
    veilederTlf: '00000002',
    refusjonKontaktperson: tilfeldig.sjanse(0.25)
      ? {
          refusjonKontaktpersonFornavn: 'Syntetisk',
          refusjonKontaktpersonEtternavn: 'Kontakt',
          refusjonKontaktpersonTlf: '00000003',
          ønskerVarslingOmRefusjon: tilfeldig.sjanse(0.5),
        }
      : null,
  };
}

/** Of a MENTOR's avtale it is the mentor's position. */
function stilling(tilfeldig: Tilfeldig): Partial<Innhold> {
  const [stillingstittel, stillingStyrk08, stillingKonseptId] = tilfeldig.velg(STILLINGER);
  return {
    stillingstittel,
    stillingStyrk08,
    stillingKonseptId,
    arbeidsoppgaver: fritekst(tilfeldig),
    stillingprosent: tilfeldig.sjanse(0.25) ? tilfeldig.tall(1_000, 9_999) / 100 : tilfeldig.velg([50, 80, 100, 100]),
    antallDagerPerUke: tilfeldig.sjanse(0.1) ? tilfeldig.tall(2, 9) / 2 : tilfeldig.tall(1, 5),
    stillingstype: tilfeldig.sjanse(0.004) ? 'DELT_STILLING' : tilfeldig.velg(['FAST', 'MIDLERTIDIG', 'MIDLERTIDIG']),
  };
}

const STILLINGER = [
  ['Regnskapsrådgiver', 2411, 22_944],
  ['Butikkmedarbeider', 5223, 21_801],
  ['Renholder', 9112, 20_412],
  ['Lagermedarbeider', 4321, 19_276],
  ['Ullklassifisør', 7543, 180_545],
] as const;

function tid(tilfeldig: Tilfeldig, type: Tiltakstype, dag: Dag): Partial<Innhold> {
  const start = tidligst(tilfeldig, type, dag + tilfeldig.tall(-45, 60));
  return {
    startDato: datotekst(start),
    sluttDato: datotekst(start + tilfeldig.tall(type.varighet[0], type.varighet[1])),
  };
}

/** A summer job begins in June to August; the newest kind not before August 2026. */
function tidligst(tilfeldig: Tilfeldig, type: Tiltakstype, oensket: Dag): Dag {
  if (type.kode === 'FIREARIG_LONNSTILSKUDD') return Math.max(oensket, dagnummer('2026-08-01'));
  if (type.kode !== 'SOMMERJOBB') return oensket;
  const [aar, maaned] = datotekst(oensket).split('-').map(Number) as [number, number];
  if (maaned >= 6 && maaned <= 8) return oensket;
  return dagnummer(`${String(maaned > 8 ? aar + 1 : aar)}-06-01`) + tilfeldig.tall(0, 90);
}

function stoenad(tilfeldig: Tilfeldig, type: Tiltakstype, innhold: Innhold, dag: Dag): Partial<Innhold> {
  switch (type.stoenad) {
    case 'INGEN':
      return {};
    case 'LOENN':
      return loennstilskudd(tilfeldig, type, innhold.stillingprosent ?? 100);
    case 'MENTOR':
      return mentor(tilfeldig);
    case 'INKLUDERING':
      return inkludering(tilfeldig);
    case 'VTAO':
      return { sumLonnstilskudd: dag < dagnummer('2026-01-01') ? 7_067 : 7_321 };
  }
}

function loennstilskudd(tilfeldig: Tilfeldig, type: Tiltakstype, stillingprosent: number): Partial<Innhold> {
  const loenn = tilfeldig.tall(18_000, 48_000);
  const lonnstilskuddProsent = tilfeldig.velg(type.prosenter);
  const utgifter = loennsutgifter(tilfeldig, loenn);
  return {
    ...utgifter,
    arbeidsgiverKontonummer: '0'.repeat(11),
    harFamilietilknytning: tilfeldig.sjanse(0.03),
    lonnstilskuddProsent,
    sumLonnstilskudd: Math.round((utgifter.sumLonnsutgifter * lonnstilskuddProsent) / 100),
    manedslonn100pst: Math.round((loenn * 100) / stillingprosent),
  };
}

/** Section 5.3 of the contract: each amount is rounded, computed from the others unrounded. */
function loennsutgifter(tilfeldig: Tilfeldig, loenn: number): Partial<Innhold> & { sumLonnsutgifter: number } {
  const feriepengesats = tilfeldig.velg([0.102, 0.12, 0.125, 0.143]);
  const otpSats = tilfeldig.velg([0.02, 0.025, 0.05, 0.2]);
  const arbeidsgiveravgift = tilfeldig.velg([0, 0.051, 0.064, 0.079, 0.106, 0.141]);
  const ferie = loenn * feriepengesats;
  const otp = (loenn + ferie) * otpSats;
  const avgift = (loenn + ferie + otp) * arbeidsgiveravgift;
  return {
    manedslonn: loenn,
    feriepengesats,
    otpSats,
    arbeidsgiveravgift,
    feriepengerBelop: Math.round(ferie),
    otpBelop: Math.round(otp),
    arbeidsgiveravgiftBelop: Math.round(avgift),
    sumLonnsutgifter: loenn + Math.round(ferie + otp + avgift),
  };
}

function mentor(tilfeldig: Tilfeldig): Partial<Innhold> {
  const [mentorAntallTimer, mentorTimelonn] = [tilfeldig.tall(10, 80) / 2, tilfeldig.tall(190, 420)];
  return {
    ...loennsutgifter(tilfeldig, Math.round(mentorAntallTimer * mentorTimelonn)),
    mentorFornavn: 'Syntetisk',
    mentorEtternavn: 'Mentor',
    mentorTlf: '00000004',
    mentorOppgaver: fritekst(tilfeldig),
    mentorAntallTimer,
    mentorTimelonn,
  };
}

function inkludering(tilfeldig: Tilfeldig): Partial<Innhold> {
  const utgifter = Array.from({ length: tilfeldig.tall(1, 3) }, () => ({
    id: tilfeldig.uuid(),
    beløp: tilfeldig.tall(1_000, 40_000),
    type: tilfeldig.velg(['TILRETTELEGGINGSBEHOV', 'UTSTYR', 'PROGRAMVARE', 'OPPLÆRING']),
  }));
  return {
    inkluderingstilskuddsutgift: utgifter,
    inkluderingstilskuddTotalBeløp: utgifter.reduce((sum, { beløp }) => sum + beløp, 0),
    inkluderingstilskuddBegrunnelse: fritekst(tilfeldig),
  };
}

function maal(tilfeldig: Tilfeldig): object[] {
  return Array.from({ length: tilfeldig.tall(1, 2) }, () => ({
    id: tilfeldig.uuid(),
    kategori: tilfeldig.velg(['FÅ_JOBB_I_BEDRIFTEN', 'ARBEIDSERFARING', 'UTPRØVING', 'SPRÅKOPPLÆRING', 'ANNET']),
    beskrivelse: SETNING.trim(),
  }));
}

/** A new version has new ids of its elements, and is not archived yet. */
export function nyVersjon(tilfeldig: Tilfeldig, innhold: Innhold, innholdType: string): void {
  const medNyId = (deler: object[]): object[] => deler.map((del) => ({ ...del, id: tilfeldig.uuid() }));
  innhold.versjon++;
  innhold.innholdType = innholdType;
  innhold.journalpostId = null;
  innhold.maal = medNyId(innhold.maal);
  innhold.inkluderingstilskuddsutgift = medNyId(innhold.inkluderingstilskuddsutgift);
}
