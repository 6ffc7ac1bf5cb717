import { VIRKSOMHETER_READ } from '../virksomheter/virksomheter.ts';
import type { ReadResource } from './resource.ts';

/** The resources besides avtaler, which are older than the mould and have operations of their own. */
export const RESOURCES: ReadResource[] = [VIRKSOMHETER_READ];
