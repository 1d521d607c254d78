// Uploads a file through oss-presign: asks the service for a signed URL, then sends the file to
// that URL. Without KEY the service creates the object key. OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL
// come from the environment.
#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using nlohmann::json;
using Request = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

constexpr long longestWaitSeconds = 30;

struct Response {
  long status = 0;
  std::string body, etag;
  curl_off_t retryAfterSeconds = 0;
};

/// The text of libcurl for a code: names neither URL nor headers.
struct NetworkError : std::runtime_error {
  explicit NetworkError(CURLcode code) : runtime_error(curl_easy_strerror(code)) {}
};

static Response send(const Request& request, const std::string& url, const std::map<std::string, std::string>& headers) {
  curl_slist* lines = nullptr;
  for (const auto& [name, value] : headers) lines = curl_slist_append(lines, (name + ": " + value).c_str());
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> owner(lines, curl_slist_free_all);
  Response response;
  curl_easy_setopt(request.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(request.get(), CURLOPT_HTTPHEADER, lines);
  curl_easy_setopt(request.get(), CURLOPT_WRITEDATA, &response.body);
  curl_easy_setopt(request.get(), CURLOPT_WRITEFUNCTION, +[](char* data, size_t, size_t size, std::string* text) {
    text->append(data, size);
    return size;
  });
  if (const CURLcode code = curl_easy_perform(request.get())) throw NetworkError(code);
  curl_easy_getinfo(request.get(), CURLINFO_RESPONSE_CODE, &response.status);
  curl_easy_getinfo(request.get(), CURLINFO_RETRY_AFTER, &response.retryAfterSeconds);
  curl_header* etag;
  if (!curl_easy_header(request.get(), "ETag", 0, CURLH_HEADER, -1, &etag)) response.etag = etag->value;
  return response;
}

static void wait(long seconds) { std::this_thread::sleep_for(std::chrono::seconds(seconds)); }

static std::string environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value ? value : otherwise;
}

static std::string reason(const Response& response, const json& problem) {
  std::string text;
  if (problem.is_object())
    for (const auto& error : problem.value("errors", json::array({problem}))) text += error.value("detail", "") + " ";
  return text.empty() ? "HTTP " + std::to_string(response.status) : text.substr(0, text.size() - 1);
}

/// Sends the request up to three times: 429 and 503 are repeated after Retry-After, a network error once.
static json askService(const json& question) {
  int networkErrors = 0;
  for (int attempt = 1;; attempt++) {
    long seconds = 1;
    try {
      const Request ask(curl_easy_init(), curl_easy_cleanup);
      curl_easy_setopt(ask.get(), CURLOPT_COPYPOSTFIELDS, question.dump().c_str());
      const Response response = send(ask, environment("OSS_PRESIGN_URL", "http://localhost:8080") + "/v1/uploads",
                                     {{"Authorization", "Bearer " + environment("OSS_PRESIGN_TOKEN", "")}, {"Content-Type", "application/json"}});
      // Without exceptions, because their messages quote the text, in which the signed URL is.
      const json grant = json::parse(response.body, nullptr, false);
      if (response.status == 201 && grant.is_object()) return grant;
      if (response.retryAfterSeconds > 0) seconds = response.retryAfterSeconds;
      const bool isBusy = response.status == 429 || response.status == 503;
      if (!isBusy || attempt == 3 || seconds > longestWaitSeconds)
        throw std::runtime_error("The service rejected the request: " + reason(response, grant));
    } catch (const NetworkError& error) {
      if (++networkErrors == 2 || attempt == 3) throw std::runtime_error(std::string("The service cannot be reached: ") + error.what());
    }
    wait(seconds);
  }
}

static int showProgress(void*, curl_off_t, curl_off_t, curl_off_t total, curl_off_t sent) {
  if (total > 0) std::cerr << '\r' << 100 * sent / total << " %";
  return 0;
}

