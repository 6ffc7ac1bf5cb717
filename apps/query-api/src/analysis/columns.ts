import {
  CODE_VALUES,
  countedDays,
  FIELD_ENTRIES,
  FIELDS,
  GRANTABLE_FIELDS,
  type AvtaleField,
  type CountedDays,
  type Field,
  type PersonalData,
  type PhaseFacts,
} from '@tiltak/avtale';
import { columnName } from '@tiltak/database';
import type { ProductKeys } from './keys.ts';

/** What a column holds, in a file as in a table. */
export type ColumnType = 'TEXT' | 'INTEGER' | 'DECIMAL' | 'BOOLEAN' | 'DATE' | 'TIMESTAMP';

/** A row as the statement has it: all values as text, or null. */
export type SourceRow = Readonly<Record<string, string | null>>;

/** The value of a column: as text in the form of its type, times with microseconds in UTC. */
export type Value = string | null;

/** A column of a product, as its manifest tells of it. */
export interface Column {
  name: string;
  type: ColumnType;
  /** the field that it was opted in by */
  field: AvtaleField;
  why: string;
  /** columns of `avtale_analyse` that it is made of */
  reads: readonly string[];
  valueOf: (row: SourceRow, keys: ProductKeys) => Value;
}

/** How a field was opted in. */
export interface OptedIn {
  felt: string;
  som?: 'verdi' | 'noekkel' | undefined;
  hvorfor: string;
}

/** Whose row it is, in each file and table: without it no later change could be applied. */
export const AVTALE_KEY: Column = {
  ...keyColumn('avtaleNoekkel', 'avtaleId', 'avtale_id', 'Tells which row a later change is of'),
};

/** The columns that a field becomes, or what is wrong with asking for it. */
export function columnsOf({ felt, som: form, hvorfor: why }: OptedIn): Column[] | { refused: string } {
  const field = GRANTABLE_FIELDS.find((name) => name === felt);
  if (field === undefined) return { refused: 'is not a field of an avtale' };
  const refused = refusalOf(field, form);
  if (refused !== undefined) return { refused };
  if (field === 'fase') return phaseColumns(why);
  if (form !== 'noekkel') return [valueColumn(field, why)];
  return FIELD_ENTRIES[field].personalData === 'FODSELSNUMMER'
    ? [keyColumn('deltakerNoekkel', field, 'deltaker_id', why)]
    : [keyColumn(`${field.replace(/Nr$/, '')}Noekkel`, field, columnName(field), why)];
}

/** Columns of `avtale_analyse` that fields of an avtale become; a spec holds the view to have them. */
export function columnsRead(): string[] {
  const found = GRANTABLE_FIELDS.flatMap((field) =>
    (['verdi', 'noekkel', undefined] as const).flatMap((som) => {
      const columns = columnsOf({ felt: field, som, hvorfor: '' });
      return 'refused' in columns ? [] : columns.flatMap(({ reads }) => reads);
    }),
  );
  return [...new Set([...AVTALE_KEY.reads, ...found])].sort();
}

const KEYED: readonly PersonalData[] = ['FODSELSNUMMER', 'VIRKSOMHET'];

/** By what the table of fields says of it, so that a field that comes later is judged by the same rule. */
function refusalOf(field: AvtaleField, form: OptedIn['som']): string | undefined {
  const { personalData } = FIELD_ENTRIES[field];
  const stored = storedField(field);
  const isText = stored?.read === 'text' && !stored.codes;
  if (personalData === 'NOKKEL') return 'tells which avtale it is: each row has avtaleNoekkel instead';
  if (personalData === 'ANSATT') return 'is the ident of an employee of Nav: no product is made of it';
  if (personalData === 'FODSELSNUMMER' && form !== 'noekkel') return 'is an ident: it needs som: noekkel';
  if (personalData === 'VIRKSOMHET' && stored?.about === 'person') return 'is free text';
  if (personalData === 'VIRKSOMHET' && form === undefined)
    return 'is an ident of an employer, who may be a person: it needs som: noekkel or som: verdi';
  if (isText && !KEYED.includes(personalData)) return 'is free text';
  if (form === 'noekkel' && !KEYED.includes(personalData)) return 'is no ident: it can not be som: noekkel';
  return undefined;
}

function keyColumn(name: string, field: AvtaleField, column: string, why: string): Column {
  const { personalData } = FIELD_ENTRIES[field];
  return {
    ...{ name, type: 'TEXT', field, why, reads: [column] },
    valueOf: (row, keys) => {
      const value = row[column] ?? null;
      return value === null || value === '' ? null : keys.of(personalData, value);
    },
  };
}

/** undefined: worked out, of no field of the source */
function storedField(field: AvtaleField): Field | undefined {
  return field === 'fase' || field === 'hovedenhet' ? undefined : FIELDS[field];
}

const TYPES: Readonly<Record<Field['read'], ColumnType>> = {
  uuid: 'TEXT',
  text: 'TEXT',
  integer: 'INTEGER',
  number: 'DECIMAL',
  boolean: 'BOOLEAN',
  date: 'DATE',
  osloTime: 'TIMESTAMP',
  instant: 'TIMESTAMP',
};

function valueColumn(field: Exclude<AvtaleField, 'fase'>, why: string): Column {
  const column = columnName(field);
  const codes = field in CODE_VALUES ? CODE_VALUES[field as keyof typeof CODE_VALUES] : undefined;
  return {
    ...{ name: field, type: TYPES[storedField(field)?.read ?? 'text'], field, why, reads: [column] },
    valueOf: (row) => {
      const value = row[column] ?? null;
      return codes && value !== null ? codes.fromSource(value) : value;
    },
  };
}

/**
 * Whoever may have the phase gets what answers it for any day: the first and the last day on which the avtale counts, as
 * hentTiltaksstatus counts them, and why they are uncertain. All null: it counts on none.
 */
function phaseColumns(why: string): Column[] {
  const reads = [
    ...['start_dato', 'slutt_dato', 'avtale_inngaatt', 'har_vaert_inngaatt', 'annullert', 'annullert_dag'],
    ...['aldri_begynt', 'fra_arena'],
  ];
  const column = (name: string, type: ColumnType, of: (days: CountedDays) => Value): Column => ({
    ...{ name, type, field: 'fase', why, reads },
    valueOf: (row) => {
      const days = countedDays(factsOf(row));
      return days ? of(days) : null;
    },
  });
  return [
    column('tellerFra', 'DATE', ({ first }) => first),
    column('tellerTil', 'DATE', ({ last }) => last),
    column('usikkerGrunn', 'TEXT', ({ uncertain }) => uncertain),
  ];
}

function factsOf(row: SourceRow): PhaseFacts {
  const isTrue = (column: string): boolean => row[column] === 'true';
  return {
    startDato: row['start_dato'] ?? null,
    sluttDato: row['slutt_dato'] ?? null,
    entered: (row['avtale_inngaatt'] ?? null) !== null,
    everEntered: isTrue('har_vaert_inngaatt'),
    annulled: isTrue('annullert'),
    annulledDay: row['annullert_dag'] ?? null,
    neverBegan: isTrue('aldri_begynt'),
    fromArena: isTrue('fra_arena'),
  };
}
