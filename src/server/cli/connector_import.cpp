#include "server/cli/connector_import.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <ostream>

#include "connector/gallery/package.h"
#include "http/client.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::server {

namespace {

namespace fs = std::filesystem;
using connector::ConnectorFiles;
using json::Value;

constexpr int depth_max = 8;
constexpr std::size_t files_max = 20'000;  ///< of connectors, below one folder
constexpr std::size_t file_bytes_max = 16u << 20;

Result<std::string> read_text(const fs::path& path, std::size_t most) {
  std::error_code failure;
  const auto size = fs::file_size(path, failure);
  if (failure) return make_error("FileUnreadable", path.string() + ": " + failure.message() + ".");
  if (size > most)
    return make_error("FileTooLarge", path.string() + " has " + std::to_string(size) + " bytes; at most " +
                                          std::to_string(most) + " are read.");
  std::ifstream file(path, std::ios::binary);
  std::string text(size, '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(size)) && size > 0)
    return make_error("FileUnreadable", path.string() + " can't be read.", {}, "Check its permissions.");
  return {boost::system::in_place_value, std::move(text)};
}

/// The files of connectors below a folder; C# scripts by their name alone, nobody reads them here.
Result<void> collect(const fs::path& folder, int depth, std::map<std::string, std::string>& files) {
  if (depth > depth_max) return {};
  std::error_code failure;
  fs::directory_iterator entries(folder, failure);
  if (failure) return make_error("FileUnreadable", folder.string() + ": " + failure.message() + ".");
  for (const fs::directory_entry& entry : entries) {
    if (entry.is_symlink(failure)) continue;
    if (entry.is_directory(failure)) {
      if (auto below = collect(entry.path(), depth + 1, files); !below) return below;
      continue;
    }
    const std::string name = entry.path().string();
    if (!entry.is_regular_file(failure) || !connector::is_connector_file(name)) continue;
    if (files.size() >= files_max)
      return make_error("FolderTooLarge",
                        folder.string() + " holds more than " + std::to_string(files_max) + " files of connectors.", {},
                        "Import its folders one by one.");
    if (name.ends_with(".csx")) {
      files.emplace(name, std::string());
      continue;
    }
    auto text = read_text(entry.path(), file_bytes_max);
    if (!text) return text.error();
    files.emplace(name, std::move(*text));
  }
  return {};
}

Result<std::vector<ConnectorFiles>> connectors_at(const std::string& name) {
  const fs::path path(name);
  std::error_code failure;
  std::map<std::string, std::string> files;
  if (fs::is_directory(path, failure)) {
    if (const auto collected = collect(path, 0, files); !collected) return collected.error();
    auto found = connector::find_connectors(files);
    if (found.empty())
      return make_error("FolderHoldsNoConnector", name + " holds no connector.", {},
                        "A connector's folder holds apiDefinition.swagger.json.");
    return found;
  }
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (extension == ".zip") {
    const auto bytes = read_text(path, connector::PackageLimits().package_bytes_max);
    if (!bytes) return bytes.error();
    auto found = connector::read_package(*bytes);
    if (found) {
      for (ConnectorFiles& one : *found) one.place = name + "/" + one.place;
    }
    return found;
  }
  // A file alone, whatever its name: OpenAPI documents have many.
  ConnectorFiles one;
  auto swagger = read_text(path, file_bytes_max);
  if (!swagger) return swagger.error();
  one.place = name;
  one.swagger = std::move(*swagger);
  const fs::path properties = path.parent_path() / "apiProperties.json";
  if (fs::exists(properties, failure)) {
    auto text = read_text(properties, file_bytes_max);
    if (!text) return text.error();
    one.properties = std::move(*text);
  }
  one.has_script = fs::exists(path.parent_path() / "script.csx", failure);
  return std::vector<ConnectorFiles>{std::move(one)};
}

std::string number(const Value& value, std::string_view name) {
  const Value* found = value.find(name);
  return found == nullptr ? "0" : json::write(*found);
}

void print_names(const Value& change, const char* name, const char* word, std::ostream& out) {
  const Value* list = change.find(name);
  if (list == nullptr || list->size() == 0) return;
  out << "    " << word << ":";
  for (const Value& one : list->as_array())
    out << ' ' << one.as_string() << (&one == &list->as_array().back() ? "" : ",");
  out << '\n';
}

/// 0, 1 or 2 as `import_connectors`.
int send(http::Client& client, const ConnectorImportOptions& options, const ConnectorFiles& files, std::ostream& out,
         std::ostream& problems) {
  json::ObjectBuilder body;
  body.add("swagger", Value(files.swagger));
  if (!files.properties.empty()) body.add("properties", Value(files.properties));
  const std::string& name = options.name.empty() ? files.name : options.name;
  if (!name.empty()) body.add("name", Value(name));
  body.add("hasScript", Value(files.has_script));
  body.add("from", Value(files.place));
  http::Request request;
  request.method = "POST";
  request.url = options.server + "/api/v1/connectors";
  request.headers = {{"Authorization", "Bearer " + options.token}, {"Content-Type", "application/json"}};
  request.body = json::write(body.finish());
  const http::Reply reply = http::send_and_wait(client, std::move(request));
  const auto answer = json::parse(reply.body);
  if (reply.status == 200 || reply.status == 201) {
    if (!answer) {
      problems << "flowmend: " << options.server << " did not answer with JSON: it is no Flowmend server.\n";
      return 2;
    }
    out << answer->text_of("name") << '\t' << answer->text_of("result") << "\tversion " << number(*answer, "version")
        << '\t' << number(*answer, "usable") << " of " << number(*answer, "operations") << " operations can run\t"
        << files.place << '\n';
    if (const Value* change = answer->find("change")) {
      print_names(*change, "added", "added", out);
      print_names(*change, "removed", "removed", out);
      print_names(*change, "changed", "changed", out);
      print_names(*change, "newlyRequired", "now required", out);
    }
    return 0;
  }
  const Value* error = answer ? answer->find("error") : nullptr;
  problems << "flowmend: " << files.place << ": "
           << (error != nullptr
                   ? std::string(error->text_of("message")) + " (" + std::string(error->text_of("code")) + ")"
               : reply.status == 0 ? reply.error_message
                                   : "the server answered with status " + std::to_string(reply.status) + ".")
           << '\n';
  const bool refused = reply.status >= 400 && reply.status < 500 && reply.status != 401 && reply.status != 403;
  if (!refused) problems << "    Check --server and --token; the token needs the scope admin.\n";
  return refused ? 1 : 2;
}

}  // namespace

int import_connectors(const ConnectorImportOptions& given, std::ostream& out, std::ostream& problems) {
  ConnectorImportOptions options = given;
  if (options.token.empty()) {
    problems << "flowmend: there is no token.\n    Give --token or set FLOWMEND_TOKEN; 'flowmend token create --scopes "
                "admin' makes one.\n";
    return 2;
  }
  while (!options.server.empty() && options.server.back() == '/') options.server.pop_back();
  http::Client client;
  int status = 0;
  for (const std::string& path : options.paths) {
    const auto found = connectors_at(path);
    if (!found) {
      problems << "flowmend: " << path << ": " << found.error().message << '\n';
      if (!found.error().cure.empty()) problems << "    " << found.error().cure << '\n';
      status = 2;
      continue;
    }
    if (!options.name.empty() && (found->size() > 1 || options.paths.size() > 1)) {
      problems << "flowmend: --name names one connector, and there are more.\n    Import that one by itself.\n";
      return 2;
    }
    for (const ConnectorFiles& files : *found) {
      const int result = send(client, options, files, out, problems);
      status = std::max(status, result);
      if (result == 2) return status;  // the others would fare no better
    }
  }
  out.flush();
  return status;
}

}  // namespace flowmend::server