/// Sends the file up to two times: a network error and a 5xx response are repeated once.
static std::pair<Response, int> sendFile(const std::string& path, const json& grant) {
  for (int attempt = 1;; attempt++) {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
    if (!file) throw std::runtime_error("Cannot read " + path);
    const Request upload(curl_easy_init(), curl_easy_cleanup);
    curl_easy_setopt(upload.get(), CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(upload.get(), CURLOPT_CUSTOMREQUEST, grant["method"].get<std::string>().c_str());
    curl_easy_setopt(upload.get(), CURLOPT_READDATA, file.get());
    curl_easy_setopt(upload.get(), CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(std::filesystem::file_size(path)));
    curl_easy_setopt(upload.get(), CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(upload.get(), CURLOPT_XFERINFOFUNCTION, showProgress);
    try {
      Response sent = send(upload, grant["url"], grant["headers"]);
      if (sent.status < 500 || attempt == 2) return {sent, attempt};
    } catch (const NetworkError& error) {
      if (attempt == 2) throw std::runtime_error(std::string("\nOSS cannot be reached: ") + error.what());
    }
    wait(1);
  }
}

static std::string guessType(const std::filesystem::path& file) {
  static const std::map<std::string, std::string> types = {
      {".png", "image/png"},       {".jpg", "image/jpeg"},       {".jpeg", "image/jpeg"},     {".gif", "image/gif"},
      {".webp", "image/webp"},     {".mp4", "video/mp4"},        {".mp3", "audio/mpeg"},      {".pdf", "application/pdf"},
      {".zip", "application/zip"}, {".json", "application/json"}, {".csv", "text/csv"},        {".txt", "text/plain"}};
  std::string extension = file.extension();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char letter) { return std::tolower(letter); });
  const auto found = types.find(extension);
  return found == types.end() ? "application/octet-stream" : found->second;
}

int main(int count, char** args) try {
  std::vector<std::string> positional;
  json metadata = json::object();
  bool isUnderstood = std::getenv("OSS_PRESIGN_TOKEN") != nullptr;
  for (int i = 1; i < count; i++) {
    const std::string argument = args[i];
    const std::string pair = argument == "--meta" && i + 1 < count ? args[++i] : "";
    const auto separator = pair.find('=');
    if (argument.rfind("--", 0) != 0) positional.push_back(argument);
    else if (separator == std::string::npos || separator == 0) isUnderstood = false;
    else metadata[pair.substr(0, separator)] = pair.substr(separator + 1);
  }
  if (!isUnderstood || positional.empty() || positional.size() > 3) {
    std::cerr << "usage: upload FILE [KEY] [TYPE] [--meta NAME=VALUE]...   (needs OSS_PRESIGN_TOKEN)\n";
    return 2;
  }
  const std::filesystem::path file = positional[0];
  json question = {{"contentType", positional.size() > 2 ? positional[2] : guessType(file)}, {"contentLength", std::filesystem::file_size(file)}};
  if (positional.size() > 1) question["key"] = positional[1];
  else question["filename"] = file.filename().string();
  if (!metadata.empty()) question["metadata"] = metadata;

  const json grant = askService(question);
  const auto [sent, attempt] = sendFile(file, grant);
  std::cerr << '\n';
  if (sent.status == 203) {
    std::cerr << "Stored, but OSS could not notify the application. Do not upload the file again.\n";
  } else if (sent.status == 409 && attempt == 2) {
    std::cerr << "Stored by the first attempt, whose response was lost.\n";
  } else if (sent.status != 200) {
    std::smatch error;
    std::regex_search(sent.body, error, std::regex("<Code>(.*)</Code>\\s*<Message>(.*)</Message>"));
    throw std::runtime_error("OSS rejected the upload: " + std::to_string(sent.status) + " " + error.str(1) + ": " + error.str(2) +
                             (sent.status == 409 ? "\nThe key is taken: choose another one, or leave KEY out." : ""));
  }
  std::cout << "key:  " << grant["key"].get<std::string>() << '\n';
  if (sent.status != 409) std::cout << "ETag: " << sent.etag << '\n';
} catch (const json::exception&) {
  // Its message quotes the text, in which the signed URL is.
  std::cerr << "The response of the service is not complete.\n";
  return 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
