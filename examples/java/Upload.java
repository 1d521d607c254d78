import com.google.gson.Gson;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.FileEntity;
import org.apache.hc.core5.http.io.entity.StringEntity;

/** Uploads a file with the permission of oss-presign: asks for a URL, then sends the file to it. */
public class Upload {
  record Grant(String method, String url, Map<String, String> headers, String key, String detail) {}

  record Answer(int status, String body, String etag) {}

  public static void main(String[] args) throws Exception {
    if (args.length != 3) fail("usage: java -jar target/upload.jar FILE KEY CONTENT-TYPE");
    var file = new File(args[0]);
    var json = new Gson();

    var ask = new HttpPost(System.getenv().getOrDefault("OSS_PRESIGN_URL", "http://localhost:8080") + "/v1/uploads");
    ask.setHeader("Authorization", "Bearer " + System.getenv("OSS_PRESIGN_TOKEN"));
    var question = Map.of(
        "key", args[1], "contentType", args[2], "contentLength", file.length(), "metadata", Map.of("album", "examples"));
    ask.setEntity(new StringEntity(json.toJson(question), ContentType.APPLICATION_JSON));
    var asked = send(ask);
    var grant = json.fromJson(asked.body, Grant.class);
    if (asked.status != 201) fail("The service refused: " + grant.detail);

    var upload = new HttpUriRequestBase(grant.method, URI.create(grant.url));
    grant.headers.forEach(upload::setHeader);
    // No content type of its own: the one that counts is among the headers of the grant.
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
        System.err.println();
      }
    });
    var sent = send(upload);
    if (sent.status != 200) {
      var error = DocumentBuilderFactory.newInstance().newDocumentBuilder()
          .parse(new ByteArrayInputStream(sent.body.getBytes("UTF-8"))).getDocumentElement();
      fail("OSS refused: " + sent.status + " " + error.getElementsByTagName("Code").item(0).getTextContent()
          + ": " + error.getElementsByTagName("Message").item(0).getTextContent());
    }
    System.out.println("key:  " + grant.key + "\nETag: " + sent.etag);
  }

  static Answer send(HttpUriRequestBase request) throws IOException {
    try (var client = HttpClients.createDefault()) {
      return client.execute(request, response -> {
        var etag = response.getFirstHeader("ETag");
        var body = response.getEntity() == null ? "" : EntityUtils.toString(response.getEntity());
        return new Answer(response.getCode(), body, etag == null ? null : etag.getValue());
      });
    }
  }

  static void fail(String reason) {
    System.err.println(reason);
    System.exit(1);
  }
}
