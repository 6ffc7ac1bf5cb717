import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GRANTABLE_FIELDS } from '@tiltak/avtale';
import { ROOT } from '@tiltak/testing';
import { fingerprint } from '@tiltak/platform';
import type { Konsument } from './konsumenter.ts';
import type { Operation } from './operations.ts';
import { fieldsByTerms, missingTerms, NEWEST_TERMS, requireTerms, TERMS, validTerms } from './terms.ts';

const accepted = (bruksvilkaar: number | undefined, more: Partial<Konsument> = {}): Konsument =>
  ({ bruksvilkaar, ...more }) as Konsument;

const FIRST = accepted(1);
const AT_NAV: Operation = 'sokAvtaler';
const OF_REGISTER = 'hentVirksomhet' as Operation;

/** Somebody has accepted what it says. Who must change one writes a new version, and keeps the old one beside it. */
test.each([
  [1, 'docs/bruksvilkaar-1.md', '97231339100e1e76dee4d6d92062e274793c79458006f2cff03ab56d56d9b580'],
  [2, 'docs/bruksvilkaar.md', '5aaf58a9e9a89eb27205a3e4fcd34f6078536b28543d1eb251e288a660613f7d'],
])(
  'the text of version %d is as it was when it was given its number: a change of it is a new version',
  (n, file, is) => {
    const document = readFileSync(join(ROOT, file), 'utf8');
    expect(document.match(/^\*\*Version (\d+)\*\*/m)?.[1]).toBe(String(n));
    expect(fingerprint(document).toString('hex')).toBe(is);
  },
);

test('the newest version is that of the document, which names the last day of each before it', () => {
  const document = readFileSync(join(ROOT, 'docs', 'bruksvilkaar.md'), 'utf8');
  expect(document).toContain(`**Version ${String(NEWEST_TERMS)}**`);
  const ended = TERMS.filter(({ lastDay }) => lastDay !== undefined);
  expect(ended.map(({ version }) => version)).toEqual(TERMS.slice(0, -1).map(({ version }) => version));
  for (const { version, lastDay } of ended)
    expect(document).toContain(
      `[Version ${String(version)}](bruksvilkaar-${String(version)}.md) is valid to ${String(lastDay)}`,
    );
});

test('the version before is enough to its last day, that day too, for what it speaks of', () => {
  expect(missingTerms(FIRST, AT_NAV, '2027-02-28')).toBeUndefined();
  expect(missingTerms(FIRST, AT_NAV, '2027-03-01')).toBe(2);
  expect(validTerms('2027-02-28').map(({ version }) => version)).toEqual([1, 2]);
  expect(validTerms('2027-03-01').map(({ version }) => version)).toEqual([2]);
  expect(() => requireTerms(FIRST, AT_NAV, '2027-03-01')).toThrow(
    'The consumer must accept version 2 of the terms of use (docs/bruksvilkaar.md), and has accepted version 1',
  );
});

test('what it says nothing of needs the newest: virksomheter, what is below a unit, and those outside Nav', () => {
  const day = '2026-12-01';
  expect(missingTerms(FIRST, OF_REGISTER, day)).toBe(2);
  expect(missingTerms(accepted(1, { organisasjonsnummer: '974760673' }), AT_NAV, day)).toBe(2);
  const all = new Set(GRANTABLE_FIELDS);
  const { fields, withheld } = fieldsByTerms(FIRST, all);
  expect([...(withheld ?? [])]).toEqual(['hovedenhet']);
  expect([...fields]).toEqual(GRANTABLE_FIELDS.filter((field) => field !== 'hovedenhet'));
});

test('who has accepted the newest has all that is granted, and who has accepted none, or one that is not, nothing', () => {
  for (const more of [{}, { organisasjonsnummer: '974760673' }]) {
    for (const operation of [AT_NAV, OF_REGISTER]) {
      expect(missingTerms(accepted(NEWEST_TERMS, more), operation)).toBeUndefined();
      for (const none of [undefined, NEWEST_TERMS + 1]) expect(missingTerms(accepted(none, more), operation)).toBe(2);
    }
  }
  const all = new Set(GRANTABLE_FIELDS);
  expect(fieldsByTerms(accepted(NEWEST_TERMS), all)).toEqual({ fields: all });
});
