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
 * Keeps a copy of all avtaler that the consumer may see, or that its abonnement is of: everything once, then what changes, for ever. It goes on from
 * where the store is, after a restart too, and starts anew when its position can't be used any more, or an export was cut
 * off. Any number of processes may follow with one store. What fails at the service, on the way or at the store is tried
 * again, with pauses that grow to half a minute.
 *
 * Returns when its thread is interrupted, after what is being stored. Throws [ProblemError] and [TokenError] for what
 * waiting does not help against: no grant, a wrong request, a wrong secret.
 *
 * @param onProgress after each step is stored, and while an export comes; what it throws ends the following
 * @param onRetry something failed that passes by waiting, here or at the store, and is tried again after so long; without
 *   it, a warning is logged
 * @param count changes on a page, at most 1,000
 * @param waitSeconds at the end of the feed, at most 30
 * @param abonnement keeps a copy of what this abonnement of yours is of, and of nothing else: what leaves it is forgotten. A
 *   store is of one abonnement, or of everything; with another name the copy is made anew
 */
@JvmOverloads
public fun followAvtaler(
    client: QueryApiClient,
    store: Store,
    onProgress: Consumer<Progress> = Consumer { },
    onRetry: BiConsumer<Exception, Duration> = BiConsumer(::warn),
    count: Int = 500,
    waitSeconds: Int = 30,
    abonnement: String? = null,
) {
    val thread = Thread.currentThread()
    val follower = Follower(client, store, onProgress, count, waitSeconds, abonnement)
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

private class Follower(
    private val client: QueryApiClient,
    private val store: Store,
    private val onProgress: Consumer<Progress>,
    private val count: Int,
    private val waitSeconds: Int,
    private val abonnement: String?,
) {
    /** A position that the service no longer takes. */
    private var refused: String? = null

    /** Null when another process was first. */
    fun step(): Progress? {
        val position = store.readPosition()
        if (position == null || position == refused) return takeExport(position)
        return try {
            takeChanges(position)
        } catch (_: StartAgainError) {
            refused = position
            takeExport(position)
        }
    }

    private fun takeExport(instead: String?): Progress? = readExport(client, abonnement).use { exported ->
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
        if (store.replaceAll(told, position, instead)) progress(Step.EXPORT, exported.count) else null
    }

    private fun takeChanges(after: String): Progress? {
        val page = readChanges(client, after, count, waitSeconds, abonnement)
        // Waiting at the end of the feed writes nothing.
        val isTaken = page.position == after || store.apply(CopyChange(page.avtaler, page.gone, after, page.position))
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
    val isOurs = error.javaClass.packageName == Follower::class.java.packageName
    val what = if (isOurs) error.message else error.javaClass.name
    System.getLogger("no.nav.tiltak.datadeling").log(WARNING, "Following waits {0} ms: {1}", pause.toMillis(), what)
}
