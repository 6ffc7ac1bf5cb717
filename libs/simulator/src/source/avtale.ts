import { syntheticFnr, syntheticNavIdent, syntheticOrgnr } from '@tiltak/testing';
import { PARTS, type Part } from './content.ts';
import { newContent, TIMES, type SourceContent } from './source-message.ts';
import { dateText, DAY_SECONDS, midnight, lastSunday, Moment, randomNano, type Day } from './clock.ts';
import { TILTAKSTYPE_PROFILES, type TiltakstypeProfile } from './tiltakstyper.ts';
import type { Random } from './random.ts';

/** A row of the source's database, with what the simulation needs to know of it. */
export interface SourceAvtale {
  content: SourceContent;
  type: TiltakstypeProfile;
  /** parts of the form that are still empty */
  missing: Part[];
  /** the day on which something happens to it next */
  next: Day;
  deleted: boolean;
}

/** Who and where, by number: the same number is always the same person or company. */
export interface Parties {
  person: number;
  mentor: number;
  bedrift: number;
  veileder: number;
}

export type SourceOpphav = 'VEILEDER' | 'ARBEIDSGIVER' | 'ARENA';

/** Just created, mostly empty, not yet numbered. */
export function newAvtale(
  random: Random,
  { type, opphav, parties, now }: { type: TiltakstypeProfile; opphav: SourceOpphav; parties: Parties; now: Moment },
): SourceAvtale {
  const office = ENHETER[parties.bedrift % ENHETER.length];
  const fromArena = opphav === 'ARENA';
  const content = newContent({
    deltakerFnr: fnr(parties.person),
    mentorFnr: type.stoenad === 'MENTOR' && !fromArena ? syntheticFnr(parties.mentor) : null,
    bedriftNr: syntheticOrgnr(parties.bedrift),
    bedriftNavn: bedriftName(parties.bedrift),
    // The others are not assigned to anyone yet.
    veilederNavIdent: opphav === 'VEILEDER' ? syntheticNavIdent(parties.veileder) : null,
    tiltakstype: type.code,
    opprettetTidspunkt: fromArena ? registeredInArena(random, now) : now.asLocal(),
    avtaleId: random.uuid(),
    sistEndret: now,
    opprettetAvArbeidsgiver: opphav === 'ARBEIDSGIVER',
    ...(random.chance(0.65) ? oppfolgingsenhet(office) : {}),
    enhetGeografisk: office?.[0] ?? null,
    enhetsnavnGeografisk: office?.[1] ?? null,
    godkjentForEtterregistrering: fromArena,
    kvalifiseringsgruppe: random.pick(['BATT', 'BFORM', 'VARIG', 'IKVAL', null]),
    formidlingsgruppe: random.pick(['ARBS', 'ARBS', 'IARBS', null]),
    opphav: random.chance(0.002) ? 'ALTINN' : opphav,
    deltakerFornavn: 'Syntetisk',
    deltakerEtternavn: 'Person',
    ...(opphav === 'VEILEDER' ? { veilederFornavn: 'Syntetisk', veilederEtternavn: 'Veileder' } : {}),
    lonnstilskuddProsent: type.stoenad === 'LOENN' ? random.pick(type.percents) : null,
  });
  return { content, type, missing: [...PARTS], next: 0, deleted: false };
}

/** Invalid numbers exist in the source's database, so there is one now and then. */
function fnr(person: number): string {
  const valid = syntheticFnr(person, person % 9 === 0 ? 'NAV' : person % 11 === 0 ? 'DNR' : 'TESTNORGE');
  return person % 211 === 0 ? valid.slice(0, 10) + String((Number(valid.slice(10)) + 1) % 10) : valid;
}

/** The kind of measure, and where the avtale comes from: some kinds came from Arena in certain months. */
export function drawType(random: Random, day: Day): { type: TiltakstypeProfile; opphav: SourceOpphav } {
  const fromArena = TILTAKSTYPE_PROFILES.find(({ arena }) => arena && day >= arena[0] && day <= arena[1]);
  if (fromArena && random.chance(0.45)) return { type: fromArena, opphav: 'ARENA' };
  const possible = TILTAKSTYPE_PROFILES.filter(({ from }) => day >= from).map((type) => [type.weight, type] as const);
  const type = random.draw(possible);
  if (!type) throw new Error('There is a kind of measure on every day');
  return { type, opphav: random.chance(0.15) ? 'ARBEIDSGIVER' : 'VEILEDER' };
}

