package no.nav.tiltak.datadeling

import com.fasterxml.jackson.databind.JsonNode
import org.postgresql.ds.PGSimpleDataSource
import java.net.URI
import java.util.UUID

/** The one that `npm run test:klienter` has started, or another that TEST_POSTGRES_URL names. */
object Postgres {
    val url: String? = System.getenv("TEST_POSTGRES_URL")

    val dataSource: PGSimpleDataSource by lazy {
        val at = URI(checkNotNull(url))
        PGSimpleDataSource().apply {
            setURL("jdbc:postgresql://${at.host}:${at.port}${at.path}")
            val (user, password) = "${at.userInfo}:".split(":")
            this.user = user
            this.password = password
        }.also { db ->
            db.connection.use { it.createStatement().execute("create table if not exists notert (kopi text, hva text)") }
        }
    }

    fun noted(table: String): List<String> = if (url == null) emptyList() else read("select hva from notert where kopi = '$table'")

    fun read(query: String): List<String> = dataSource.connection.use { db ->
        val rows = db.createStatement().executeQuery(query)
        generateSequence { if (rows.next()) rows.getString(1) else null }.toList()
    }
}

class TestStore<A : Answered> private constructor(val store: Store<A>, val read: () -> List<String>) {
    fun ids(): List<Int> = read().map { numberOf(UUID.fromString(json.readTree(it)["avtaleId"].textValue())) }

    companion object {
        fun <A : Answered> of(given: JsonNode, table: String): TestStore<A> {
            if (given["store"].textValue() == "memory") {
                val store = MemoryStore<A>()
                return TestStore(store) { store.avtaler.entries.sortedBy { numberOf(it.key) }.map { it.value.toJson() } }
            }
            var failures = given.path("onChangeFails").asInt()
            fun note(db: java.sql.Connection, what: String) = db.prepareStatement("insert into notert values (?, ?)").use {
                it.setString(1, table)
                it.setString(2, what)
                it.execute()
            }
            val store = PostgresStore<A>(
                Postgres.dataSource,
                table,
                onChange = { db, change ->
                    note(db, change.position)
                    if (failures-- > 0) error("The consumer's own")
                },
                onReplaced = { note(it, "everything") },
            )
            Postgres.dataSource.connection.use { db ->
                // A database may serve several runs.
                db.createStatement().execute("drop table if exists $table, ${table}_posisjon; delete from notert where kopi = '$table'")
            }
            store.createTables()
            return TestStore(store) { Postgres.read("select innhold from $table order by avtale_id") }
        }
    }
}
