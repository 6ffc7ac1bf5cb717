package no.nav.tiltak.datadeling

import java.util.UUID

/** What a page of the change feed comes to, for who keeps a copy. */
public data class CopyChange<out A : Answered>(
    /** to be stored instead of what the copy has of them */
    public val avtaler: List<A>,
    /** the ids of those to forget */
    public val gone: List<UUID>,
    /** where the copy must be; it is another's otherwise. As [Store.readPosition] gives it */
    public val after: String,
    /** where it is with this: a position, and what the copy is of when that is not everything. To be kept as it is */
    public val position: String,
)

/**
 * Where a copy lies. The position is stored together with what it is the position of: so nothing is lost or half done,
 * whoever is killed.
 */
public interface Store<A : Answered> {
    /** null before there is a whole copy */
    public fun readPosition(): String?

    /**
     * All of it in one: who reads the copy meanwhile sees the one before. What [avtaler] throws leaves that one as it is.
     *
     * @param instead the position that the copy must still be at, null when there is none
     * @return false, and nothing is changed, when the copy is at another: somebody else has replaced it
     */
    public fun replaceAll(avtaler: Sequence<List<A>>, position: String, instead: String?): Boolean

    /** All of it in one. Returns false, and nothing is changed, when the copy is not at `after`. */
    public fun apply(change: CopyChange<A>): Boolean
}

/** A copy in memory, read anew by each process. */
public class MemoryStore<A : Answered> : Store<A> {
    private class Copy<A>(val avtaler: Map<UUID, A>, val position: String?)

    @Volatile
    private var copy: Copy<A> = Copy(emptyMap(), null)

    /** The copy as it is now; what you have got does not change. */
    public val avtaler: Map<UUID, A> get() = copy.avtaler

    override fun readPosition(): String? = copy.position

    override fun replaceAll(avtaler: Sequence<List<A>>, position: String, instead: String?): Boolean {
        val all = avtaler.flatten().associateBy(::keyOf)
        return replace(instead) { Copy(all, position) }
    }

    override fun apply(change: CopyChange<A>): Boolean = replace(change.after) { current ->
        val all = HashMap(current.avtaler)
        all.keys.removeAll(change.gone.toSet())
        change.avtaler.associateByTo(all, ::keyOf)
        Copy(all, change.position)
    }

    @Synchronized
    private fun replace(expected: String?, next: (Copy<A>) -> Copy<A>): Boolean {
        val current = copy
        if (current.position != expected) return false
        copy = next(current)
        return true
    }
}
