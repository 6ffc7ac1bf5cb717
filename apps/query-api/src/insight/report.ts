import type { AvtaleField } from '@tiltak/avtale';
import type { Months } from '../audit/months.ts';
import { FIRST_DAY, LAST_DAY } from '../audit/read-seen.ts';
import type { SeenDto, SeenInSum } from '../audit/who-has-seen.ts';
import type { Asker, Askers } from './askers.ts';
import { KIND_OF, KINDS, wayOf, type HOW, type Kind } from './words.ts';

/** What the report is of. */
export interface InsightOf {
  organisasjon: string;
  /** opaque id */
  person: string;
  /** first and last day, UTC; undefined: as long as the audit goes back, and until now */
  fra: string | undefined;
  til: string | undefined;
  madeAt: Date;
  /** months that are not known any more */
  lost: Months['lost'];
}

/** Of what was asked for just now. */
export function insightOf(
  { person, fra, til }: { person: string; fra: string; til: string },
  more: Pick<InsightOf, 'organisasjon' | 'lost'>,
): InsightOf {
  return {
    ...{ ...more, person, madeAt: new Date() },
    fra: fra === FIRST_DAY ? undefined : fra,
    til: til === LAST_DAY ? undefined : til,
  };
}

/** What one consumer did for one purpose, in one way. */
export interface Way {
  hvordan: keyof typeof HOW;
  maate: string;
  /** of information, in the order of `KINDS` */
  slag: Kind[];
  antall: number;
  forste: Date;
  siste: Date;
  /** by day in Oslo, YYYY-MM-DD, oldest first */
  dager: Map<string, number>;
}

export interface Party extends Asker {
  konsument: string;
  behandlingsgrunnlag: string | null;
  /** of an organisation outside of Nav, and of the supplier that asked on its behalf */
  organisasjonsnummer: string | null;
  leverandoer: string | null;
  maater: Way[];
}

/** By their numbers, which the audit keeps one after the other. */
export function organisationsOf({
  organisasjoner: numbers,
}: Pick<SeenDto, 'organisasjoner'>): Pick<Party, 'organisasjonsnummer' | 'leverandoer'> {
  const [organisasjonsnummer = null, leverandoer = null] = numbers ?? [];
  return { organisasjonsnummer, leverandoer };
}

export interface Insight extends InsightOf {
  /** those who were told first, and of them who asked most often */
  parter: Party[];
  antall: Record<keyof typeof HOW, number>;
}

/**
 * Sums up what somebody's look-ups come to, as they pass: a line of the report for each consumer, organisation, purpose and way, with a
 * number for each day. So it takes as much memory for a hundred thousand look-ups as for the days that they fell on.
 */
export class Summary {
  private readonly parties = new Map<string, Party & { ways: Map<string, Way> }>();
  private readonly counts = { FIKK: 0, AVSLAG: 0, KAN_HA_FATT: 0 };

  constructor(private readonly askers: Askers) {}

  /** Oldest first. */
  add(seen: SeenDto | SeenInSum): void {
    const { antall: count, siste: last } = 'antall' in seen ? seen : { antall: 1, siste: seen.tidspunkt };
    this.counts[seen.hvordan] += count;
    const { ways } = this.partyOf(seen);
    const slag = kindsOf(seen.felter);
    const key = [seen.hvordan, wayOf(seen.operasjon), ...slag].join('\0');
    const day = dayOf(seen.tidspunkt);
    const known = ways.get(key);
    if (known) {
      known.antall += count;
      if (last > known.siste) known.siste = last;
      known.dager.set(day, (known.dager.get(day) ?? 0) + count);
      return;
    }
    const { tidspunkt: moment, hvordan } = seen;
    const way = { hvordan, maate: wayOf(seen.operasjon), slag, antall: count, forste: moment, siste: last };
    ways.set(key, { ...way, dager: new Map([[day, count]]) });
  }

  result(of: InsightOf): Insight {
    const parties = [...this.parties.values()].map(({ ways, ...party }) => ({
      ...party,
      maater: [...ways.values()].sort(
        (a, b) => ORDER.indexOf(a.hvordan) - ORDER.indexOf(b.hvordan) || b.antall - a.antall,
      ),
    }));
    const weight = ({ maater }: Party, how: Way['hvordan']): number =>
      maater.reduce((sum, way) => sum + (way.hvordan === how ? way.antall : 0), 0);
    parties.sort(
      (a, b) =>
        ORDER.map((how) => weight(b, how) - weight(a, how)).find((difference) => difference !== 0) ??
        a.visningsnavn.localeCompare(b.visningsnavn, 'nb'),
    );
    return { ...of, parter: parties, antall: { ...this.counts } };
  }

  private partyOf(seen: SeenDto | SeenInSum): Party & { ways: Map<string, Way> } {
    const { konsument, behandlingsgrunnlag } = seen;
    const organisations = organisationsOf(seen);
    const key = JSON.stringify([konsument, behandlingsgrunnlag, organisations]);
    let party = this.parties.get(key);
    if (!party) {
      const asker = this.askers.of(konsument, behandlingsgrunnlag);
      party = { konsument, ...asker, behandlingsgrunnlag, ...organisations, maater: [], ways: new Map() };
      this.parties.set(key, party);
    }
    return party;
  }
}

const ORDER: Way['hvordan'][] = ['FIKK', 'KAN_HA_FATT', 'AVSLAG'];

/** Fields that no release knows any more tell that there was something about the avtale. */
function kindsOf(fields: readonly string[]): Kind[] {
  const found = new Set(fields.map((field) => KIND_OF[field as AvtaleField] as Kind | undefined));
  return (Object.keys(KINDS) as Kind[]).filter((kind) => found.has(kind));
}

const DAY = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo' });

/** YYYY-MM-DD in Oslo, where people live by it. */
export const dayOf = (moment: Date): string => DAY.format(moment);
