import { todayInOslo } from '@tiltak/avtale';
import { forbidden, type GrantedField } from './grant.ts';
import type { Konsument } from './konsumenter.ts';
import { isOfResource, type Operation } from './operations.ts';

interface Terms {
  version: number;
  /** the last day on which it is enough, as the one after it says; undefined: there is none after it */
  lastDay?: string;
}

/** Of docs/bruksvilkaar.md, the newest last, and those before it, which stay for a while as consumers change over. */
export const TERMS: readonly Terms[] = [{ version: 1, lastDay: '2027-02-28' }, { version: 2 }];

export const NEWEST_TERMS = TERMS.reduce((newest, { version }) => Math.max(newest, version), 0);

/**
 * What was new in a version: who has accepted an older one has not read what goes with it. Employers as the national
 * register has them, those who are outside Nav, and everything at a parent company, are in none before the second.
 */
const FIRST_IN = { resources: 2, organisations: 2, fields: { hovedenhet: 2 } as Partial<Record<GrantedField, number>> };

const DOCUMENT = 'docs/bruksvilkaar.md';

/** Those of which one must be accepted. */
export function validTerms(today = todayInOslo()): Terms[] {
  return TERMS.filter(({ lastDay }) => lastDay === undefined || today <= lastDay);
}

/**
 * The version to accept, when the consumer has accepted none that is good for this.
 *
 * @param operation undefined: for anything at all
 */
export function missingTerms(konsument: Konsument, operation?: Operation, today?: string): number | undefined {
  const { bruksvilkaar: accepted } = konsument;
  // The usual one, for each request.
  if (accepted === NEWEST_TERMS) return undefined;
  const isValid = validTerms(today).some(({ version }) => version === accepted);
  const ofWho = konsument.organisasjonsnummer === undefined ? 1 : FIRST_IN.organisations;
  const needed = operation !== undefined && isOfResource(operation) ? Math.max(ofWho, FIRST_IN.resources) : ofWho;
  return isValid && accepted !== undefined && accepted >= needed ? undefined : NEWEST_TERMS;
}

/** @throws Problem 403 that names the version to accept */
export function requireTerms(konsument: Konsument, operation: Operation, today?: string): void {
  const missing = missingTerms(konsument, operation, today);
  if (missing === undefined) return;
  const { bruksvilkaar: accepted } = konsument;
  throw forbidden(
    `The consumer must accept version ${String(missing)} of the terms of use (${DOCUMENT}), and has accepted ${accepted === undefined ? 'none' : `version ${String(accepted)}`}`,
  );
}

/** What is granted, without what only a newer version than the accepted one speaks of. */
export function fieldsByTerms(
  { bruksvilkaar: accepted = 0 }: Konsument,
  fields: ReadonlySet<GrantedField>,
): { fields: ReadonlySet<GrantedField>; withheld?: ReadonlySet<GrantedField> } {
  if (accepted >= NEWEST_TERMS) return { fields };
  const withheld = new Set([...fields].filter((field) => (FIRST_IN.fields[field] ?? 0) > accepted));
  return withheld.size === 0
    ? { fields }
    : { fields: new Set([...fields].filter((field) => !withheld.has(field))), withheld };
}
