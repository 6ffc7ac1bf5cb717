import type { Scene } from '../scene.ts';
import { adapter } from './adapter.ts';
import { errors } from './errors.ts';
import { noRefetch } from './no-refetch.ts';
import { relations } from './relations.ts';
import { silentChanges } from './silent-changes.ts';

/** In the order that they are played. Each is numbered as in the issue that asks for ten. */
export const SCENES: readonly Scene[] = [adapter, noRefetch, relations, errors, silentChanges];
