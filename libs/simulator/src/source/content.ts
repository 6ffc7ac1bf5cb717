import type { SourceContent } from './source-message.ts';
import { dayNumber, dateText, type Day } from './clock.ts';
import type { TiltakstypeProfile } from './tiltakstyper.ts';
import type { Random } from './random.ts';

/** The parts of the form, as people fill them in. */
export const PARTS = ['KONTAKT', 'STILLING', 'TID', 'STOENAD', 'OPPFOLGING', 'MAAL'] as const;
export type Part = (typeof PARTS)[number];

const SENTENCE =
  'Fritekst som i kilden er skrevet av veileder eller arbeidsgiver, her bare fyll: deltaker prøver seg i arbeid med jevn oppfølging. ';

/** What a part of the form holds when it has been filled in; filled in again, it holds something else. */
export function fillIn(
  random: Random,
  part: Part,
  { type, content }: { type: TiltakstypeProfile; content: SourceContent },
  day: Day,
): Partial<SourceContent> {
  switch (part) {
    case 'KONTAKT':
      return kontakt(random);
    case 'STILLING':
      return type.stoenad === 'INKLUDERING' ? {} : stilling(random);
    case 'TID':
      return time(random, type, day);
    case 'STOENAD':
      return stoenad(random, type, content, day);
    case 'OPPFOLGING':
      return { oppfolging: freeText(random), tilrettelegging: freeText(random) };
    case 'MAAL':
      return { maal: goals(random) };
  }
}

const freeText = (random: Random): string => SENTENCE.repeat(random.number(1, 3));

function kontakt(random: Random): Partial<SourceContent> {
  return {
    deltakerTlf: '00000000',
    arbeidsgiverFornavn: 'Syntetisk',
    arbeidsgiverEtternavn: 'Kontakt',
    arbeidsgiverTlf: '00000001',
    veilederFornavn: 'Syntetisk',
    veilederEtternavn: 'Veileder',
    veilederTlf: '00000002',
    refusjonKontaktperson: random.chance(0.25)
      ? {
          refusjonKontaktpersonFornavn: 'Syntetisk',
          refusjonKontaktpersonEtternavn: 'Kontakt',
          refusjonKontaktpersonTlf: '00000003',
          ønskerVarslingOmRefusjon: random.chance(0.5),
        }
      : null,
  };
}

/** Of a MENTOR's avtale it is the mentor's position. */
function stilling(random: Random): Partial<SourceContent> {
  const [stillingstittel, stillingStyrk08, stillingKonseptId] = random.pick(STILLINGER);
  return {
    stillingstittel,
    stillingStyrk08,
    stillingKonseptId,
    arbeidsoppgaver: freeText(random),
    stillingprosent: random.chance(0.25) ? random.number(1_000, 9_999) / 100 : random.pick([50, 80, 100, 100]),
    antallDagerPerUke: random.chance(0.1) ? random.number(2, 9) / 2 : random.number(1, 5),
    stillingstype: random.chance(0.004) ? 'DELT_STILLING' : random.pick(['FAST', 'MIDLERTIDIG', 'MIDLERTIDIG']),
  };
}

const STILLINGER = [
  ['Regnskapsrådgiver', 2411, 22_944],
  ['Butikkmedarbeider', 5223, 21_801],
  ['Renholder', 9112, 20_412],
  ['Lagermedarbeider', 4321, 19_276],
  ['Ullklassifisør', 7543, 180_545],
] as const;

function time(random: Random, type: TiltakstypeProfile, day: Day): Partial<SourceContent> {
  const start = earliest(random, type, day + random.number(-45, 60));
  return {
    startDato: dateText(start),
    sluttDato: dateText(start + random.number(type.duration[0], type.duration[1])),
  };
}

/** A summer job begins in June to August; the newest kind not before August 2026. */
function earliest(random: Random, type: TiltakstypeProfile, wanted: Day): Day {
  if (type.code === 'FIREARIG_LONNSTILSKUDD') return Math.max(wanted, dayNumber('2026-08-01'));
  if (type.code !== 'SOMMERJOBB') return wanted;
  const [year, month] = dateText(wanted).split('-').map(Number) as [number, number];
  if (month >= 6 && month <= 8) return wanted;
  return dayNumber(`${String(month > 8 ? year + 1 : year)}-06-01`) + random.number(0, 90);
}

