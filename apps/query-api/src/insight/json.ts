import type { SeenDto } from '../audit/who-has-seen.ts';
import { organisationsOf, type Insight, type InsightOf, type Summary } from './report.ts';
import { EXPLANATIONS, HOW, KINDS, unknownIn } from './words.ts';

/**
 * The report as JSON, after `innsyn.schema.json`, in pieces: first each look-up as it is read, then what they come to.
 */
export async function* insightJson(
  seen: AsyncIterable<SeenDto>,
  summary: Summary,
  of: InsightOf,
): AsyncGenerator<string> {
  const { organisasjon, person: deltakerId, madeAt, fra = null, til = null } = of;
  const head = { versjon: 1, laget: madeAt.toISOString(), organisasjon, deltakerId, periode: { fra, til } };
  yield `${JSON.stringify(head).slice(0, -1)},"oppslag":[`;
  let separator = '\n';
  for await (const row of seen) {
    summary.add(row);
    const { tidspunkt, konsument, behandlingsgrunnlag, hvordan, operasjon, felter, callId } = row;
    const who = { konsument, ...organisationsOf(row), behandlingsgrunnlag };
    yield separator + JSON.stringify({ tidspunkt, ...who, hvordan, operasjon, felter, callId });
    separator = ',\n';
  }
  const tail = JSON.stringify({ sammendrag: summaryOf(summary.result(of)), forklaringer: explanations(of) });
  yield `],\n${tail.slice(1)}\n`;
}

function summaryOf({ antall, parter }: Insight): object {
  return {
    antall,
    parter: parter.map(({ maater, ...party }) => ({
      ...party,
      maater: maater.map(({ slag, dager, forste, siste, ...way }) => ({
        ...way,
        slag: slag.map((kind) => KINDS[kind]),
        forste: forste.toISOString(),
        siste: siste.toISOString(),
        dager: Object.fromEntries(dager),
      })),
    })),
  };
}

const explanations = (of: InsightOf): object => ({
  hvordan: HOW,
  ord: Object.fromEntries(EXPLANATIONS),
  vetIkke: unknownIn(of),
});
