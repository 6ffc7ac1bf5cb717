import { applyDecorators } from '@nestjs/common';
import { IsString, Matches } from 'class-validator';

const FORM = '^[a-z0-9][a-z0-9-]{0,62}$';

/** A consumer's own name for a subscription. It stands in URLs, so no ident fits in it. */
export const SUBSCRIPTION_NAME = { type: 'string', pattern: FORM } as const;
/** With what stands in examples: not where it may be left out, since there is none of that name until somebody makes it. */
export const NAME_WITH_EXAMPLE = { ...SUBSCRIPTION_NAME, example: 'mine-brukere' } as const;

/** Eleven digits would be an ident in a URL, however they are parted. */
const NAME = /^(?!(?:\D*\d){11})[a-z0-9][a-z0-9-]{0,62}$/;

export function IsAbonnementsnavn(): PropertyDecorator {
  return applyDecorators(IsString(), Matches(NAME, { message: 'must be 1 to 63 of a–z, 0–9 and -, and no ident' }));
}
