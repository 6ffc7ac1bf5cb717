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
import { Avvist, ugyldig } from './feil.ts';
import type { Sporring } from './dokument.ts';
import { KILDER, skjema, type Feltkilde } from './skjema.ts';

/** Each is a look-up of its own. */
const MAKS_ROTFELT = 10;

/** A field of the type Query that an operation asks for. */
export interface Rotoppslag {
  /** its name in the answer: the alias, if it has one */
  noekkel: string;
  felt: string;
  argumenter: Record<string, unknown>;
  /** each once, in the order of the schema */
  kilder: Feltkilde[];
}

/**
 * What an operation asks for, before anything of it is looked up. Fragments, `@skip` and `@include` are followed: a field
 * that is not in the answer is not read.
 *
 * @throws Avvist when that is too much
 */
export function planlegg(sporring: Sporring): Rotoppslag[] {
  const rot = [...samle(sporring.operasjon.selectionSet, sporring)];
  if (rot.length > MAKS_ROTFELT) {
    throw new Avvist([ugyldig(`The operation has more than ${String(MAKS_ROTFELT)} fields at the top`)]);
  }
  return rot.flatMap(([noekkel, noder]) => {
    const [node] = noder;
    const definisjon = node && skjema.getQueryType()?.getFields()[node.name.value];
    // The others are of introspection.
    if (!definisjon) return [];
    return [
      {
        noekkel,
        felt: definisjon.name,
        argumenter: getArgumentValues(definisjon, node, sporring.variabler),
        kilder: kilderTil(noder, sporring),
      },
    ];
  });
}

function kilderTil(noder: FieldNode[], sporring: Sporring): Feltkilde[] {
  const felter: Svarfelter = new Map();
  for (const { selectionSet } of noder) if (selectionSet) samle(selectionSet, sporring, felter);
  const valgte = new Set([...felter.values()].flat().map(({ name }) => name.value));
  return [...KILDER].flatMap(([navn, kilde]) => (valgte.has(navn) ? [kilde] : []));
}

/** The fields of an answer, by their names in it. */
type Svarfelter = Map<string, FieldNode[]>;

/** The document is valid, and no type has subtypes: the condition of a fragment always holds. */
function samle(
  valg: SelectionSetNode,
  sporring: Sporring,
  felter: Svarfelter = new Map(),
  besokte = new Set<string>(),
): Svarfelter {
  for (const del of valg.selections) {
    if (!erMed(del, sporring)) continue;
    if (del.kind === Kind.FIELD) {
      const noekkel = (del.alias ?? del.name).value;
      felter.set(noekkel, [...(felter.get(noekkel) ?? []), del]);
    } else if (del.kind === Kind.INLINE_FRAGMENT) {
      samle(del.selectionSet, sporring, felter, besokte);
    } else if (!besokte.has(del.name.value)) {
      besokte.add(del.name.value);
      const fragment = sporring.fragmenter.get(del.name.value);
      if (fragment) samle(fragment.selectionSet, sporring, felter, besokte);
    }
  }
  return felter;
}

function erMed(del: SelectionNode, { variabler }: Sporring): boolean {
  const skip = getDirectiveValues(GraphQLSkipDirective, del, variabler);
  const include = getDirectiveValues(GraphQLIncludeDirective, del, variabler);
  return skip?.['if'] !== true && include?.['if'] !== false;
}
