@file:JvmName("Datadeling")
@file:JvmMultifileClass

package no.nav.tiltak.datadeling

import com.fasterxml.jackson.core.JacksonException
import java.io.IOException
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse
import java.time.Duration
import java.time.Instant
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/** Gives a machine token for the service, the same until it is about to expire. */
public fun interface TokenProvider {
    /** @param refused a token that the service has just refused: another is wanted */
    public fun getToken(refused: String?): String
}

/** The issuer did not give a token. */
public class TokenError internal constructor(
    what: String,
    /** it is not the request: the issuer may give one later */
    public val mayPass: Boolean,
    cause: Throwable? = null,
) : RuntimeException("No token: $what", cause)

/**
 * OAuth 2.0 client credentials (RFC 6749, 4.4). One request is under way at a time, whoever waits for it. While the issuer
 * can't be reached, a token serves until it expires.
 *
 * @param scope of the service, for instance `api://<cluster>.<namespace>.<app>/.default`
 * @param tokenEndpoint of the issuer; as Nais gives it unless told otherwise, and so are the two that follow
 */
@JvmOverloads
public fun clientCredentials(
    scope: String,
    tokenEndpoint: String = given("AZURE_OPENID_CONFIG_TOKEN_ENDPOINT"),
    clientId: String = given("AZURE_APP_CLIENT_ID"),
    clientSecret: String = given("AZURE_APP_CLIENT_SECRET"),
    http: HttpClient = defaultHttp(),
): TokenProvider {
    val form = mapOf(
        "grant_type" to "client_credentials",
        "client_id" to clientId,
        "client_secret" to clientSecret,
        "scope" to scope,
    )
    val request = HttpRequest.newBuilder(URI.create(tokenEndpoint)).timeout(Duration.ofSeconds(10))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .POST(BodyPublishers.ofString(queryOf(form.toList()).drop(1)))
        .build()
    return KeptToken { requestToken(http, request) }
}

private fun given(name: String): String =
    System.getenv(name) ?: throw TokenError("$name is not set, and nothing is given instead", mayPass = false)

/** So long before it expires a token is replaced: it must still be valid when it arrives. */
private val MARGIN = Duration.ofSeconds(60)

/** How long a token serves on after the issuer could not give another. */
private val NEXT_TRY = Duration.ofSeconds(10)

private class KeptToken(private val request: () -> Pair<String, Duration>) : TokenProvider {
    private class Kept(val token: String, val until: Instant, val expires: Instant)

    private val lock = ReentrantLock()

    @Volatile
    private var kept: Kept? = null

    override fun getToken(refused: String?): String = usable(refused) ?: lock.withLock { usable(refused) ?: renew(refused) }

    private fun usable(refused: String?): String? =
        kept?.takeIf { it.token != refused && Instant.now() < it.until }?.token

    private fun renew(refused: String?): String {
        val now = Instant.now()
        try {
            val (token, lasts) = request()
            kept = Kept(token, now + maxOf(lasts - MARGIN, lasts.dividedBy(2)), now + lasts)
            return token
        } catch (error: TokenError) {
            val old = kept
            if (!error.mayPass || old == null || old.token == refused || Instant.now() >= old.expires) throw error
            kept = Kept(old.token, minOf(old.expires, Instant.now() + NEXT_TRY), old.expires)
            return old.token
        }
    }
}

private fun requestToken(http: HttpClient, request: HttpRequest): Pair<String, Duration> {
    val response = try {
        http.send(request, HttpResponse.BodyHandlers.ofByteArray())
    } catch (error: IOException) {
        throw TokenError("the issuer can not be reached", mayPass = true, error)
    } catch (error: InterruptedException) {
        Thread.currentThread().interrupt()
        throw TokenError("the thread was interrupted", mayPass = true, error)
    }
    val status = response.statusCode()
    // Not the answer's text: it may repeat what was sent.
    if (status !in 200..299) throw TokenError("the issuer answered $status", mayPass = status == 429 || status >= 500)
    val answer = try {
        Json.readTree(response.body())
    } catch (_: JacksonException) {
        null
    }
    val token = answer?.path("access_token")?.textValue() ?: throw TokenError("the issuer gave none", mayPass = false)
    return token to Duration.ofSeconds(answer.path("expires_in").asLong(0))
}
