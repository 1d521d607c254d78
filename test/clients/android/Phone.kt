package com.example.upload

import android.content.ContentProvider
import android.content.ContentValues
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import java.io.File
import kotlin.system.exitProcess
import kotlinx.coroutines.runBlocking
import org.junit.Test
import org.junit.runner.JUnitCore
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/**
 * The app around Uploader, on a phone of Robolectric whose storage offers the one file of the command line. Without a command
 * line it takes one per line from standard input, `service`, `token` and arguments with tabs between them, and ends what it prints with EOT and
 * the exit code: a phone takes seconds to start.
 */
fun main(args: Array<String>) {
    if (args.isNotEmpty()) exitProcess(run(System.getenv("OSS_PRESIGN_URL"), System.getenv("OSS_PRESIGN_TOKEN"), args.toList()))
    for (line in generateSequence(::readLine)) {
        val fields = line.split("\t")
        val code = run(fields[0], fields[1], fields.drop(2))
        System.err.print("\u0004")
        System.err.flush()
        print("\u0004$code\n")
        System.out.flush()
    }
}

fun run(service: String, token: String, arguments: List<String>): Int {
    // Robolectric loads the app with another class loader; system properties are what both share.
    System.setProperty("service", service)
    System.setProperty("token", token)
    System.setProperty("arguments", arguments.joinToString("\n"))
    val result = JUnitCore.runClasses(Phone::class.java)
    for (failure in result.failures) {
        System.err.println(if (failure.exception is java.io.IOException) failure.message else failure.trace)
    }
    return if (result.wasSuccessful()) 0 else 1
}

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], manifest = Config.NONE)
class Phone {
    @Test
    fun upload() = runBlocking {
        Robolectric.buildContentProvider(Storage::class.java).create("storage")
        val uploader = Uploader(
            RuntimeEnvironment.getApplication().contentResolver,
            System.getProperty("service"),
            System.getProperty("token"),
        )
        val (options, positional) = arguments.indices.partition { "--meta" in listOf(arguments[it], arguments.getOrNull(it - 1)) }
        val uploaded = uploader.upload(
            Uri.parse("content://storage/picked"),
            key = positional.getOrNull(1)?.let(arguments::get),
            contentType = positional.getOrNull(2)?.let(arguments::get),
            metadata = options.map(arguments::get).filter { it != "--meta" }.associate { it.substringBefore("=") to it.substringAfter("=") },
        ) { sent, total -> System.err.print("\r${100 * sent / total} %") }
        System.err.println()
        if (!uploaded.isNotified) System.err.println("Stored, but OSS could not notify the application.")
        if (uploaded.etag == null) System.err.println("Stored by the first attempt.")
        println("key:  ${uploaded.key}${uploaded.etag?.let { "\nETag: $it" } ?: ""}")
    }
}

private val arguments get() = System.getProperty("arguments").split("\n")

class Storage : ContentProvider() {
    override fun onCreate() = true
    override fun getType(uri: Uri): String? = null
    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor =
        ParcelFileDescriptor.open(File(arguments[0]), ParcelFileDescriptor.MODE_READ_ONLY)
    override fun query(uri: Uri, projection: Array<String>?, selection: String?, args: Array<String>?, order: String?) =
        MatrixCursor(arrayOf(OpenableColumns.DISPLAY_NAME)).apply { addRow(arrayOf(File(arguments[0]).name)) }

    override fun insert(uri: Uri, values: ContentValues?) = null
    override fun delete(uri: Uri, selection: String?, args: Array<String>?) = 0
    override fun update(uri: Uri, values: ContentValues?, selection: String?, args: Array<String>?) = 0
}
