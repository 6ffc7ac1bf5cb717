import type { OpenAPIObject } from '@nestjs/swagger';

/** Of nobody, also where synthetic persons live. The sample data of the local stack has a person with the first. */
export const [EXAMPLE_IDENT, OTHER_IDENT] = ['0'.repeat(11), '1'.repeat(11)] as const;

/** On the local stack: whom the opaque id in the document is of. It is made with a key, so the published document has none. */
export function showExamplePerson(document: OpenAPIObject, deltakerId: string): void {
  const { parameters = [] } = document.paths['/api/v1/deltakere/{deltakerId}/avtaler']?.get ?? {};
  for (const parameter of parameters) {
    if ('name' in parameter && parameter.name === 'deltakerId') parameter.example = deltakerId;
  }
}
