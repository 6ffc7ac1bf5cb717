package no.nav.tiltak.datadeling

import com.fasterxml.jackson.core.JacksonException
import com.fasterxml.jackson.core.JsonParser
import com.fasterxml.jackson.databind.DeserializationContext
import com.fasterxml.jackson.databind.DeserializationFeature
import com.fasterxml.jackson.databind.JsonMappingException
import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectReader
import com.fasterxml.jackson.databind.SerializationFeature
import com.fasterxml.jackson.databind.deser.std.StdDeserializer
import com.fasterxml.jackson.databind.json.JsonMapper
import com.fasterxml.jackson.databind.module.SimpleModule
import com.fasterxml.jackson.databind.node.ArrayNode
import com.fasterxml.jackson.databind.node.ObjectNode
import com.fasterxml.jackson.databind.node.TextNode
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule
import java.io.IOException
import java.io.UncheckedIOException
import java.util.UUID

/** An avtale, whole or some fields of it, that was answered, and can say how. */
public abstract class Answered internal constructor() {
    public abstract val avtaleId: UUID?

    private var answered: String? = null

    /**
     * As JSON: what the service answered, with the fields that are newer than this client too, and values that it does not
     * know as `UKJENT`. Something that you made, or copied, is written as it is.
     */
    public fun toJson(): String = answered ?: Json.write(this)

    internal fun answeredAs(json: String) {
        answered = json
    }
}

private const val NOT_JSON = "What was answered is not JSON"

internal object Json {
    private val plain: JsonMapper = JsonMapper.builder().addModule(JavaTimeModule())
        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
        .enable(DeserializationFeature.READ_UNKNOWN_ENUM_VALUES_USING_DEFAULT_VALUE)
        .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
        .build()
    private val mapper: JsonMapper = plain.rebuild().addModule(
        SimpleModule()
            .addDeserializer(Avtale::class.java, Keeping(Avtale::class.java))
            .addDeserializer(Utdrag::class.java, Keeping(Utdrag::class.java)),
    ).build()

    /** Nothing may come after it either. */
    private val wholeReader: ObjectReader = plain.reader().with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)

    private class Keeping<A : Answered>(private val type: Class<A>) : StdDeserializer<A>(type) {
        override fun deserialize(parser: JsonParser, context: DeserializationContext): A {
            val node: JsonNode = context.readTree(parser)
            return plain.treeToValue(node, type).apply { answeredAs(node.toString()) }
        }
    }

    fun write(value: Any): String = plain.writeValueAsString(value)

    fun readTree(json: ByteArray): JsonNode? = plain.readTree(json)

    fun requireJson(bytes: ByteArray): ByteArray {
        val isWhole = try {
            wholeReader.readTree(bytes)?.isMissingNode == false
        } catch (_: JacksonException) {
            false
        }
        if (!isWhole) throw UncheckedIOException(IOException(NOT_JSON))
        return bytes
    }

    fun <T> read(node: JsonNode, type: Class<T>): T = mapper.treeToValue(node, type)

    /** A value that is not in the document of this client's release is read as `UKJENT`, wherever it stands. */
    fun <T> readAnswer(json: ByteArray, type: Class<T>): T = try {
        read(tolerant(plain.readTree(json)), type)
    } catch (error: JacksonException) {
        throw unreadable(error)
    }

    /** Not as the parser says it, which quotes what was answered: that is about persons. */
    private fun unreadable(error: JacksonException): IOException {
        if (error is JsonMappingException) return IOException("What was answered is of another form: ${error.pathReference}")
        return IOException(NOT_JSON)
    }

    private fun tolerant(node: JsonNode): JsonNode {
        if (node is ObjectNode) {
            for ((name, value) in node.properties()) {
                val known = KNOWN_VALUES[name]
                node.replace(name, if (known == null) tolerant(value) else knownOr(known, value))
            }
        }
        if (node is ArrayNode) for (i in 0 until node.size()) node[i].let(::tolerant)
        return node
    }

    private fun knownOr(known: Set<String>, value: JsonNode): JsonNode {
        if (value is ArrayNode) for (i in 0 until value.size()) value[i] = knownOr(known, value[i])
        return if (value.isTextual && value.textValue() !in known) UNKNOWN else value
    }

    private val UNKNOWN = TextNode("UKJENT")
}
