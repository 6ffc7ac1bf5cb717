import { applyDecorators } from '@nestjs/common';
import { lesDato, lesInstant } from '@tiltak/avtale';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';

/** A date that exists, YYYY-MM-DD. */
export function ErDato(): PropertyDecorator {
  return ValidateBy({
    name: 'dato',
    validator: {
      validate: (verdi: unknown) => typeof verdi === 'string' && lesDato(verdi) !== undefined,
      defaultMessage: () => 'must be a date that exists, YYYY-MM-DD',
    },
  });
}

/** A moment, RFC 3339 with offset. It is handed on in UTC: Postgres refuses offsets of 16 hours and more. */
export function ErTidspunkt(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? (lesInstant(value) ?? value) : value)),
    ValidateBy({
      name: 'tidspunkt',
      validator: {
        validate: (verdi: unknown) => typeof verdi === 'string' && lesInstant(verdi) !== undefined,
        defaultMessage: () => 'must be a moment with offset, for instance 2026-01-31T10:00:00Z',
      },
    }),
  );
}

/** A moment that has been. */
export function ErPassert(): PropertyDecorator {
  return ValidateBy({
    name: 'passert',
    validator: {
      validate: (verdi: unknown) => typeof verdi !== 'string' || !(Date.parse(verdi) > Date.now()),
      defaultMessage: () => 'must not be in the future',
    },
  });
}

/** Not before `fra` of the same object. */
export function ErEtterFra(): PropertyDecorator {
  return ValidateBy({
    name: 'etterFra',
    validator: {
      validate: (verdi: unknown, argumenter) => {
        const fra = (argumenter?.object as { fra?: unknown } | undefined)?.fra;
        return typeof verdi !== 'string' || typeof fra !== 'string' || verdi >= fra;
      },
      defaultMessage: () => 'must not be before fra',
    },
  });
}
