package no.nav.tiltak.datadeling

import com.fasterxml.jackson.databind.JsonNode
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import java.time.Duration
import java.time.Instant
import java.time.temporal.ChronoUnit
import java.util.UUID
import java.util.function.BiConsumer
import java.util.function.Consumer

/** What clients of all languages do, by clients/conformance/scenarios.yaml; conformance.spec.ts plays the same. */
class ConformanceTest {
    private val scenarios = readScenarios()

    @TestFactory
    fun scenarios(): List<DynamicTest> =
        scenarios.mapIndexed { n, it -> dynamicTest(it["name"].textValue()) { Service(it.list("answers")).use { at -> run(it, n, at) } } }

    private fun run(scenario: JsonNode, n: Int, service: Service) {
        val given = scenario["with"] ?: json.createObjectNode()
        assumeTrue(given.path("store").asText() != "postgres" || Postgres.url != null, "No Postgres: npm run test:klienter has one")
        val waits = mutableListOf<String>()
        val client = clientOf(scenario.path("client"), service) { waits += it.why }
        val from = System.nanoTime()
        val outcome = try {
            play(scenario["do"].textValue(), given, client, service, "kt_kopi_$n") to null
        } catch (error: Exception) {
            null to error
        }
        val ms = Duration.ofNanos(System.nanoTime() - from).toMillis()
        val (result, error) = outcome
        val expected = scenario["error"]
        if (expected == null) error?.let { throw it }
        val tree = json.readTree(Json.write(result ?: told(error)))
        assertNull(difference(expected ?: scenario["result"], tree), "answered $tree")
        for (path in scenario.list("absent")) {
            assertTrue(tree.at("/${path.textValue().replace('.', '/')}").isMissingNode, "$path of $tree")
        }
        requests(scenario, service)
        if (scenario.path("letGo").asBoolean()) assertTrue(service.isLetGo(), "a connection is still held")
        scenario["waits"]?.let { assertEquals(it.map(JsonNode::textValue), waits) }
        assertTrue(ms >= scenario.path("atLeastMs").asLong(0), "after $ms ms")
    }

    private fun requests(scenario: JsonNode, service: Service) {
        val count = scenario["requestCount"]?.intValue() ?: scenario["requests"]?.size()
        if (count != null) assertEquals(count, service.seen.size)
        scenario.list("requests").forEachIndexed { i, request ->
            val seen = service.seen[i]
            val body = if (seen.body.startsWith("{")) json.readTree(seen.body) else seen.body
            val tree: JsonNode = json.valueToTree(
                mapOf("method" to seen.method, "path" to seen.path, "headers" to seen.headers, "body" to body),
            )
            assertNull(difference(request, tree), "request ${i + 1} was $tree")
        }
        if (scenario.path("oneCall").asBoolean()) {
            val ids = service.seen.map { it.headers["nav-call-id"] }
            assertTrue(ids.size > 1 && ids.toSet().size == 1 && ids[0]?.length == 36, "$ids")
        }
    }

    private fun clientOf(options: JsonNode, service: Service, onRetry: (Waited) -> Unit) = createQueryApiClient(
        baseUrl = service.url,
        getToken = if (options.path("credentials").asBoolean()) issuer(service) else TokenProvider { if (it == null) "first" else "second" },
        behandlingsgrunnlag = options["behandlingsgrunnlag"]?.textValue(),
        timeout = Duration.ofMillis(options.path("timeoutMs").asLong(10_000)),
        budget = Duration.ofMillis(options.path("budgetMs").asLong(20_000)),
        onRetry = onRetry,
    )

    private fun issuer(service: Service) =
        clientCredentials("api://x/.default", "${service.url}/token", clientId = "me", clientSecret = "s3cret")

    private fun play(what: String, given: JsonNode, client: QueryApiClient, service: Service, table: String): Any? = when (what) {
        "search" -> client.sokAvtaler(json.treeToValue(given, Sok::class.java)).data
        "status" -> client.hentTiltaksstatus(json.treeToValue(given, TiltaksstatusSporring::class.java)).data
        "get" -> client.hentAvtale(idOf(given["avtale"].intValue())).data
        "pages" -> readPages(client, json.treeToValue(given, Sok::class.java)).map(::kept).toList()
        "export" -> exportOf(client, given).use { exported ->
            val all = exported.avtaler.flatten().toList()
            mapOf(
                "position" to exported.position,
                "count" to exported.count,
                "updatedTo" to milliseconds(exported.updatedTo),
                "read" to all.size,
                "first" to all.firstOrNull()?.let(::kept),
            )
        }
        "changes" -> changesOf(client, given).let {
            mapOf(
                "avtaler" to it.avtaler.map(::kept),
                "gone" to it.gone.map(::numberOf).sorted(),
                "position" to it.position,
                "more" to it.more,
                "updatedTo" to milliseconds(it.updatedTo),
                "lastChange" to milliseconds(it.lastChange),
            )
        }
        "follow" -> when (val felter = felterOf(given)) {
            null -> follow(TestStore.of(given, table), given, table, ::avtale) { store, told, failed ->
                followAvtaler(client, store, told, failed, waitSeconds = 0, abonnement = abonnementOf(given))
            }
            else -> follow(TestStore.of(given, table), given, table, { Utdrag(avtaleId = it) }) { store, told, failed ->
                followAvtaler(client, store, felter, told, failed, waitSeconds = 0, abonnement = abonnementOf(given))
            }
        }
        "store" -> TestStore.of<Avtale>(given, table).let { store -> given["moves"].map { move(store, it) } }
        "tokens" -> issuer(service).let { provide ->
            given["steps"].map {
                Thread.sleep(it.path("waitMs").asLong())
                provide.getToken(it["refused"]?.textValue())
            }
        }
        else -> error("There is no $what")
    }

