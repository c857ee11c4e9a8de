#include "connector/sealer.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

namespace flowmend::connector {
namespace {

constexpr char format_byte = 0x01;
constexpr std::string_view file_prefix = "flowmend-key-1 ";
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(MasterKeySealer::key_bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void start_sodium() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium could not be started");
}

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

Error system_error(const std::string& path, const char* doing) {
  return make_error("MasterKeyUnavailable",
                    "The master key file '" + path + "' could not be " + doing + ": " + std::strerror(errno) + ".", {},
                    "Check that the folder exists and that Flowmend's user may read and write it.");
}

Result<std::string> read_key(const std::string& path, int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return system_error(path, "read");
  if (!S_ISREG(status.st_mode)) {
    return make_error("MasterKeyInvalid", "'" + path + "' is not a regular file.", {},
                      "Name the master key's own file.");
  }
  if ((status.st_mode & 077) != 0) {
    return make_error("MasterKeyExposed",
                      "The master key file '" + path + "' can be read or changed by users other than its owner.", {},
                      "Run: chmod 600 '" + path + "'. When strangers had access, change the stored passwords too.");
  }
  std::array<char, 256> buffer{};
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(descriptor, buffer.data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path, "read");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  std::string_view text(buffer.data(), size);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  std::string key(MasterKeySealer::key_bytes, '\0');
  std::size_t decoded = 0;
  const bool good =
      text.starts_with(file_prefix) &&
      sodium_base642bin(bytes(key), key.size(), text.data() + file_prefix.size(), text.size() - file_prefix.size(),
                        nullptr, &decoded, nullptr, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
      decoded == key.size();
  sodium_memzero(buffer.data(), buffer.size());
  if (!good) {
    return make_error("MasterKeyInvalid", "The master key file '" + path + "' does not hold a Flowmend key.", {},
                      "Put the right file back from a backup; without it stored passwords can't be read.");
  }
  return Result<std::string>(boost::system::in_place_value, std::move(key));
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

/// Makes the file under a name of its own and links it into place: whoever links first gives the key to both.
Result<void> create_key_file(const std::string& path) {
  std::array<unsigned char, MasterKeySealer::key_bytes> key{};
  randombytes_buf(key.data(), key.size());
  std::array<char, sodium_base64_ENCODED_LEN(MasterKeySealer::key_bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING)>
      text{};
  sodium_bin2base64(text.data(), text.size(), key.data(), key.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  sodium_memzero(key.data(), key.size());
  std::string line = std::string(file_prefix) + text.data() + "\n";
  sodium_memzero(text.data(), text.size());

  std::string temporary = path + ".XXXXXX";
  const File file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (!file.is_open()) return system_error(path, "made");
  const bool wrote = write_all(file.get(), line) && ::fsync(file.get()) == 0;
  const int write_errno = errno;
  sodium_memzero(line.data(), line.size());
  const bool linked = wrote && (::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int link_errno = wrote ? errno : write_errno;
  ::unlink(temporary.c_str());
  if (!linked) {
    errno = link_errno;
    return system_error(path, "written");
  }
  const std::size_t slash = path.rfind('/');
  const File folder(::open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(), O_RDONLY | O_CLOEXEC));
  if (folder.is_open()) ::fsync(folder.get());
  return {};
}

}  // namespace

MasterKeySealer::MasterKeySealer(std::string_view key) {
  start_sodium();
  if (key.size() != key_bytes) throw std::invalid_argument("a master key has 32 bytes");
  key_ = static_cast<unsigned char*>(sodium_malloc(key_bytes));
  if (key_ == nullptr) throw std::bad_alloc();
  std::memcpy(key_, key.data(), key_bytes);
  sodium_mprotect_readonly(key_);
}

MasterKeySealer::~MasterKeySealer() { sodium_free(key_); }

std::string MasterKeySealer::seal(std::string_view plain) const {
  std::string sealed(1 + nonce_bytes + plain.size() + tag_bytes, '\0');
  sealed[0] = format_byte;
  unsigned char* nonce = bytes(sealed) + 1;
  randombytes_buf(nonce, nonce_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + nonce_bytes, nullptr, bytes(plain), plain.size(), bytes(sealed), 1,
                                             nullptr, nonce, key_);
  return sealed;
}

Result<std::string> MasterKeySealer::open(std::string_view sealed) const {
  const Error unreadable =
      make_error("SecretUnreadable", "A stored secret can't be read with this server's master key.", {},
                 "Put back the key file that belongs to this data folder, or enter the secret again.");
  if (sealed.size() < 1 + nonce_bytes + tag_bytes || sealed[0] != format_byte) return unreadable;
  std::string plain(sealed.size() - 1 - nonce_bytes - tag_bytes, '\0');
  const unsigned char* nonce = bytes(sealed) + 1;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes(plain), nullptr, nullptr, nonce + nonce_bytes,
                                                 sealed.size() - 1 - nonce_bytes, bytes(sealed), 1, nonce, key_) != 0) {
    return unreadable;
  }
  return Result<std::string>(boost::system::in_place_value, std::move(plain));
}

Result<std::unique_ptr<MasterKeySealer>> open_master_key(const std::string& path, IfKeyIsMissing if_missing) {
  start_sodium();
  for (int round = 0; round < 2; ++round) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file.is_open()) {
      auto key = read_key(path, file.get());
      if (!key) return key.error();
      auto sealer = std::make_unique<MasterKeySealer>(*key);
      sodium_memzero(key->data(), key->size());
      return sealer;
    }
    if (errno != ENOENT) return system_error(path, "read");
    if (if_missing == IfKeyIsMissing::refuse) {
      return make_error("MasterKeyMissing",
                        "The master key file '" + path + "' is missing, and stored secrets need it.", {},
                        "Put it back from a backup, or remove the stored connections and enter them again.");
    }
    if (auto made = create_key_file(path); !made) return made.error();
  }
  return make_error("MasterKeyUnavailable", "The master key file '" + path + "' disappeared while it was read.");
}

}  // namespace flowmend::connector
