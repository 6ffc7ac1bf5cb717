import type { AvtaleField } from '@tiltak/avtale';
import type { Konsument, Konsumenter } from '../access/konsumenter.ts';
import type { Months } from '../audit/months.ts';
import { FIRST_DAY, LAST_DAY } from '../audit/read-seen.ts';
import type { SeenDto } from '../audit/who-has-seen.ts';
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

export interface Party {
  konsument: string;
  /** as people call it */
  visningsnavn: string;
  behandlingsgrunnlag: string | null;
  formaal: string | undefined;
  rettsgrunnlag: string | undefined;
  lenke: string | undefined;
  maater: Way[];
}

export interface Insight extends InsightOf {
  /** those who were told first, and of them who asked most often */
  parter: Party[];
  antall: Record<keyof typeof HOW, number>;
}

/**
 * Sums up what somebody's look-ups come to, as they pass: a line of the report for each consumer, purpose and way, with a
 * number for each day. So it takes as much memory for a hundred thousand look-ups as for the days that they fell on.
 */
export class Summary {
  private readonly parties = new Map<string, Party & { ways: Map<string, Way> }>();
  private readonly counts = { FIKK: 0, AVSLAG: 0, KAN_HA_FATT: 0 };

  constructor(private readonly konsumenter: Konsumenter) {}

  add(seen: SeenDto): void {
    this.counts[seen.hvordan]++;
    const { ways } = this.partyOf(seen);
    const slag = kindsOf(seen.felter);
    const key = [seen.hvordan, wayOf(seen.operasjon), ...slag].join('\0');
    const day = dayOf(seen.tidspunkt);
    const known = ways.get(key);
    if (known) {
      known.antall++;
      known.siste = seen.tidspunkt;
      known.dager.set(day, (known.dager.get(day) ?? 0) + 1);
      return;
    }
    const { tidspunkt: moment, hvordan } = seen;
    const way = { hvordan, maate: wayOf(seen.operasjon), slag, antall: 1, forste: moment, siste: moment };
    ways.set(key, { ...way, dager: new Map([[day, 1]]) });
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

  private partyOf({ konsument, behandlingsgrunnlag }: SeenDto): Party & { ways: Map<string, Way> } {
    const key = `${konsument}\0${behandlingsgrunnlag ?? ''}`;
    let party = this.parties.get(key);
    if (!party) {
      const known: Konsument | undefined = [...this.konsumenter.values()].find(({ navn }) => navn === konsument);
      const purpose = known?.behandlingsgrunnlag.find(({ id }) => id === behandlingsgrunnlag);
      party = {
        konsument,
        visningsnavn: known?.visningsnavn ?? konsument,
        behandlingsgrunnlag,
        formaal: purpose?.formaal,
        rettsgrunnlag: purpose?.rettsgrunnlag,
        lenke: purpose?.lenke,
        maater: [],
        ways: new Map(),
      };
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
