import { Transform } from 'class-transformer';

/** Query and path parameters are text; what isn't a whole number is left for the validation to name. */
export function IntegerParam(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value,
  );
}
