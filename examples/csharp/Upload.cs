// Uploads a file through oss-presign: asks the service for a signed URL, then sends the file to
// that URL. Without KEY the service creates the object key. OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL
// come from the environment.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Text;
using System.Threading.Tasks;
using System.Xml;

[DataContract]
public class Question
{
    [DataMember(EmitDefaultValue = false)] public string key, filename, contentType;
    [DataMember] public long contentLength;
    [DataMember(EmitDefaultValue = false)] public Dictionary<string, string> metadata;
}

/// <summary>A grant, or a problem with detail and errors.</summary>
public class Grant { public string method, url, key, detail; public Dictionary<string, string> headers; public Grant[] errors; }

public static class Upload
{
    const int LongestWaitSeconds = 30;
    static readonly Dictionary<string, string> types = new Dictionary<string, string>
    {
        [".png"] = "image/png", [".jpg"] = "image/jpeg", [".jpeg"] = "image/jpeg", [".gif"] = "image/gif",
        [".webp"] = "image/webp", [".mp4"] = "video/mp4", [".mp3"] = "audio/mpeg", [".pdf"] = "application/pdf",
        [".zip"] = "application/zip", [".json"] = "application/json", [".csv"] = "text/csv", [".txt"] = "text/plain",
    };
    static readonly DataContractJsonSerializerSettings settings = new DataContractJsonSerializerSettings { UseSimpleDictionaryFormat = true };
    static readonly string token = Environment.GetEnvironmentVariable("OSS_PRESIGN_TOKEN");
    // Without the usual limit of 100 seconds, which counts the whole upload. OSS does not redirect.
    static readonly HttpClient client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };

    public static int Main(string[] args)
    {
        try { return Run(args).GetAwaiter().GetResult(); }
        catch (Exception error) { return Fail("The upload failed: " + Describe(error)); }
    }

    static async Task<int> Run(string[] args)
    {
        var positional = new List<string>();
        var metadata = new Dictionary<string, string>();
        for (int i = 0; i < args.Length; i++)
            if (args[i] == "--meta" && i + 1 < args.Length && args[i + 1].IndexOf('=') > 0)
            {
                var pair = args[++i].Split(new[] { '=' }, 2);
                metadata[pair[0]] = pair[1];
            }
            else if (args[i].StartsWith("--")) return Usage();
            else positional.Add(args[i]);
        if (positional.Count < 1 || positional.Count > 3 || string.IsNullOrEmpty(token)) return Usage();

        var path = positional[0];
        var hasKey = positional.Count > 1;
        // macOS hands out decomposed names; the service accepts composed ones (NFC).
        var name = (hasKey ? positional[1] : Path.GetFileName(path)).Normalize(NormalizationForm.FormC);
        var question = new Question
        {
            key = hasKey ? name : null,
            filename = hasKey ? null : name,
            contentType = positional.Count > 2 ? positional[2] : GuessType(path),
            contentLength = new FileInfo(path).Length,
            metadata = metadata.Count > 0 ? metadata : null,
        };

        var grant = await AskService(question);
        if (grant == null) return 1;
        var (sent, attempt) = await SendFile(path, grant);
        if (sent == null) return 1;
        Console.Error.WriteLine();
        var status = (int)sent.StatusCode;
        if (status == 203) Console.Error.WriteLine("Stored, but OSS could not notify the application. Do not upload the file again.");
        else if (status == 409 && attempt == 2) Console.Error.WriteLine("Stored by the first attempt, whose response was lost.");
        else if (status != 200)
            return Fail($"OSS rejected the upload: {status} {ExplainXml(await sent.Content.ReadAsStringAsync())}"
                + (status == 409 ? "\nThe key is taken: choose another one, or leave KEY out." : ""));
        Console.WriteLine($"key:  {grant.key}");
        if (status != 409) Console.WriteLine($"ETag: {sent.Headers.ETag}");
        return 0;
    }

    /// <summary>Sends the request up to three times: 429 and 503 are repeated after Retry-After, a network error once.</summary>
    static async Task<Grant> AskService(Question question)
    {
        var json = new MemoryStream();
        new DataContractJsonSerializer(typeof(Question), settings).WriteObject(json, question);
        var networkErrors = 0;
        for (var attempt = 1; ; attempt++)
        {
            var wait = TimeSpan.FromSeconds(1);
            try
            {
                var ask = new HttpRequestMessage(HttpMethod.Post, (Environment.GetEnvironmentVariable("OSS_PRESIGN_URL") ?? "http://localhost:8080") + "/v1/uploads");
                ask.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
                ask.Content = new StringContent(Encoding.UTF8.GetString(json.ToArray()), Encoding.UTF8, "application/json");
                var response = await client.SendAsync(ask);
                var grant = Parse(await response.Content.ReadAsStreamAsync());
                if (response.StatusCode == HttpStatusCode.Created && grant != null) return grant;
                wait = response.Headers.RetryAfter?.Delta ?? wait;
                var isBusy = (int)response.StatusCode == 429 || response.StatusCode == HttpStatusCode.ServiceUnavailable;
                if (!isBusy || attempt == 3 || wait.TotalSeconds > LongestWaitSeconds)
                {
                    var details = grant?.errors == null ? grant?.detail : string.Join(" ", grant.errors.Select(error => error.detail));
                    Fail("The service rejected the request: " + (details ?? "HTTP " + (int)response.StatusCode));
                    return null;
                }
            }
            catch (HttpRequestException error)
            {
                if (++networkErrors == 2 || attempt == 3)
                {
                    Fail("The service cannot be reached: " + Describe(error));
                    return null;
                }
            }
            await Task.Delay(wait);
        }
    }

    /// <summary>Sends the file up to two times: a network error and a 5xx response are repeated once.</summary>
    static async Task<(HttpResponseMessage, int)> SendFile(string path, Grant grant)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var upload = new HttpRequestMessage(new HttpMethod(grant.method), grant.url) { Content = new FileContent(path) };
                foreach (var header in grant.headers) SetHeader(upload, header.Key, header.Value);
                var sent = await client.SendAsync(upload);
                if ((int)sent.StatusCode < 500 || attempt == 2) return (sent, attempt);
            }
            catch (HttpRequestException error)
            {
                if (attempt == 2)
                {
                    Fail("\nOSS cannot be reached: " + Describe(error));
                    return (null, attempt);
                }
            }
            await Task.Delay(1000);
        }
    }

    /// <summary>Sets a header to exactly this text. .NET keeps what is added without validation; Mono would reformat the first three.</summary>
    static void SetHeader(HttpRequestMessage upload, string name, string value)
    {
        var content = upload.Content.Headers;
        if (name == "Cache-Control") upload.Headers.CacheControl = new VerbatimCacheControl { Text = value };
        else if (name == "Content-Type") content.ContentType = new VerbatimType { Text = value };
        else if (name == "Content-Disposition") content.ContentDisposition = new VerbatimDisposition { Text = value };
        // .NET keeps Content-Encoding and its like with the content, and everything else with the
        // request.
        else if (!upload.Headers.TryAddWithoutValidation(name, value)) content.TryAddWithoutValidation(name, value);
    }

    static string GuessType(string path) =>
        types.TryGetValue(Path.GetExtension(path).ToLowerInvariant(), out var type) ? type : "application/octet-stream";

    static Grant Parse(Stream body)
    {
        try { return (Grant)new DataContractJsonSerializer(typeof(Grant), settings).ReadObject(body); }
        catch (SerializationException) { return null; }
    }

    static string ExplainXml(string xml)
    {
        var error = new XmlDocument();
        try { error.LoadXml(xml); } catch (XmlException) { return ""; }
        return $"{error["Error"]?["Code"]?.InnerText}: {error["Error"]?["Message"]?.InnerText}";
    }

    static string Describe(Exception error)
    {
        error = error.GetBaseException();
        return $"{error.GetType().Name}: {error.Message}";
    }

    static int Usage()
    {
        Console.Error.WriteLine("usage: Upload FILE [KEY] [TYPE] [--meta NAME=VALUE]...   (needs OSS_PRESIGN_TOKEN)");
        return 2;
    }

    static int Fail(string reason)
    {
        Console.Error.WriteLine(reason);
        return 1;
    }
}

public class VerbatimCacheControl : CacheControlHeaderValue { public string Text; public override string ToString() => Text; }

public class VerbatimType : MediaTypeHeaderValue
{
    public string Text;
    public VerbatimType() : base("application/octet-stream") { }
    public override string ToString() => Text;
}

public class VerbatimDisposition : ContentDispositionHeaderValue
{
    public string Text;
    public VerbatimDisposition() : base("attachment") { }
    public override string ToString() => Text;
}

/// <summary>A file, sent piece by piece as it is read, that shows the progress.</summary>
public class FileContent : HttpContent
{
    readonly string path;
    readonly long length;

    public FileContent(string path) { this.path = path; length = new FileInfo(path).Length; }

    protected override bool TryComputeLength(out long length) { length = this.length; return true; }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext context)
    {
        var buffer = new byte[64 * 1024];
        using (var file = File.OpenRead(path))
            for (int read; (read = await file.ReadAsync(buffer, 0, buffer.Length)) > 0;)
            {
                await stream.WriteAsync(buffer, 0, read);
                Console.Error.Write($"\r{100 * file.Position / length,3} %");
            }
    }
}
