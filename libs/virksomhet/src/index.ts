export { hovedenhetOf, MAX_LEVELS } from './hierarchy.ts';
export { VIRKSOMHETER, type Virksomhet, type VirksomhetField } from './virksomheter.ts';
