import type { Konsumenter } from '../access/konsumenter.ts';
import type { SeenDto } from '../audit/who-has-seen.ts';
import type { SeenGroupDto, SeenLookupDto } from './seen.dto.ts';

/** Look-ups that are told one by one. */
export const MOST_LOOKUPS = 500;

/**
 * What somebody's look-ups come to, by consumer, purpose, operation and how, and the last of them one by one. As large as
 * the grants, however many look-ups pass.
 */
export class Tally {
  private readonly groups = new Map<string, SeenGroupDto>();
  private readonly last: SeenDto[] = [];
  private count = 0;

  constructor(private readonly konsumenter: Konsumenter) {}

  /** Oldest first. */
  add(seen: SeenDto): void {
    this.last[this.count % MOST_LOOKUPS] = seen;
    this.count++;
    const { konsument, behandlingsgrunnlag, operasjon, hvordan } = seen;
    const moment = seen.tidspunkt.toISOString();
    const key = [konsument, behandlingsgrunnlag ?? '', operasjon, hvordan].join('\0');
    const known = this.groups.get(key);
    if (known) {
      known.antall++;
      known.siste = moment;
      return;
    }
    const times = { antall: 1, forste: moment, siste: moment };
    this.groups.set(key, { ...this.namesOf(seen), konsument, behandlingsgrunnlag, operasjon, hvordan, ...times });
  }

  result(): { antall: number; grupper: SeenGroupDto[]; oppslag: SeenLookupDto[] } {
    const newestFirst = this.last
      .map((_, back) => this.last[(this.count - 1 - back) % MOST_LOOKUPS])
      .filter((seen) => seen !== undefined);
    return {
      antall: this.count,
      grupper: [...this.groups.values()].sort((a, b) => b.siste.localeCompare(a.siste)),
      oppslag: newestFirst.map(({ tidspunkt, posisjon: _, ...seen }) => ({
        tidspunkt: tidspunkt.toISOString(),
        ...seen,
      })),
    };
  }

  private namesOf({ konsument, behandlingsgrunnlag }: SeenDto): Pick<SeenGroupDto, 'visningsnavn' | 'formaal'> {
    const known = [...this.konsumenter.values()].find(({ navn }) => navn === konsument);
    const purpose = known?.behandlingsgrunnlag.find(({ id }) => id === behandlingsgrunnlag);
    return { visningsnavn: known?.visningsnavn ?? konsument, formaal: purpose?.formaal ?? null };
  }
}
