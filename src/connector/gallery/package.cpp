#include "connector/gallery/package.h"

#include <zip.h>

#include <memory>
#include <optional>

#include "connector/native/xml_reading.h"
#include "connector/text.h"
#include "json/parse.h"
#include "json/write.h"

namespace flowmend::connector {
namespace {

using json::Value;

constexpr std::string_view definition_name = "apidefinition.swagger.json";
constexpr std::string_view properties_name = "apiproperties.json";
constexpr std::string_view solution_suffix = "_openapidefinition.json";

std::string_view file_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view folder_of(std::string_view path) { return path.substr(0, path.size() - file_name(path).size()); }

/// A name that would lead out of the folder it is unpacked to. Nothing is unpacked to disk here; a package that holds
/// such names was made to do harm elsewhere and is not trusted with anything.
bool leads_out(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != std::string_view::npos ||
      name.find('\0') != std::string_view::npos || (name.size() > 1 && name[1] == ':')) {
    return true;
  }
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    if (name.substr(at, end - at) == "..") return true;
    at = end + 1;
  }
  return false;
}

const std::string* find_ignoring_case(const std::map<std::string, std::string>& files, const std::string& path) {
  if (const auto exact = files.find(path); exact != files.end()) return &exact->second;
  for (const auto& [name, text] : files) {
    if (equals_ignoring_case(name, path)) return &text;
  }
  return nullptr;
}

/// A solution keeps what apiProperties.json holds in files of its own.
std::string solution_properties(const std::map<std::string, std::string>& files, const std::string& stem) {
  json::ObjectBuilder properties;
  bool any = false;
  for (const auto& [suffix, name] : std::initializer_list<std::pair<const char*, const char*>>{
           {"_connectionparameters.json", "connectionParameters"},
           {"_connectionparametersets.json", "connectionParameterSets"},
           {"_policytemplateinstances.json", "policyTemplateInstances"},
           {"_scriptoperations.json", "scriptOperations"}}) {
    const std::string* text = find_ignoring_case(files, stem + suffix);
    if (text == nullptr) continue;
    const auto part = json::parse(*text);
    if (!part || part->is_null()) continue;
    properties.set(name, *part);
    any = true;
  }
  if (!any) return {};
  return json::write(Value::object({{"properties", properties.finish()}}));
}

/// What flows call the connector whose definition stands at `place`: customizations.xml says it; empty when not.
std::string solution_name(const std::map<std::string, std::string>& files, std::string_view place) {
  for (const auto& [path, text] : files) {
    if (!equals_ignoring_case(file_name(path), "customizations.xml")) continue;
    const XmlDocument document = read_xml(text);
    if (!document) continue;
    const xmlNode* all = child(xmlDocGetRootElement(document.get()), "Connectors");
    for (const xmlNode* one : children(all)) {
      const std::string definition = text_inside(child(one, "openapidefinition"));
      if (definition.empty() || !equals_ignoring_case(file_name(definition), file_name(place))) continue;
      return text_inside(child(one, "connectorinternalid"));
    }
  }
  return {};
}

Error too_large(std::string message) {
  return make_error("PackageTooLarge", std::move(message), {},
                    "Take the connector's folder out of it and import that.");
}

