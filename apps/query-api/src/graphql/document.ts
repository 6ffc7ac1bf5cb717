import {
  getOperationAST,
  getVariableValues,
  GraphQLError,
  Kind,
  OperationTypeNode,
  parse,
  print,
  specifiedRules,
  validate,
  ValuesOfCorrectTypeRule,
  visit,
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { RejectedError, invalid } from './errors.ts';
import type { GraphqlForesporselDto } from './graphql.dto.ts';
import { SCHEMAS, type Dialect } from './schema.ts';

/** Fifty persons with a dozen fields each are 1,100; the introspection query of the tools has two hundred. */
const MAX_TOKENS = 2_000;
const MAX_ALIASES = 50;
/** Fragments counted. An avtale is flat; the introspection query of the tools goes eighteen deep. */
const MAX_DEPTH = 20;
const MAX_ERRORS = 20;

/** A valid operation of a valid document, with the values of its variables. */
export interface GraphqlRequest {
  dialect: Dialect;
  document: DocumentNode;
  operation: OperationDefinitionNode;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** as coerced */
  variables: Record<string, unknown>;
}

/** @throws RejectedError with everything that is wrong with the request */
export function parseRequest(
  { query, operationName, variables }: GraphqlForesporselDto,
  dialect: Dialect,
): GraphqlRequest {
  const document = readDocument(query, dialect);
  const fragments = new Map(
    document.definitions.flatMap((part) =>
      part.kind === Kind.FRAGMENT_DEFINITION ? [[part.name.value, part] as const] : [],
    ),
  );
  // An empty name is none, as it was in the service before this one.
  const operation = getOperationAST(document, operationName === '' ? null : operationName);
  if (!operation) throw new RejectedError([invalid('operationName must name one of the operations of the document')]);
  if (operation.operation !== OperationTypeNode.QUERY) throw new RejectedError([invalid('Only queries are offered')]);
  if (depth(operation.selectionSet, fragments) > MAX_DEPTH) {
    throw new RejectedError([invalid(`The operation is nested deeper than ${String(MAX_DEPTH)}`)]);
  }
  return { dialect, document, operation, fragments, variables: readVariables(operation, variables ?? {}, dialect) };
}

/** Valid ones that clients send again and again, up to so many characters: to read one costs more than the look-up. */
const remembered = new LRUCache<string, DocumentNode>({
  maxSize: 200_000,
  sizeCalculation: (_, { length }) => Math.max(1, length),
});

function readDocument(query: string, dialect: Dialect): DocumentNode {
  const key = `${dialect} ${query}`;
  const known = remembered.get(key);
  if (known) return known;
  const document = parseText(query);
  const errors = validate(SCHEMAS[dialect], document, RULES, { maxErrors: MAX_ERRORS });
  if (errors.length > 0) throw new RejectedError(errors.map(({ message, nodes }) => invalid(message, nodes)));
  const { aliases, values } = count(document);
  if (aliases > MAX_ALIASES) {
    throw new RejectedError([invalid(`The document has more than ${String(MAX_ALIASES)} aliases`)]);
  }
  // A value may be a national ident, and is another the next time.
  if (values === 0) remembered.set(key, document);
  return document;
}

function parseText(query: string): DocumentNode {
  try {
    return parse(query, { maxTokens: MAX_TOKENS });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    // Its message quotes the text where it stopped.
    const { source, positions } = error;
    throw new RejectedError([
      new GraphQLError(`The document is not GraphQL, or has more than ${String(MAX_TOKENS)} tokens`, {
        ...(source && { source }),
        ...(positions && { positions }),
        extensions: invalid('', undefined, 'InvalidSyntax').extensions,
      }),
    ]);
  }
}

function count(document: DocumentNode): { aliases: number; values: number } {
  let aliases = 0;
  let values = 0;
  visit(document, {
    Field: ({ alias }) => {
      if (alias) aliases++;
    },
    StringValue: () => {
      values++;
    },
    IntValue: () => {
      values++;
    },
  });
  return { aliases, values };
}

/** The rules of the specification; the one whose messages quote values is made to tell the type instead. */
const RULES = specifiedRules.map((rule) => (rule === ValuesOfCorrectTypeRule ? withoutValues(rule) : rule));

function withoutValues(rule: ValidationRule): ValidationRule {
  return (context) => {
    const report = ({ nodes }: GraphQLError): void => {
      const type = context.getInputType();
      context.reportError(invalid(`A value is not a valid ${type ? String(type) : 'value here'}`, nodes));
    };
    return rule(Object.create(context, { reportError: { value: report } }) as ValidationContext);
  };
}

/** Each fragment is measured once, however often it is spread. The document is valid: none contains itself. */
function depth(
  selectionSet: SelectionSetNode,
  fragments: GraphqlRequest['fragments'],
  known = new Map<string, number>(),
): number {
  const depths = selectionSet.selections.map((part) => {
    if (part.kind !== Kind.FRAGMENT_SPREAD) return part.selectionSet ? depth(part.selectionSet, fragments, known) : 0;
    const { value: name } = part.name;
    const fragment = fragments.get(name);
    const measured = known.get(name) ?? (fragment ? depth(fragment.selectionSet, fragments, known) : 0);
    known.set(name, measured);
    return measured;
  });
  return 1 + Math.max(0, ...depths);
}

function readVariables(
  { variableDefinitions = [] }: OperationDefinitionNode,
  values: Record<string, unknown>,
  dialect: Dialect,
): Record<string, unknown> {
  const { coerced, errors } = getVariableValues(SCHEMAS[dialect], variableDefinitions, values, {
    maxErrors: MAX_ERRORS,
  });
  if (coerced) return coerced;
  // Their messages quote the values, but each stands at the definition of its variable.
  const wrong = new Set(errors.flatMap(({ nodes }) => nodes ?? []));
  throw new RejectedError(
    variableDefinitions
      .filter((definition) => wrong.has(definition))
      .map((definition) => {
        const name = `$${definition.variable.name.value}`;
        const missing = !Object.hasOwn(values, definition.variable.name.value);
        return invalid(
          missing
            ? `The variable ${name} is required`
            : `The variable ${name} is not a valid ${print(definition.type)}`,
          [definition],
        );
      }),
  );
}
