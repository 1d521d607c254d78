import com.google.gson.Gson;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.*;
import java.text.Normalizer;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.*;

/**
 * Uploads a large file in parts through oss-presign. The same command continues an upload that broke
 * off: FILE.oss-presign holds its id. OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from the environment.
 */
public class UploadLarge {
  /** The fields of all responses of the service. */
  record Fields(String id, String key, String state, long contentLength, List<Range> missing, List<Part> parts,
      String receipt, String code, String detail, List<Fields> errors) {}

  record Range(int from, int to) {}

  record Part(int partNumber, long offset, long contentLength, String method, String url, Map<String, String> headers) {}

  record Response(int status, String body, long retryAfterSeconds) {}

  static final int ATTEMPTS = 4, LONGEST_WAIT_SECONDS = 60, PARTS_PER_REQUEST = 20, PARALLEL_PARTS = 4;
  static final String SERVICE = System.getenv().getOrDefault("OSS_PRESIGN_URL", "http://localhost:8080");
  static final String TOKEN = System.getenv("OSS_PRESIGN_TOKEN");
  // Without the retries of the library, which would not wait for Retry-After.
  static final CloseableHttpClient CLIENT = HttpClients.custom().disableAutomaticRetries().build();

  public static void main(String[] args) {
    try {
      upload(args);
    } catch (Exception error) { // Messages of other exceptions may quote the signed URL.
      fail(1, "The upload failed: " + (error instanceof IOException ? error : error.getClass().getSimpleName()));
    }
  }

  static void upload(String[] args) throws Exception {
    if (args.length < 1 || args.length > 3 || args[0].startsWith("--") || TOKEN == null) {
      fail(2, "usage: java -cp target/upload.jar UploadLarge FILE [KEY] [TYPE]   (needs OSS_PRESIGN_TOKEN)");
    }
    Path file = Path.of(args[0]), state = Path.of(args[0] + ".oss-presign");
    var size = Files.size(file);
    var id = Files.exists(state) ? Files.readString(state) : "";
    Fields upload = null;
    if (!id.isEmpty()) {
      upload = ask("/status", Map.of("id", id), "upload_id_invalid", "upload_id_expired");
      System.err.println("Unfinished upload: " + (upload.state == null ? upload.detail : upload.state));
    }
    if (upload == null || upload.state == null || upload.state.equals("absent")) {
      System.err.println("Starting a new upload.");
      var guess = Objects.requireNonNullElse(Files.probeContentType(file), "application/octet-stream");
      // macOS hands out decomposed names; the service accepts composed ones (NFC).
      var name = Normalizer.normalize(args.length > 1 ? args[1] : file.getFileName().toString(), Normalizer.Form.NFC);
      id = ask("", Map.of("transfer", "multipart", args.length > 1 ? "key" : "filename", name,
          "contentType", args.length > 2 ? args[2] : guess, "contentLength", size)).id;
      var created = Files.createTempFile(file.toAbsolutePath().getParent(), null, null); // Readable by its owner alone.
      Files.move(Files.writeString(created, id), state, StandardCopyOption.REPLACE_EXISTING);
      upload = ask("/status", Map.of("id", id));
    }
    if (upload.contentLength != size) {
      fail(1, "The file had %d bytes and has %d now. Delete %s to start again.".formatted(upload.contentLength, size, state));
    }
    sendParts(file, id, upload.missing == null ? List.of() : upload.missing);
    var stored = ask("/complete", Map.of("id", id));
    Files.delete(state);
    System.out.println("key:  " + stored.key + "\nreceipt: " + (stored.receipt == null ? "no" : "yes"));
  }

