import { isUuid, MAX_BEDRIFT_NR } from '@tiltak/avtale';
import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsString,
  Matches,
  registerDecorator,
  ValidateBy,
} from 'class-validator';

const MAX = 1_000;
const IDENT = /^\d{11}$/;

/**
 * A list of national idents: eleven digits, also with a wrong check digit, since such exist at the source. A bad one
 * is named by its position, never by its value.
 */
export function IsPersonidenter(max = MAX): PropertyDecorator {
  return IsListOf('personidenter', 'must be eleven digits', (value) => IDENT.test(value), max);
}

/** Nine digits as a rule, but old avtaler have others. A path can't end with a dot or two. */
export const BEDRIFT_NR = new RegExp(
  `^(?!\\.{1,2}$)[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]{1,${String(MAX_BEDRIFT_NR)}}$`,
);
export const BEDRIFT_NR_FORM = `must be 1 to ${String(MAX_BEDRIFT_NR)} characters`;

export function IsBedriftsnumre(max = MAX): PropertyDecorator {
  return IsListOf('bedriftsnumre', BEDRIFT_NR_FORM, (value) => BEDRIFT_NR.test(value), max);
}

const NINE_DIGITS = /^\d{9}$/;
const NINE_DIGITS_FORM = 'must be nine digits';
/** For documents. */
export const ORGANISASJONSNUMMER = { type: 'string', pattern: '^[0-9]{9}$' } as const;

export function IsOrganisasjonsnummer(): PropertyDecorator {
  return applyDecorators(IsString(), Matches(NINE_DIGITS, { message: NINE_DIGITS_FORM }));
}

export function IsOrganisasjonsnumre(max = MAX): PropertyDecorator {
  return IsListOf('organisasjonsnumre', NINE_DIGITS_FORM, (value) => NINE_DIGITS.test(value), max);
}

export function IsAvtaleIder(max = MAX): PropertyDecorator {
  return IsListOf('avtaleIder', 'must be a UUID', isUuid, max);
}

/** Of a query: `a=1&a=2`, or with commas between. */
export function SplitList(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    (Array.isArray(value) ? value : [value]).flatMap((part: unknown) =>
      typeof part === 'string' ? part.split(',') : [part],
    ),
  );
}

/** What looks like the name of a field may be told again: it holds no digit, so it is nobody's ident. */
const NAME = /^[A-Za-z_]{1,40}$/;
const MAX_NAMED = 10;

/** Some of these fields, each once. Others are named, as far as they look like names. */
export function HasFields(choices: readonly string[]): PropertyDecorator {
  const unknownIn = (list: unknown): string[] =>
    Array.isArray(list)
      ? list.filter((name: unknown) => !choices.includes(name as string)).map((name) => nameOf(name))
      : [];
  return applyDecorators(
    IsArray(),
    ArrayMinSize(1),
    ArrayUnique({ message: 'must not name a field twice' }),
    ValidateBy({
      name: 'felter',
      validator: {
        validate: (list: unknown) => unknownIn(list).length === 0,
        defaultMessage: (args) => {
          const unknown = [...new Set(unknownIn(args?.value))].slice(0, MAX_NAMED);
          return `must be of ${choices.join(', ')}; not so: ${unknown.join(', ')}`;
        },
      },
    }),
  );
}

function nameOf(name: unknown): string {
  return typeof name === 'string' && NAME.test(name) ? name : 'what is no name';
}

export function IsListOf(
  name: string,
  requirement: string,
  valid: (value: string) => boolean,
  max = MAX,
): PropertyDecorator {
  const invalidIndexes = (list: unknown): number[] =>
    Array.isArray(list)
      ? list.flatMap((value: unknown, i) => (typeof value === 'string' && valid(value) ? [] : [i]))
      : [];
  const addElement: PropertyDecorator = (cls, property) => {
    registerDecorator({
      name: name,
      target: cls.constructor,
      propertyName: String(property),
      validator: {
        validate: (list: unknown) => invalidIndexes(list).length === 0,
        defaultMessage: (args) => {
          const positions = invalidIndexes(args?.value);
          const more = positions.length > 10 ? ` and ${String(positions.length - 10)} more` : '';
          return `${requirement}; not so at position ${positions.slice(0, 10).join(', ')}${more} (the first is 0)`;
        },
      },
    });
  };
  return (cls, property) => {
    for (const requirement of [IsArray(), ArrayMinSize(1), ArrayMaxSize(max), addElement]) requirement(cls, property);
  };
}
