import { readFileSync } from 'node:fs';
import { parseDate, TILTAKSTYPER, UKJENT, type Tiltakstype } from '@tiltak/avtale';
import { StartupError } from '@tiltak/platform';
import { parseYaml } from '../shared/yaml.ts';

/** FULLT: all of the kind, since masterFra. DELVIS: it is being moved here. IKKE: it lives elsewhere. */
export const STATES = ['FULLT', 'DELVIS', 'IKKE'] as const;

/** Of one kind of measure: whether this organisation's source is the master of it, and since when. */
export interface KindCoverage {
  tiltakstype: Tiltakstype;
  /** YYYY-MM-DD; null when it has been so from the start, or isn't so yet */
  masterFra: string | null;
  tilstand: (typeof STATES)[number];
}

/** What nobody found here is worth: configuration of the organisation, in the order of the file. */
export class Coverage {
  constructor(readonly kinds: readonly KindCoverage[]) {}

  /** Of these kinds, or of all. */
  of(tiltakstyper?: readonly Tiltakstype[]): KindCoverage[] {
    return this.kinds.filter(({ tiltakstype }) => tiltakstyper?.includes(tiltakstype) ?? true);
  }
}

class InvalidCoverageError extends StartupError {
  constructor(file: string, errors: string[]) {
    super(errors.map((line) => `${file}: ${line}`).join('\n'));
  }
}

const SCHEMA = {
  type: 'array',
  items: {
    type: 'object',
    required: ['tiltakstype', 'masterFra', 'tilstand'],
    additionalProperties: false,
    properties: {
      tiltakstype: { enum: TILTAKSTYPER.filter((kind) => kind !== UKJENT) },
      masterFra: { type: ['string', 'null'] },
      tilstand: { enum: STATES },
    },
  },
};

/**
 * Reads `dekning.yaml`; without a file nothing is said of any kind.
 *
 * @throws StartupError that names each place in the file that is wrong
 */
export function readCoverage(file: string | undefined): Coverage {
  if (file === undefined) return new Coverage([]);
  const refuse = (errors: string[]): InvalidCoverageError => new InvalidCoverageError(file, errors);
  const content = parseYaml<KindCoverage[]>(readFileSync(file, 'utf8'), SCHEMA, refuse);
  const errors = content.flatMap(({ tiltakstype, masterFra }, i) => [
    ...(masterFra !== null && parseDate(masterFra) === undefined ? [`${String(i)}.masterFra must be a date`] : []),
    ...(content.findIndex((kind) => kind.tiltakstype === tiltakstype) < i ? [`${tiltakstype} stands twice`] : []),
  ]);
  if (errors.length > 0) throw refuse(errors);
  return new Coverage(content);
}
