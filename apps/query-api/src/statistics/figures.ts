import { todayInOslo } from '@tiltak/avtale';
import { PROBLEMS, Problem } from '@tiltak/platform';
import { toRfc3339 } from '../avtaler/avtaler.fields.ts';
import type { Run } from '../lookups/lookups.ts';
import { MAX_MONTHS, type StatistikkpunktDto, type StatistikkSporringDto } from './statistics.dto.ts';
import { figuresQuery, inStoredOrder, MOMENT, NO_DAY, NOW, type FigureRow, type Wanted } from './statistics.queries.ts';

export interface Figures {
  /** RFC 3339; undefined when there are no figures yet */
  moment: string | undefined;
  /** the latest last; only the day asked for unless a series is */
  points: StatistikkpunktDto[];
  /** whether phases are looked at */
  ofDay: boolean;
}

/** Less than this is told as nothing. */
const LIMIT = 5;
const DEFAULT_MONTHS = 12;

/** @throws Problem 400 for what does not go together */
export function checkRequest({ per, enhet, faser, dato, serie, hovedenhet }: StatistikkSporringDto): void {
  const byPhase = per.includes('FASE');
  if (per.includes('BEDRIFT') && per.includes('MAANED')) throw invalid('per', 'BEDRIFT does not go with MAANED');
  if (hovedenhet !== undefined && !per.includes('BEDRIFT')) throw invalid('hovedenhet', 'needs per with BEDRIFT');
  for (const [name, value] of Object.entries({ dato, serie }))
    if (value !== undefined && !byPhase && !faser) throw invalid(name, 'needs faser, or per with FASE');
  if (enhet === 'DELTAKERE' && !byPhase && faser && new Set(faser).size > 1)
    throw invalid('faser', 'must be one with DELTAKERE, or counted by: per with FASE');
}

/** @throws Problem 400 when there are no figures of the day */
export async function readFigures(run: Run, request: StatistikkSporringDto): Promise<Figures> {
  const { per, enhet: unit = 'AVTALER', faser, hovedenhet } = request;
  const ofDay = faser !== undefined || per.includes('FASE');
  const [row] = await run(MOMENT);
  if (!row) return { moment: undefined, points: [], ofDay };
  const today = todayInOslo(new Date(toRfc3339(row.tidspunkt)));
  const days = ofDay ? daysOf(request, today) : [NO_DAY];
  const wanted: Wanted = { groupings: inStoredOrder(per), unit, faser, days, below: hovedenhet };
  const rows = await run(figuresQuery(wanted));
  // The figures of the next day came in between.
  if (rows.some(({ tidspunkt }) => tidspunkt !== row.tidspunkt)) return readFigures(run, request);
  const points = days.map((day) =>
    toPoint(
      day === NOW || day === NO_DAY ? today : day,
      rows.filter(({ dag }) => dag === day),
      { per, wanted },
    ),
  );
  return { moment: toRfc3339(row.tidspunkt), points, ofDay };
}

/** As they are stored, the latest last. */
function daysOf({ dato = '', serie, maaneder = DEFAULT_MONTHS }: StatistikkSporringDto, today: string): string[] {
  const asked = dato === '' || dato === today ? NOW : dato;
  const months = monthEnds(today);
  if (asked !== NOW && !months.includes(asked))
    throw invalid('dato', `must be ${today}, or the last day of one of the ${String(MAX_MONTHS)} months before`);
  if (serie === undefined) return [asked];
  const until = asked === NOW ? months : months.slice(months.indexOf(asked) + 1);
  return [asked, ...until.slice(0, maaneder - 1)].toReversed();
}

/** The last days of the months before that of a day, the latest first. */
function monthEnds(today: string): string[] {
  const [year = 0, month = 0] = today.split('-').map(Number);
  return Array.from({ length: MAX_MONTHS }, (_, n) =>
    new Date(Date.UTC(year, month - 1 - n, 0)).toISOString().slice(0, 10),
  );
}

function toPoint(
  dato: string,
  rows: readonly FigureRow[],
  { per, wanted: { groupings, unit, below } }: { per: StatistikkSporringDto['per']; wanted: Wanted },
): StatistikkpunktDto {
  const places = per.map((name) => groupings.indexOf(name));
  const cells = rows.flatMap(({ gruppe, antall }) => {
    if (gruppe === null) return [];
    const values = JSON.parse(gruppe) as (string | null)[];
    const [value = null, ...more] = places.map((place) => values[place] ?? null);
    return [{ verdi: value, ...(more.length > 0 && { verdi2: more[0] ?? null }), antall }];
  });
  // Of those below a unit, it would tell of all that is held back among them at once.
  const total = below === undefined ? (rows[0]?.totalt ?? null) : null;
  if (unit === 'DELTAKERE' || total === null) return { dato, celler: cells, ovrige: null };
  const others = total - cells.reduce((sum, { antall }) => sum + antall, 0);
  return { dato, celler: cells, ovrige: others < LIMIT ? 0 : others };
}

function invalid(name: string, message: string): Problem {
  return new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The statistics can not be made', {
    feil: [{ felt: name, melding: message }],
  });
}
