import type { Scene } from '../scene.ts';
import { adapter } from './adapter.ts';
import { compatibility } from './compatibility.ts';
import { errors } from './errors.ts';
import { highLoad } from './high-load.ts';
import { isolation } from './isolation.ts';
import { noRefetch } from './no-refetch.ts';
import { relations } from './relations.ts';
import { scaling } from './scaling.ts';
import { silentChanges } from './silent-changes.ts';
import { whole } from './whole.ts';

/** In the order that they are played: first all that there is, then each promise of it. */
export const SCENES: readonly Scene[] = [
  whole,
  isolation,
  scaling,
  adapter,
  noRefetch,
  compatibility,
  relations,
  errors,
  silentChanges,
  highLoad,
];
