import { CODE_VALUES, FIELDS, parseMessage, type Avtale } from '@tiltak/avtale';
import { PROBLEMS, Problem } from '@tiltak/platform';
import { parserOf } from '@tiltak/resource';
import type { ScenarioContent } from '@tiltak/simulator';
import { VIRKSOMHETER, type Virksomhet } from '@tiltak/virksomhet';

/** What an avtale can be told to say: of a field that is left out, that the source says nothing. */
export type PlantedContent = ScenarioContent &
  Partial<Omit<Avtale, 'avtaleId' | 'tiltakstype' | 'avtaleStatus' | 'stillingstype' | 'opphav'>>;

/** What the source would have filled in. */
export interface Filled {
  avtaleId: string;
  avtaleNr: number;
  versjon: number;
  sistEndret: string;
  /** the day that its status is of */
  today: string;
}

/** The message that the source would have published: key and JSON text. */
export interface SourceForm {
  key: Buffer;
  value: Buffer | null;
  /** ms since 1970 */
  writtenAt: number;
}

/** @throws Problem 400 that names the fields which make it one that the product can't use */
export function sourceForm(content: PlantedContent, filled: Filled, writtenAt: number): SourceForm {
  const { aldriBegynt: neverBegan, ...fields } = content;
  const { today, ...own } = filled;
  const all = {
    ...own,
    tiltakstype: 'ARBEIDSTRENING',
    avtaleStatus: statusOn(today, content),
    opphav: 'VEILEDER',
    opprettetTidspunkt: filled.sistEndret,
    ...present(fields),
  };
  const message = Object.fromEntries(Object.entries(all).flatMap(([name, value]) => atSource(name, value)));
  if (neverBegan) message['annullertGrunn'] = 'Ikke møtt';
  const form = { key: Buffer.from(filled.avtaleId), value: Buffer.from(JSON.stringify(message)), writtenAt };
  const parsed = parseMessage(form.key, form.value, { writtenAt });
  if (!parsed.ok) throw notTaken(publishedName(parsed.reason.field), parsed.reason.reason);
  return form;
}

/** What the register can be told to say of an employer: of a field that is left out, nothing. */
export type PlantedVirksomhet = Partial<Omit<Virksomhet, 'organisasjonsnummer'>>;

const parseVirksomhet = parserOf(VIRKSOMHETER);

/** @throws Problem 400 that names the field which makes it one that the product can't use */
export function virksomhetForm(organisasjonsnummer: string, content: PlantedVirksomhet, writtenAt: number): SourceForm {
  const empty = Object.fromEntries(Object.keys(VIRKSOMHETER.fields).map((name) => [name, null]));
  const filled = { organisasjonsnummer, sistEndret: new Date(writtenAt).toISOString() };
  const value = Buffer.from(JSON.stringify({ ...empty, ...filled, ...present(content) }));
  const form = { key: Buffer.from(organisasjonsnummer), value, writtenAt };
  const parsed = parseVirksomhet(form.key, form.value, { writtenAt });
  if (!parsed.ok) throw notTaken(parsed.reason.field ?? 'body', parsed.reason.reason);
  return form;
}

const notTaken = (field: string, reason: string): Problem =>
  new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The product would not take this', {
    feil: [{ felt: field, melding: reason }],
  });

export const tombstone = (key: string, writtenAt: number): SourceForm => ({
  key: Buffer.from(key),
  value: null,
  writtenAt,
});

/** As the source computes it at night. */
function statusOn(today: string, { annullertTidspunkt, avtaleInngaatt, startDato, sluttDato }: PlantedContent): string {
  if (annullertTidspunkt) return 'ANNULLERT';
  if (!avtaleInngaatt) return 'MANGLER_GODKJENNING';
  if (sluttDato && sluttDato < today) return 'AVSLUTTET';
  return startDato && startDato <= today ? 'GJENNOMFORES' : 'KLAR_FOR_OPPSTART';
}

function present(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** A field by the source's name, a code in its spelling. */
function atSource(name: string, value: unknown): [string, unknown][] {
  const field = Object.entries(FIELDS).find(([own]) => own === name)?.[1];
  if (!field) return [];
  const codes = Object.entries(CODE_VALUES).find(([own]) => own === name)?.[1];
  const spelled = codes && typeof value === 'string' ? (codes.toSource as (code: string) => string)(value) : value;
  return [[field.source, spelled]];
}

function publishedName(source: string | null): string {
  return Object.entries(FIELDS).find(([, field]) => field.source === source)?.[0] ?? source ?? 'body';
}
