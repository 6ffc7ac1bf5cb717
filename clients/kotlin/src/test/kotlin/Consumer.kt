import no.nav.tiltak.datadeling.*
import org.postgresql.ds.PGSimpleDataSource

fun main() {
    val env = System.getenv()
    val getToken = clientCredentials(scope = env.getValue("TILTAK_SCOPE"))
    val client = createQueryApiClient(env.getValue("TILTAK_URL"), getToken)
    println("The service has what was published up to ${client.hentFerskhet().data.dataOppdatert}")

    val store = PostgresStore<Avtale>(PGSimpleDataSource().apply { setURL(env.getValue("DATABASE_JDBC_URL")) })
    store.createTables()
    followAvtaler(client, store, onProgress = { println("${it.step}: ${it.stored} stored, ${it.gone} gone, ${it.lag} old") })
}
