package no.nav.tiltak.datadeling

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectMapper
import com.fasterxml.jackson.databind.node.JsonNodeFactory
import java.io.InputStream
import java.io.OutputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.time.ZoneOffset
import java.time.ZonedDateTime
import java.time.format.DateTimeFormatter
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread

/** A service that answers as a scenario says: one answer for each request, and the last for all that follow. */
class Service(private val answers: List<JsonNode>) : AutoCloseable {
    class Seen(val method: String, val path: String, val headers: Map<String, String>, val body: String)

    val seen = CopyOnWriteArrayList<Seen>()
    private val server = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val open = CopyOnWriteArrayList<Socket>()
    val url = "http://127.0.0.1:${server.localPort}"

    init {
        thread(isDaemon = true) {
            while (!server.isClosed) {
                val socket = runCatching { server.accept() }.getOrNull() ?: break
                open += socket
                thread(isDaemon = true) { runCatching { serve(socket) }.onFailure { socket.close() } }
            }
        }
    }

    override fun close() {
        server.close()
        for (socket in open) socket.close()
    }

    private fun serve(socket: Socket) {
        val answer = synchronized(this) {
            seen += requestOf(socket.getInputStream()) ?: return socket.close()
            answers[minOf(seen.size, answers.size) - 1]
        }
        answer["delayMs"]?.let { Thread.sleep(it.longValue()) }
        val fault = answer["fault"]?.textValue()
        if (fault == "silent") return
        if (fault == "hangsUp") return socket.close()
        val lines = answer["lines"]
        val body = (if (lines == null) bodyOf(answer) else lines.joinToString("") { "$it\n" } + answer["then"]?.textValue().orEmpty())
        val output = socket.getOutputStream()
        // Without a length, the answer is in chunks, and whole only with the last of them.
        head(output, answer, length = if (fault == "cutOff") 40 else null)
        when {
            fault != null -> piece(output, """{"avtaler":[""", isChunk = fault != "cutOff")
            body.isNotEmpty() -> piece(output, body, isChunk = true)
        }
        if (fault == "stops") return
        if (answer["end"]?.textValue() == "stops") return untilHangUp(socket)
        if (fault == null && answer["end"] == null) output.write("0\r\n\r\n".toByteArray())
        output.flush()
        if (fault != null || answer["end"] != null) Thread.sleep(20)
        socket.close()
    }

    /** Whether the client hangs up by itself on what `end: stops`. */
    fun isLetGo(): Boolean {
        val end = System.nanoTime() + 10_000_000_000
        while (System.nanoTime() < end && open.any { !it.isClosed }) Thread.sleep(10)
        return open.all { it.isClosed }
    }

    private fun untilHangUp(socket: Socket) {
        socket.getInputStream().readAllBytes()
        socket.close()
    }

    private fun requestOf(input: InputStream): Seen? {
        val (method, path) = (lineOf(input) ?: return null).split(" ")
        val headers = generateSequence { lineOf(input)?.ifEmpty { null } }
            .associate { it.substringBefore(":").lowercase() to it.substringAfter(": ") }
        val body = input.readNBytes(headers["content-length"]?.toInt() ?: 0)
        return Seen(method, path, headers, String(body))
    }

    private fun lineOf(input: InputStream): String? {
        val line = StringBuilder()
        while (true) {
            val byte = input.read()
            if (byte == -1) return null
            if (byte == '\n'.code) return line.toString().removeSuffix("\r")
            line.append(byte.toChar())
        }
    }

    private fun head(output: OutputStream, answer: JsonNode, length: Int?) {
        val status = answer["status"]?.intValue() ?: 200
        val type = when {
            answer.has("lines") -> "application/x-ndjson"
            answer.has("text") -> "text/html"
            answer.has("problem") -> "application/problem+json"
            else -> "application/json"
        }
        val said = answer["headers"]?.properties()?.map { (name, value) -> "$name: ${dateOr(value.textValue())}" }.orEmpty()
        val fixed = listOf("HTTP/1.1 $status x", "Content-Type: $type", "Connection: close") +
            (if (length == null) "Transfer-Encoding: chunked" else "Content-Length: $length")
        val updated = if (status < 400) listOf("Data-Oppdatert: 2026-03-01T12:00:00.123456Z") else emptyList()
        output.write((fixed + said + updated).joinToString("\r\n", postfix = "\r\n\r\n").toByteArray())
    }

    private fun piece(output: OutputStream, text: String, isChunk: Boolean) {
        val bytes = text.toByteArray()
        if (isChunk) output.write("${bytes.size.toString(16)}\r\n".toByteArray())
        output.write(bytes)
        if (isChunk) output.write("\r\n".toByteArray())
        output.flush()
    }

    private fun dateOr(text: String): String {
        val seconds = Regex("""\${'$'}in (\d+) seconds""").matchEntire(text)?.groupValues?.get(1) ?: return text
        return ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(seconds.toLong()).format(DateTimeFormatter.RFC_1123_DATE_TIME)
    }

    private fun bodyOf(answer: JsonNode): String {
        val code = answer["problem"]?.textValue() ?: return answer["text"]?.textValue() ?: answer["json"]?.toString().orEmpty()
        val problem = JsonNodeFactory.instance.objectNode()
            .put("type", "urn:tiltak-datadeling:feil:$code").put("title", code)
            .put("status", answer["status"].intValue()).put("detail", "As the scenario says").put("callId", "id-1")
        for (name in listOf("feil", "nyStart")) answer[name]?.let { problem.set<JsonNode>(name, it) }
        return ObjectMapper().writeValueAsString(problem)
    }
}
