import { readdirSync } from 'node:fs';
import { NAMELESS } from '@tiltak/database';
import { OF_RESOURCES, type Operation } from '../access/operations.ts';
import type { AuditedLookup } from '../commands/cef.ts';
import { ArchiveError, linesOf, readManifest, type Manifest } from './archive-file.ts';
import type { Months } from './months.ts';
import type { Known, Line, Selected } from './who-has-seen.ts';

/** Lines that are given at a time. */
const AT_A_TIME = 2_000;

/** The months of the audit that are in files: of those that the database has, it is read instead. */
export class Archive {
  private readonly manifests: Manifest[];

  /** @throws ArchiveError also when a file is of another organisation */
  constructor(
    private readonly directory: string,
    organisasjon: string,
  ) {
    this.manifests = readdirSync(directory)
      .filter((name) => /^oppslag-\d{6}\.json$/.test(name))
      .sort()
      .map((name) => readManifest(directory, name));
    const other = this.manifests.find((manifest) => manifest.organisasjon !== organisasjon);
    if (other) throw new ArchiveError(`${other.fil} is not of ${organisasjon}, but of ${other.organisasjon}`);
  }

  manifestOf(month: string): Manifest | undefined {
    return this.manifests.find(({ maaned }) => maaned === month);
  }

  /** Those that may be of a person, oldest first. @throws ArchiveError */
  async *linesOf(months: Months, known: Known, selected: Selected): AsyncGenerator<Line[]> {
    const marks = [...known.idents.map(({ ident }) => ident), ...NAMELESS.map((name) => `"${name}"`)];
    // A line is read as JSON only when it can be one of them.
    const mayBe = (line: string): boolean =>
      !line.includes('"posisjon":null') || marks.some((mark) => line.includes(mark));
    let lines: Line[] = [];
    for await (const row of this.rows(months, selected, mayBe)) {
      const line = lineFor(row, known);
      if (!line) continue;
      lines.push(line);
      if (lines.length < AT_A_TIME) continue;
      yield lines;
      lines = [];
    }
    yield lines;
  }

  /** All that was looked up, oldest first. @throws ArchiveError */
  async *rows(
    { inDatabase }: Months,
    { fra, til, konsument }: Selected,
    mayBe: (line: string) => boolean = () => true,
  ): AsyncGenerator<AuditedLookup> {
    const from = Date.parse(fra);
    const to = Date.parse(til) + 86_400_000;
    for (const manifest of this.manifests) {
      const isAsked = Date.parse(manifest.til) > from && (manifest.fra === null || Date.parse(manifest.fra) < to);
      if (inDatabase.has(manifest.maaned) || !isAsked) continue;
      for await (const line of linesOf(this.directory, manifest)) {
        if (!mayBe(line)) continue;
        const row = JSON.parse(line) as AuditedLookup;
        row.tidspunkt = new Date(row.tidspunkt);
        const moment = row.tidspunkt.getTime();
        if (moment >= from && moment < to && (konsument === null || row.konsument === konsument)) yield row;
      }
    }
  }
}

/** As the statement in `who-has-seen.ts` has it. */
function lineFor(row: AuditedLookup, { idents, since }: Known): Line | undefined {
  const { tidspunkt: moment, posisjon: position, utvalg: subset, operasjon: operation, personer: persons } = row;
  const named = idents.some(({ ident, til }) => persons.includes(ident) && (til === null || moment <= til));
  const isNameless =
    (position !== null || NAMELESS.some((name: Operation) => name === operation)) &&
    !OF_RESOURCES.includes(operation) &&
    persons.length === 0 &&
    (since === undefined || moment >= since) &&
    row.tillatt &&
    (row.antall_treff ?? 0) > 0 &&
    !(subset && 'abonnement' in subset && 'etter' in subset);
  if (!named && !isNameless) return undefined;
  const { konsument, behandlingsgrunnlag, felter, tillatt } = row;
  return {
    ...{ tidspunkt: moment, konsument, behandlingsgrunnlag, operasjon: operation, felter, tillatt, named },
    ...{ utvalg: subset, posisjon: position, antallTreff: row.antall_treff, callId: row.call_id },
    // Older files have none.
    organisasjoner: row.organisasjoner ?? null,
  };
}
