import { PROBLEMS, currentContext, logger, maskIdents, type ProblemType, type Problem } from '@tiltak/platform';
import { GraphQLError, type ASTNode, type GraphQLFormattedError } from 'graphql';

/** A request that is not executed: every reason why not. None quotes a value, which may be a national ident or a name. */
export class RejectedError extends Error {
  constructor(readonly errors: readonly GraphQLError[]) {
    super(errors[0]?.message);
  }
}

/** How the service before this one classed such an error, which its clients read; `code` tells more. */
type Classification = 'InvalidSyntax' | 'ValidationError' | 'BAD_REQUEST' | 'FORBIDDEN' | 'INTERNAL_ERROR';

/** @param message never with a value from the request */
export function graphqlError(
  problemType: ProblemType,
  classification: Classification,
  message: string,
  nodes?: readonly ASTNode[],
): GraphQLError {
  return new GraphQLError(message, { ...(nodes && { nodes }), extensions: { code: problemType.code, classification } });
}

export function invalid(
  message: string,
  nodes?: readonly ASTNode[],
  classification: Classification = 'ValidationError',
): GraphQLError {
  return graphqlError(PROBLEMS.UGYLDIG_FORESPORSEL, classification, message, nodes);
}

/** An argument of which only the look-up can tell that it can't be used. */
export function invalidArgument(message: string): GraphQLError {
  return invalid(message, undefined, 'INTERNAL_ERROR');
}

/** A field that is not granted: the same error as REST would have answered with. */
export function forbidden({ problemType, detail }: Problem): GraphQLError {
  return graphqlError(problemType, 'FORBIDDEN', detail);
}

/** As it is sent, with `code` from the catalogue of errors. What isn't made here is not expected, and not told. */
export function toResponse(error: GraphQLError): GraphQLFormattedError {
  const { locations, path } = error.toJSON();
  const known = typeof error.extensions['code'] === 'string';
  if (!known) logger.error({ err: error.originalError ?? error }, 'A GraphQL field could not be answered');
  return {
    message: known ? maskIdents(error.message) : 'Something went wrong here; it has been logged',
    ...(locations && { locations }),
    ...(path && { path: path.map((member) => (typeof member === 'string' ? maskIdents(member) : member)) }),
    extensions: {
      code: known ? error.extensions['code'] : PROBLEMS.INTERN_FEIL.code,
      classification: known ? error.extensions['classification'] : ('INTERNAL_ERROR' satisfies Classification),
      callId: currentContext()?.callId ?? '',
    },
  };
}
