import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sluttlinje, tellJest } from './opptelling.ts';
import { jest, kjorTrinn, type Trinn } from './trinn.ts';

/**
 * Runs everything, in order, and prints `N passed, N failed` last. Each stage before jest counts as one test; a failure
 * does not hide those that come after it.
 *
 * @param jestargumenter beside those that every run has; which specs, when it isn't the usual ones
 */
export async function kjorTester(foer: readonly Trinn[], jestargumenter: readonly string[]): Promise<void> {
  const resultat = { bestaatt: 0, feilet: 0 };
  for (const trinn of foer) {
    if (await kjorTrinn(trinn)) resultat.bestaatt++;
    else resultat.feilet++;
  }

  const katalog = mkdtempSync(join(tmpdir(), 'tiltak-jest-'));
  const resultatfil = join(katalog, 'resultat.json');
  const gikkBra = await kjorTrinn(jest(resultatfil, jestargumenter));
  const tester = tellJest(existsSync(resultatfil) ? readFileSync(resultatfil, 'utf8') : undefined, gikkBra);
  rmSync(katalog, { recursive: true, force: true });
  resultat.bestaatt += tester.bestaatt;
  resultat.feilet += tester.feilet;

  process.exitCode = resultat.feilet === 0 ? 0 : 1;
  console.log(sluttlinje(resultat));
}
