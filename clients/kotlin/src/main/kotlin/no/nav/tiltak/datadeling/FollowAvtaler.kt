@file:JvmName("Datadeling")
@file:JvmMultifileClass

package no.nav.tiltak.datadeling

import java.lang.System.Logger.Level.WARNING
import java.time.Duration
import java.time.Instant
import java.util.concurrent.ThreadLocalRandom
import java.util.function.BiConsumer
import java.util.function.Consumer

/** What the copy was just made. */
public enum class Step {
    /** everything is being read anew: so much of it has come */
    EXPORTING,

    /** everything anew */
    EXPORT,

    /** one page of changes further */
    CHANGES,
}

/** How far a copy has come. */
public data class Progress(
    public val step: Step,
    /** how many avtaler were stored, or have come of an export, and how many were forgotten */
    public val stored: Int,
    public val gone: Int,
    public val position: String,
    /** everything that the source published up to this moment is in the copy, once [more] is false */
    public val updatedTo: Instant?,
    /** there is more right away */
    public val more: Boolean,
    /** how old the copy is: since [updatedTo], or since the last change that it has when there is more; null: unknown */
    public val lag: Duration?,
    /** how many avtaler the export has */
    public val total: Int?,
)

private val MAX_PAUSE = Duration.ofSeconds(30)

/**
 * Keeps a copy of all avtaler that the consumer may see, or that its abonnement is of: everything once, then what changes,
 * for ever. It goes on from where the store is, after a restart too, and starts anew when its position can't be used any
 * more, or an export was cut off. Any number of processes may follow with one store. What fails at the service, on the way
 * or at the store is tried again, with pauses that grow to half a minute.
 *
 * Returns when its thread is interrupted, after what is being stored. Throws [ProblemError] and [TokenError] for what
 * waiting does not help against: no grant, a wrong request, a wrong secret.
 *
 * @param store of one copy: one that is of another abonnement, or of other fields, is made anew
 * @param onProgress after each step is stored, and while an export comes; what it throws ends the following
 * @param onRetry something failed that passes by waiting, here or at the store, and is tried again after so long; without
 *   it, a warning is logged
 * @param count changes on a page, at most 1,000
 * @param waitSeconds at the end of the feed, at most 30
 * @param abonnement keeps a copy of what this abonnement of yours is of, and of nothing else: what leaves it is forgotten
 */
@JvmOverloads
public fun followAvtaler(
    client: QueryApiClient,
    store: Store<Avtale>,
    onProgress: Consumer<Progress> = Consumer { },
    onRetry: BiConsumer<Exception, Duration> = BiConsumer(::warn),
    count: Int = 500,
    waitSeconds: Int = 30,
    abonnement: String? = null,
) {
    val source = object : Source<Avtale> {
        override fun export() = readExport(client, abonnement)

        override fun changes(after: String) = readChanges(client, after, count, waitSeconds, abonnement)
    }
    follow(Follower(source, CopyContent(abonnement, null), store, onProgress), onProgress, onRetry)
}

/**
 * The same with a copy of these fields of each, and its id. Only they need a grant, and the operation `hentUtdrag` in the
 * place of `sokAvtaler`.
 */
@JvmOverloads
public fun followAvtaler(
    client: QueryApiClient,
    store: Store<Utdrag>,
    felter: Collection<Avtalefelt>,
    onProgress: Consumer<Progress> = Consumer { },
    onRetry: BiConsumer<Exception, Duration> = BiConsumer(::warn),
    count: Int = 500,
    waitSeconds: Int = 30,
    abonnement: String? = null,
) {
    val source = object : Source<Utdrag> {
        override fun export() = readExport(client, felter, abonnement)

        override fun changes(after: String) = readChanges(client, after, felter, count, waitSeconds, abonnement)
    }
    follow(Follower(source, CopyContent(abonnement, felter), store, onProgress), onProgress, onRetry)
}

private fun follow(follower: Follower<*>, onProgress: Consumer<Progress>, onRetry: BiConsumer<Exception, Duration>) {
    val thread = Thread.currentThread()
    var failures = 0
    while (!thread.isInterrupted) {
        val progress = try {
            follower.step().also { failures = 0 }
        } catch (error: Exception) {
            if (thread.isInterrupted) return
            if (error is Told) throw error.cause
            if (error is ProblemError && !error.mayPass || error is TokenError && !error.mayPass) throw error
            val base = minOf(MAX_PAUSE, Duration.ofMillis(500L shl minOf(failures++, 10)))
            val pause = Duration.ofMillis((base.toMillis() * ThreadLocalRandom.current().nextDouble(0.75, 1.25)).toLong())
            onRetry.accept(error, pause)
            try {
                Thread.sleep(pause.toMillis())
            } catch (_: InterruptedException) {
                thread.interrupt()
            }
            null
        }
        if (progress != null) onProgress.accept(progress)
    }
}

/** What `onProgress` threw: it is the caller's, and nothing to try again. */
private class Told(override val cause: Throwable) : RuntimeException(cause)

/** What a copy is made of. */
private interface Source<A : Answered> {
    fun export(): Exported<A>

    fun changes(after: String): ReadChanges<A>
}

private class Follower<A : Answered>(
    private val source: Source<A>,
    private val content: CopyContent,
    private val store: Store<A>,
    private val onProgress: Consumer<Progress>,
) {
    /** A position that the service no longer takes. */
    private var refused: String? = null

    /** Null when another process was first. */
    fun step(): Progress? {
        val stored = store.readPosition()
        val position = stored?.let(content::toPosition)
        if (position == null || stored == refused) return takeExport(stored)
        return try {
            takeChanges(position)
        } catch (_: StartAgainError) {
            refused = stored
            takeExport(stored)
        }
    }

    private fun takeExport(instead: String?): Progress? = source.export().use { exported ->
        val (position, updatedTo) = exported.position to exported.updatedTo
        fun progress(step: Step, stored: Int) =
            Progress(step, stored, 0, position, updatedTo, more = true, lag = lagSince(updatedTo), total = exported.count)
        var read = 0
        val told = exported.avtaler.onEach { batch ->
            read += batch.size
            try {
                onProgress.accept(progress(Step.EXPORTING, read))
            } catch (error: Throwable) {
                throw Told(error)
            }
        }
        if (store.replaceAll(told, content.toStored(position), instead)) progress(Step.EXPORT, exported.count) else null
    }

    private fun takeChanges(after: String): Progress? {
        val page = source.changes(after)
        val change = CopyChange(page.avtaler, page.gone, content.toStored(after), content.toStored(page.position))
        // Waiting at the end of the feed writes nothing.
        val isTaken = page.position == after || store.apply(change)
        if (!isTaken) return null
        val lag = lagSince(if (page.more) page.lastChange else page.updatedTo)
        return Progress(
            Step.CHANGES, page.avtaler.size, page.gone.size, page.position, page.updatedTo, page.more, lag, total = null,
        )
    }
}

private fun lagSince(moment: Instant?): Duration? =
    moment?.let { maxOf(Duration.ZERO, Duration.between(it, Instant.now())) }

private fun warn(error: Exception, pause: Duration) {
    // Others' errors may hold what was being stored.
    val isOurs = error.javaClass.packageName == Answered::class.java.packageName
    val what = if (isOurs) error.message else error.javaClass.name
    System.getLogger("no.nav.tiltak.datadeling").log(WARNING, "Following waits {0} ms: {1}", pause.toMillis(), what)
}
