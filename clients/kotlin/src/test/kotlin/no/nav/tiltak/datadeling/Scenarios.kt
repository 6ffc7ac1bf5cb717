package no.nav.tiltak.datadeling

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectMapper
import com.fasterxml.jackson.databind.node.ArrayNode
import com.fasterxml.jackson.databind.node.ObjectNode
import org.yaml.snakeyaml.Yaml
import java.io.File
import java.time.Instant
import java.time.OffsetDateTime
import java.util.UUID

val json = ObjectMapper()

/** What stands in clients/conformance/scenarios.yaml; its README explains the words. */
fun readScenarios(): List<JsonNode> {
    val all: JsonNode = json.valueToTree(Yaml().load<Any>(File("../conformance/scenarios.yaml").readText()))
    return expand(all["scenarios"], all["templates"]).toList()
}

fun idOf(n: Int): UUID = UUID(0x4000, Long.MIN_VALUE or n.toString().toLong(16))

fun numberOf(id: UUID): Int = id.toString().takeLast(12).toInt()

/** `$avtale: 7` and `$endring: 7` with what stands beside, and `$id: 7`; an export's `avtaler: 3` are more lines. */
private fun expand(node: JsonNode, templates: JsonNode): JsonNode {
    if (node is ArrayNode) return json.createArrayNode().addAll(node.map { expand(it, templates) })
    if (node !is ObjectNode) return node
    node["\$id"]?.let { return json.nodeFactory.textNode(idOf(it.intValue()).toString()) }
    val rest = json.createObjectNode()
    for (kind in listOf("avtale", "endring")) {
        val n = node["$$kind"] ?: continue
        rest.put("avtaleId", idOf(n.intValue()).toString()).setAll<ObjectNode>(templates[kind] as ObjectNode)
    }
    for ((name, value) in node.properties()) if (!name.startsWith("$")) rest.set<JsonNode>(name, expand(value, templates))
    if (rest.has("lines") && rest.path("avtaler").isInt) {
        val lines = rest["lines"] as ArrayNode
        for (n in 1..rest["avtaler"].intValue()) {
            lines.addObject().put("avtaleId", idOf(n).toString()).setAll<ObjectNode>(templates["avtale"] as ObjectNode)
        }
    }
    return rest
}

/**
 * Where `actual` is not as expected, or null: members that are not named may be anything, and two ways to write a moment or
 * a number are one.
 */
fun difference(expected: JsonNode, actual: JsonNode?, at: String = ""): String? = when {
    actual == null -> "$at is missing"
    expected is ObjectNode ->
        expected.properties().firstNotNullOfOrNull { (name, one) -> difference(one, actual[name], "$at.$name") }
    expected is ArrayNode ->
        if (expected.size() != actual.size()) "$at is $actual"
        else expected.indices().firstNotNullOfOrNull { difference(expected[it], actual[it], "$at.$it") }
    expected.isNumber && actual.isNumber ->
        if (expected.decimalValue().compareTo(actual.decimalValue()) == 0) null else "$at is $actual"
    momentOf(expected) != null && momentOf(expected) == momentOf(actual) -> null
    else -> if (expected == actual) null else "$at is $actual, and not $expected"
}

private fun ArrayNode.indices() = (0 until size()).asSequence()

private fun momentOf(node: JsonNode): Instant? =
    node.textValue()?.let { runCatching { OffsetDateTime.parse(it).toInstant() }.getOrNull() }
