import { VIRKSOMHETER } from '@tiltak/virksomhet';
import { PUSHED_AVTALER } from './avtaler.ts';
import { pushed, type Pushed } from './pushed.ts';

/** All that adapters can push. */
export const PUSHED_VIRKSOMHETER = pushed(VIRKSOMHETER);
const ALL: readonly Pushed[] = [PUSHED_AVTALER, PUSHED_VIRKSOMHETER];

/** As the contract names them. */
export const RESOURCES = ['avtaler', 'virksomheter'] as const;
export type ResourceName = (typeof RESOURCES)[number];

/** @throws for a sync of a resource that this version does not know: a newer one has made it */
export function pushedOf(name: string): Pushed {
  const found = ALL.find((resource) => resource.name === name);
  if (!found) throw new Error(`Nobody here knows the resource ${name}`);
  return found;
}
