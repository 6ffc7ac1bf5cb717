import { syntheticFnr } from '@tiltak/testing';

/** Days before and after the day that the stack is started. */
interface Sample {
  tiltakstype: string;
  from: number;
  to: number;
}

/** Each by a synthetic ident of its own; the last one is on two measures at once. */
const SAMPLES: Sample[][] = [
  [{ tiltakstype: 'ARBEIDSTRENING', from: -45, to: 75 }],
  [{ tiltakstype: 'MIDLERTIDIG_LONNSTILSKUDD', from: -200, to: 30 }],
  [
    { tiltakstype: 'VARIG_LONNSTILSKUDD', from: -400, to: 330 },
    { tiltakstype: 'MENTOR', from: -90, to: 90 },
  ],
];
const FIRST = 910_001;
/** An employer of the sample data, which then has avtaler of today too. */
const BEDRIFT = { bedriftNr: '910825518', bedriftNavn: 'MAURA OG KOLBU REGNSKAP' };

/** Idents of persons who are on a measure on the day that the sample data was loaded. */
export const PERSONS_ON_MEASURE = SAMPLES.map((_, n) => syntheticFnr(FIRST + n));

/**
 * Messages of the source about people who are on a measure today: all that is in the file of sample data has ended, so
 * that whoever asks about today would be answered no.
 */
export function onMeasureToday(now: Date): { key: string; value: string }[] {
  const all = SAMPLES.flatMap((samples, n) =>
    samples.map((sample) => ({ ...sample, deltakerFnr: PERSONS_ON_MEASURE[n] ?? '' })),
  );
  return all.map((sample, n) => {
    const avtaleId = `5a3b1e00-0000-4000-8000-${String(n + 1).padStart(12, '0')}`;
    return { key: avtaleId, value: JSON.stringify(message(avtaleId, 9_001 + n, sample, now)) };
  });
}

function message(
  avtaleId: string,
  avtaleNr: number,
  { tiltakstype, from, to, deltakerFnr }: Sample & { deltakerFnr: string },
  now: Date,
): Record<string, unknown> {
  const at = (days: number): string => new Date(now.getTime() + days * 86_400_000).toISOString();
  const agreed = at(from - 7).slice(0, 19);
  return {
    hendelseType: 'STATUSENDRING',
    avtaleId,
    avtaleNr,
    versjon: 1,
    avtaleStatus: 'GJENNOMF\u00d8RES',
    tiltakstype,
    deltakerFnr,
    ...BEDRIFT,
    veilederNavIdent: 'Z992785',
    startDato: at(from).slice(0, 10),
    sluttDato: at(to).slice(0, 10),
    stillingprosent: tiltakstype === 'MENTOR' ? null : 80,
    antallDagerPerUke: tiltakstype === 'MENTOR' ? null : 4,
    stillingstype: tiltakstype.endsWith('LONNSTILSKUDD') ? 'MIDLERTIDIG' : null,
    opprettetTidspunkt: at(from - 14).slice(0, 19),
    sistEndret: at(Math.min(from, -1)),
    godkjentAvDeltaker: agreed,
    godkjentAvArbeidsgiver: agreed,
    godkjentAvVeileder: agreed,
    avtaleInngått: agreed,
    godkjentAvNavIdent: 'Z992785',
    godkjentPaVegneAv: false,
    godkjentPaVegneAvArbeidsgiver: false,
    opprettetAvArbeidsgiver: false,
    slettemerket: false,
    feilregistrert: false,
    annullertTidspunkt: null,
    annullertGrunn: null,
  };
}
