import { ApiSchema } from '@nestjs/swagger';

/** What is said and required of each member of a form. */
export type Members = Record<string, PropertyDecorator[]>;

/** A class with these members, where a definition makes what is written out elsewhere. */
export function formOf(
  schema: string | { name: string; description: string } | undefined,
  members: Members,
  defaults: Record<string, unknown> = {},
): new () => object {
  const form = class {
    constructor() {
      Object.assign(this, defaults);
    }
  };
  if (schema !== undefined) ApiSchema(typeof schema === 'string' ? { name: schema } : schema)(form);
  for (const [name, decorators] of Object.entries(members)) {
    for (const decorate of decorators) decorate(form.prototype as object, name);
  }
  return form;
}
