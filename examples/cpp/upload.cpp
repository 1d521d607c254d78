// Uploads a file with the permission of oss-presign: asks for a URL, then sends the file to it.
// usage: upload FILE KEY CONTENT-TYPE      OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from the environment
#include <curl/curl.h>

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

using Request = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

struct Answer {
  long status = 0;
  std::string body, etag;
};

static Answer send(const Request& request, const std::string& url, const std::map<std::string, std::string>& headers) {
  curl_slist* lines = nullptr;
  for (const auto& [name, value] : headers) lines = curl_slist_append(lines, (name + ": " + value).c_str());
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> owner(lines, curl_slist_free_all);
  Answer answer;
  curl_easy_setopt(request.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(request.get(), CURLOPT_HTTPHEADER, lines);
  curl_easy_setopt(request.get(), CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(request.get(), CURLOPT_WRITEFUNCTION, +[](char* data, size_t, size_t size, std::string* text) {
    text->append(data, size);
    return size;
  });
  if (const CURLcode code = curl_easy_perform(request.get())) throw std::runtime_error(curl_easy_strerror(code));
  curl_easy_getinfo(request.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  curl_header* etag;
  if (!curl_easy_header(request.get(), "ETag", 0, CURLH_HEADER, -1, &etag)) answer.etag = etag->value;
  return answer;
}

static int showProgress(void*, curl_off_t, curl_off_t, curl_off_t total, curl_off_t sent) {
  if (total > 0) std::cerr << '\r' << 100 * sent / total << " %";
  return 0;
}

int main(int count, char** args) try {
  if (count != 4) throw std::runtime_error("usage: upload FILE KEY CONTENT-TYPE");
  const char* service = std::getenv("OSS_PRESIGN_URL");
  const char* token = std::getenv("OSS_PRESIGN_TOKEN");
  const auto size = std::filesystem::file_size(args[1]);

  const Request ask(curl_easy_init(), curl_easy_cleanup);
  const nlohmann::json question = {
      {"key", args[2]}, {"contentType", args[3]}, {"contentLength", size}, {"metadata", {{"album", "examples"}}}};
  curl_easy_setopt(ask.get(), CURLOPT_COPYPOSTFIELDS, question.dump().c_str());
  const Answer asked = send(ask, std::string(service ? service : "http://localhost:8080") + "/v1/uploads",
                            {{"Authorization", std::string("Bearer ") + (token ? token : "")}, {"Content-Type", "application/json"}});
  const auto grant = nlohmann::json::parse(asked.body);
  if (asked.status != 201) throw std::runtime_error("The service refused: " + grant["detail"].get<std::string>());

  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(args[1], "rb"), std::fclose);
  const Request upload(curl_easy_init(), curl_easy_cleanup);
  curl_easy_setopt(upload.get(), CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(upload.get(), CURLOPT_CUSTOMREQUEST, grant["method"].get<std::string>().c_str());
  curl_easy_setopt(upload.get(), CURLOPT_READDATA, file.get());
  curl_easy_setopt(upload.get(), CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
  curl_easy_setopt(upload.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(upload.get(), CURLOPT_XFERINFOFUNCTION, showProgress);
  const Answer sent = send(upload, grant["url"], grant["headers"]);
  std::cerr << '\n';
  if (sent.status != 200) {
    std::smatch reason;
    std::regex_search(sent.body, reason, std::regex("<Code>(.*)</Code>\\s*<Message>(.*)</Message>"));
    throw std::runtime_error("OSS refused: " + std::to_string(sent.status) + " " + reason.str(1) + ": " + reason.str(2));
  }
  std::cout << "key:  " << grant["key"].get<std::string>() << "\nETag: " << sent.etag << '\n';
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