struct DiscardZip {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseFile {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

/// At most `most` bytes of one entry; nothing when it is longer or damaged (then `damaged`).
std::optional<std::string> unpack(zip_t* archive, zip_uint64_t index, std::size_t most, bool& damaged) {
  const std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen_index(archive, index, 0));
  if (!file) {
    damaged = true;
    return std::nullopt;
  }
  std::string text;
  std::string buffer(64u << 10, '\0');
  while (true) {
    const zip_int64_t got = zip_fread(file.get(), buffer.data(), buffer.size());
    if (got < 0) {
      damaged = true;
      return std::nullopt;
    }
    if (got == 0) return text;
    if (text.size() + static_cast<std::size_t>(got) > most) return std::nullopt;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

bool is_connector_file(std::string_view path) {
  const std::string name = lower_case(file_name(path));
  if (name == definition_name || name == properties_name || name == "script.csx" || name == "customizations.xml")
    return true;
  for (const std::string_view suffix :
       {solution_suffix, std::string_view("_connectionparameters.json"),
        std::string_view("_connectionparametersets.json"), std::string_view("_policytemplateinstances.json"),
        std::string_view("_scriptoperations.json"), std::string_view(".csx")}) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) return true;
  }
  return false;
}

std::vector<ConnectorFiles> find_connectors(const std::map<std::string, std::string>& files) {
  std::vector<ConnectorFiles> out;
  for (const auto& [path, text] : files) {
    const std::string name = lower_case(file_name(path));
    const std::string folder(folder_of(path));
    ConnectorFiles found;
    found.place = path;
    found.swagger = text;
    if (name == definition_name) {
      if (const std::string* properties = find_ignoring_case(files, folder + "apiProperties.json"))
        found.properties = *properties;
      found.has_script = find_ignoring_case(files, folder + "script.csx") != nullptr;
    } else if (name.ends_with(solution_suffix) && name.size() > solution_suffix.size()) {
      const std::string stem = path.substr(0, path.size() - solution_suffix.size());
      found.properties = solution_properties(files, stem);
      for (const auto& [other, ignored] : files) {
        found.has_script = found.has_script || (other.starts_with(stem) && lower_case(other).ends_with(".csx"));
      }
      found.name = solution_name(files, path);
    } else {
      continue;
    }
    out.push_back(std::move(found));
  }
  return out;
}

Result<std::vector<ConnectorFiles>> read_package(std::string_view bytes, const PackageLimits& limits) {
  if (bytes.size() > limits.package_bytes_max) {
    return too_large("The package has " + std::to_string(bytes.size()) + " bytes; at most " +
                     std::to_string(limits.package_bytes_max) + " are read.");
  }
  const auto invalid = [](std::string message) {
    return make_error("PackageInvalid", std::move(message), {}, "Export it again, and import the file as it comes.");
  };
  if (bytes.empty()) return invalid("The file is empty.");
  zip_error_t failure;
  zip_error_init(&failure);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &failure);
  const std::unique_ptr<zip_t, DiscardZip> archive(
      source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &failure));
  if (!archive) {
    const std::string why = zip_error_strerror(&failure);
    if (source != nullptr) zip_source_free(source);
    zip_error_fini(&failure);
    return invalid("The file is no zip package: " + why + ".");
  }
  zip_error_fini(&failure);

  const zip_int64_t entries = zip_get_num_entries(archive.get(), 0);
  if (entries < 0 || static_cast<std::size_t>(entries) > limits.entries_max) {
    return too_large("The package holds " + std::to_string(entries) + " files; at most " +
                     std::to_string(limits.entries_max) + " are looked at.");
  }
  std::map<std::string, std::string> files;
  std::size_t total = 0;
  for (zip_int64_t i = 0; i < entries; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    zip_stat_t about;
    zip_stat_init(&about);
    if (zip_stat_index(archive.get(), index, 0, &about) != 0 || (about.valid & ZIP_STAT_NAME) == 0)
      return invalid("The package's list of files is damaged.");
    const std::string name = about.name;
    if (leads_out(name)) {
      return make_error("PackageNameInvalid",
                        "The package holds a file named '" + name.substr(0, 200) + "', which leads out of it.", {},
                        "Do not use this package: no tool writes such names by itself.");
    }
    if (name.back() == '/' || !is_connector_file(name)) continue;
    if ((about.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && about.encryption_method != ZIP_EM_NONE)
      return invalid("'" + name + "' is encrypted.");
    const std::size_t most = std::min(limits.file_bytes_max, limits.all_bytes_max - total);
    bool damaged = false;
    auto text = unpack(archive.get(), index, most, damaged);
    if (damaged) return invalid("'" + name + "' is damaged: " + zip_strerror(archive.get()) + ".");
    if (!text) {
      return too_large("'" + name + "' and what stands before it unpack to more than " + std::to_string(most) +
                       " bytes.");
    }
    total += text->size();
    files.emplace(name, std::move(*text));
  }
  auto found = find_connectors(files);
  if (found.empty()) {
    return make_error(
        "PackageHoldsNoConnector",
        "The package holds no connector: no apiDefinition.swagger.json and no ..._openapidefinition.json.", {},
        "Export the solution with its connectors, or zip the connector's folder.");
  }
  return found;
}

}  // namespace flowmend::connector
