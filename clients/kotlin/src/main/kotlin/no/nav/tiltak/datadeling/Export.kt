@file:JvmName("Datadeling")
@file:JvmMultifileClass

package no.nav.tiltak.datadeling

import java.io.IOException
import java.io.InputStream
import java.net.http.HttpResponse.BodyHandler
import java.net.http.HttpResponse.BodySubscriber
import java.net.http.HttpResponse.BodySubscribers
import java.nio.ByteBuffer
import java.time.Duration
import java.time.Instant
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.Flow
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

/** Everything, as of one moment. Close it when it is not read to its end. */
public class Exported<out A : Answered> internal constructor(
    /** where to go on in the change feed */
    public val position: String,
    /** how many avtaler there are */
    public val count: Int,
    /** everything that the source published up to this moment is in it */
    public val updatedTo: Instant?,
    /** some hundred at a time, once; ends with [CutOffError] when the export is cut off before it is whole */
    public val avtaler: Sequence<List<A>>,
    private val body: InputStream,
) : AutoCloseable {
    override fun close(): Unit = body.close()
}

/** The export ended before all of it had come, or did not go on: nothing of it may be used as everything. */
public class CutOffError internal constructor(read: Int, count: Int, cause: Throwable? = null) :
    RuntimeException("The export was cut off after $read of $count avtaler", cause)

private const val BATCH = 500
private val SILENCE = Duration.ofSeconds(60)

/**
 * All avtaler that you may see, or those of an [abonnement] of yours; its position is one of that abonnement's feed. Throws
 * [ProblemError], [UnansweredError], [CutOffError] and [TokenError].
 */
@JvmOverloads
public fun readExport(client: QueryApiClient, abonnement: String? = null): Exported<Avtale> =
    readExport(client, Avtale::class.java, "abonnement" to abonnement)

/** The same with these fields of each, and its id. Only they need a grant. */
@JvmOverloads
public fun readExport(client: QueryApiClient, felter: Collection<Avtalefelt>, abonnement: String? = null): Exported<Utdrag> =
    readExport(client, Utdrag::class.java, "felter" to withId(felter), "abonnement" to abonnement)

private fun <A : Answered> readExport(client: QueryApiClient, type: Class<A>, vararg query: Pair<String, Any?>): Exported<A> {
    val asked = Asked("GET", "/api/v1/eksport" + queryOf(query.toList()), null, CallOptions.NONE)
    val (response, callId) = client.http.send(asked, LINES)
    val body = response.body()
    if (response.statusCode() != 200) {
        throw ProblemError.of(response.statusCode(), body.use { it.readAllBytes() }, callId)
    }
    val lines = linesOf(body).iterator()
    val head = try {
        headOf(lines)
    } catch (error: Throwable) {
        // Nobody else will: the connection would be held for as long as there is more to come.
        body.close()
        throw error
    }
    val avtaler = batches(lines, body, head.antall, type)
    return Exported(head.posisjon, head.antall, momentOf(response.headers()), avtaler, body)
}

private fun headOf(lines: Iterator<ByteArray>): Eksporthode = try {
    if (!lines.hasNext()) throw CutOffError(0, 0)
    Json.readAnswer(lines.next(), Eksporthode::class.java)
} catch (error: IOException) {
    // Jackson's are among these.
    throw CutOffError(0, 0, error)
}

private fun <A> batches(lines: Iterator<ByteArray>, body: InputStream, count: Int, type: Class<A>): Sequence<List<A>> = sequence {
    var read = 0
    body.use {
        while (true) {
            val batch = ArrayList<A>(BATCH)
            try {
                while (batch.size < BATCH && lines.hasNext()) batch += Json.readAnswer(lines.next(), type)
            } catch (error: IOException) {
                // Half a line, a connection that breaks, silence: it is an end like any other.
                throw CutOffError(read + batch.size, count, error)
            }
            read += batch.size
            if (batch.size < BATCH && read != count) throw CutOffError(read, count)
            if (batch.isNotEmpty()) yield(batch)
            if (batch.size < BATCH) break
        }
    }
}.constrainOnce()

private fun linesOf(body: InputStream): Sequence<ByteArray> = sequence {
    val reader = body.buffered(1 shl 16)
    var line = java.io.ByteArrayOutputStream()
    while (true) {
        val byte = reader.read()
        if (byte == -1) break
        if (byte != '\n'.code) {
            line.write(byte)
            continue
        }
        yield(line.toByteArray())
        line = java.io.ByteArrayOutputStream(line.size() + 256)
    }
    if (line.size() > 0) yield(line.toByteArray())
}

/** What is as long as everything is read piece by piece, and no faster than it is used. */
private val LINES: BodyHandler<InputStream> = BodyHandler { info ->
    val isLines = info.headers().firstValue("content-type").orElse("").startsWith("application/x-ndjson")
    if (isLines) PiecewiseBody() else BodySubscribers.mapping(WHOLE.apply(info)) { it.inputStream() }
}

/** As `BodySubscribers.ofInputStream`, but one that is silent for too long is given up. */
private class PiecewiseBody : InputStream(), BodySubscriber<InputStream> {
    private sealed interface Piece {
        class Bytes(val buffer: ByteBuffer) : Piece

        class End(val error: Throwable?) : Piece
    }

    private val pieces = LinkedBlockingQueue<Piece>()

    @Volatile
    private var subscription: Flow.Subscription? = null
    private var current: ByteBuffer = ByteBuffer.allocate(0)
    private var end: Piece.End? = null

    override fun getBody(): CompletionStage<InputStream> = CompletableFuture.completedFuture(this)

    override fun onSubscribe(given: Flow.Subscription) {
        subscription = given
        given.request(1)
    }

    override fun onNext(item: List<ByteBuffer>) {
        for (buffer in item) pieces.add(Piece.Bytes(buffer))
    }

    override fun onError(error: Throwable) {
        pieces.add(Piece.End(error))
    }

    override fun onComplete() {
        pieces.add(Piece.End(null))
    }

    override fun read(): Int = if (isAtEnd()) -1 else current.get().toInt() and 0xff

    override fun read(target: ByteArray, offset: Int, length: Int): Int {
        if (length == 0) return 0
        if (isAtEnd()) return -1
        val size = minOf(length, current.remaining())
        current.get(target, offset, size)
        return size
    }

    /** Waits for the next piece when this one is used. */
    private fun isAtEnd(): Boolean {
        while (!current.hasRemaining()) {
            val piece = end ?: next()
            if (piece is Piece.End) {
                end = piece
                piece.error?.let { throw IOException("The answer broke off", it) }
                return true
            }
            current = (piece as Piece.Bytes).buffer
            if (pieces.isEmpty()) subscription?.request(1)
        }
        return false
    }

    private fun next(): Piece = try {
        pieces.poll(SILENCE.toMillis(), TimeUnit.MILLISECONDS) ?: Piece.End(IOException("Silent for $SILENCE"))
    } catch (error: InterruptedException) {
        Thread.currentThread().interrupt()
        Piece.End(error)
    }

    override fun close() {
        if (end == null) end = Piece.End(null)
        subscription?.cancel()
    }
}
