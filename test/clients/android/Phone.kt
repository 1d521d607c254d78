package com.example.upload

import android.content.ContentProvider
import android.content.ContentValues
import android.net.Uri
import android.os.ParcelFileDescriptor
import java.io.File
import java.lang.management.ManagementFactory
import java.lang.management.MemoryType
import kotlin.system.exitProcess
import kotlinx.coroutines.runBlocking
import org.junit.Test
import org.junit.runner.JUnitCore
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** The app around Uploader, on a phone of Robolectric whose storage offers the one file of the command line. */
fun main(args: Array<String>) {
    // Robolectric loads the app in a world of its own; system properties are what both worlds share.
    listOf("file", "key", "type").zip(args).forEach { (name, value) -> System.setProperty(name, value) }
    val result = JUnitCore.runClasses(Phone::class.java)
    val heap = ManagementFactory.getMemoryPoolMXBeans().filter { it.type == MemoryType.HEAP }
    System.getenv("PEAK_HEAP_FILE")?.let { File(it).writeText("${heap.sumOf { pool -> pool.peakUsage.used } / 1024}") }
    for (failure in result.failures) {
        System.err.println(if (failure.exception is java.io.IOException) failure.message else failure.trace)
    }
    exitProcess(if (result.wasSuccessful()) 0 else 1)
}

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], manifest = Config.NONE)
class Phone {
    @Test
    fun upload() = runBlocking {
        Robolectric.buildContentProvider(Storage::class.java).create("storage")
        val uploader = Uploader(
            RuntimeEnvironment.getApplication().contentResolver,
            System.getenv("OSS_PRESIGN_URL"),
            System.getenv("OSS_PRESIGN_TOKEN"),
        )
        val uploaded = uploader.upload(Uri.parse("content://storage/picked"), System.getProperty("key")) { sent, total ->
            System.err.print("\r${100 * sent / total} %${if (sent == total) "\n" else ""}")
        }
        println("key:  ${uploaded.key}\nETag: ${uploaded.etag}")
    }
}

class Storage : ContentProvider() {
    override fun onCreate() = true
    override fun getType(uri: Uri): String = System.getProperty("type")
    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor =
        ParcelFileDescriptor.open(File(System.getProperty("file")), ParcelFileDescriptor.MODE_READ_ONLY)

    override fun query(uri: Uri, projection: Array<String>?, selection: String?, args: Array<String>?, order: String?) = null
    override fun insert(uri: Uri, values: ContentValues?) = null
    override fun delete(uri: Uri, selection: String?, args: Array<String>?) = 0
    override fun update(uri: Uri, values: ContentValues?, selection: String?, args: Array<String>?) = 0
}
