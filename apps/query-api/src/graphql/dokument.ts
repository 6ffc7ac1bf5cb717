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
import { Avvist, ugyldig } from './feil.ts';
import type { GraphqlForesporselDto } from './graphql.dto.ts';
import { skjema } from './skjema.ts';

/** A document with a dozen fields has about thirty; the introspection query of the tools has two hundred. */
const MAKS_TOKENS = 1_000;
const MAKS_ALIASER = 50;
/** Fragments counted. An avtale is flat; the introspection query of the tools goes eighteen deep. */
const MAKS_DYBDE = 20;
const MAKS_FEIL = 20;

/** A valid operation of a valid document, with the values of its variables. */
export interface Sporring {
  dokument: DocumentNode;
  operasjon: OperationDefinitionNode;
  fragmenter: ReadonlyMap<string, FragmentDefinitionNode>;
  /** as coerced */
  variabler: Record<string, unknown>;
}

/** @throws Avvist with everything that is wrong with the request */
export function lesSporring({ query, operationName, variables }: GraphqlForesporselDto): Sporring {
  const dokument = lesDokument(query);
  const fragmenter = new Map(
    dokument.definitions.flatMap((del) =>
      del.kind === Kind.FRAGMENT_DEFINITION ? [[del.name.value, del] as const] : [],
    ),
  );
  const operasjon = getOperationAST(dokument, operationName);
  if (!operasjon) throw new Avvist([ugyldig('operationName must name one of the operations of the document')]);
  if (operasjon.operation !== OperationTypeNode.QUERY) throw new Avvist([ugyldig('Only queries are offered')]);
  if (dybde(operasjon.selectionSet, fragmenter) > MAKS_DYBDE) {
    throw new Avvist([ugyldig(`The operation is nested deeper than ${String(MAKS_DYBDE)}`)]);
  }
  return { dokument, operasjon, fragmenter, variabler: lesVariabler(operasjon, variables ?? {}) };
}

/** Valid ones that clients send again and again, up to so many characters: to read one costs more than the look-up. */
const huskede = new LRUCache<string, DocumentNode>({
  maxSize: 200_000,
  sizeCalculation: (_, { length }) => Math.max(1, length),
});

function lesDokument(query: string): DocumentNode {
  const husket = huskede.get(query);
  if (husket) return husket;
  const dokument = tolk(query);
  const feil = validate(skjema, dokument, REGLER, { maxErrors: MAKS_FEIL });
  if (feil.length > 0) throw new Avvist(feil.map(({ message, nodes }) => ugyldig(message, nodes)));
  const { aliaser, verdier } = tell(dokument);
  if (aliaser > MAKS_ALIASER) {
    throw new Avvist([ugyldig(`The document has more than ${String(MAKS_ALIASER)} aliases`)]);
  }
  // A value may be a national ident, and is another the next time.
  if (verdier === 0) huskede.set(query, dokument);
  return dokument;
}

function tolk(query: string): DocumentNode {
  try {
    return parse(query, { maxTokens: MAKS_TOKENS });
  } catch (feil) {
    if (!(feil instanceof GraphQLError)) throw feil;
    // Its message quotes the text where it stopped.
    const { source, positions } = feil;
    throw new Avvist([
      new GraphQLError(`The document is not GraphQL, or has more than ${String(MAKS_TOKENS)} tokens`, {
        ...(source && { source }),
        ...(positions && { positions }),
        extensions: ugyldig('').extensions,
      }),
    ]);
  }
}

function tell(dokument: DocumentNode): { aliaser: number; verdier: number } {
  let aliaser = 0;
  let verdier = 0;
  visit(dokument, {
    Field: ({ alias }) => {
      if (alias) aliaser++;
    },
    StringValue: () => {
      verdier++;
    },
    IntValue: () => {
      verdier++;
    },
  });
  return { aliaser, verdier };
}

/** The rules of the specification; the one whose messages quote values is made to tell the type instead. */
const REGLER = specifiedRules.map((regel) => (regel === ValuesOfCorrectTypeRule ? utenVerdier(regel) : regel));

function utenVerdier(regel: ValidationRule): ValidationRule {
  return (kontekst) => {
    const meld = ({ nodes }: GraphQLError): void => {
      const type = kontekst.getInputType();
      kontekst.reportError(ugyldig(`A value is not a valid ${type ? String(type) : 'value here'}`, nodes));
    };
    return regel(Object.create(kontekst, { reportError: { value: meld } }) as ValidationContext);
  };
}

/** Each fragment is measured once, however often it is spread. The document is valid: none contains itself. */
function dybde(valg: SelectionSetNode, fragmenter: Sporring['fragmenter'], kjente = new Map<string, number>()): number {
  const under = valg.selections.map((del) => {
    if (del.kind !== Kind.FRAGMENT_SPREAD) return del.selectionSet ? dybde(del.selectionSet, fragmenter, kjente) : 0;
    const { value: navn } = del.name;
    const fragment = fragmenter.get(navn);
    const maalt = kjente.get(navn) ?? (fragment ? dybde(fragment.selectionSet, fragmenter, kjente) : 0);
    kjente.set(navn, maalt);
    return maalt;
  });
  return 1 + Math.max(0, ...under);
}

function lesVariabler(
  { variableDefinitions = [] }: OperationDefinitionNode,
  verdier: Record<string, unknown>,
): Record<string, unknown> {
  const { coerced, errors } = getVariableValues(skjema, variableDefinitions, verdier, { maxErrors: MAKS_FEIL });
  if (coerced) return coerced;
  // Their messages quote the values, but each stands at the definition of its variable.
  const gale = new Set(errors.flatMap(({ nodes }) => nodes ?? []));
  throw new Avvist(
    variableDefinitions
      .filter((definisjon) => gale.has(definisjon))
      .map((definisjon) => {
        const navn = `$${definisjon.variable.name.value}`;
        const mangler = !Object.hasOwn(verdier, definisjon.variable.name.value);
        return ugyldig(
          mangler
            ? `The variable ${navn} is required`
            : `The variable ${navn} is not a valid ${print(definisjon.type)}`,
          [definisjon],
        );
      }),
  );
}
