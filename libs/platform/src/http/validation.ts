import {
  ValidationPipe,
  type ArgumentMetadata,
  type ValidationError,
  type ValidationPipeOptions,
} from '@nestjs/common';
import { maskIdents } from '../logger.ts';
import { PROBLEMS, Problem, type FieldError } from '../problem.ts';

/** Bodies whose form others have decided, and may add to. */
const OPEN_FORMS = new WeakSet<object>();

/** Of a DTO: unknown properties are left out in silence, where they are refused otherwise. */
export function IgnoresUnknown(): ClassDecorator {
  return (cls) => {
    OPEN_FORMS.add(cls);
  };
}

/** Nest takes `null` and no body at all for an object without properties. */
class ProblemValidationPipe extends ValidationPipe {
  private readonly lenient: ValidationPipe;

  constructor(options: ValidationPipeOptions) {
    super(options);
    this.lenient = new ValidationPipe({ ...options, forbidNonWhitelisted: false });
  }

  override transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (metadata.type === 'body' && !isObject)
      throw invalidRequest([{ felt: 'body', melding: 'must be a JSON object' }]);
    if (metadata.metatype && OPEN_FORMS.has(metadata.metatype)) return this.lenient.transform(value, metadata);
    const hasForm = metadata.type === 'body' && metadata.metatype !== Object;
    return super.transform(hasForm ? withoutNulls(value) : value, metadata);
  }
}

/** Many clients write `null` for what they leave out. It is left out; an entry of a list is not, and is refused. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => withoutNulls(entry));
  if (!isObject(value)) return value;
  const given = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(given.map(([name, member]) => [name, withoutNulls(member)]));
}

/** Bodies and parameters against their DTO: unknown properties are refused, and all that is wrong is told at once. */
export function validationPipe(): ValidationPipe {
  return new ProblemValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => invalidRequest(errors.flatMap((part) => fieldErrors(part))),
  });
}

export function invalidRequest(errors: FieldError[]): Problem {
  return new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The request is not valid', { feil: errors });
}

function fieldErrors({ property, constraints = {}, children = [] }: ValidationError, parent = ''): FieldError[] {
  // A property is the caller's own text when it is unknown.
  const name = maskIdents(property.slice(0, 100));
  const field = parent === '' ? name : /^\d+$/.test(property) ? `${parent}[${name}]` : `${parent}.${name}`;
  const own = Object.entries(constraints).map(([requirement, message]) => ({
    felt: field,
    melding: requirement === 'whitelistValidation' ? 'is not a known property' : maskIdents(without(property, message)),
  }));
  return [...own, ...children.flatMap((child) => fieldErrors(child, field))];
}

/** class-validator begins its sentences with the property, which `felt` says already. */
function without(property: string, message: string): string {
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}

/** Deeper than any request is; what walks through it later may be recursive. */
const MAX_DEPTH = 32;

/**
 * What validation would not see: depth, and a property that class-transformer leaves out in silence. (`__proto__` is
 * refused by the parser.)
 * @throws Problem 400
 */
export function refuseDangerous(body: unknown): void {
  let layer = [body].filter(isObject);
  for (let depth = 1; layer.length > 0; depth++) {
    if (depth > MAX_DEPTH)
      throw invalidRequest([{ felt: 'body', melding: `is nested deeper than ${String(MAX_DEPTH)}` }]);
    if (layer.some((part) => Object.hasOwn(part, 'constructor'))) {
      throw invalidRequest([{ felt: 'constructor', melding: 'is not a known property' }]);
    }
    layer = layer.flatMap((part) => Object.values(part).filter(isObject));
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