  /** Signs the parts that are missing, some at a time, and sends a few in parallel. */
  static void sendParts(Path file, String id, List<Range> gaps) throws Exception {
    var missing = gaps.stream().flatMap(gap -> IntStream.rangeClosed(gap.from, gap.to).boxed()).toList();
    var pool = Executors.newFixedThreadPool(PARALLEL_PARTS);
    for (int start = 0; start < missing.size(); start += PARTS_PER_REQUEST) {
      System.err.println("Parts left: " + (missing.size() - start));
      var numbers = missing.subList(start, Math.min(start + PARTS_PER_REQUEST, missing.size()));
      var tasks = new ArrayList<Callable<Void>>();
      for (var part : ask("/parts", Map.of("id", id, "partNumbers", numbers)).parts) tasks.add(() -> sendPart(file, id, part, 1));
      for (var sent : pool.invokeAll(tasks)) sent.get(); // Throws what a task threw.
    }
    pool.shutdown();
  }

  /** Sends one part, and signs it again if its URL has expired. */
  static Void sendPart(Path file, String id, Part part, int attempt) throws Exception {
    var sent = send("OSS", part.method, part.url, part.headers, () -> new InputStreamEntity(
        Channels.newInputStream(FileChannel.open(file).position(part.offset)), part.contentLength, null));
    String code = element(sent.body, "Code"), message = element(sent.body, "Message");
    if (sent.status == 200) return null;
    if (!message.equals("Request has expired.") || attempt == ATTEMPTS) {
      return fail(1, "OSS rejected a part: " + sent.status + " " + code + ": " + message + "\nRun the command again to continue.");
    }
    return sendPart(file, id, ask("/parts", Map.of("id", id, "partNumbers", List.of(part.partNumber))).parts.get(0), attempt + 1);
  }

  /** Returns a 2xx response of the service, or a problem with one of these codes. Any other response ends the program. */
  static Fields ask(String path, Map<String, Object> question, String... acceptedCodes) throws Exception {
    var response = send("The service", "POST", SERVICE + "/v1/uploads" + path, Map.of("Authorization", "Bearer " + TOKEN),
        () -> new StringEntity(new Gson().toJson(question), ContentType.APPLICATION_JSON));
    var fields = response.body.startsWith("{") ? new Gson().fromJson(response.body, Fields.class) : null;
    if (fields != null && (response.status < 300 || List.of(acceptedCodes).contains(String.valueOf(fields.code)))) return fields;
    return fail(1, "The service rejected the request: " + (fields == null || fields.detail == null ? "HTTP " + response.status
        : fields.errors == null ? fields.detail : fields.errors.stream().map(Fields::detail).collect(Collectors.joining(" "))));
  }

  /** Repeats a network error, 429 and 5xx. */
  static Response send(String receiver, String method, String url, Map<String, String> headers, Callable<HttpEntity> body) throws Exception {
    for (int attempt = 1; ; attempt++) {
      long wait = 1L << (attempt - 1);
      try (var content = body.call()) {
        var request = new HttpUriRequestBase(method, URI.create(url));
        headers.forEach(request::setHeader);
        request.setEntity(content);
        var response = CLIENT.execute(request, received -> {
          var after = received.getFirstHeader("Retry-After");
          var text = received.getEntity() == null ? "" : EntityUtils.toString(received.getEntity());
          var isNumber = after != null && after.getValue().matches("\\d{1,9}");
          return new Response(received.getCode(), text, isNumber ? Long.parseLong(after.getValue()) : 0);
        });
        wait = Math.max(wait, response.retryAfterSeconds);
        var isBusy = response.status == 429 || response.status >= 500 || response.body.contains("<Code>RequestTimeout<");
        if (!isBusy || attempt == ATTEMPTS || wait > LONGEST_WAIT_SECONDS) return response;
      } catch (IOException error) {
        if (attempt == ATTEMPTS) fail(1, receiver + " cannot be reached: " + error);
      }
      Thread.sleep(wait * 1000);
    }
  }

  static String element(String xml, String name) {
    var start = xml.indexOf("<" + name + ">");
    return start < 0 ? "" : xml.substring(start + name.length() + 2, xml.indexOf("</" + name, start));
  }

  static <T> T fail(int code, String reason) {
    System.err.println(reason);
    System.exit(code);
    return null;
  }
}
