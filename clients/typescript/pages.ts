/**
 * All of a search, page by page, as one sequence.
 *
 * @param readPage asks for the page that begins at the cursor; throws what `answerOf` throws
 * @param itemsOf what the sequence is made of
 */
export async function* readPages<Page extends { neste?: string }, Item>(
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
