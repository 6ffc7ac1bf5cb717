import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROT } from '@tiltak/testing';
import { parse } from 'yaml';
import type { Dokument } from './brudd.ts';

/**
 * The parts of `docs/konsumenter.md` that are said elsewhere: the operations, from the published document, and the
 * consumers, from a registry. `npm run openapi` writes them; a spec checks that they are as written.
 */
const FIL = join(ROT, 'docs', 'konsumenter.md');
const REGISTER = join(ROT, 'nais', 'nav', 'konsumenter-prod.yaml');

interface Konsument {
  navn: string;
  azp: string;
  behandlingsgrunnlag: { id: string; lenke: string; operasjoner: string[] | 'alle'; felter: string[] | 'alle' }[];
  kvote?: { perSekund: number; burst: number };
}

/** The page as it should be. */
export function konsumentside(): string {
  const deler = { operasjoner: operasjonstabell(), konsumenter: konsumenttabell() };
  return Object.entries(deler).reduce(
    (side, [navn, innhold]) =>
      side.replace(
        new RegExp(`(<!-- ${navn}: made by npm run openapi -->\n)[\\s\\S]*?(<!-- /${navn} -->)`),
        (_, start: string, slutt: string) => `${start}\n${innhold}\n${slutt}`,
      ),
    lesSide(),
  );
}

export function lesSide(): string {
  return readFileSync(FIL, 'utf8');
}

export function skrivSide(): void {
  writeFileSync(FIL, konsumentside());
}

function operasjonstabell(): string {
  const fil = join(ROT, 'apps', 'query-api', 'openapi.json');
  const { paths } = JSON.parse(readFileSync(fil, 'utf8')) as Dokument;
  const rader = Object.entries(paths).flatMap(([sti, metoder]) =>
    Object.entries(metoder).map(([metode, { operationId = '', summary = '' }]) => [
      summary,
      `\`${operationId}\``,
      `\`${metode.toUpperCase()} ${sti}\``,
    ]),
  );
  return tabell(['question', 'operation', 'call'], rader);
}

function konsumenttabell(): string {
  const konsumenter = (parse(readFileSync(REGISTER, 'utf8')) as Konsument[] | null) ?? [];
  const liste = (verdi: string[] | 'alle'): string => (verdi === 'alle' ? 'all' : verdi.join(', '));
  const rader = konsumenter.flatMap(({ navn, behandlingsgrunnlag, kvote }) =>
    behandlingsgrunnlag.map(({ id, lenke, operasjoner, felter }) => [
      navn,
      `[${id}](${lenke})`,
      liste(operasjoner),
      liste(felter),
      kvote ? `${String(kvote.perSekund)}/s, ${String(kvote.burst)} at once` : 'none',
    ]),
  );
  return tabell(['consumer', 'purpose', 'operations', 'fields', 'quota'], rader);
}

/** As prettier writes it. */
function tabell(hode: string[], rader: string[][]): string {
  const bredder = hode.map((navn, i) => Math.max(3, navn.length, ...rader.map((rad) => rad[i]?.length ?? 0)));
  const linje = (celler: string[]): string =>
    `| ${celler.map((celle, i) => celle.padEnd(bredder[i] ?? 0)).join(' | ')} |\n`;
  return linje(hode) + linje(bredder.map((bredde) => '-'.repeat(bredde))) + rader.map(linje).join('');
}
