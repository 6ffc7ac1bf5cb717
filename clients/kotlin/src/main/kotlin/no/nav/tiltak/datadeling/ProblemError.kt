package no.nav.tiltak.datadeling

import com.fasterxml.jackson.core.JacksonException

/** What the service answered instead of what was asked for (RFC 9457). Its message holds no personal data. */
public class ProblemError private constructor(
    public val status: Int,
    /**
     * The last part of the problem's `type`, by which the catalogue of errors lists it; empty when the answer is not the
     * service's own.
     */
    public val code: String,
    /** to find the request in the service's log */
    public val callId: String,
    public val problem: Problem?,
    message: String,
) : RuntimeException(message) {
    /** It is not the request: the same may be answered later. */
    public val mayPass: Boolean get() = status == 429 || status >= 500

    internal companion object {
        fun of(status: Int, body: ByteArray, sentAs: String): ProblemError {
            val problem = read(body)
            val code = problem?.type?.substringAfterLast(':').orEmpty()
            val callId = problem?.callId ?: sentAs
            val fields = problem?.feil?.joinToString("; ") { "${it.felt} ${it.melding}" }
            val what = listOf("$status", code, problem?.detail, fields, "callId $callId").filterNot { it.isNullOrEmpty() }
            val message = "tiltak-datadeling answered ${what.joinToString(", ")}"
            return ProblemError(status, code, callId, problem, message)
        }

        private fun read(body: ByteArray): Problem? = try {
            Json.readTree(body)?.takeIf { it.path("type").isTextual }?.let { Json.read(it, Problem::class.java) }
        } catch (_: JacksonException) {
            null
        }
    }
}
