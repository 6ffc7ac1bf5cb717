import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { getMetadataStorage, IsArray, IsObject, ValidateNested } from 'class-validator';
import { maskIdents } from '../logger.ts';
import type { FieldError } from '../problem.ts';

/** A DTO. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- as Nest names the type of a parameter
export type Form = Function;

interface Nested {
  form: () => Form;
  isList: boolean;
}

/** By the prototype that declares the member. */
const nestedMembers = new WeakMap<object, Map<string, Nested>>();

/**
 * Of a DTO: the member is an object of this form. To `ValidateNested` alone a list is as good as an object, a list of
 * lists as a list, and what is neither is nothing to validate.
 */
export function NestedObject(form: () => Form): PropertyDecorator {
  return applyDecorators(
    remember({ form, isList: false }),
    IsObject({ message: 'must be an object' }),
    ValidateNested(),
    Type(form),
  );
}

/** Of a DTO: the member is a list of objects of this form. */
export function NestedList(form: () => Form): PropertyDecorator {
  return applyDecorators(remember({ form, isList: true }), IsArray(), ValidateNested({ each: true }), Type(form));
}

function remember(nested: Nested): PropertyDecorator {
  return (prototype, property) => {
    const known = nestedMembers.get(prototype) ?? new Map<string, Nested>();
    nestedMembers.set(prototype, known.set(String(property), nested));
  };
}

export function nestedOf(form: Form, name: string): Nested | undefined {
  for (let prototype: unknown = form.prototype; isObject(prototype); prototype = Object.getPrototypeOf(prototype)) {
    const nested = nestedMembers.get(prototype)?.get(name);
    if (nested) return nested;
  }
  return undefined;
}

function namesOf(form: Form): Set<string> {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(form, '', false, false);
  return new Set(metadata.map(({ propertyName }) => propertyName));
}

/**
 * Holds a value against a DTO by its shape alone: which members there are, and where there are objects and lists. That is
 * what class-transformer and class-validator let pass: a name that every object inherits (`toString`) is known to them,
 * and a list may stand for an object.
 *
 * @param strict whether unknown members are refused
 * @returns what is wrong, and the value without that: what else is wrong with it can be told too
 */
export function checkShape(value: object, form: Form, strict: boolean): { errors: FieldError[]; rest: object } {
  const errors: FieldError[] = [];
  return { errors, rest: objectOf(value, { form, strict, field: '', errors }) };
}

interface Place {
  form: Form;
  strict: boolean;
  field: string;
  errors: FieldError[];
}

function objectOf(value: object, place: Place): object {
  const names = namesOf(place.form);
  const kept: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    // An unknown name is the caller's own text.
    const shown = maskIdents(name.slice(0, 100));
    const field = place.field === '' ? shown : `${place.field}.${shown}`;
    const nested = nestedOf(place.form, name);
    if (!names.has(name)) {
      if (place.strict) place.errors.push({ felt: field, melding: 'is not a known property' });
    } else if (!nested) kept.push([name, member]);
    else {
      const there = (nested.isList ? listOf : memberOf)(member, { ...place, form: nested.form(), field });
      if (there !== undefined) kept.push([name, there]);
    }
  }
  return Object.fromEntries(kept);
}

function memberOf(value: unknown, place: Place): object | undefined {
  if (isPlainObject(value)) return objectOf(value, place);
  place.errors.push({ felt: place.field, melding: 'must be an object' });
  return undefined;
}

function listOf(value: unknown, place: Place): unknown[] | undefined {
  if (Array.isArray(value)) {
    return value.flatMap((entry, i) => memberOf(entry, { ...place, field: `${place.field}[${String(i)}]` }) ?? []);
  }
  place.errors.push({ felt: place.field, melding: 'must be a list' });
  return undefined;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

export function isPlainObject(value: unknown): value is object {
  return isObject(value) && !Array.isArray(value);
}
