#include "connector/master_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view line_prefix = "flowmend-key-1 ";
constexpr const char* variable = "FLOWMEND_MASTER_KEY";
constexpr std::string_view mark_kind = "master-key";
constexpr std::string_view mark_key = "check";
constexpr std::string_view mark_text = "flowmend";
constexpr std::size_t text_bytes_max = 4096;
constexpr std::size_t address_key_bytes = 32;  ///< as the runtime makes them

void start_sodium() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium could not be started");
}

void wipe(std::string& text) { sodium_memzero(text.data(), text.size()); }

/// Keys or their text, wiped at the end.
struct Secrets {
  std::vector<std::string> all;
  Secrets() = default;
  Secrets(Secrets&&) = default;
  Secrets& operator=(Secrets&&) = default;
  ~Secrets() {
    for (std::string& one : all) wipe(one);
  }
};

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

File open_to_read(const std::string& path) {
  return File(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

Error system_error(const std::string& path, const char* doing) {
  return make_error("MasterKeyUnavailable",
                    "The master key file '" + path + "' could not be " + doing + ": " + std::strerror(errno) + ".", {},
                    "Check that the folder exists and that Flowmend's user may read and write it.");
}

Error invalid(const std::string& what) {
  return make_error("MasterKeyInvalid", what + " does not hold a Flowmend key.", {},
                    "Put the right one back from a backup; without it stored passwords can't be read. A key is a line "
                    "'flowmend-key-1 ' and 43 characters; several stand in lines of their own, the newest first.");
}

/// The keys that a text's lines hold. `what` names it in an error.
Result<Secrets> parse_keys(std::string_view text, const std::string& what) {
  Secrets keys;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of("\n,");
    const std::string_view line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty()) continue;
    std::string& key = keys.all.emplace_back(MasterKeySealer::key_bytes, '\0');
    std::size_t decoded = 0;
    const bool good = line.starts_with(line_prefix) && keys.all.size() <= master_keys_max &&
                      sodium_base642bin(reinterpret_cast<unsigned char*>(key.data()), key.size(),
                                        line.data() + line_prefix.size(), line.size() - line_prefix.size(), nullptr,
                                        &decoded, nullptr, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
                      decoded == key.size();
    if (!good) return invalid(what);
  }
  if (keys.all.empty()) return invalid(what);
  return Result<Secrets>(boost::system::in_place_value, std::move(keys));
}

std::string shown(const std::string& path) { return "The master key file '" + path + "'"; }

Result<Secrets> read_keys(const std::string& path, int descriptor, bool may_be_shared) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return system_error(path, "read");
  if (!S_ISREG(status.st_mode)) {
    return make_error("MasterKeyInvalid", "'" + path + "' is not a regular file.", {},
                      "Name the master key's own file.");
  }
  if (!may_be_shared && (status.st_mode & 077) != 0) {
    return make_error("MasterKeyExposed",
                      "The master key file '" + path + "' can be read or changed by users other than its owner.", {},
                      "Run: chmod 600 '" + path + "'. When strangers had access, change the stored passwords too.");
  }
  Secrets buffer;
  std::string& text = buffer.all.emplace_back(text_bytes_max, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(descriptor, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path, "read");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size == text.size()) return invalid(shown(path));
  return parse_keys(std::string_view(text).substr(0, size), shown(path));
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(descriptor, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

std::string line_of(std::string_view key) {
  std::array<char, sodium_base64_ENCODED_LEN(MasterKeySealer::key_bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING)>
      text{};
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  std::string line = std::string(line_prefix) + text.data();
  sodium_memzero(text.data(), text.size());
  return line;
}

/// Writes a file of its own beside `path` and has `place` put it there: whole and durable, or not at all.
Result<void> place_file(const std::string& path, std::string_view text, int (*place)(const char*, const char*)) {
  std::string temporary = path + ".XXXXXX";
  const File file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (!file.is_open()) return system_error(path, "made");
  // Root may rotate the key of a server that is another user's; it stays that user's.
  struct stat before {};
  const bool owned = ::stat(path.c_str(), &before) != 0 || before.st_uid == ::geteuid() ||
                     ::fchown(file.get(), before.st_uid, before.st_gid) == 0;
  const bool placed =
      owned && write_all(file.get(), text) && ::fsync(file.get()) == 0 && place(temporary.c_str(), path.c_str()) == 0;
  const int reason = errno;
  ::unlink(temporary.c_str());
  if (!placed) {
    errno = reason;
    return system_error(path, "written");
  }
  const std::size_t slash = path.rfind('/');
  const File folder(::open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(), O_RDONLY | O_CLOEXEC));
  if (folder.is_open()) ::fsync(folder.get());
  return {};
}

/// Whoever links first gives the key to all that start at once.
int link_once(const char* temporary, const char* path) {
  return ::link(temporary, path) == 0 || errno == EEXIST ? 0 : -1;
}

Result<void> create_key_file(const std::string& path) {
  Secrets line;
  line.all.push_back(new_master_key_line() + "\n");
  return place_file(path, line.all.front(), link_once);
}

Result<Secrets> read_key_file(const std::string& path, bool may_be_shared = false) {
  const File file = open_to_read(path);
  if (!file.is_open()) return system_error(path, "read");
  return read_keys(path, file.get(), may_be_shared);
}

Result<void> replace_key_file(const std::string& path, const Secrets& keys) {
  Secrets text;
  std::string& lines = text.all.emplace_back();
  lines.reserve(text_bytes_max);  // so that no copy stays behind when it grows
  for (const std::string& key : keys.all) {
    std::string line = line_of(key);
    lines += line + "\n";
    wipe(line);
  }
  return place_file(path, lines, ::rename);
}

}  // namespace

