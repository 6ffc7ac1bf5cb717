import { syntetiskFnr, syntetiskNavIdent, syntetiskOrgnr } from '@tiltak/testing';
import { DELER, type Del } from './innhold.ts';
import { nyttInnhold, TIDER, type Innhold } from './kildemelding.ts';
import { datotekst, DOEGN, midnatt, sisteSoendag, Tidspunkt, tilfeldigNano, type Dag } from './klokke.ts';
import { TILTAKSTYPER, type Tiltakstype } from './tiltakstyper.ts';
import type { Tilfeldig } from './tilfeldig.ts';

/** A row of the source's database, with what the simulation needs to know of it. */
export interface Avtale {
  innhold: Innhold;
  type: Tiltakstype;
  /** parts of the form that are still empty */
  gjenstaar: Del[];
  /** the day on which something happens to it next */
  neste: Dag;
  slettet: boolean;
}

/** Who and where, by number: the same number is always the same person or company. */
export interface Parter {
  person: number;
  mentor: number;
  bedrift: number;
  veileder: number;
}

export type Opphav = 'VEILEDER' | 'ARBEIDSGIVER' | 'ARENA';

/** Just created, mostly empty, not yet numbered. */
export function nyAvtale(
  tilfeldig: Tilfeldig,
  { type, opphav, parter, naa }: { type: Tiltakstype; opphav: Opphav; parter: Parter; naa: Tidspunkt },
): Avtale {
  const enhet = ENHETER[parter.bedrift % ENHETER.length];
  const fraArena = opphav === 'ARENA';
  const innhold = nyttInnhold({
    deltakerFnr: fnr(parter.person),
    mentorFnr: type.stoenad === 'MENTOR' && !fraArena ? syntetiskFnr(parter.mentor) : null,
    bedriftNr: syntetiskOrgnr(parter.bedrift),
    bedriftNavn: bedriftsnavn(parter.bedrift),
    // The others are not assigned to anyone yet.
    veilederNavIdent: opphav === 'VEILEDER' ? syntetiskNavIdent(parter.veileder) : null,
    tiltakstype: type.kode,
    opprettetTidspunkt: fraArena ? registrertIArena(tilfeldig, naa) : naa.somLokal(),
    avtaleId: tilfeldig.uuid(),
    sistEndret: naa,
    opprettetAvArbeidsgiver: opphav === 'ARBEIDSGIVER',
    ...(tilfeldig.sjanse(0.65) ? oppfolgingsenhet(enhet) : {}),
    enhetGeografisk: enhet?.[0] ?? null,
    enhetsnavnGeografisk: enhet?.[1] ?? null,
    godkjentForEtterregistrering: fraArena,
    kvalifiseringsgruppe: tilfeldig.velg(['BATT', 'BFORM', 'VARIG', 'IKVAL', null]),
    formidlingsgruppe: tilfeldig.velg(['ARBS', 'ARBS', 'IARBS', null]),
    opphav: tilfeldig.sjanse(0.002) ? 'ALTINN' : opphav,
    deltakerFornavn: 'Syntetisk',
    deltakerEtternavn: 'Person',
    ...(opphav === 'VEILEDER' ? { veilederFornavn: 'Syntetisk', veilederEtternavn: 'Veileder' } : {}),
    lonnstilskuddProsent: type.stoenad === 'LOENN' ? tilfeldig.velg(type.prosenter) : null,
  });
  return { innhold, type, gjenstaar: [...DELER], neste: 0, slettet: false };
}

/** Invalid numbers exist in the source's database, so there is one now and then. */
function fnr(person: number): string {
  const gyldig = syntetiskFnr(person, person % 9 === 0 ? 'NAV' : person % 11 === 0 ? 'DNR' : 'TESTNORGE');
  return person % 211 === 0 ? gyldig.slice(0, 10) + String((Number(gyldig.slice(10)) + 1) % 10) : gyldig;
}

/** The kind of measure, and where the avtale comes from: some kinds came from Arena in certain months. */
export function trekkType(tilfeldig: Tilfeldig, dag: Dag): { type: Tiltakstype; opphav: Opphav } {
  const fraArena = TILTAKSTYPER.find(({ arena }) => arena && dag >= arena[0] && dag <= arena[1]);
  if (fraArena && tilfeldig.sjanse(0.45)) return { type: fraArena, opphav: 'ARENA' };
  const mulige = TILTAKSTYPER.filter(({ fra }) => dag >= fra).map((type) => [type.vekt, type] as const);
  const type = tilfeldig.trekk(mulige);
  if (!type) throw new Error('There is a kind of measure on every day');
  return { type, opphav: tilfeldig.sjanse(0.15) ? 'ARBEIDSGIVER' : 'VEILEDER' };
}

