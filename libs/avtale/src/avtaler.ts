import type { Resource } from '@tiltak/resource';
import { FIELDS } from './fields.ts';

/** The first resource. Its table and its ways in are older than the mould, and have more than it asks for. */
export const AVTALER: Resource<typeof FIELDS> & Record<'key' | 'order', keyof typeof FIELDS> = {
  name: 'avtaler',
  table: 'avtale',
  key: 'avtaleId',
  fields: FIELDS,
  order: 'sistEndret',
};