MasterKeySource::~MasterKeySource() { wipe(text); }

MasterKeySource find_master_key(std::string file) {
  start_sodium();
  MasterKeySource source(std::move(file));
  if (char* given = std::getenv(variable); given != nullptr && *given != '\0') {
    source.kind = MasterKeySource::Kind::environment;
    source.text = given;
    sodium_memzero(given, std::strlen(given));
    ::unsetenv(variable);
    return source;
  }
  if (const char* folder = std::getenv("CREDENTIALS_DIRECTORY"); folder != nullptr && *folder != '\0') {
    const std::string path = std::string(folder) + "/flowmend-master-key";
    if (::access(path.c_str(), F_OK) == 0) {
      source.kind = MasterKeySource::Kind::credential;
      source.path = path;
    }
  }
  return source;
}

Result<std::unique_ptr<MasterKeySealer>> open_master_key(const MasterKeySource& source, IfKeyIsMissing if_missing) {
  if (source.kind == MasterKeySource::Kind::file) return open_master_key(source.path, if_missing);
  start_sodium();
  const auto keys = source.kind == MasterKeySource::Kind::environment
                        ? parse_keys(source.text, std::string("The environment variable ") + variable)
                        : read_key_file(source.path, true);
  if (!keys) return keys.error();
  return std::make_unique<MasterKeySealer>(keys->all);
}

Result<std::unique_ptr<MasterKeySealer>> open_master_key(const std::string& path, IfKeyIsMissing if_missing) {
  start_sodium();
  for (int round = 0; round < 2; ++round) {
    const File file = open_to_read(path);
    if (file.is_open()) {
      const auto keys = read_keys(path, file.get(), false);
      if (!keys) return keys.error();
      return std::make_unique<MasterKeySealer>(keys->all);
    }
    if (errno != ENOENT) return system_error(path, "read");
    if (if_missing == IfKeyIsMissing::refuse) {
      return make_error("MasterKeyMissing",
                        "The master key file '" + path + "' is missing, and stored secrets need it.", {},
                        "Put it back from a backup. When it is lost, start once with --accept-new-master-key: all "
                        "stored secrets and the flows' addresses are then given up and have to be entered again.");
    }
    if (auto made = create_key_file(path); !made) return made.error();
  }
  return make_error("MasterKeyUnavailable", "The master key file '" + path + "' disappeared while it was read.");
}

std::string new_master_key_line() {
  start_sodium();
  std::string key(MasterKeySealer::key_bytes, '\0');
  randombytes_buf(key.data(), key.size());
  std::string line = line_of(key);
  wipe(key);
  return line;
}

Result<void> add_master_key(const std::string& path) {
  start_sodium();
  auto keys = read_key_file(path);
  if (!keys) return keys.error();
  if (keys->all.size() > 1) return {};
  std::string fresh(MasterKeySealer::key_bytes, '\0');
  randombytes_buf(fresh.data(), fresh.size());
  keys->all.insert(keys->all.begin(), std::move(fresh));
  return replace_key_file(path, *keys);
}

Result<void> drop_older_master_keys(const std::string& path) {
  start_sodium();
  auto keys = read_key_file(path);
  if (!keys) return keys.error();
  if (keys->all.size() == 1) return {};
  Secrets newest;
  newest.all.push_back(keys->all.front());
  return replace_key_file(path, newest);
}

Result<bool> has_master_key(const store::Store& store) {
  const auto mark = store.document(mark_kind, mark_key);
  if (!mark) return mark.error();
  return mark->has_value();
}

Result<void> check_master_key(store::Store& store, const MasterKeySealer& sealer, bool accept) {
  const auto mark = store.document(mark_kind, mark_key);
  if (!mark) return mark.error();
  if (*mark) {
    const auto sealed = base64_decode((*mark)->value.text_of("sealed"));
    if (sealed && sealer.open(*sealed)) return {};
    if (!accept) {
      return make_error("MasterKeyWrong",
                        "This data folder's secrets were sealed under another master key than the one given.", {},
                        "Give the key that belongs to the folder (its keys/master.key, FLOWMEND_MASTER_KEY or the "
                        "systemd credential). When it is lost, start once with --accept-new-master-key: all stored "
                        "secrets and the flows' addresses are then given up and have to be entered again.");
    }
  }
  std::vector<store::FlowRow> readdressed;
  if (*mark) {
    // A flow whose address has no key can't even be opened.
    auto flows = store.flows();
    if (!flows) return flows.error();
    for (store::FlowRow& flow : *flows) {
      if (sealer.open(flow.primary_key) && sealer.open(flow.secondary_key)) continue;
      for (std::string* key : {&flow.primary_key, &flow.secondary_key}) {
        std::string fresh(address_key_bytes, '\0');
        randombytes_buf(fresh.data(), fresh.size());
        *key = sealer.seal(fresh);
        wipe(fresh);
      }
      readdressed.push_back(std::move(flow));
    }
  }
  return store.write([&](store::Transaction& transaction) -> Result<void> {
    for (const store::FlowRow& flow : readdressed) transaction.put_flow(flow);
    const auto put = transaction.put_document(
        mark_kind, mark_key, Value::object({{"sealed", Value(base64_encode(sealer.seal(mark_text)))}}));
    if (!put) return put.error();
    return {};
  });
}

}  // namespace flowmend::connector
