// File System: files of this machine, below folders that the operator named (`--file-root`), and nowhere else: every
// path is resolved by the kernel beneath its root (openat2, RESOLVE_BENEATH), so that neither `..` nor a link leads
// out.

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "connector/content.h"
#include "connector/native/connectors.h"
#include "connector/native/files.h"
#include "connector/native/transfer.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view properties_text =
    R"json({"properties": {"iconBrandColor": "#5a6b7a", "connectionParameters": {
  "rootFolder": {"type": "string", "uiDefinition": {"displayName": "Root folder", "tooltip": "A folder that the server was allowed with --file-root, or one below it", "constraints": {"required": "true", "tabIndex": 1}}}
}}})json";

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

Descriptor open_beneath(int root, const std::string& path, std::uint64_t flags, std::uint64_t mode = 0) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const std::string relative = path.empty() || path == "/" ? "." : path.front() == '/' ? path.substr(1) : path;
  return Descriptor(static_cast<int>(::syscall(SYS_openat2, root, relative.c_str(), &how, sizeof how)));
}

http::Reply failure_of(int error, std::string_view path) {
  const std::string name(path);
  switch (error) {
    case ENOENT:
    case ENOTDIR: return file_not_found(path);
    case EXDEV:
    case ELOOP: return native_error(403, "PathNotAllowed", "'" + name + "' leads out of the connection's root folder.");
    case EACCES:
    case EPERM:
    case EROFS:
      return native_error(403, "AccessDenied",
                          "The server may not do that with '" + name + "': " + std::strerror(error) + ".");
    case EISDIR: return native_error(400, "IsFolder", "'" + name + "' is a folder.");
    case ENOTEMPTY:
    case EEXIST: return native_error(409, "FileExists", "'" + name + "' exists, or is a folder that is not empty.");
    case ENOSPC:
    case EDQUOT: return native_error(503, "DiskFull", "There is no room to write '" + name + "'.");
    default: return native_error(500, "FileSystemFailed", "'" + name + "': " + std::strerror(error) + ".");
  }
}

