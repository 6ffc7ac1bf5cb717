package no.nav.tiltak.datadeling

import java.util.UUID

/** What a copy is of, of all that the consumer may see. */
internal class CopyContent(abonnement: String?, felter: Collection<Avtalefelt>?) {
    /** The same in every language: a copy of something else is then known, and made anew. A position itself has no space. */
    private val name = (abonnement?.let { " abonnement=$it" } ?: "") + (felter?.let { " felter=${withId(it).joinToString(",")}" } ?: "")

    /** As a store keeps it. */
    fun toStored(position: String): String = position + name

    /** Null for the place of a copy of something else. */
    fun toPosition(stored: String): String? = stored.substringBefore(' ').takeIf { toStored(it) == stored }
}

/** Without its id nobody knows which avtale it is. In one order, so that the same fields are the same request. */
internal fun withId(felter: Collection<Avtalefelt>): List<Avtalefelt> =
    (felter + Avtalefelt.avtaleId).distinct().sortedBy { it.name }

internal fun keyOf(avtale: Answered): UUID = checkNotNull(avtale.avtaleId) { "An avtale without its id" }
