import type { QueryApiClient, Schemas } from './client.ts';
import { answerOf } from './problem.ts';

/** All avtaler of a search. */
export function readPages(client: QueryApiClient, search: Schemas['Sok']): AsyncGenerator<Schemas['Avtale'], void>;
/**
 * All of a search, page by page, as one sequence; a page is asked for when it is come to.
 *
 * @param readPage asks for the page that begins at the cursor; throws what `answerOf` throws
 * @param itemsOf what the sequence is made of
 */
export function readPages<Page extends { neste?: string }, Item>(
  readPage: (next: string | undefined) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
): AsyncGenerator<Item, void>;
export function readPages<Page extends { neste?: string }, Item>(
  of: QueryApiClient | ((next: string | undefined) => Promise<Page>),
  what: Schemas['Sok'] | ((page: Page) => readonly Item[]),
): AsyncGenerator<unknown, void> {
  if (typeof of === 'function' && typeof what === 'function') return pages(of, what);
  const [client, search] = [of as QueryApiClient, what as Schemas['Sok']];
  return pages(
    (neste) => answerOf(client.POST('/api/v1/avtaler/sok', { body: { ...search, ...(neste && { neste }) } })),
    ({ avtaler }) => avtaler,
  );
}

async function* pages<Page extends { neste?: string }, Item>(
  readPage: (next: string | undefined) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
): AsyncGenerator<Item, void> {
  let next: string | undefined;
  do {
    const page = await readPage(next);
    yield* itemsOf(page);
    next = page.neste;
  } while (next !== undefined);
}
