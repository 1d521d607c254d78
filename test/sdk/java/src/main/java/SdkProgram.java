import com.aliyun.sdk.service.oss2.OSSClient;
import com.aliyun.sdk.service.oss2.credentials.Credentials;
import com.aliyun.sdk.service.oss2.credentials.StaticCredentialsProvider;
import com.aliyun.sdk.service.oss2.exceptions.ServiceException;
import com.aliyun.sdk.service.oss2.models.CommonPrefix;
import com.aliyun.sdk.service.oss2.models.DeleteObjectRequest;
import com.aliyun.sdk.service.oss2.models.GetObjectRequest;
import com.aliyun.sdk.service.oss2.models.HeadObjectRequest;
import com.aliyun.sdk.service.oss2.models.ListObjectsRequest;
import com.aliyun.sdk.service.oss2.models.ListObjectsV2Request;
import com.aliyun.sdk.service.oss2.models.ObjectSummary;
import com.aliyun.sdk.service.oss2.models.PutObjectRequest;
import com.aliyun.sdk.service.oss2.signer.SignerV4;
import com.aliyun.sdk.service.oss2.signer.SigningContext;
import com.aliyun.sdk.service.oss2.transfermanager.Downloader;
import com.aliyun.sdk.service.oss2.transfermanager.Uploader;
import com.aliyun.sdk.service.oss2.transport.BinaryData;
import com.aliyun.sdk.service.oss2.transport.RequestMessage;
import com.aliyun.sdk.service.oss2.utils.HttpUtils;
import com.aliyun.sdk.service.oss2.utils.MapUtils;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Performs signing and object jobs with the official Java SDK V2: one JSON object a line on stdin, one on stdout, in the
 * same order. The fields are the types of ../sdk-program.ts.
 */
public final class SdkProgram {
  record Keys(String accessKeyId, String accessKeySecret, String securityToken) {}

  record Callback(String place, String value) {}

  record Job(
      String job, String region, String bucket, String key, Keys credentials,
      String form, String method, String product, Map<String, String> headers, Map<String, String> query,
      List<String> additionalHeaders, String signedAt, long expiresInSeconds,
      String endpoint, int attempts, byte[] body, String contentType, Map<String, String> metadata,
      Callback callback,
      int version, String prefix, String delimiter, long pageSize, String file) {}

  record Signed(String signature) {}

  record Done(int status, String etag, String contentType, Map<String, String> metadata, byte[] body) {}

  record Existence(boolean exists) {}

  record StoredObject(String key, long size, String etag, String type, String storageClass) {}

  record Listed(List<StoredObject> objects, List<String> prefixes) {
    void add(List<ObjectSummary> contents, List<CommonPrefix> commonPrefixes) {
      if (contents != null) {
        contents.forEach(one ->
            objects.add(new StoredObject(one.key(), one.size(), one.eTag(), one.type(), one.storageClass())));
      }
      if (commonPrefixes != null) commonPrefixes.forEach(one -> prefixes.add(one.prefix()));
    }
  }

  record Transferred(String etag, String crc64) {}

  record Rejected(Rejection error) {}

  record Rejection(int status, String code, String ec) {}

  record Fault(String fault) {}

