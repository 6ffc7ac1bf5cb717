@file:JvmName("Datadeling")
@file:JvmMultifileClass

package no.nav.tiltak.datadeling

/**
 * All of a search, page by page, as one sequence; a page is asked for when it is come to.
 *
 * ```
 * readPages({ client.sokAvtaler(sok.copy(neste = it)).data }, { it.neste }, { it.avtaler })
 * ```
 *
 * @param readPage asks for the page that begins at the cursor; its errors come to who reads the sequence
 * @param nextOf the cursor to the page after this one
 * @param itemsOf what the sequence is made of
 */
public fun <Page, Item> readPages(
    readPage: (next: String?) -> Page,
    nextOf: (Page) -> String?,
    itemsOf: (Page) -> List<Item>,
): Sequence<Item> = sequence {
    var next: String? = null
    do {
        val page = readPage(next)
        yieldAll(itemsOf(page))
        next = nextOf(page)
    } while (next != null)
}

/** All avtaler of a search. */
public fun readPages(client: QueryApiClient, search: Sok): Sequence<Avtale> =
    readPages({ client.sokAvtaler(search.copy(neste = it ?: search.neste)).data }, { it.neste }, { it.avtaler })
