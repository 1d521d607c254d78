// Uploads a file with the permission of oss-presign: asks for a URL, then sends the file to it.
// usage: Upload FILE KEY CONTENT-TYPE      OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from the environment
using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Runtime.Serialization.Json;
using System.Text;
using System.Threading.Tasks;
using System.Xml;

public class Question { public string key, contentType; public long contentLength; public Dictionary<string, string> metadata; }

public class Grant { public string method, url, key, detail; public Dictionary<string, string> headers; }

public static class Upload
{
    static readonly DataContractJsonSerializerSettings settings = new DataContractJsonSerializerSettings { UseSimpleDictionaryFormat = true };

    public static int Main(string[] args) => Run(args).GetAwaiter().GetResult();

    static async Task<int> Run(string[] args)
    {
        string path = args[0], key = args[1], contentType = args[2];
        // Without the usual limit of 100 seconds, which counts the whole upload.
        var client = new HttpClient { Timeout = System.Threading.Timeout.InfiniteTimeSpan };

        var service = Environment.GetEnvironmentVariable("OSS_PRESIGN_URL") ?? "http://localhost:8080";
        var ask = new HttpRequestMessage(HttpMethod.Post, service + "/v1/uploads");
        ask.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Environment.GetEnvironmentVariable("OSS_PRESIGN_TOKEN"));
        var metadata = new Dictionary<string, string> { ["album"] = "examples" };
        var question = new Question { key = key, contentType = contentType, contentLength = new FileInfo(path).Length, metadata = metadata };
        var json = new MemoryStream();
        new DataContractJsonSerializer(typeof(Question), settings).WriteObject(json, question);
        ask.Content = new StringContent(Encoding.UTF8.GetString(json.ToArray()), Encoding.UTF8, "application/json");
        var asked = await client.SendAsync(ask);
        var grant = (Grant)new DataContractJsonSerializer(typeof(Grant), settings).ReadObject(await asked.Content.ReadAsStreamAsync());
        if (asked.StatusCode != HttpStatusCode.Created) return Fail("The service refused: " + grant.detail);

        var upload = new HttpRequestMessage(new HttpMethod(grant.method), grant.url) { Content = new FileContent(path) };
        foreach (var header in grant.headers)
            // .NET keeps Content-Type and its like with the content, and everything else with the request.
            if (!upload.Headers.TryAddWithoutValidation(header.Key, header.Value))
                upload.Content.Headers.TryAddWithoutValidation(header.Key, header.Value);
        var sent = await client.SendAsync(upload);
        if (sent.StatusCode != HttpStatusCode.OK)
        {
            var error = new XmlDocument();
            error.LoadXml(await sent.Content.ReadAsStringAsync());
            return Fail($"OSS refused: {(int)sent.StatusCode} {error["Error"]["Code"].InnerText}: {error["Error"]["Message"].InnerText}");
        }
        Console.WriteLine($"key:  {grant.key}\nETag: {sent.Headers.ETag}");
        return 0;
    }

    static int Fail(string reason)
    {
        Console.Error.WriteLine(reason);
        return 1;
    }
}

/// <summary>A file, sent piece by piece as it is read, that shows how far it is.</summary>
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
                Console.Error.Write($"\r{100 * file.Position / length,3} %{(file.Position == length ? "\n" : "")}");
            }
    }
}
