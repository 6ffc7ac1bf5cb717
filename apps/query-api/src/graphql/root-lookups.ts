import {
  getArgumentValues,
  getDirectiveValues,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  Kind,
  type FieldNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { AvtaleField } from '@tiltak/avtale';
import { RejectedError, invalid } from './errors.ts';
import type { GraphqlRequest } from './document.ts';
import { ARGUMENT_FIELDS, FIELD_SOURCES, type FieldSource } from './field-sources.ts';
import { SCHEMAS } from './schema.ts';

/** Each is a look-up of its own: all idents that a person has had, say. */
const MAX_ROOT_FIELDS = 50;

/** A field of the type Query that an operation asks for. */
export interface RootLookup {
  /** its name in the answer: the alias, if it has one */
  key: string;
  field: string;
  args: Record<string, unknown>;
  /** each once, in the order of the schema */
  sources: FieldSource[];
  /** the fields that a consumer must be granted: those of the sources, and those that the arguments read */
  requires: AvtaleField[];
}

/**
 * What an operation asks for, before anything of it is looked up. Fragments, `@skip` and `@include` are followed: a field
 * that is not in the answer is not read.
 *
 * @throws RejectedError when that is too much
 */
export function plan(query: GraphqlRequest): RootLookup[] {
  const root = [...collect(query.operation.selectionSet, query)];
  if (root.length > MAX_ROOT_FIELDS) {
    throw new RejectedError([invalid(`The operation has more than ${String(MAX_ROOT_FIELDS)} fields at the top`)]);
  }
  return root.flatMap(([key, nodes]) => {
    const [node] = nodes;
    const definition = node && SCHEMAS[query.dialect].getQueryType()?.getFields()[node.name.value];
    // The others are of introspection.
    if (!definition) return [];
    const args = getArgumentValues(definition, node, query.variables);
    const sources = sourcesTo(nodes, query);
    return [{ key, field: definition.name, args, sources, requires: requiredFor(args, sources) }];
  });
}

function requiredFor(args: RootLookup['args'], sources: FieldSource[]): AvtaleField[] {
  const given = Object.keys(args).filter((name) => args[name] !== null && args[name] !== undefined);
  const searchedBy = given.flatMap((name) => ARGUMENT_FIELDS.get(name) ?? []);
  return [...new Set([...sources.map(({ requires }) => requires), ...searchedBy])];
}

function sourcesTo(nodes: FieldNode[], query: GraphqlRequest): FieldSource[] {
  const fields: ResponseFields = new Map();
  for (const { selectionSet } of nodes) if (selectionSet) collect(selectionSet, query, fields);
  const chosen = new Set([...fields.values()].flat().map(({ name }) => name.value));
  return [...FIELD_SOURCES[query.dialect]].flatMap(([name, source]) => (chosen.has(name) ? [source] : []));
}

/** The fields of an answer, by their names in it. */
type ResponseFields = Map<string, FieldNode[]>;

/** The document is valid, and no type has subtypes: the condition of a fragment always holds. */
function collect(
  selectionSet: SelectionSetNode,
  query: GraphqlRequest,
  fields: ResponseFields = new Map(),
  visited = new Set<string>(),
): ResponseFields {
  for (const part of selectionSet.selections) {
    if (!isIncluded(part, query)) continue;
    if (part.kind === Kind.FIELD) {
      const key = (part.alias ?? part.name).value;
      fields.set(key, [...(fields.get(key) ?? []), part]);
    } else if (part.kind === Kind.INLINE_FRAGMENT) {
      collect(part.selectionSet, query, fields, visited);
    } else if (!visited.has(part.name.value)) {
      visited.add(part.name.value);
      const fragment = query.fragments.get(part.name.value);
      if (fragment) collect(fragment.selectionSet, query, fields, visited);
    }
  }
  return fields;
}

function isIncluded(part: SelectionNode, { variables }: GraphqlRequest): boolean {
  const skip = getDirectiveValues(GraphQLSkipDirective, part, variables);
  const include = getDirectiveValues(GraphQLIncludeDirective, part, variables);
  return skip?.['if'] !== true && include?.['if'] !== false;
}
