// Uploads a large file in parts through oss-presign. The same command continues an upload that broke
// off: FILE.oss-presign holds its id. OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from the environment.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

public static class UploadLarge
{
    /// <summary>The fields of all requests and responses of the service, and of the items in them.</summary>
    [DataContract]
    public class Message
    {
        [DataMember(EmitDefaultValue = false)] public string id, transfer, key, filename, contentType, state, receipt, code, detail, method, url;
        [DataMember(EmitDefaultValue = false)] public long contentLength, offset;
        [DataMember(EmitDefaultValue = false)] public int from, to, partNumber;
        [DataMember(EmitDefaultValue = false)] public int[] partNumbers;
        [DataMember(EmitDefaultValue = false)] public Dictionary<string, string> headers;
        [DataMember(EmitDefaultValue = false)] public Message[] missing, parts, errors;
    }

    const int Attempts = 4, LongestWaitSeconds = 60, PartsPerRequest = 20, ParallelParts = 4;
    static readonly Dictionary<string, string> types = new Dictionary<string, string> { [".mp4"] = "video/mp4", [".mov"] = "video/quicktime", [".zip"] = "application/zip" };
    static readonly string service = Environment.GetEnvironmentVariable("OSS_PRESIGN_URL") ?? "http://localhost:8080", token = Environment.GetEnvironmentVariable("OSS_PRESIGN_TOKEN");
    static readonly DataContractJsonSerializer serializer = new DataContractJsonSerializer(typeof(Message), new DataContractJsonSerializerSettings { UseSimpleDictionaryFormat = true });
    // Without the usual limit of 100 seconds, which counts the whole part. OSS does not redirect.
    static readonly HttpClient client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, MaxConnectionsPerServer = ParallelParts }) { Timeout = Timeout.InfiniteTimeSpan };

    public static void Main(string[] args)
    {
        if (args.Length < 1 || args.Length > 3 || args[0].StartsWith("--") || string.IsNullOrEmpty(token)) Fail("usage: UploadLarge FILE [KEY] [TYPE]   (needs OSS_PRESIGN_TOKEN)", 2);
        try { Run(args[0], args.ElementAtOrDefault(1), args.ElementAtOrDefault(2)).GetAwaiter().GetResult(); }
        catch (Exception error) { Fail("The upload failed: " + error.GetBaseException().Message); }
    }

    static async Task Run(string path, string key, string type)
    {
        var (state, size, upload) = (path + ".oss-presign", new FileInfo(path).Length, new Message());
        var id = File.Exists(state) ? File.ReadAllText(state) : "";
        if (id != "") upload = await Ask("/status", new Message { id = id }, "upload_id_invalid", "upload_id_expired");
        if (id != "") Console.Error.WriteLine("Unfinished upload: " + (upload.state ?? upload.detail));
        if (upload.state == null || upload.state == "absent")
        {
            Console.Error.WriteLine("Starting a new upload.");
            if (type == null && !types.TryGetValue(Path.GetExtension(path).ToLowerInvariant(), out type)) type = "application/octet-stream";
            var question = new Message { transfer = "multipart", contentType = type, contentLength = size };
            // macOS hands out decomposed names; the service accepts composed ones (NFC).
            if (key == null) question.filename = Path.GetFileName(path).Normalize(NormalizationForm.FormC);
            else question.key = key.Normalize(NormalizationForm.FormC);
            id = (await Ask("", question)).id;
            if (Environment.OSVersion.Platform == PlatformID.Unix) umask(63); // 077: new files are readable by their owner alone.
            File.Delete(state);
            File.WriteAllText(state, id);
            upload = await Ask("/status", new Message { id = id });
        }
        if (upload.contentLength != size) Fail($"The file had {upload.contentLength} bytes and has {size} now. Delete {state} to start again.");
        await SendParts(path, id, upload.missing ?? new Message[0]);
        var stored = await Ask("/complete", new Message { id = id });
        File.Delete(state);
        Console.WriteLine($"key:  {stored.key}\nreceipt: {(stored.receipt == null ? "no" : "yes")}");
    }

    /// <summary>Signs the parts that are missing, some at a time, and sends a few in parallel.</summary>
    static async Task SendParts(string path, string id, Message[] gaps)
    {
        var free = new SemaphoreSlim(ParallelParts);
        var missing = gaps.SelectMany(gap => Enumerable.Range(gap.from, gap.to - gap.from + 1)).ToArray();
        for (var start = 0; start < missing.Length; start += PartsPerRequest)
        {
            Console.Error.WriteLine($"Parts left: {missing.Length - start}");
            var signed = await Ask("/parts", new Message { id = id, partNumbers = missing.Skip(start).Take(PartsPerRequest).ToArray() });
            await Task.WhenAll(signed.parts.Select(async part => { await free.WaitAsync(); await SendPart(path, id, part, 1); free.Release(); }));
        }
    }

    /// <summary>Sends one part, and signs it again if its URL has expired.</summary>
    static async Task SendPart(string path, string id, Message part, int attempt)
    {
        var (status, body) = await Send("OSS", part.method, part.url, part.headers, () => new PartContent { Path = path, Part = part });
        if (status == 200) return;
        Func<string, string> element = name => body.Split(new[] { "<" + name + ">", "</" + name + ">" }, StringSplitOptions.None).ElementAtOrDefault(1);
        if (element("Message") != "Request has expired." || attempt == Attempts)
            Fail($"OSS rejected a part: {status} {element("Code")}: {element("Message")}\nRun the command again to continue.");
        var signed = await Ask("/parts", new Message { id = id, partNumbers = new[] { part.partNumber } });
        await SendPart(path, id, signed.parts[0], attempt + 1);
    }

    /// <summary>Returns a 2xx response of the service, or a problem with one of these codes. Any other response ends the program.</summary>
    static async Task<Message> Ask(string path, Message question, params string[] acceptedCodes)
    {
        var json = new MemoryStream();
        serializer.WriteObject(json, question);
        var headers = new Dictionary<string, string> { ["Authorization"] = "Bearer " + token };
        var (status, body) = await Send("The service", "POST", service + "/v1/uploads" + path, headers,
            () => new StringContent(Encoding.UTF8.GetString(json.ToArray()), Encoding.UTF8, "application/json"));
        var parsed = body.StartsWith("{") ? (Message)serializer.ReadObject(new MemoryStream(Encoding.UTF8.GetBytes(body))) : new Message();
        if (status >= 300 && !acceptedCodes.Contains(parsed.code))
            Fail("The service rejected the request: " + (parsed.errors == null ? parsed.detail ?? "HTTP " + status : string.Join(" ", parsed.errors.Select(error => error.detail))));
        return parsed;
    }

    /// <summary>Repeats a network error, 429 and 5xx.</summary>
    static async Task<(int, string)> Send(string receiver, string method, string url, Dictionary<string, string> headers, Func<HttpContent> open)
    {
        for (var attempt = 1; ; attempt++)
        {
            var wait = TimeSpan.FromSeconds(1 << (attempt - 1));
            try
            {
                var request = new HttpRequestMessage(new HttpMethod(method), url) { Content = open() };
                foreach (var header in headers) // Some belong to the content, the others to the request.
                    if (!request.Headers.TryAddWithoutValidation(header.Key, header.Value)) request.Content.Headers.TryAddWithoutValidation(header.Key, header.Value);
                var response = await client.SendAsync(request);
                var status = (int)response.StatusCode;
                var body = await response.Content.ReadAsStringAsync();
                wait = response.Headers.RetryAfter?.Delta ?? wait;
                var isBusy = status == 429 || status >= 500 || body.Contains("<Code>RequestTimeout<");
                if (!isBusy || attempt == Attempts || wait.TotalSeconds > LongestWaitSeconds) return (status, body);
            }
            catch (HttpRequestException error) { if (attempt == Attempts) Fail($"{receiver} cannot be reached: {error.GetBaseException().Message}"); }
            await Task.Delay(wait);
        }
    }

    [System.Runtime.InteropServices.DllImport("libc")] static extern uint umask(uint mask);
    static void Fail(string reason, int code = 1) { Console.Error.WriteLine(reason); Environment.Exit(code); }

    /// <summary>The bytes of one part, sent piece by piece as they are read.</summary>
    class PartContent : HttpContent
    {
        public string Path;
        public Message Part;
        protected override bool TryComputeLength(out long length) { length = Part.contentLength; return true; }

        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext context)
        {
            var (buffer, left) = (new byte[64 * 1024], Part.contentLength);
            using (var file = new FileStream(Path, FileMode.Open, FileAccess.Read) { Position = Part.offset })
                for (int read; (read = await file.ReadAsync(buffer, 0, (int)Math.Min(buffer.Length, left))) > 0; left -= read)
                    await stream.WriteAsync(buffer, 0, read);
        }
    }
}
