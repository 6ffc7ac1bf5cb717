import { ValidationPipe, type ArgumentMetadata, type PipeTransform, type ValidationError } from '@nestjs/common';
import { maskIdents } from '../logger.ts';
import { PROBLEMS, Problem, type FieldError } from '../problem.ts';
import { readPlain } from './compiled-form.ts';
import { checkShape, isObject, isPlainObject } from './form.ts';

/** Bodies whose form others have decided, and may add to. */
const OPEN_FORMS = new WeakSet<object>();

/** Of a DTO: unknown properties are left out in silence, where they are refused otherwise. */
export function IgnoresUnknown(): ClassDecorator {
  return (cls) => {
    OPEN_FORMS.add(cls);
  };
}

/** What is plainly valid is read at once (`readPlain`). All else goes by the libraries: only they know what to say of it. */
class CompiledPipe implements PipeTransform {
  private readonly byRules = rulesPipe();

  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    const { type, metatype } = metadata;
    if (type !== 'custom' && metatype !== undefined && isPlainObject(value) && !hasNoForm(metatype)) {
      const plain = OPEN_FORMS.has(metatype) ? undefined : readPlain(value, metatype, type === 'body');
      if (plain) return plain;
    }
    return this.byRules.transform(value, metadata);
  }
}

/** Nest takes `null` and no body at all for an object without properties. */
class ProblemValidationPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { type, metatype } = metadata;
    if (type === 'body' && !isPlainObject(value)) {
      throw invalidRequest([{ felt: 'body', melding: 'must be a JSON object' }]);
    }
    if (!isPlainObject(value) || metatype === undefined || hasNoForm(metatype)) return super.transform(value, metadata);
    const isOpen = OPEN_FORMS.has(metatype);
    const given = type === 'body' && !isOpen ? withoutNulls(value) : value;
    const { errors, rest } = checkShape(given, metatype, !isOpen);
    if (errors.length === 0) return super.transform(rest, metadata);
    throw invalidRequest([...errors, ...(await this.otherErrors(rest, metadata, errors))]);
  }

  /** What else is wrong, of members that nothing is said of yet. */
  private async otherErrors(rest: object, metadata: ArgumentMetadata, said: FieldError[]): Promise<FieldError[]> {
    try {
      await super.transform(rest, metadata);
      return [];
    } catch (error) {
      const errors = error instanceof Problem ? (error.extras.feil ?? []) : [];
      return errors.filter(({ felt }) => !said.some((one) => one.felt === felt));
    }
  }
}

/** Nest looks at none of these either. */
const hasNoForm = (type: object): boolean =>
  [String, Boolean, Number, Array, Object, Buffer, Date].includes(type as never);

/** Many clients write `null` for what they leave out. It is left out; an entry of a list is not, and is refused. */
function withoutNulls(value: object): object {
  if (Array.isArray(value)) return value.map((entry: unknown) => (isObject(entry) ? withoutNulls(entry) : entry));
  const given = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(
    given.map(([name, member]: [string, unknown]) => [name, isObject(member) ? withoutNulls(member) : member]),
  );
}

/** Bodies and parameters against their DTO: unknown properties are refused, and all that is wrong is told at once. */
export function validationPipe(): PipeTransform {
  return new CompiledPipe();
}

/** The same by class-validator and class-transformer alone, whatever the value: slower, and the oracle of the other. */
export function rulesPipe(): ValidationPipe {
  return new ProblemValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    // The value is only looked at: whether it is there at all.
    validationError: { target: false, value: true },
    exceptionFactory: (errors) => invalidRequest(errors.flatMap((part) => fieldErrors(part))),
  });
}

export function invalidRequest(errors: FieldError[]): Problem {
  return new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The request is not valid', { feil: errors });
}

function fieldErrors({ property, value, constraints = {}, children = [] }: ValidationError, parent = ''): FieldError[] {
  // A property is the caller's own text when it is unknown.
  const name = maskIdents(property.slice(0, 100));
  const field = parent === '' ? name : /^\d+$/.test(property) ? `${parent}[${name}]` : `${parent}.${name}`;
  // Optional members have no rules when they are left out; of others, each rule would tell of a form that is not there.
  if (value === undefined && children.length === 0) return [{ felt: field, melding: 'is missing' }];
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

/** Every object has them, so that what walks through a body later may take them for its own. */
const INHERITED = ['constructor', '__proto__'];

/**
 * What validation would not see, in any body: depth, members that class-transformer leaves out in silence, and numbers
 * that JSON can write and nobody can read (1e400 is read as infinity, and would be written as null).
 *
 * @throws Problem 400
 */
export function refuseDangerous(body: unknown): void {
  if (isHarmless(body, 0)) return;
  let layer = [body].filter(isObject);
  for (let depth = 1; layer.length > 0; depth++) {
    if (depth > MAX_DEPTH)
      throw invalidRequest([{ felt: 'body', melding: `is nested deeper than ${String(MAX_DEPTH)}` }]);
    const next: object[] = [];
    for (const part of layer) {
      for (const name of INHERITED) if (Object.hasOwn(part, name)) throw dangerous(body, part, name);
      for (const [name, member] of Object.entries(part) as [string, unknown][]) {
        if (isObject(member)) next.push(member);
        else if (typeof member === 'number' && !Number.isFinite(member)) throw dangerous(body, part, name);
      }
    }
    layer = next;
  }
}

/** Whether there is nothing to look for; of anything else, the first that is wrong is told, layer by layer. */
function isHarmless(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (!isObject(value)) return true;
  if (depth === MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((entry) => isHarmless(entry, depth + 1));
  for (const name of Object.keys(value)) {
    if (INHERITED.includes(name) || !isHarmless((value as Record<string, unknown>)[name], depth + 1)) return false;
  }
  return true;
}

function dangerous(body: unknown, part: object, name: string): Problem {
  const message = INHERITED.includes(name) ? 'is not a known property' : 'is a number beyond what can be read';
  const field = maskIdents([...(pathTo(part, body) ?? []), name].join('.').replaceAll(/\.(\d+)(?=\.|$)/g, '[$1]'));
  return invalidRequest([{ felt: field.slice(0, 200), melding: message }]);
}

/** The names on the way to a part of a body, which is no deeper than it may be. */
function pathTo(part: object, from: unknown): string[] | undefined {
  if (from === part) return [];
  if (!isObject(from)) return undefined;
  for (const [name, member] of Object.entries(from)) {
    const path = pathTo(part, member);
    if (path) return [name.slice(0, 100), ...path];
  }
  return undefined;
}