/** Years back; sometimes in an hour that Oslo had twice, or never had: Arena's text is taken over as it is. */
function registrertIArena(tilfeldig: Tilfeldig, naa: Tidspunkt): Tidspunkt | string {
  const aar = tilfeldig.tall(2014, 2023);
  if (tilfeldig.sjanse(0.2)) {
    const soendag = sisteSoendag(aar, tilfeldig.velg([3, 10]));
    return `${datotekst(soendag / DOEGN)}T02:${String(tilfeldig.tall(10, 59))}:00`;
  }
  const dager = tilfeldig.tall(200, 4_000);
  return new Tidspunkt(naa.sekunder - dager * DOEGN, 0, true);
}

/** From before the source's present form: what is left of them has no events, and is only ever resent. */
export function gammelAvtale(tilfeldig: Tilfeldig, parter: Parter): Avtale {
  const dag = tilfeldig.tall(17_600, 19_000); // 2018–2022
  const naa = new Tidspunkt(midnatt(dag) + tilfeldig.tall(7 * 3_600, 16 * 3_600), tilfeldigNano(tilfeldig)).avrundet();
  const type = tilfeldig.velg([TILTAKSTYPER[0], TILTAKSTYPER[1]] as [Tiltakstype, Tiltakstype]);
  const avtale = nyAvtale(tilfeldig, { type, opphav: 'VEILEDER', parter, naa });
  const { innhold } = avtale;
  innhold.avtaleNr = tilfeldig.tall(1, 900);
  innhold.sistEndret = new Tidspunkt(naa.sekunder + tilfeldig.tall(1, 400) * DOEGN, naa.nano);
  const slag = tilfeldig.tall(1, 5);
  if (slag <= 2) Object.assign(innhold, { avtaleStatus: 'AVBRUTT', annullertGrunn: 'Syk' });
  else if (slag === 3) innhold.slettemerket = true;
  else if (slag === 4) innhold.bedriftNr = '';
  else innhold.deltakerFnr = null;
  return { ...avtale, gjenstaar: [], slettet: innhold.slettemerket };
}

const FELLES_PAAKREVD = [
  'deltakerFornavn',
  'deltakerEtternavn',
  'deltakerTlf',
  'bedriftNavn',
  'arbeidsgiverFornavn',
  'arbeidsgiverEtternavn',
  'arbeidsgiverTlf',
  'veilederFornavn',
  'veilederEtternavn',
  'veilederTlf',
  'startDato',
  'sluttDato',
  'oppfolging',
  'tilrettelegging',
] as const satisfies (keyof Innhold)[];

/** Section 2.2 of the contract: the first that fits. */
export function beregnStatus({ innhold, type }: Avtale, dag: Dag): string {
  const idag = datotekst(dag);
  if (innhold.annullertTidspunkt) return 'ANNULLERT';
  if (innhold.avtaleInngått && innhold.sluttDato !== null && innhold.sluttDato < idag) return 'AVSLUTTET';
  if (innhold.avtaleInngått && innhold.startDato !== null && innhold.startDato <= idag) return 'GJENNOMFØRES';
  if (innhold.avtaleInngått) return 'KLAR_FOR_OPPSTART';
  const fylt = [...FELLES_PAAKREVD, ...type.paakrevd].every((felt) => innhold[felt] !== null && innhold[felt] !== '');
  return fylt ? 'MANGLER_GODKJENNING' : 'PÅBEGYNT';
}

/** Only a kind with a beslutter waits for one. */
export function trengerBeslutter({ type }: Avtale, dag: Dag): boolean {
  return dag >= type.beslutterFra;
}

/** Read again from the database: what was nanoseconds is microseconds. */
export function avrundTider(innhold: Innhold): void {
  for (const felt of TIDER) innhold[felt] = innhold[felt]?.avrundet() ?? null;
  innhold.sistEndret = innhold.sistEndret.avrundet();
  if (typeof innhold.opprettetTidspunkt !== 'string')
    innhold.opprettetTidspunkt = innhold.opprettetTidspunkt.avrundet();
}

const ENHETER = [
  ['0101', 'NAV Testvik'],
  ['0213', 'NAV Prøvedal'],
  ['0315', 'NAV Syntetbygd'],
  ['1102', 'NAV Eksempelnes'],
  ['1204', 'NAV Liksomfjord'],
  ['1603', 'NAV Lateråsen'],
] as const;

function oppfolgingsenhet(enhet: (typeof ENHETER)[number] | undefined): Partial<Innhold> {
  return { enhetOppfolging: enhet?.[0] ?? null, enhetsnavnOppfolging: enhet?.[1] ?? null };
}

const FORLEDD = ['STILLE', 'MODIG', 'ROLIG', 'LUN', 'SPREK', 'GRØNN', 'TAUS'];
const ETTERLEDD = ['FJORD REGNSKAP', 'ÅS TØMRER', 'ØY BAKERI', 'DAL TRANSPORT', 'VIK RENHOLD'];

function bedriftsnavn(bedrift: number): string {
  const forledd = FORLEDD[bedrift % FORLEDD.length] ?? '';
  return `${forledd} ${ETTERLEDD[bedrift % ETTERLEDD.length] ?? ''} ${String(bedrift)} AS`;
}
