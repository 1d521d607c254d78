package com.example.upload

import android.content.ContentResolver
import android.net.Uri
import android.provider.OpenableColumns
import java.io.IOException
import java.net.HttpURLConnection
import java.net.URL
import java.net.URLConnection
import java.text.Normalizer
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext
import org.json.JSONException
import org.json.JSONObject

/**
 * Uploads what a person picked through oss-presign: asks the service for a signed URL, then sends
 * the content to that URL.
 */
class Uploader(
    private val resolver: ContentResolver,
    private val service: String,
    private val token: String,
) {
    /**
     * [etag] is null where the first attempt stored the file and its response was lost;
     * [isNotified] is false where OSS could not notify the application.
     */
    data class Uploaded(val key: String, val etag: String?, val isNotified: Boolean)

    /** The upload failed; the message has the reason and never the signed URL. */
    class Failed(message: String) : IOException(message)

    /**
     * Sends [content], which a picker returned. Without [key] the service creates the object key;
     * without [contentType] the provider's type counts, or that of the name. [onProgress] is called
     * on a background thread with the bytes sent.
     */
    suspend fun upload(
        content: Uri,
        key: String? = null,
        contentType: String? = null,
        metadata: Map<String, String> = emptyMap(),
        onProgress: (sent: Long, total: Long) -> Unit = { _, _ -> },
    ): Uploaded = withContext(Dispatchers.IO) {
        val size = resolver.openAssetFileDescriptor(content, "r")?.use { it.length } ?: throw Failed("Cannot open $content")
        val filename = displayName(content)
        val request = JSONObject()
            // Names can be decomposed; the service accepts composed ones (NFC).
            .put(if (key == null) "filename" else "key", Normalizer.normalize(key ?: filename, Normalizer.Form.NFC))
            .put("contentType", contentType ?: resolver.getType(content) ?: URLConnection.guessContentTypeFromName(filename) ?: "application/octet-stream")
            .put("contentLength", size)
        if (metadata.isNotEmpty()) request.put("metadata", JSONObject(metadata))

        val grant = askService(request.toString().toByteArray())
        // A network error and a 5xx response are repeated once.
        var attempt = 1
        val sent = sendContent(content, size, grant, onProgress)?.takeIf { it.status < 500 } ?: run {
            attempt = 2
            delay(1000)
            sendContent(content, size, grant, onProgress)
        } ?: throw Failed("OSS cannot be reached.")
        val isStored = sent.status == 200 || sent.status == 203 || (sent.status == 409 && attempt == 2)
        if (!isStored) {
            val (code, message) = listOf("Code", "Message").map { Regex("<$it>(.*)</$it>").find(sent.body)?.groupValues?.get(1) }
            val advice = if (sent.status == 409) "\nThe key is taken: choose another one, or send no key." else ""
            throw Failed("OSS rejected the upload: ${sent.status} $code: $message$advice")
        }
        Uploaded(grant.getString("key"), sent.etag, isNotified = sent.status != 203)
    }

    private class Response(val status: Int, val body: String, val etag: String?, val retryAfterSeconds: Long?)

    private fun displayName(content: Uri): String =
        resolver.query(content, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)?.use { if (it.moveToFirst()) it.getString(0) else null }
            ?: content.lastPathSegment ?: "file"

    /**
     * Sends the request up to three times: 429 and 503 are repeated after Retry-After, a network
     * error once.
     */
    private suspend fun askService(request: ByteArray): JSONObject {
        var networkErrors = 0
        for (attempt in 1..3) {
            var seconds = 1L
            try {
                val ask = connect("POST", "$service/v1/uploads", mapOf("Authorization" to "Bearer $token", "Content-Type" to "application/json"))
                ask.setFixedLengthStreamingMode(request.size)
                ask.outputStream.use { it.write(request) }
                val response = ask.response()
                val grant = try { JSONObject(response.body) } catch (error: JSONException) { JSONObject() }
                if (response.status == 201 && grant.has("url")) return grant
                seconds = response.retryAfterSeconds ?: seconds
                if (response.status !in listOf(429, 503) || attempt == 3 || seconds > LONGEST_WAIT_SECONDS) {
                    val errors = grant.optJSONArray("errors")
                    val details = errors?.let { (0 until it.length()).joinToString(" ") { i -> it.getJSONObject(i).getString("detail") } }
                    throw Failed("The service rejected the request: ${details ?: grant.optString("detail", "HTTP ${response.status}")}")
                }
            } catch (error: IOException) {
                if (error is Failed) throw error
                networkErrors++
                if (networkErrors == 2 || attempt == 3) throw Failed("The service cannot be reached: ${error.javaClass.simpleName}: ${error.message}")
            }
            delay(seconds * 1000)
        }
        throw IllegalStateException("The third attempt returns or throws.")
    }

    /** Returns null after a network error, because its message can quote the signed URL. */
    private fun sendContent(content: Uri, size: Long, grant: JSONObject, onProgress: (Long, Long) -> Unit): Response? {
        val input = resolver.openInputStream(content) ?: throw Failed("Cannot open $content")
        return input.use {
            try {
                val headers = grant.getJSONObject("headers")
                val put = connect(grant.getString("method"), grant.getString("url"), headers.keys().asSequence().associateWith(headers::getString))
                // Without a length known from the start, the connection would keep the whole
                // content in memory.
                put.setFixedLengthStreamingMode(size)
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
                put.response()
            } catch (error: IOException) {
                null
            } catch (error: IllegalArgumentException) {
                throw Failed("The signed URL or a header of the grant cannot be used.")
            }
        }
    }

    private fun connect(method: String, url: String, headers: Map<String, String>) =
        (URL(url).openConnection() as HttpURLConnection).apply {
            requestMethod = method
            doOutput = true
            connectTimeout = 10_000
            readTimeout = 60_000
            headers.forEach(::setRequestProperty)
        }

    private fun HttpURLConnection.response() = Response(
        responseCode,
        (if (responseCode < 400) inputStream else errorStream)?.bufferedReader()?.use { it.readText() } ?: "",
        getHeaderField("ETag"),
        getHeaderField("Retry-After")?.toLongOrNull(),
    )

    private companion object {
        const val LONGEST_WAIT_SECONDS = 30
    }
}
