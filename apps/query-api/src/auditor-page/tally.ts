import type { SeenDto, SeenInSum } from '../audit/who-has-seen.ts';
import type { Askers } from '../insight/askers.ts';
import type { SeenGroupDto, SeenLookupDto } from './seen.dto.ts';

/** Look-ups that are told one by one. */
export const MOST_LOOKUPS = 500;

/**
 * What somebody's look-ups come to, by consumer, organisation, purpose, operation and how, and the last of them one by one.
 * As large as the grants, however many look-ups pass.
 */
export class Tally {
  private readonly groups = new Map<string, SeenGroupDto>();
  private readonly last: SeenDto[] = [];
  private count = 0;
  private toldApart = 0;

  constructor(private readonly askers: Askers) {}

  /** Oldest first. */
  add(seen: SeenDto | SeenInSum): void {
    const isOfDay = 'antall' in seen;
    const { antall: count, siste: last } = isOfDay ? seen : { antall: 1, siste: seen.tidspunkt };
    if (!isOfDay) this.last[this.toldApart++ % MOST_LOOKUPS] = seen;
    this.count += count;
    const { konsument, organisasjoner, behandlingsgrunnlag, operasjon, hvordan } = seen;
    const asked = { konsument, organisasjoner, behandlingsgrunnlag, operasjon, hvordan };
    const key = JSON.stringify(asked);
    const known = this.groups.get(key);
    if (known) {
      known.antall += count;
      if (last.toISOString() > known.siste) known.siste = last.toISOString();
      return;
    }
    const times = { antall: count, forste: seen.tidspunkt.toISOString(), siste: last.toISOString() };
    const { visningsnavn, formaal = null } = this.askers.of(konsument, behandlingsgrunnlag);
    this.groups.set(key, { visningsnavn, formaal, ...asked, ...times });
  }

  result(): { antall: number; grupper: SeenGroupDto[]; oppslag: SeenLookupDto[] } {
    const newestFirst = this.last
      .map((_, back) => this.last[(this.toldApart - 1 - back) % MOST_LOOKUPS])
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
}
