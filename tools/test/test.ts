import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sluttlinje, tellJest } from './opptelling.ts';
import { foerJest, jest, kjorTrinn } from './trinn.ts';

/** Everything, in order. Each stage before jest counts as one test; a failure does not hide those that come after it. */
const resultat = { bestaatt: 0, feilet: 0 };
for (const trinn of foerJest()) {
  if (await kjorTrinn(trinn)) resultat.bestaatt++;
  else resultat.feilet++;
}

const katalog = mkdtempSync(join(tmpdir(), 'tiltak-jest-'));
const resultatfil = join(katalog, 'resultat.json');
const gikkBra = await kjorTrinn(jest(resultatfil, process.argv.slice(2)));
const tester = tellJest(existsSync(resultatfil) ? readFileSync(resultatfil, 'utf8') : undefined, gikkBra);
rmSync(katalog, { recursive: true, force: true });
resultat.bestaatt += tester.bestaatt;
resultat.feilet += tester.feilet;

process.exitCode = resultat.feilet === 0 ? 0 : 1;
console.log(sluttlinje(resultat));
