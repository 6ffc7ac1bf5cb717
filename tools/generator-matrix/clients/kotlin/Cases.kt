import com.fasterxml.jackson.databind.ObjectMapper
import java.util.UUID
import klient.api.AvtalerApi
import klient.api.EndringerApi
import klient.infrastructure.ApiResponse
import klient.infrastructure.ClientError
import klient.infrastructure.ClientException
import klient.model.Sok

/** Asks in each case, and prints what was seen: a line of JSON for each. */
private val json = ObjectMapper()

fun main(args: Array<String>) {
    val (base, avtaleId, etag) = args
    val id = UUID.fromString(avtaleId)
    run("kjent") {
        val avtale = AvtalerApi("$base/kjent").hentAvtale(avtaleId = id)
        mapOf("avtaleId" to avtale.avtaleId.toString(), "tiltakstype" to avtale.tiltakstype?.value)
    }
    run("ny-verdi") {
        val side = AvtalerApi("$base/ny-verdi").sokAvtaler(sok = Sok(antall = 3))
        mapOf("antall" to side.avtaler.size, "verdi" to side.avtaler[0].tiltakstype?.value)
    }
    run("nytt-felt") {
        mapOf("antall" to AvtalerApi("$base/nytt-felt").sokAvtaler(sok = Sok(antall = 3)).avtaler.size)
    }
    run("null") {
        val avtale = AvtalerApi("$base/null").hentAvtale(avtaleId = id)
        val nulls = mapOf(
            "avtaleNr" to (avtale.avtaleNr == null),
            "bedriftNr" to (avtale.bedriftNr == null),
            "startDato" to (avtale.startDato == null),
            "annullertTidspunkt" to (avtale.annullertTidspunkt == null),
        )
        mapOf("nuller" to nulls)
    }
    run("mikrosekunder") {
        mapOf("tid" to AvtalerApi("$base/mikrosekunder").hentAvtale(avtaleId = id).sistEndret.toString())
    }
    run("304") {
        // It has no defaults, and v1 gets more parameters: they come after these.
        val api = AvtalerApi("$base/304")
        val method = api.javaClass.methods.first { it.name == "hentAvtaleWithHttpInfo" }
        val others = arrayOfNulls<Any>(method.parameterCount - 2)
        mapOf("status" to (method.invoke(api, id, etag, *others) as ApiResponse<*>).statusCode)
    }
    run("problem") {
        try {
            EndringerApi("$base/problem").hentEndringer(etter = "x")
            mapOf("status" to 200)
        } catch (e: ClientException) {
            val problem = json.readTree((e.response as ClientError<*>).body as String)
            mapOf(
                "status" to e.statusCode,
                "type" to problem.path("type").asText(),
                "nyStart" to problem.path("nyStart").path("eksport").asText(),
                "form" to "an exception with the body as text",
            )
        }
    }
    run("eksport") {
        val given: Any = EndringerApi("$base/eksport").eksporterAvtaler()
        val all = if (given is java.io.File) given.readText() else given.toString()
        mapOf("linjer" to all.trim().lines().size, "form" to if (given is java.io.File) "a file" else "a text")
    }
    run("liste") {
        mapOf("antall" to AvtalerApi("$base/liste").sokAvtaler(sok = Sok(antall = 20)).avtaler.size)
    }
    System.exit(0)
}

private fun run(name: String, ask: () -> Map<String, Any?>) {
    val seen = try {
        ask()
    } catch (e: Throwable) {
        mapOf("error" to (e.cause ?: e).toString())
    }
    println(json.writeValueAsString(mapOf("case" to name) + seen))
}
