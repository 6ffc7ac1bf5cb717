import { RESOURCES as INGESTED } from '../../resources/resources.ts';
import { PUSHED_AVTALER } from './avtaler.ts';
import { pushed, type Pushed } from './pushed.ts';

/** All that adapters can push: avtaler, and each other resource that says how. */
const ALL: readonly Pushed[] = [
  PUSHED_AVTALER,
  ...INGESTED.filter(({ push }) => push).map(({ resource }) => pushed(resource)),
];

/** As the contract names them. */
export const RESOURCES: readonly string[] = ALL.map(({ name }) => name);

/** @throws for a sync of a resource that this version does not know: a newer one has made it */
export function pushedOf(name: string): Pushed {
  const found = ALL.find((resource) => resource.name === name);
  if (!found) throw new Error(`Nobody here knows the resource ${name}`);
  return found;
}
