// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- an app takes in this file by its name, and no import brings in how somebody else's module is declared
/// <reference path="./class-transformer-storage.d.ts" />
import { TransformationType, type TransformFnParams } from 'class-transformer';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage, ValidationTypes, type ValidationArguments } from 'class-validator';
import { isPlainObject, nestedOf, type Form } from './form.ts';

type Members = Record<string, unknown>;

/** A member as class-transformer would make it. */
interface Member {
  nested: { form: () => Form; isList: boolean } | undefined;
  transforms: readonly ((params: TransformFnParams) => unknown)[];
}

/** What class-validator holds a member against, whether it is there or not. */
interface Rules {
  name: string;
  /** all must say yes for the rest to count */
  conditions: readonly ((object: object, value: unknown) => unknown)[];
  checks: readonly Check[];
}

interface Check {
  /** held against each entry, when the value is a list */
  each: boolean;
  onlyIf: ((object: object, value: unknown) => boolean) | undefined;
  validate: (value: unknown, args: ValidationArguments) => unknown;
  args: Pick<ValidationArguments, 'targetName' | 'property' | 'constraints'>;
}

interface CompiledForm {
  create: new () => Members;
  members: ReadonlyMap<string, Member>;
  rules: readonly Rules[];
}

/** Null: the form says something that is not known here. */
const compiled = new WeakMap<Form, CompiledForm | null>();

/**
 * Reads a value by its DTO in one pass, by the rules that its decorators have given class-validator and class-transformer:
 * the same functions, without what those libraries look up, copy and gather for each value.
 *
 * @param withoutNulls whether a member that is null counts as left out
 * @returns an instance of the DTO; undefined for anything that isn't plainly valid, of which nothing more is said: whoever asks lets class-validator tell what is wrong, if anything is
 */
export function readPlain(value: object, form: Form, withoutNulls: boolean): object | undefined {
  const known = compiledOf(form);
  if (!known) return undefined;
  const given = withoutNulls ? withoutNullMembers(value as Members) : (value as Members);
  const object = new known.create();
  for (const name of Object.keys(given)) {
    const member = known.members.get(name);
    if (!member) return undefined;
    const read = readMember(given[name], member.nested, withoutNulls);
    if (read === undefined) return undefined;
    object[name] = transformed(read, member, name, given);
  }
  return known.rules.every((rules) => isKept(rules, object)) ? object : undefined;
}

function withoutNullMembers(value: Members): Members {
  for (const name of Object.keys(value)) {
    if (value[name] === null) return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
  }
  return value;
}

function readMember(value: unknown, nested: Member['nested'], withoutNulls: boolean): unknown {
  if (!nested) return isPrimitive(value) || (Array.isArray(value) && value.every(isPrimitive)) ? value : undefined;
  const form = nested.form();
  if (!nested.isList) return isPlainObject(value) ? readPlain(value, form, withoutNulls) : undefined;
  if (!Array.isArray(value)) return undefined;
  const entries: object[] = [];
  for (const entry of value as unknown[]) {
    const read = isPlainObject(entry) ? readPlain(entry, form, withoutNulls) : undefined;
    if (!read) return undefined;
    entries.push(read);
  }
  return entries;
}

function isPrimitive(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function transformed(value: unknown, { transforms }: Member, key: string, obj: Members): unknown {
  let result = value;
  for (const transform of transforms) {
    result = transform({ value: result, key, obj, type: TransformationType.PLAIN_TO_CLASS, options: {} });
  }
  return result;
}

function isKept({ name, conditions, checks }: Rules, object: Members): boolean {
  const value = object[name];
  for (const condition of conditions) if (!condition(object, value)) return true;
  for (const { each, onlyIf, validate, args } of checks) {
    if (onlyIf && !onlyIf(object, value)) continue;
    const all = { ...args, object, value };
    // A promise is no yes.
    const isValid = (one: unknown): boolean => validate(one, all) === true;
    if (!(each && Array.isArray(value) ? value.every(isValid) : isValid(value))) return false;
  }
  return true;
}

function compiledOf(form: Form): CompiledForm | null {
  const known = compiled.get(form);
  if (known !== undefined) return known;
  const made = compile(form) ?? null;
  compiled.set(form, made);
  return made;
}

/** undefined when a decorator says what isn't known here: then the form is read by the libraries alone. */
function compile(form: Form): CompiledForm | undefined {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(form, '', false, false);
  const byName = Map.groupBy(metadata, ({ propertyName }) => propertyName);
  if (byName.size === 0 || isExposedInPart(form)) return undefined;
  const members = new Map<string, Member>();
  const rules: Rules[] = [];
  for (const [name, ofMember] of byName) {
    const member = memberOf(form, name);
    const isNested = ofMember.some(({ type }) => type === ValidationTypes.NESTED_VALIDATION);
    const areKnown = ofMember.every(({ type, groups }) => KNOWN.has(type) && (groups ?? []).length === 0);
    if (!member || !areKnown || isNested !== (member.nested !== undefined)) return undefined;
    const checks = ofMember.map((rule) => checksOf(form, rule));
    if (checks.includes(undefined)) return undefined;
    const conditional = ofMember.filter(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION);
    const conditions = conditional.map(({ constraints }) => constraints[0] as Rules['conditions'][number]);
    members.set(name, member);
    rules.push({ name, conditions, checks: checks.flatMap((some) => some ?? []) });
  }
  return { create: form as unknown as new () => Members, members, rules };
}

const KNOWN: ReadonlySet<string> = new Set([
  ValidationTypes.CUSTOM_VALIDATION,
  ValidationTypes.CONDITIONAL_VALIDATION,
  ValidationTypes.NESTED_VALIDATION,
]);

function isExposedInPart(form: Form): boolean {
  const { PLAIN_TO_CLASS } = TransformationType;
  const exposed = defaultMetadataStorage.getExposedProperties(form, PLAIN_TO_CLASS);
  const excluded = defaultMetadataStorage.getExcludedProperties(form, PLAIN_TO_CLASS);
  return exposed.length + excluded.length > 0 || defaultMetadataStorage.getStrategy(form) !== 'none';
}

function memberOf(form: Form, name: string): Member | undefined {
  const nested = nestedOf(form, name);
  const hasType = defaultMetadataStorage.findTypeMetadata(form, name) as unknown;
  // What `NestedObject` and `NestedList` did not say.
  if (Boolean(hasType) !== (nested !== undefined)) return undefined;
  if (name in (form.prototype as object)) return undefined;
  const transforms = defaultMetadataStorage.findTransformMetadatas(form, name, TransformationType.PLAIN_TO_CLASS);
  if (transforms.some(({ options: { groups, since, until } = {} }) => groups ?? since ?? until)) return undefined;
  return { nested, transforms: transforms.map(({ transformFn }) => transformFn) };
}

type Metadata = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/** undefined when one of them answers later. */
function checksOf({ name: targetName }: Form, metadata: Metadata): Check[] | undefined {
  const { type, constraintCls, propertyName, constraints, each, validateIf: onlyIf } = metadata;
  if (type !== ValidationTypes.CUSTOM_VALIDATION) return [];
  const validators = getMetadataStorage().getTargetValidatorConstraints(constraintCls);
  if (validators.some(({ async: isAsync }) => isAsync)) return undefined;
  return validators.map(({ instance }) => ({
    each,
    onlyIf,
    validate: (value, args) => instance.validate(value, args),
    args: { targetName, property: propertyName, constraints },
  }));
}
