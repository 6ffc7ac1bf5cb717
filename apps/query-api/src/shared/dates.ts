import { applyDecorators } from '@nestjs/common';
import { parseDate, parseInstant } from '@tiltak/avtale';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';

/** A date that exists, YYYY-MM-DD. */
export function IsDato(): PropertyDecorator {
  return ValidateBy({
    name: 'dato',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && parseDate(value) !== undefined,
      defaultMessage: () => 'must be a date that exists, YYYY-MM-DD',
    },
  });
}

/** A moment, RFC 3339 with offset. It is handed on in UTC: Postgres refuses offsets of 16 hours and more. */
export function IsTidspunkt(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? (parseInstant(value) ?? value) : value)),
    ValidateBy({
      name: 'tidspunkt',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && parseInstant(value) !== undefined,
        defaultMessage: () => 'must be a moment with offset, for instance 2026-01-31T10:00:00Z',
      },
    }),
  );
}

/** How far the clocks of callers may be ahead of ours: what they say of that time is said of now. */
const CLOCK_TOLERANCE_MS = 10_000;

/** A moment that has been, or is now by the caller's clock. */
export function IsPast(): PropertyDecorator {
  return ValidateBy({
    name: 'passert',
    validator: {
      validate: (value: unknown) => typeof value !== 'string' || !(Date.parse(value) > Date.now() + CLOCK_TOLERANCE_MS),
      defaultMessage: () => 'must not be in the future',
    },
  });
}

/** Of a period: an empty one would be a filter that says nothing, and stand for everything. */
export function HasEnd(): PropertyDecorator {
  return ValidateBy({
    name: 'ende',
    validator: {
      validate: (value: unknown) => {
        const { fra, til } = (value ?? {}) as { fra?: unknown; til?: unknown };
        return fra !== undefined || til !== undefined;
      },
      defaultMessage: () => 'must have fra, til or both',
    },
  });
}

/** Not before `fra` of the same object. */
export function IsNotBeforeFra(): PropertyDecorator {
  return ValidateBy({
    name: 'etterFra',
    validator: {
      validate: (value: unknown, args) => {
        const from = (args?.object as { fra?: unknown } | undefined)?.fra;
        return typeof value !== 'string' || typeof from !== 'string' || value >= from;
      },
      defaultMessage: () => 'must not be before fra',
    },
  });
}