FileEntry entry_of(const std::string& path, const struct stat& status) {
  FileEntry entry;
  entry.path = path;
  entry.is_folder = S_ISDIR(status.st_mode);
  entry.size = entry.is_folder ? 0 : static_cast<std::int64_t>(status.st_size);
  entry.modified.ticks = Timestamp::unix_epoch_ticks + static_cast<std::int64_t>(status.st_mtim.tv_sec) * 10'000'000 +
                         status.st_mtim.tv_nsec / 100;
  return entry;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

class LocalFiles final : public FileStore {
 public:
  LocalFiles(Descriptor root, std::function<bool()> cancelled)
      : root_(std::move(root)), cancelled_(std::move(cancelled)) {}

  Failure list(const std::string& folder, std::vector<FileEntry>& entries) override {
    Descriptor opened = open_beneath(root_.get(), folder, O_RDONLY | O_DIRECTORY);
    if (!opened) return failure_of(errno, folder);
    const int number = ::dup(opened.get());
    DIR* directory = number < 0 ? nullptr : ::fdopendir(number);
    if (directory == nullptr) {
      const int error = errno;
      if (number >= 0) ::close(number);
      return failure_of(error, folder);
    }
    while (const dirent* one = ::readdir(directory)) {
      const std::string name = one->d_name;
      if (name == "." || name == ".." || !is_utf8(name) || name.starts_with(temporary)) continue;
      struct stat status {};
      if (::fstatat(opened.get(), one->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) continue;
      entries.push_back(entry_of((folder == "/" ? "" : folder) + "/" + name, status));
    }
    ::closedir(directory);
    return std::nullopt;
  }

  Failure find(const std::string& path, FileEntry& entry) override {
    const Descriptor opened = open_beneath(root_.get(), path, O_PATH);
    struct stat status {};
    if (!opened || ::fstat(opened.get(), &status) != 0) return failure_of(errno, path);
    entry = entry_of(path, status);
    return std::nullopt;
  }

  Failure read(const std::string& path, std::string& bytes) override {
    // Without O_NONBLOCK a pipe would wait for a writer.
    const Descriptor opened = open_beneath(root_.get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat status {};
    if (!opened || ::fstat(opened.get(), &status) != 0) return failure_of(errno, path);
    if (S_ISDIR(status.st_mode)) return failure_of(EISDIR, path);
    if (!S_ISREG(status.st_mode)) return native_error(400, "NotAFile", "'" + path + "' is no ordinary file.");
    char part[65'536];
    while (true) {
      const ssize_t count = ::read(opened.get(), part, sizeof part);
      if (count < 0) return failure_of(errno, path);
      if (count == 0) return std::nullopt;
      bytes.append(part, static_cast<std::size_t>(count));
      if (bytes.size() > native_bytes_max) {
        return native_error(413, "FileTooLarge",
                            "'" + path + "' is larger than " + std::to_string(native_bytes_max) + " bytes.");
      }
      if (cancelled_ && cancelled_()) return native_error(504, "Cancelled", "The call was given up.");
    }
  }

  Failure write(const std::string& path, std::string_view bytes) override {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name.empty()) return failure_of(EISDIR, path);
    if (auto failed = make_folders(parent_of(path))) return failed;
    const Descriptor folder = open_beneath(root_.get(), parent_of(path), O_RDONLY | O_DIRECTORY);
    if (!folder) return failure_of(errno, path);
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) return failure_of(errno, path);
    const std::string part = std::string(temporary) + std::to_string(number);
    const int opened = ::openat(folder.get(), part.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (opened < 0) return failure_of(errno, path);
    const Descriptor file(opened);
    const auto give_up = [&](int error) {
      ::unlinkat(folder.get(), part.c_str(), 0);
      return failure_of(error, path);
    };
    while (!bytes.empty()) {
      const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return give_up(errno);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    if (::fsync(file.get()) != 0) return give_up(errno);
    if (::renameat(folder.get(), part.c_str(), folder.get(), name.c_str()) != 0) return give_up(errno);
    ::fsync(folder.get());
    return std::nullopt;
  }

  Failure remove(const std::string& path) override {
    const Descriptor folder = open_beneath(root_.get(), parent_of(path), O_RDONLY | O_DIRECTORY);
    if (!folder) return failure_of(errno, path);
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name.empty()) return native_error(400, "IsFolder", "The root folder can't be deleted.");
    if (::unlinkat(folder.get(), name.c_str(), 0) != 0) return failure_of(errno, path);
    return std::nullopt;
  }

 private:
  static constexpr std::string_view temporary = ".flowmend-";

  Failure make_folders(const std::string& path) {
    if (path == "/" || open_beneath(root_.get(), path, O_PATH | O_DIRECTORY)) return std::nullopt;
    if (errno != ENOENT) return failure_of(errno, path);
    if (auto failed = make_folders(parent_of(path))) return failed;
    const Descriptor parent = open_beneath(root_.get(), parent_of(path), O_RDONLY | O_DIRECTORY);
    if (!parent) return failure_of(errno, path);
    if (::mkdirat(parent.get(), path.substr(path.rfind('/') + 1).c_str(), 0770) != 0 && errno != EEXIST)
      return failure_of(errno, path);
    return std::nullopt;
  }

  Descriptor root_;
  std::function<bool()> cancelled_;
};

class FilesLocal final : public FileConnector {
 public:
  explicit FilesLocal(const NativeParts& parts)
      : FileConnector("shared_filesystem", "File System",
                      "Files of this machine, below folders that the operator allowed.", properties_text),
        roots_(parts.file_roots) {}

  std::string address(const Value& fields) const override { return "file://" + field_text(fields, "rootFolder"); }

 protected:
  Opened open(const Value& fields, Duration, std::function<bool()> cancelled) override {
    if (roots_.empty()) {
      return {nullptr, native_error(403, "NoFileRoot",
                                    "This server allows no folder to flows. Start it with --file-root FOLDER.")};
    }
    std::string folder = field_text(fields, "rootFolder");
    while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
    for (std::string root : roots_) {
      while (root.size() > 1 && root.back() == '/') root.pop_back();
      if (folder != root && !folder.starts_with(root == "/" ? root : root + "/")) continue;
      const Descriptor allowed(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      if (!allowed) return {nullptr, failure_of(errno, root)};
      Descriptor opened = open_beneath(allowed.get(), folder.substr(root.size()), O_PATH | O_DIRECTORY);
      if (!opened) return {nullptr, failure_of(errno, folder)};
      return {std::make_unique<LocalFiles>(std::move(opened), std::move(cancelled)), {}};
    }
    return {nullptr, native_error(403, "PathNotAllowed",
                                  "'" + folder +
                                      "' is none of the folders that this server allows to flows "
                                      "(--file-root), nor below one.")};
  }

 private:
  std::vector<std::string> roots_;
};

}  // namespace

std::unique_ptr<NativeConnector> make_files_local(const NativeParts& parts) {
  return std::make_unique<FilesLocal>(parts);
}

}  // namespace flowmend::connector
