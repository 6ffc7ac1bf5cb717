import { DECISION_TABLE, type Decision } from '@tiltak/avtale';

/** What the words of the decision table mean. */
export const TERMS = [
  'D is the day in Oslo that is asked about.',
  'Entered: `avtaleInngaatt` is set now; ever entered: in any version known at the moment that is asked about.',
  'Annulled: `annullertTidspunkt` is set, or the status is ANNULLERT or AVBRUTT; its day is the day in Oslo of `annullertTidspunkt`.',
  'From Arena: `opphav` is ARENA, or the source says that an approval on behalf came from there.',
  'An avtale that is deleted or wrongly registered is not there.',
];

export const DECISION_HEADER = ['first that holds', '`fase`', '`annullertUnderveis`', 'on the measure on D'];

/** The cells of a row. */
export function decisionCells({ when, fase, annullertUnderveis, paaTiltak }: Decision): string[] {
  return [when, `\`${fase}\``, annullertUnderveis ? 'true' : '', paaTiltak];
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** "What on a measure means", as Markdown: the pages in docs/ take the table from the published document. */
export const ON_A_MEASURE = `**What on a measure means**: the first row that holds decides, for each avtale. A person with a JA is answered JA, one with none but an UAVKLART is answered UAVKLART. ${TERMS.join(' ')}

${[DECISION_HEADER, DECISION_HEADER.map(() => '---'), ...DECISION_TABLE.map(decisionCells)].map(line).join('\n')}`;