    private fun exportOf(client: QueryApiClient, given: JsonNode): Exported<Answered> {
        val felter = felterOf(given) ?: return readExport(client, abonnementOf(given))
        return readExport(client, felter, abonnementOf(given))
    }

    private fun changesOf(client: QueryApiClient, given: JsonNode): ReadChanges<Answered> {
        val after = given["after"].textValue()
        val (count, waitSeconds) = given.path("count").asInt(500) to given.path("waitSeconds").asInt(30)
        val felter = felterOf(given) ?: return readChanges(client, after, count, waitSeconds, abonnementOf(given))
        return readChanges(client, after, felter, count, waitSeconds, abonnementOf(given))
    }

    private fun abonnementOf(given: JsonNode): String? = given["abonnement"]?.textValue()

    private fun felterOf(given: JsonNode): List<Avtalefelt>? = given["felter"]?.map { Avtalefelt.valueOf(it.textValue()) }

    private fun <A : Answered> follow(
        at: TestStore<A>,
        given: JsonNode,
        table: String,
        stored: (UUID) -> A,
        start: (Store<A>, Consumer<Progress>, BiConsumer<Exception, Duration>) -> Unit,
    ): Any {
        given["from"]?.let { at.store.replaceAll(batchOf(it["copy"], stored), it["position"].textValue(), null) }
        val steps = mutableListOf<Map<String, Any?>>()
        val exporting = mutableListOf<Int>()
        val retried = mutableListOf<Map<String, Any?>>()
        val onProgress = Consumer { it: Progress ->
            if (it.step == Step.EXPORTING) {
                exporting += it.stored
            } else {
                steps += mapOf(
                    "step" to it.step, "position" to it.position, "stored" to it.stored, "gone" to it.gone,
                    "more" to it.more, "hasLag" to (it.lag != null), "total" to it.total, "copy" to at.ids(),
                )
                if (steps.size == given["steps"].intValue()) Thread.currentThread().interrupt()
            }
        }
        try {
            start(at.store, onProgress) { error, _ ->
                retried += told(error) + mapOf("position" to at.store.readPosition(), "copy" to at.ids())
            }
        } finally {
            Thread.interrupted()
        }
        return mapOf(
            "steps" to steps, "exporting" to exporting, "retried" to retried,
            "place" to at.store.readPosition(), "stored" to at.read().map(json::readTree), "noted" to Postgres.noted(table),
        )
    }

    private fun move(at: TestStore<Avtale>, move: JsonNode): Any {
        val (position, instead) = move["position"].textValue() to move["instead"]?.textValue()
        val taken = if (move.has("replaceAll")) {
            at.store.replaceAll(batchOf(move["replaceAll"], ::avtale), position, instead)
        } else {
            val avtaler = batchOf(move["apply"], ::avtale).first()
            at.store.apply(CopyChange(avtaler, move["gone"].map { idOf(it.intValue()) }, move["after"].textValue(), position))
        }
        return mapOf("taken" to taken, "position" to at.store.readPosition(), "copy" to at.ids())
    }

    private fun <A> batchOf(ids: JsonNode, stored: (UUID) -> A): Sequence<List<A>> =
        sequenceOf(ids.map { stored(idOf(it.intValue())) })

    private fun kept(avtale: Answered): JsonNode = json.readTree(avtale.toJson())

    private fun milliseconds(moment: Instant?): Instant? = moment?.truncatedTo(ChronoUnit.MILLIS)

    private fun told(error: Exception?): Map<String, Any?> = mapOf(
        "kind" to error?.javaClass?.simpleName,
        "message" to error?.message,
        "status" to (error as? ProblemError)?.status,
        "code" to (error as? ProblemError)?.code,
        "callId" to ((error as? ProblemError)?.callId ?: (error as? UnansweredError)?.callId),
        "mayPass" to ((error as? ProblemError)?.mayPass ?: (error as? TokenError)?.mayPass),
        "why" to generateSequence<Throwable>(error) { it.cause }.lastOrNull()?.message,
    )

    private fun JsonNode.list(name: String): List<JsonNode> = this[name]?.toList().orEmpty()
}

fun avtale(id: UUID) = Avtale(
    avtaleId = id,
    godkjentPaaVegneAv = false,
    godkjentPaaVegneAvArbeidsgiver = false,
    sistEndret = Instant.EPOCH,
    links = AvtaleLenker(self = Lenke("/api/v1/avtaler/$id")),
)
