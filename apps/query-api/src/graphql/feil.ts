import { fellesFeil, kontekst, logg, skjul, type Feilkode, type Problem } from '@tiltak/platform';
import { GraphQLError, type ASTNode, type GraphQLFormattedError } from 'graphql';

/** A request that is not executed: every reason why not. None quotes a value, which may be a national ident or a name. */
export class Avvist extends Error {
  constructor(readonly feil: readonly GraphQLError[]) {
    super(feil[0]?.message);
  }
}

/** @param message never with a value from the request */
export function nyFeil(feilkode: Feilkode, message: string, nodes?: readonly ASTNode[]): GraphQLError {
  return new GraphQLError(message, { ...(nodes && { nodes }), extensions: { code: feilkode.kode } });
}

export function ugyldig(message: string, nodes?: readonly ASTNode[]): GraphQLError {
  return nyFeil(fellesFeil.UGYLDIG_FORESPORSEL, message, nodes);
}

/** The same error as REST would have answered with. */
export function fraProblem({ feilkode, detail }: Problem): GraphQLError {
  return nyFeil(feilkode, detail);
}

/** As it is sent, with `code` from the catalogue of errors. What isn't made here is not expected, and not told. */
export function tilSvar(feil: GraphQLError): GraphQLFormattedError {
  const { locations, path } = feil.toJSON();
  const kjent = typeof feil.extensions['code'] === 'string';
  if (!kjent) logg.error({ err: feil.originalError ?? feil }, 'A GraphQL field could not be answered');
  return {
    message: kjent ? skjul(feil.message) : 'Something went wrong here; it has been logged',
    ...(locations && { locations }),
    ...(path && { path: path.map((ledd) => (typeof ledd === 'string' ? skjul(ledd) : ledd)) }),
    extensions: {
      code: kjent ? feil.extensions['code'] : fellesFeil.INTERN_FEIL.kode,
      callId: kontekst()?.callId ?? '',
    },
  };
}
