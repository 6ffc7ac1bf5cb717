package no.nav.tiltak.datadeling

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.time.Duration
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import kotlin.concurrent.thread

/** What is Kotlin's own; all else stands in ConformanceTest. */
class ClientTest {
    private fun serve(vararg answers: String) = Service(answers.map(json::readTree))

    private fun clientOf(service: Service, budget: Duration = Duration.ofSeconds(20)) =
        createQueryApiClient(service.url, { "t" }, budget = budget)

    @Test
    fun `the program of the README is the one that tools, e2e runs`() {
        val shown = Regex("```kotlin\n(.*?)```", RegexOption.DOT_MATCHES_ALL).findAll(File("README.md").readText())
        assertEquals(listOf(File("src/test/kotlin/Consumer.kt").readText()), shown.map { it.groupValues[1] }.toList())
    }

    @Test
    fun `who waits for a token at the same time gets the same`() {
        serve("""{"delayMs":100,"json":{"access_token":"t1","expires_in":3600}}""").use { service ->
            val provide = clientCredentials("x", service.url, clientId = "me", clientSecret = "x")
            val pool = Executors.newFixedThreadPool(8)
            val tokens = pool.invokeAll(List(8) { Callable { provide.getToken(null) } }).map { it.get() }
            pool.shutdown()
            assertEquals(List(8) { "t1" } to 1, tokens to service.seen.size)
        }
    }

    @Test
    fun `what is missing on Nais is named`() {
        val error = assertThrows(TokenError::class.java) { clientCredentials("x") }
        assertEquals("No token: AZURE_OPENID_CONFIG_TOKEN_ENDPOINT is not set, and nothing is given instead", error.message)
    }

    @Test
    fun `a thread that is interrupted ends its wait, and still says so`() {
        serve("""{"status":503,"text":"","headers":{"Retry-After":"30"}}""").use { service ->
            var ended: Pair<Exception, Boolean>? = null
            val waiting = thread {
                try {
                    clientOf(service, Duration.ofMinutes(5)).hentFerskhet()
                } catch (error: UnansweredError) {
                    ended = error to Thread.currentThread().isInterrupted
                }
            }
            while (service.seen.isEmpty()) Thread.sleep(10)
            waiting.interrupt()
            waiting.join(10_000)
            assertEquals(true, ended?.second)
        }
    }

    @Test
    fun `following ends with its thread, also while it waits for the feed`() {
        serve("""{"lines":[{"posisjon":"p","antall":0}]}""", """{"fault":"silent"}""").use { service ->
            val following = thread { followAvtaler(clientOf(service), MemoryStore<Avtale>()) }
            while (service.seen.size < 2) Thread.sleep(10)
            following.interrupt()
            following.join(10_000)
            assertFalse(following.isAlive)
        }
    }

    @Test
    fun `what onProgress throws ends the following`() {
        serve("""{"lines":[{"posisjon":"p","antall":1},${avtale(idOf(1)).toJson()}]}""").use { service ->
            val error = assertThrows(IllegalStateException::class.java) {
                followAvtaler(clientOf(service), MemoryStore<Avtale>(), onProgress = { error("Mine") })
            }
            assertEquals("Mine", error.message)
        }
    }

    @Test
    fun `an avtale tells nobody who it is about`() {
        val avtale = avtale(idOf(1)).copy(deltakerFnr = "12345678910", veilederNavIdent = "Z123456", bedriftNr = "910825518")
        assertFalse("12345678910" in avtale.toString() || "Z123456" in avtale.toString())
        assertTrue("910825518" in avtale.toString())
        assertTrue("12345678910" in avtale.toJson())
    }

    @Test
    fun `a copy of what was answered is written as it is, and not as it was`() {
        val answered = Json.readAnswer("""${avtale(idOf(1)).toJson().dropLast(1)},"nytt":1}""".toByteArray(), Avtale::class.java)
        assertTrue(""""nytt":1""" in answered.toJson())
        assertTrue(""""bedriftNr":"1"""" in answered.copy(bedriftNr = "1").toJson())
    }
}
