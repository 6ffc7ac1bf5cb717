@file:JvmName("Datadeling")
@file:JvmMultifileClass

package no.nav.tiltak.datadeling

import java.net.http.HttpClient
import java.net.http.HttpResponse.BodyHandler
import java.net.http.HttpResponse.BodySubscribers
import java.time.Duration
import java.time.Instant
import java.time.format.DateTimeParseException
import java.util.function.Consumer

/**
 * A client of tiltak-datadeling, typed by the published OpenAPI document. It tries again what passes by waiting, and
 * reads values that are newer than itself as `UKJENT`. Any number of threads may share it.
 *
 * @param baseUrl where the service is, without a path
 * @param getToken [clientCredentials], or a function of your own
 * @param behandlingsgrunnlag the purpose; required for a consumer with several
 * @param timeout how long one attempt may take, all of the answer included; a call that waits at the service gets as much
 *   more
 * @param budget how long to go on trying, from the first attempt
 * @param onRetry hears of each wait before another attempt; holds no personal data
 * @param http instead of one with HTTP/1.1 and a limit of 5 s for connecting
 */
@JvmOverloads
public fun createQueryApiClient(
    baseUrl: String,
    getToken: TokenProvider,
    behandlingsgrunnlag: String? = null,
    timeout: Duration = Duration.ofSeconds(10),
    budget: Duration = Duration.ofSeconds(60),
    onRetry: Consumer<Waited> = Consumer { },
    http: HttpClient = defaultHttp(),
): QueryApiClient = QueryApiClient(
    PatientHttp(http, baseUrl.trimEnd('/'), getToken, behandlingsgrunnlag, timeout, budget, onRetry),
)

/** The operations of the service, by operationId; see [createQueryApiClient]. */
public class QueryApiClient internal constructor(internal val http: PatientHttp) : Operations() {
    override fun <T : Any> call(
        method: String,
        path: String,
        query: List<Pair<String, Any?>>,
        body: Any?,
        options: CallOptions,
        type: Class<T>,
    ): Answer<T> {
        val asked = Asked(method, path + queryOf(query), body?.let(Json::write), options)
        val wait = (query.firstOrNull { it.first == "ventSekunder" }?.second as? Int) ?: 0
        val (response, callId) = http.send(asked, WHOLE, Duration.ofSeconds(wait.toLong()))
        if (response.statusCode() !in 200..299) throw ProblemError.of(response.statusCode(), response.body(), callId)
        @Suppress("UNCHECKED_CAST")
        val data = if (type == Unit::class.java) Unit as T else Json.readAnswer(response.body(), type)
        return Answer(data, momentOf(response.headers()), response.headers().firstValue("etag").orElse(null), callId)
    }
}

/** What a call was answered with. */
public data class Answer<out T>(
    public val data: T,
    /** `Data-Oppdatert`: everything that the source published up to this moment is in the answer */
    public val updatedTo: Instant?,
    /** of `hentAvtale` and `hentAvtaleMedNummer`, for [CallOptions.ifNoneMatch] */
    public val etag: String?,
    /** to find the call in the service's log */
    public val callId: String,
)

/** What may be said with a call besides its parameters. */
public data class CallOptions @JvmOverloads constructor(
    /** the answer must be at least as new as this position in the change feed */
    public val minstPosisjon: String? = null,
    /** an `etag`: when the answer is still that one, [ProblemError] has status 304 */
    public val ifNoneMatch: String? = null,
    /** instead of the client's */
    public val behandlingsgrunnlag: String? = null,
    /** your own, instead of one made for the call */
    public val callId: String? = null,
) {
    public companion object {
        @JvmField public val NONE: CallOptions = CallOptions()
    }
}

/** A page of whatever stands in the service's place, or half an answer, whatever its status says, is as none at all. */
internal val WHOLE: BodyHandler<ByteArray> = BodyHandler { info ->
    val isJson = info.statusCode() in 200..299 && info.statusCode() != 204
    BodySubscribers.mapping(BodySubscribers.ofByteArray()) { if (isJson) Json.requireJson(it) else it }
}

internal fun defaultHttp(): HttpClient =
    HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(5)).build()

internal fun momentOf(headers: java.net.http.HttpHeaders): Instant? =
    headers.firstValue("data-oppdatert").orElse(null)?.let {
        try {
            Instant.parse(it)
        } catch (_: DateTimeParseException) {
            null
        }
    }
