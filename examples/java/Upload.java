import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.FileEntity;
import org.apache.hc.core5.http.io.entity.StringEntity;

/**
 * Uploads a file through oss-presign: asks the service for a signed URL, then sends the file to
 * that URL. Without KEY the service creates the object key. OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL
 * come from the environment.
 */
public class Upload {
  /** A grant, or a problem with detail and errors. */
  record Grant(String method, String url, Map<String, String> headers, String key, String detail, List<Problem> errors) {}

  record Problem(String detail) {}

  record Response(int status, String body, String etag, long retryAfterSeconds) {}

  static final int LONGEST_WAIT_SECONDS = 30;
  static final String TOKEN = System.getenv("OSS_PRESIGN_TOKEN");
  static final Gson JSON = new Gson();
  // Without the retries of the library, which would hide from sendFile that the file was sent
  // twice.
  static final CloseableHttpClient CLIENT = HttpClients.custom().disableAutomaticRetries().build();

  public static void main(String[] args) {
    try {
      upload(args);
    } catch (Exception error) {
      // Messages of other exceptions may quote the signed URL.
      fail("The upload failed: " + (error instanceof IOException ? error : error.getClass().getSimpleName()));
    }
  }

  static void upload(String[] args) throws Exception {
    var positional = new ArrayList<String>();
    var metadata = new HashMap<String, String>();
    for (int i = 0; i < args.length; i++) {
      if (args[i].equals("--meta") && i + 1 < args.length && args[i + 1].indexOf('=') > 0) {
        var pair = args[++i].split("=", 2);
        metadata.put(pair[0], pair[1]);
      } else if (args[i].startsWith("--")) {
        usage();
      } else {
        positional.add(args[i]);
      }
    }
    if (positional.isEmpty() || positional.size() > 3 || TOKEN == null) usage();
    var file = new File(positional.get(0));
    if (!file.isFile()) fail("Cannot read " + file);

    var request = new HashMap<String, Object>();
    // macOS hands out decomposed names; the service accepts composed ones (NFC).
    var hasKey = positional.size() > 1;
    request.put(hasKey ? "key" : "filename", Normalizer.normalize(hasKey ? positional.get(1) : file.getName(), Normalizer.Form.NFC));
    request.put("contentType", positional.size() > 2
        ? positional.get(2)
        : Objects.requireNonNullElse(Files.probeContentType(file.toPath()), "application/octet-stream"));
    request.put("contentLength", file.length());
    if (!metadata.isEmpty()) request.put("metadata", metadata);

    var grant = askService(request);
    int attempt = 1;
    var sent = sendFile(file, grant, true);
    if (sent == null) {
      attempt = 2;
      Thread.sleep(1000);
      sent = sendFile(file, grant, false);
    }
    System.err.println();
    if (sent.status == 203) {
      System.err.println("Stored, but OSS could not notify the application. Do not upload the file again.");
    } else if (sent.status == 409 && attempt == 2) {
      System.err.println("Stored by the first attempt, whose response was lost.");
    } else if (sent.status != 200) {
      fail("OSS rejected the upload: " + sent.status + explain(sent.body)
          + (sent.status == 409 ? "\nThe key is taken: choose another one, or leave KEY out." : ""));
    }
    System.out.println("key:  " + grant.key + (sent.status == 409 ? "" : "\nETag: " + sent.etag));
  }

  /**
   * Sends the request up to three times: 429 and 503 are repeated after Retry-After, a network
   * error once.
   */
  static Grant askService(Map<String, Object> request) throws Exception {
    var ask = new HttpPost(System.getenv().getOrDefault("OSS_PRESIGN_URL", "http://localhost:8080") + "/v1/uploads");
    ask.setHeader("Authorization", "Bearer " + TOKEN);
    ask.setEntity(new StringEntity(JSON.toJson(request), ContentType.APPLICATION_JSON));
    int networkErrors = 0;
    for (int attempt = 1; ; attempt++) {
      long waitSeconds = 1;
      try {
        var response = send(ask);
        var grant = parse(response.body);
        if (response.status == 201 && grant != null) return grant;
        waitSeconds = response.retryAfterSeconds;
        if ((response.status != 429 && response.status != 503) || attempt == 3 || waitSeconds > LONGEST_WAIT_SECONDS) {
          fail("The service rejected the request: " + explain(response, grant));
        }
      } catch (IOException error) {
        if (++networkErrors == 2 || attempt == 3) fail("The service cannot be reached: " + error);
      }
      Thread.sleep(waitSeconds * 1000);
    }
  }

  /** Returns null where a second attempt is worth it: after a network error or a 5xx response. */
  static Response sendFile(File file, Grant grant, boolean mayRepeat) throws IOException {
    var upload = new HttpUriRequestBase(grant.method, URI.create(grant.url));
    grant.headers.forEach(upload::setHeader);
    // No content type of its own: the signed one is among the headers of the grant.
    upload.setEntity(new FileEntity(file, null) {
      @Override
      public void writeTo(OutputStream out) throws IOException {
        var buffer = new byte[64 * 1024];
        try (var in = getContent()) {
          long sent = 0;
          for (int read; (read = in.read(buffer)) > 0; sent += read) {
            out.write(buffer, 0, read);
            System.err.printf("\r%3d %%", 100 * (sent + read) / getContentLength());
          }
        }
      }
    });
    try {
      var sent = send(upload);
      return sent.status >= 500 && mayRepeat ? null : sent;
    } catch (IOException error) {
      if (!mayRepeat) fail("\nOSS cannot be reached: " + error);
      return null;
    }
  }

  static Response send(HttpUriRequestBase request) throws IOException {
    return CLIENT.execute(request, response -> {
      var etag = response.getFirstHeader("ETag");
      var retryAfter = response.getFirstHeader("Retry-After");
      var body = response.getEntity() == null ? "" : EntityUtils.toString(response.getEntity(), StandardCharsets.UTF_8);
      var isNumber = retryAfter != null && retryAfter.getValue().matches("\\d{1,9}");
      return new Response(response.getCode(), body, etag == null ? null : etag.getValue(),
          isNumber ? Long.parseLong(retryAfter.getValue()) : 1);
    });
  }

  static Grant parse(String body) {
    try {
      return JSON.fromJson(body, Grant.class);
    } catch (JsonParseException error) {
      return null;
    }
  }

  static String explain(Response response, Grant problem) {
    if (problem == null || problem.detail == null) return "HTTP " + response.status;
    if (problem.errors == null) return problem.detail;
    return problem.errors.stream().map(Problem::detail).collect(Collectors.joining(" "));
  }

  static String explain(String xml) {
    try {
      var error = DocumentBuilderFactory.newInstance().newDocumentBuilder()
          .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8))).getDocumentElement();
      return " " + error.getElementsByTagName("Code").item(0).getTextContent()
          + ": " + error.getElementsByTagName("Message").item(0).getTextContent();
    } catch (Exception notXml) {
      return "";
    }
  }

  static void usage() {
    System.err.println("usage: java -jar target/upload.jar FILE [KEY] [TYPE] [--meta NAME=VALUE]...   (needs OSS_PRESIGN_TOKEN)");
    System.exit(2);
  }

  static void fail(String reason) {
    System.err.println(reason);
    System.exit(1);
  }
}
