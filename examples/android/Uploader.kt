package com.example.upload

import android.content.ContentResolver
import android.net.Uri
import java.io.IOException
import java.net.HttpURLConnection
import java.net.URL
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.json.JSONObject

/** Uploads what a person picked with the permission of oss-presign: asks for a URL, then sends the content to it. */
class Uploader(
    private val resolver: ContentResolver,
    private val service: String,
    private val token: String,
) {
    data class Uploaded(val key: String, val etag: String)

    /** The service or OSS said no; the message says why. */
    class Refused(message: String) : IOException(message)

    /** Sends [content], which a picker returned, to the object [key]; [onProgress] hears on a background thread how many bytes of how many left. */
    suspend fun upload(content: Uri, key: String, onProgress: (sent: Long, total: Long) -> Unit): Uploaded =
        withContext(Dispatchers.IO) {
            val size = resolver.openAssetFileDescriptor(content, "r")?.use { it.length } ?: throw IOException("Cannot open $content")
            val question = JSONObject()
                .put("key", key)
                .put("contentType", resolver.getType(content) ?: "application/octet-stream")
                .put("contentLength", size)
                .put("metadata", JSONObject().put("album", "examples"))
                .toString().toByteArray()
            val ask = connect("POST", "$service/v1/uploads", mapOf("Authorization" to "Bearer $token", "Content-Type" to "application/json"))
            ask.setFixedLengthStreamingMode(question.size)
            ask.outputStream.use { it.write(question) }
            val grant = JSONObject(ask.text())
            if (ask.responseCode != 201) throw Refused("The service refused: ${grant.getString("detail")}")

            val headers = grant.getJSONObject("headers")
            val put = connect(grant.getString("method"), grant.getString("url"), headers.keys().asSequence().associateWith(headers::getString))
            // Without a length known from the start, the connection would keep the whole content in memory.
            put.setFixedLengthStreamingMode(size)
            resolver.openInputStream(content).use { input ->
                requireNotNull(input) { "Cannot open $content" }
                put.outputStream.use { output ->
                    val buffer = ByteArray(64 * 1024)
                    var sent = 0L
                    while (true) {
                        val read = input.read(buffer)
                        if (read < 0) break
                        output.write(buffer, 0, read)
                        sent += read
                        onProgress(sent, size)
                    }
                }
            }
            if (put.responseCode != 200) {
                val error = put.text()
                val (code, message) = listOf("Code", "Message").map { Regex("<$it>(.*)</$it>").find(error)?.groupValues?.get(1) }
                throw Refused("OSS refused: ${put.responseCode} $code: $message")
            }
            Uploaded(grant.getString("key"), put.getHeaderField("ETag"))
        }

    private fun connect(method: String, url: String, headers: Map<String, String>) =
        (URL(url).openConnection() as HttpURLConnection).apply {
            requestMethod = method
            doOutput = true
            connectTimeout = 10_000
            readTimeout = 60_000
            headers.forEach(::setRequestProperty)
        }

    private fun HttpURLConnection.text(): String = (if (responseCode < 400) inputStream else errorStream).bufferedReader().use { it.readText() }
}
