import {
  CODE_VALUES,
  countedDays,
  isAnnulledUnderway,
  phaseOn,
  relationsFor,
  toRelationAvtale,
  type AvtaleField,
  type CountedDays,
  type Days,
  type Grunn,
  type Tiltakstype,
} from '@tiltak/avtale';
import { jsonMapper } from '../avtaler/avtaler.fields.ts';
import { linksOf } from '../avtaler/avtaler.mapper.ts';
import { clip, countDays, gapsIn, union } from './days.ts';
import type { TiltakDto, TiltaksstatusDto, UsikkertTiltakDto, VarighetDto } from './personer.dto.ts';
import { factsOf, type TiltakRow } from './personer.queries.ts';

/** A person by all the idents that the caller knows; at least one. */
export interface Person {
  referanse?: string | undefined;
  personidenter: readonly string[];
}

export interface Question {
  /** YYYY-MM-DD: phases and durations are of that day */
  date: string;
  /** asked about instead of the date alone; either end may be open */
  period?: { fra?: string | undefined; til?: string | undefined } | undefined;
  tiltakstyper?: readonly Tiltakstype[] | undefined;
  /** of each avtale that is told of */
  fields: readonly AvtaleField[];
  withLinks: boolean;
}

/** An avtale with the days on which it counts. */
interface Counted {
  row: TiltakRow;
  days: CountedDays;
  /** those of the days that are asked about; undefined: none */
  asked: Days | undefined;
}

/** What is to be answered of one person, of the avtaler that belong to any of the idents, earliest first. */
export function answererFor(question: Question): (person: Person, rows: readonly TiltakRow[]) => TiltaksstatusDto {
  const { date, period } = question;
  const window = period ? { from: period.fra, to: period.til } : { from: date, to: date };
  const toTiltak = tiltakMapper(question);
  return ({ referanse, personidenter: [personident = ''] }, rows) => {
    const ofKinds = rows.filter(isOfKinds(question.tiltakstyper));
    const counted = ofKinds.flatMap((row): Counted[] => {
      const days = countedDays(factsOf(row));
      return days ? [{ row, days, asked: clip(days, window) }] : [];
    });
    const certain = counted.filter(({ days, asked }) => asked && days.uncertain === null);
    const uncertain = counted.filter(({ days, asked }) => asked && days.uncertain !== null);
    const links = question.withLinks ? linksAmong(rows) : undefined;
    return {
      ...(referanse === undefined ? {} : { referanse }),
      personident,
      ...answerOf(certain, uncertain),
      ...extentOf(certain),
      tiltak: certain.map((tiltak) => toTiltak(tiltak, links)),
      uavklarte: uncertain.map((tiltak) => toUncertain(tiltak, toTiltak(tiltak, links))),
      varighet: durationsOf(counted, date),
      ...(period ? { dager: countDays(union(certain.flatMap(({ asked }) => asked ?? []))) } : {}),
    };
  };
}

function isOfKinds(tiltakstyper: readonly Tiltakstype[] | undefined): (row: TiltakRow) => boolean {
  return (row) => tiltakstyper === undefined || tiltakstyper.some((kind) => kind === kindOf(row));
}

function kindOf({ tiltakstype }: TiltakRow): Tiltakstype | undefined {
  return tiltakstype === null ? undefined : CODE_VALUES.tiltakstype.fromSource(tiltakstype);
}

function answerOf(
  certain: readonly Counted[],
  uncertain: readonly Counted[],
): Pick<TiltaksstatusDto, 'paaTiltak' | 'svar' | 'grunner'> {
  if (certain.length > 0) return { paaTiltak: true, svar: 'JA', grunner: [] };
  const reasons = uncertain.map(({ days }) => days.uncertain).filter((reason): reason is Grunn => reason !== null);
  return { paaTiltak: false, svar: reasons.length > 0 ? 'UAVKLART' : 'NEI', grunner: [...new Set(reasons)] };
}

/** From the first day of the earliest to the last of the latest, as 1.0.0 says. */
function extentOf(certain: readonly Counted[]): Pick<TiltaksstatusDto, 'antall' | 'fra' | 'til' | 'antallDager'> {
  const first = certain.map(({ days }) => days.first).sort()[0];
  if (first === undefined) return { antall: 0, fra: null, til: null, antallDager: 0 };
  const lasts = certain.map(({ days }) => days.last);
  const last = lasts.includes(null) ? null : (lasts.sort().at(-1) ?? null);
  return { antall: certain.length, fra: first, til: last, antallDager: countDays([{ first, last }]) };
}

type TiltakMapper = (tiltak: Counted, links: Links | undefined) => TiltakDto;

function tiltakMapper({ date, period, fields, withLinks }: Question): TiltakMapper {
  const toJson = jsonMapper<TiltakDto>(fields);
  return ({ row, days, asked }, links) => {
    const facts = factsOf(row);
    const phase = { fase: phaseOn(date, facts), annullert_underveis: isAnnulledUnderway(facts) };
    return {
      ...toJson({ ...row, ...phase }),
      sisteDag: days.last,
      ...(period ? { dagerIPerioden: asked ? countDays([asked]) : 0 } : {}),
      ...(withLinks ? { _links: linksOf({ ...row, relasjoner: links?.get(row.avtale_id) ?? null }) } : {}),
    };
  };
}

function toUncertain({ days }: Counted, tiltak: TiltakDto): UsikkertTiltakDto {
  const grunn = days.uncertain ?? 'ANNULLERT_UNDERVEIS';
  return { ...tiltak, annullertUnderveis: grunn === 'ANNULLERT_UNDERVEIS', grunn };
}

/** For how long, by kind: certain days only, each once however many avtaler hold it. */
function durationsOf(counted: readonly Counted[], date: string): VarighetDto[] {
  const certain = counted.filter(({ days }) => days.uncertain === null);
  const perKind = [...Map.groupBy(certain, ({ row }) => kindOf(row))];
  return perKind.map(([tiltakstype, tiltak]) => {
    const days = union(tiltak.map((one) => one.days));
    const gaps = gapsIn(days);
    return {
      ...(tiltakstype === undefined ? {} : { tiltakstype }),
      fra: days[0]?.first ?? date,
      dagerHittil: countDays(days.flatMap((part) => clip(part, { to: date }) ?? [])) ?? 0,
      dagerPlanlagt: countDays(days),
      antallOpphold: gaps.count,
      dagerOpphold: gaps.days,
    };
  });
}

/** By avtaleId, as `linksOf` takes them. */
type Links = Map<string, string>;

/** Links among all avtaler of the person: those that the request says are one have them across their idents. */
function linksAmong(rows: readonly TiltakRow[]): Links {
  const members = rows.flatMap((row) => {
    const member = toRelationAvtale(
      {
        avtaleId: row.avtale_id,
        bedriftNr: row.bedrift_nr,
        tiltakstype: row.tiltakstype,
        avtaleStatus: row.annullert ? 'ANNULLERT' : null,
        startDato: row.start_dato,
        sluttDato: row.slutt_dato,
        annullertTidspunkt: null,
        feilregistrert: false,
      },
      'the person',
    );
    return member ?? [];
  });
  const perAvtale = Map.groupBy(relationsFor(members), ({ fra }) => fra);
  return new Map(
    [...perAvtale].map(([avtaleId, relations]) => [
      avtaleId,
      relations.map(({ relasjon, til }) => `${relasjon} ${til}`).join(','),
    ]),
  );
}
