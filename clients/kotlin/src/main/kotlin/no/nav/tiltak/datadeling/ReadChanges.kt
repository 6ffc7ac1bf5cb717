@file:JvmName("Datadeling")
@file:JvmMultifileClass

package no.nav.tiltak.datadeling

import java.time.Instant
import java.util.UUID

/** What a type that is newer than the client means is seen in the look-up. */
private val GONE = setOf(Endringstype.SLETTET, Endringstype.UTENFOR)

/** A page of the change feed, and what it told of as it is now. */
public data class ReadChanges<out A : Answered>(
    /** those named as ENDRET that are there */
    public val avtaler: List<A>,
    /** the ids of those to forget: SLETTET, UTENFOR, or not there any more */
    public val gone: List<UUID>,
    /** to go on from; store it together with what was done about the page */
    public val position: String,
    /** there is more right away */
    public val more: Boolean,
    /** when there is no more: everything that the source published up to this moment has been told */
    public val updatedTo: Instant?,
    /** when the last change on the page was made; null when there is none */
    public val lastChange: Instant?,
)

/** The position can't be used any more: everything must be read anew, from [readExport]. */
public class StartAgainError internal constructor(cause: Throwable) :
    RuntimeException("The position in the change feed can not be used any more: start again from eksporterAvtaler", cause)

/**
 * The next page for who keeps a copy. The avtaler are at least as new as the page: what answers may read from a replica
 * that is behind, and is then asked again.
 *
 * Throws [StartAgainError], [ProblemError], [UnansweredError] and [TokenError]; the page has not been used then, and can be
 * asked for again.
 *
 * @param after `position` of the export, or of the page before
 * @param count on a page, at most 1,000
 * @param waitSeconds at the end of the feed, at most 30
 * @param abonnement the feed of this abonnement of yours; [after] is a position of it
 */
@JvmOverloads
public fun readChanges(
    client: QueryApiClient,
    after: String,
    count: Int = 500,
    waitSeconds: Int = 30,
    abonnement: String? = null,
): ReadChanges<Avtale> = readChanges(client, after, count, waitSeconds, abonnement) { avtaleIder, options ->
    client.sokAvtaler(Sok(avtaleIder = avtaleIder, antall = 1_000), options).data.avtaler
}

/**
 * The same with these fields of each, and its id, by `hentUtdrag`. Only they need a grant.
 */
@JvmOverloads
public fun readChanges(
    client: QueryApiClient,
    after: String,
    felter: Collection<Avtalefelt>,
    count: Int = 500,
    waitSeconds: Int = 30,
    abonnement: String? = null,
): ReadChanges<Utdrag> = readChanges(client, after, count, waitSeconds, abonnement) { avtaleIder, options ->
    client.hentUtdrag(UtdragSok(felter = withId(felter), avtaleIder = avtaleIder, antall = 1_000), options).data.avtaler
}

private fun <A : Answered> readChanges(
    client: QueryApiClient,
    after: String,
    count: Int,
    waitSeconds: Int,
    abonnement: String?,
    lookUp: (List<UUID>, CallOptions) -> List<A>,
): ReadChanges<A> {
    val asked = unlessGone {
        client.hentEndringer(etter = after, abonnement = abonnement, antall = count, ventSekunder = waitSeconds)
    }
    val page = asked.data
    // The last that is told of an avtale counts.
    val told = page.endringer.associate { it.avtaleId to it.type }
    val changed = told.filterValues { it !in GONE }.keys.toList()
    val avtaler = if (changed.isEmpty()) emptyList() else unlessGone {
        lookUp(changed, CallOptions(minstPosisjon = page.posisjon))
    }
    val found = avtaler.map(::keyOf).toSet()
    val gone = told.keys.filter { it !in found }
    return ReadChanges(avtaler, gone, page.posisjon, page.flere, asked.updatedTo, page.endringer.lastOrNull()?.tidspunkt)
}

private fun <T> unlessGone(call: () -> T): T = try {
    call()
} catch (error: ProblemError) {
    throw if (error.status == 410) StartAgainError(error) else error
}