  public static void main(String[] args) throws Exception {
    var json = new ObjectMapper();
    var jobs = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var results = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String line; (line = jobs.readLine()) != null; ) {
      results.println(json.writeValueAsString(runJob(json.readValue(line, Job.class))));
    }
  }

  private static Object runJob(Job job) {
    try {
      return job.job().equals("sign") ? sign(job) : perform(job);
    } catch (Exception error) {
      var rejected = ServiceException.asCause(error);
      return rejected == null
          ? new Fault(error.toString())
          : new Rejected(new Rejection(rejected.statusCode(), rejected.errorCode(), rejected.ec()));
    }
  }

  private static Signed sign(Job job) {
    Map<String, String> headers = MapUtils.caseInsensitiveMap();
    headers.putAll(job.headers());
    var signedAt = Instant.parse(job.signedAt());
    var keys = job.credentials();
    var context = new SigningContext();
    context.setProduct(job.product());
    context.setRegion(job.region());
    context.setBucket(job.bucket());
    context.setKey(job.key());
    context.setCredentials(new Credentials(keys.accessKeyId(), keys.accessKeySecret(), keys.securityToken()));
    context.setAdditionalHeaders(job.additionalHeaders());
    context.setAuthMethodQuery(job.form().equals("query"));
    context.setSignTime(signedAt);
    context.setExpiration(signedAt.plusSeconds(job.expiresInSeconds()));
    context.setRequest(RequestMessage.newBuilder()
        .method(job.method())
        .uri("https://oss.example.com/?" + HttpUtils.encodeQueryParameters(job.query()).orElse(""))
        .headers(headers)
        .build());
    new SignerV4().sign(context);
    var request = context.getRequest();
    return new Signed(context.isAuthMethodQuery()
        ? HttpUtils.uriParams(request.uri()).get("x-oss-signature")
        : request.headers().get("Authorization").replaceFirst("^.*Signature=", ""));
  }

  private static Object perform(Job job) throws Exception {
    var keys = job.credentials();
    var provider =
        new StaticCredentialsProvider(keys.accessKeyId(), keys.accessKeySecret(), keys.securityToken());
    try (var client = OSSClient.newBuilder()
        .region(job.region())
        .endpoint(job.endpoint())
        .usePathStyle(true)
        .retryMaxAttempts(job.attempts())
        .credentialsProvider(provider)
        .build()) {
      return switch (job.job()) {
        case "put" -> {
          var request = PutObjectRequest.newBuilder()
              .bucket(job.bucket())
              .key(job.key())
              .contentType(job.contentType())
              .metadata(job.metadata())
              .body(BinaryData.fromBytes(job.body()));
          var callback = job.callback();
          if (callback != null) {
            if (callback.place().equals("header")) request.callback(callback.value());
            else request.parameter("callback", callback.value());
          }
          var result = client.putObject(request.build());
          yield new Done(result.statusCode(), result.eTag(), null, null, null);
        }
        case "get" -> {
          try (var result = client.getObject(
              GetObjectRequest.newBuilder().bucket(job.bucket()).key(job.key()).build())) {
            var body = result.body().readAllBytes();
            yield new Done(result.statusCode(), result.eTag(), result.contentType(), result.metadata(), body);
          }
        }
        case "head" -> {
          var result = client.headObject(
              HeadObjectRequest.newBuilder().bucket(job.bucket()).key(job.key()).build());
          yield new Done(result.statusCode(), result.eTag(), result.contentType(), result.metadata(), null);
        }
        case "delete" -> {
          var result = client.deleteObject(
              DeleteObjectRequest.newBuilder().bucket(job.bucket()).key(job.key()).build());
          yield new Done(result.statusCode(), null, null, null, null);
        }
        case "exists" -> new Existence(client.doesObjectExist(job.bucket(), job.key()));
        case "list" -> {
          var listed = new Listed(new ArrayList<>(), new ArrayList<>());
          if (job.version() == 1) {
            client.listObjectsPaginator(ListObjectsRequest.newBuilder()
                    .bucket(job.bucket()).prefix(job.prefix()).delimiter(job.delimiter()).maxKeys(job.pageSize())
                    .build())
                .forEach(page -> listed.add(page.contents(), page.commonPrefixes()));
          } else {
            client.listObjectsV2Paginator(ListObjectsV2Request.newBuilder()
                    .bucket(job.bucket()).prefix(job.prefix()).delimiter(job.delimiter()).maxKeys(job.pageSize())
                    .build())
                .forEach(page -> listed.add(page.contents(), page.commonPrefixes()));
          }
          yield listed;
        }
        case "upload-file" -> {
          var result = new Uploader(client).uploadFile(
              PutObjectRequest.newBuilder().bucket(job.bucket()).key(job.key()).build(), job.file());
          yield new Transferred(result.etag(), result.hashCrc64ecma());
        }
        case "download-file" -> {
          new Downloader(client).downloadFile(
              GetObjectRequest.newBuilder().bucket(job.bucket()).key(job.key()).build(), job.file());
          yield new Transferred(null, null);
        }
        default -> throw new IllegalArgumentException("there is no job " + job.job());
      };
    }
  }
}