/** Years back; sometimes in an hour that Oslo had twice, or never had: Arena's text is taken over as it is. */
function registeredInArena(random: Random, now: Moment): Moment | string {
  const year = random.number(2014, 2023);
  if (random.chance(0.2)) {
    const sunday = lastSunday(year, random.pick([3, 10]));
    return `${dateText(sunday / DAY_SECONDS)}T02:${String(random.number(10, 59))}:00`;
  }
  const days = random.number(200, 4_000);
  return new Moment(now.seconds - days * DAY_SECONDS, 0, true);
}

/** From before the source's present form: what is left of them has no events, and is only ever resent. */
export function oldAvtale(random: Random, parties: Parties): SourceAvtale {
  const day = random.number(17_600, 19_000); // 2018–2022
  const now = new Moment(midnight(day) + random.number(7 * 3_600, 16 * 3_600), randomNano(random)).rounded();
  const type = random.pick([TILTAKSTYPE_PROFILES[0], TILTAKSTYPE_PROFILES[1]] as [
    TiltakstypeProfile,
    TiltakstypeProfile,
  ]);
  const avtale = newAvtale(random, { type, opphav: 'VEILEDER', parties, now });
  const { content } = avtale;
  content.avtaleNr = random.number(1, 900);
  content.sistEndret = new Moment(now.seconds + random.number(1, 400) * DAY_SECONDS, now.nano);
  const kind = random.number(1, 5);
  if (kind <= 2) Object.assign(content, { avtaleStatus: 'AVBRUTT', annullertGrunn: 'Syk' });
  else if (kind === 3) content.slettemerket = true;
  else if (kind === 4) content.bedriftNr = '';
  else content.deltakerFnr = null;
  return { ...avtale, missing: [], deleted: content.slettemerket };
}

const COMMON_REQUIRED = [
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
] as const satisfies (keyof SourceContent)[];

/** Section 2.2 of the contract: the first that fits. */
export function computeStatus({ content, type }: SourceAvtale, day: Day): string {
  const today = dateText(day);
  if (content.annullertTidspunkt) return 'ANNULLERT';
  if (content.avtaleInngått && content.sluttDato !== null && content.sluttDato < today) return 'AVSLUTTET';
  if (content.avtaleInngått && content.startDato !== null && content.startDato <= today) return 'GJENNOMFØRES';
  if (content.avtaleInngått) return 'KLAR_FOR_OPPSTART';
  const filled = [...COMMON_REQUIRED, ...type.required].every(
    (field) => content[field] !== null && content[field] !== '',
  );
  return filled ? 'MANGLER_GODKJENNING' : 'PÅBEGYNT';
}

/** Only a kind with a beslutter waits for one. */
export function needsBeslutter({ type }: SourceAvtale, day: Day): boolean {
  return day >= type.beslutterFrom;
}

/** Read again from the database: what was nanoseconds is microseconds. */
export function roundTimes(content: SourceContent): void {
  for (const field of TIMES) content[field] = content[field]?.rounded() ?? null;
  content.sistEndret = content.sistEndret.rounded();
  if (typeof content.opprettetTidspunkt !== 'string') content.opprettetTidspunkt = content.opprettetTidspunkt.rounded();
}

const ENHETER = [
  ['0101', 'NAV Testvik'],
  ['0213', 'NAV Prøvedal'],
  ['0315', 'NAV Syntetbygd'],
  ['1102', 'NAV Eksempelnes'],
  ['1204', 'NAV Liksomfjord'],
  ['1603', 'NAV Lateråsen'],
] as const;

function oppfolgingsenhet(office: (typeof ENHETER)[number] | undefined): Partial<SourceContent> {
  return { enhetOppfolging: office?.[0] ?? null, enhetsnavnOppfolging: office?.[1] ?? null };
}

const PREFIX = ['STILLE', 'MODIG', 'ROLIG', 'LUN', 'SPREK', 'GRØNN', 'TAUS'];
const SUFFIX = ['FJORD REGNSKAP', 'ÅS TØMRER', 'ØY BAKERI', 'DAL TRANSPORT', 'VIK RENHOLD'];

function bedriftName(bedrift: number): string {
  const prefix = PREFIX[bedrift % PREFIX.length] ?? '';
  return `${prefix} ${SUFFIX[bedrift % SUFFIX.length] ?? ''} ${String(bedrift)} AS`;
}