function stoenad(random: Random, type: TiltakstypeProfile, content: SourceContent, day: Day): Partial<SourceContent> {
  switch (type.stoenad) {
    case 'INGEN':
      return {};
    case 'LOENN':
      return loennstilskudd(random, type, content.stillingprosent ?? 100);
    case 'MENTOR':
      return mentor(random);
    case 'INKLUDERING':
      return inkludering(random);
    case 'VTAO':
      return { sumLonnstilskudd: day < dayNumber('2026-01-01') ? 7_067 : 7_321 };
  }
}

function loennstilskudd(random: Random, type: TiltakstypeProfile, stillingprosent: number): Partial<SourceContent> {
  const loenn = random.number(18_000, 48_000);
  const lonnstilskuddProsent = random.pick(type.percents);
  const expenses = loennsutgifter(random, loenn);
  return {
    ...expenses,
    arbeidsgiverKontonummer: '0'.repeat(11),
    harFamilietilknytning: random.chance(0.03),
    lonnstilskuddProsent,
    sumLonnstilskudd: Math.round((expenses.sumLonnsutgifter * lonnstilskuddProsent) / 100),
    manedslonn100pst: Math.round((loenn * 100) / stillingprosent),
  };
}

/** Section 5.3 of the contract: each amount is rounded, computed from the others unrounded. */
function loennsutgifter(random: Random, loenn: number): Partial<SourceContent> & { sumLonnsutgifter: number } {
  const feriepengesats = random.pick([0.102, 0.12, 0.125, 0.143]);
  const otpSats = random.pick([0.02, 0.025, 0.05, 0.2]);
  const arbeidsgiveravgift = random.pick([0, 0.051, 0.064, 0.079, 0.106, 0.141]);
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

function mentor(random: Random): Partial<SourceContent> {
  const [hours, hourlyPay] = [random.number(10, 80) / 2, random.number(190, 420)];
  return {
    ...loennsutgifter(random, Math.round(hours * hourlyPay)),
    mentorFornavn: 'Syntetisk',
    mentorEtternavn: 'Mentor',
    mentorTlf: '00000004',
    mentorOppgaver: freeText(random),
    mentorAntallTimer: hours,
    mentorTimelonn: hourlyPay,
  };
}

function inkludering(random: Random): Partial<SourceContent> {
  const expenses = Array.from({ length: random.number(1, 3) }, () => ({
    id: random.uuid(),
    beløp: random.number(1_000, 40_000),
    type: random.pick(['TILRETTELEGGINGSBEHOV', 'UTSTYR', 'PROGRAMVARE', 'OPPLÆRING']),
  }));
  return {
    inkluderingstilskuddsutgift: expenses,
    inkluderingstilskuddTotalBeløp: expenses.reduce((sum, { beløp }) => sum + beløp, 0),
    inkluderingstilskuddBegrunnelse: freeText(random),
  };
}

function goals(random: Random): object[] {
  return Array.from({ length: random.number(1, 2) }, () => ({
    id: random.uuid(),
    kategori: random.pick(['FÅ_JOBB_I_BEDRIFTEN', 'ARBEIDSERFARING', 'UTPRØVING', 'SPRÅKOPPLÆRING', 'ANNET']),
    beskrivelse: SENTENCE.trim(),
  }));
}

/** A new version has new ids of its elements, and is not archived yet. */
export function newVersion(random: Random, content: SourceContent, kind: string): void {
  const withNewId = (parts: object[]): object[] => parts.map((part) => ({ ...part, id: random.uuid() }));
  content.versjon++;
  content.innholdType = kind;
  content.journalpostId = null;
  content.maal = withNewId(content.maal);
  content.inkluderingstilskuddsutgift = withNewId(content.inkluderingstilskuddsutgift);
}
