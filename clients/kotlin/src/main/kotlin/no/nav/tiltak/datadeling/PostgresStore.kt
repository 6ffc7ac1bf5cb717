package no.nav.tiltak.datadeling

import java.sql.Connection
import java.sql.SQLException
import javax.sql.DataSource

/** The consumer's own work with a change, in the transaction that stores it. */
public fun interface OnChange<A : Answered> {
    public fun onChange(db: Connection, change: CopyChange<A>)
}

/** The consumer's own work when everything was read anew, in the transaction that stores it. */
public fun interface OnReplaced {
    public fun onReplaced(db: Connection)
}

/**
 * A copy in the consumer's Postgres: `avtale_id uuid primary key, innhold jsonb`. Several processes may follow with one
 * store, those of the client for TypeScript too: each change is taken by one of them, exactly once.
 *
 * @param table lower-case letters, digits and `_`; the position lies in a table of the same name with `_posisjon` behind it
 * @param onChange your own work with a change, in the same transaction; the copy is already as it says
 * @param onReplaced your own work after all was read anew, in the same transaction: what changed meanwhile is not told
 */
public class PostgresStore<A : Answered> @JvmOverloads constructor(
    private val dataSource: DataSource,
    private val table: String = "avtale_kopi",
    private val onChange: OnChange<A> = OnChange { _, _ -> },
    private val onReplaced: OnReplaced = OnReplaced { },
) : Store<A> {
    init {
        require(Regex("[a-z][a-z0-9_]{0,50}").matches(table)) { "table: lower-case letters, digits and _, 51 at most" }
    }

    /** The tables, for who has no migrations of their own that make them. */
    public val schema: String = """
        create table if not exists $table (avtale_id uuid primary key, innhold jsonb not null);
        create table if not exists ${table}_posisjon (
          en boolean primary key default true check (en), posisjon text);
        insert into ${table}_posisjon default values on conflict do nothing;
    """.trimIndent()

    public fun createTables(): Unit = inTransaction { db ->
        db.createStatement().use {
            // Two processes that start at the same time would make the same table.
            it.execute("select pg_advisory_xact_lock(hashtext('$table'))")
            it.execute(schema)
        }
    }

    override fun readPosition(): String? = inTransaction { db -> positionOf(db) }

    override fun replaceAll(avtaler: Sequence<List<A>>, position: String, instead: String?): Boolean =
        inTransaction { db ->
            if (positionOf(db, "for update") != instead) return@inTransaction false
            db.createStatement().use { it.execute("delete from $table") }
            for (batch in avtaler) put(db, batch)
            onReplaced.onReplaced(db)
            setPosition(db, position)
            true
        }

    override fun apply(change: CopyChange<A>): Boolean = inTransaction { db ->
        if (positionOf(db, "for update") != change.after) return@inTransaction false
        if (change.gone.isNotEmpty()) {
            db.prepareStatement("delete from $table where avtale_id = any(?)").use {
                it.setArray(1, db.createArrayOf("uuid", change.gone.toTypedArray()))
                it.executeUpdate()
            }
        }
        if (change.avtaler.isNotEmpty()) put(db, change.avtaler)
        onChange.onChange(db, change)
        setPosition(db, change.position)
        true
    }

    private fun positionOf(db: Connection, lock: String = ""): String? =
        db.createStatement().use { statement ->
            statement.executeQuery("select posisjon from ${table}_posisjon $lock").use { rows ->
                if (rows.next()) rows.getString(1) else null
            }
        }

    private fun setPosition(db: Connection, position: String) {
        db.prepareStatement("update ${table}_posisjon set posisjon = ?").use {
            it.setString(1, position)
            it.executeUpdate()
        }
    }

    private fun put(db: Connection, avtaler: List<A>) {
        val insert = """
            insert into $table (avtale_id, innhold)
            select (avtale ->> 'avtaleId')::uuid, avtale from jsonb_array_elements(?::jsonb) as ny(avtale)
            on conflict (avtale_id) do update set innhold = excluded.innhold
        """
        db.prepareStatement(insert).use {
            it.setString(1, avtaler.joinToString(",", "[", "]") { avtale -> avtale.toJson() })
            it.executeUpdate()
        }
    }

    private fun <T> inTransaction(work: (Connection) -> T): T = dataSource.connection.use { db ->
        db.autoCommit = false
        try {
            work(db).also { db.commit() }
        } catch (error: Throwable) {
            try {
                db.rollback()
            } catch (second: SQLException) {
                // Nobody knows what state it is in, and closing it is all that is left.
                error.addSuppressed(second)
            }
            throw error
        } finally {
            // A pool may give it to somebody who expects it as it was.
            runCatching { db.autoCommit = true }
        }
    }
}
