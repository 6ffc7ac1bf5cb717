package no.nav.tiltak.datadeling

import java.net.URI
import java.net.URLEncoder
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse
import java.net.http.HttpResponse.BodyHandler
import java.nio.charset.StandardCharsets.UTF_8
import java.time.DateTimeException
import java.time.Duration
import java.time.Instant
import java.time.ZonedDateTime
import java.time.format.DateTimeFormatter
import java.util.UUID
import java.util.concurrent.CancellationException
import java.util.concurrent.ExecutionException
import java.util.concurrent.ThreadLocalRandom
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import java.util.function.Consumer

/** A wait before another attempt. */
public data class Waited(
    /** a status, or `no answer`, or `no token` */
    public val why: String,
    public val pause: Duration,
    public val callId: String,
)

/**
 * There was no answer, for as long as the budget lets one try; or the thread was interrupted, and still says so.
 */
public class UnansweredError internal constructor(public val callId: String, cause: Throwable?) :
    RuntimeException("tiltak-datadeling did not answer, callId $callId", cause)

internal class Asked(val method: String, val path: String, val body: String?, val options: CallOptions)

private val FIRST_PAUSE = Duration.ofMillis(200)
private val MAX_PAUSE = Duration.ofSeconds(10)
private const val LONGEST_WAIT = 1_000_000_000L

/** A broken answer of a proxy tells nothing of how long to wait. */
private val PASSING = setOf(429, 502, 503, 504)

/**
 * A request with the token and the purpose, one call id over all attempts, and another attempt for what passes by waiting:
 * after `Retry-After`, with some jitter. A token that is refused is replaced once. The last answer is given, also when it
 * is a refusal.
 */
internal class PatientHttp(
    private val http: HttpClient,
    private val baseUrl: String,
    private val getToken: TokenProvider,
    private val behandlingsgrunnlag: String?,
    private val timeout: Duration,
    private val budget: Duration,
    private val onRetry: Consumer<Waited>,
) {
    /** @param longer how long the service itself was told to wait before it answers */
    fun <T> send(asked: Asked, handler: BodyHandler<T>, longer: Duration = Duration.ZERO): Pair<HttpResponse<T>, String> {
        val callId = asked.options.callId ?: UUID.randomUUID().toString()
        val from = System.nanoTime()
        var refused: String? = null
        var attempt = 0
        while (true) {
            val outcome = tryOnce(asked, callId, refused, handler, timeout + longer)
            if (outcome is Outcome.Answered) {
                val status = outcome.response.statusCode()
                if (status == 401 && refused == null) {
                    refused = outcome.token
                    continue
                }
                if (status !in PASSING) return outcome.response to callId
            }
            val pause = pauseAfter(outcome, attempt++)
            if (Duration.ofNanos(System.nanoTime() - from) + pause > budget) {
                when (outcome) {
                    is Outcome.Answered -> return outcome.response to callId
                    is Outcome.NoToken -> throw outcome.error
                    is Outcome.NoAnswer -> throw UnansweredError(callId, outcome.error)
                }
            }
            onRetry.accept(Waited(outcome.why, pause, callId))
            sleep(pause) { UnansweredError(callId, it) }
        }
    }

    private fun <T> tryOnce(
        asked: Asked,
        callId: String,
        refused: String?,
        handler: BodyHandler<T>,
        limit: Duration,
    ): Outcome<T> {
        val token = try {
            getToken.getToken(refused)
        } catch (error: TokenError) {
            if (!error.mayPass || Thread.currentThread().isInterrupted) throw error
            return Outcome.NoToken(error)
        }
        val sent = http.sendAsync(requestOf(asked, callId, token), handler)
        return try {
            Outcome.Answered(sent.get(limit.toMillis(), TimeUnit.MILLISECONDS), token)
        } catch (error: ExecutionException) {
            Outcome.NoAnswer(error.cause)
        } catch (error: TimeoutException) {
            sent.cancel(true)
            Outcome.NoAnswer(error)
        } catch (error: CancellationException) {
            Outcome.NoAnswer(error)
        } catch (error: InterruptedException) {
            sent.cancel(true)
            Thread.currentThread().interrupt()
            throw UnansweredError(callId, error)
        }
    }

    private fun requestOf(asked: Asked, callId: String, token: String): HttpRequest {
        val (minstPosisjon, ifNoneMatch, purpose) = asked.options
        val request = HttpRequest.newBuilder(URI.create(baseUrl + asked.path))
        request.header("Authorization", "Bearer $token").header("Nav-Call-Id", callId)
        (purpose ?: behandlingsgrunnlag)?.let { request.header("Behandlingsgrunnlag", it) }
        minstPosisjon?.let { request.header("Minst-Posisjon", it) }
        ifNoneMatch?.let { request.header("If-None-Match", it) }
        if (asked.body == null) return request.method(asked.method, BodyPublishers.noBody()).build()
        request.header("Content-Type", "application/json")
        return request.method(asked.method, BodyPublishers.ofString(asked.body)).build()
    }
}

private sealed interface Outcome<out T> {
    val why: String

    class Answered<T>(val response: HttpResponse<T>, val token: String) : Outcome<T> {
        override val why get() = response.statusCode().toString()
    }

    class NoToken(val error: TokenError) : Outcome<Nothing> {
        override val why get() = "no token"
    }

    class NoAnswer(val error: Throwable?) : Outcome<Nothing> {
        override val why get() = "no answer"
    }
}

private fun pauseAfter(outcome: Outcome<*>, attempt: Int): Duration {
    val said = (outcome as? Outcome.Answered)?.response?.headers()?.firstValue("retry-after")?.orElse(null)
    val growing = FIRST_PAUSE.multipliedBy(1L shl minOf(attempt, 10))
    val ms = (said?.let(::waitSaid) ?: minOf(MAX_PAUSE, growing)).toMillis()
    return Duration.ofMillis((ms * (1 + ThreadLocalRandom.current().nextDouble() / 4)).toLong())
}

/** `Retry-After` says seconds, or a date (RFC 9110, 10.2.3). */
private fun waitSaid(text: String): Duration? {
    val seconds = text.toLongOrNull() ?: try {
        Duration.between(Instant.now(), ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME)).seconds + 1
    } catch (_: DateTimeException) {
        0
    }
    // No budget is longer, and milliseconds must fit.
    return if (seconds > 0) Duration.ofSeconds(minOf(seconds, LONGEST_WAIT)) else null
}

/** Says that the thread was interrupted with an error of ours, and leaves it so. */
internal fun sleep(pause: Duration, interrupted: (InterruptedException) -> RuntimeException) {
    try {
        Thread.sleep(pause.toMillis())
    } catch (error: InterruptedException) {
        Thread.currentThread().interrupt()
        throw interrupted(error)
    }
}

internal fun queryOf(query: List<Pair<String, Any?>>): String {
    val said = query.flatMap { (name, value) ->
        val values = if (value is Iterable<*>) value.toList() else listOfNotNull(value)
        values.map { "${encode(name)}=${encode(it.toString())}" }
    }
    return if (said.isEmpty()) "" else said.joinToString("&", prefix = "?")
}

internal fun segment(value: Any): String = encode(value.toString())

private fun encode(text: String): String = URLEncoder.encode(text, UTF_8).replace("+", "%20")
