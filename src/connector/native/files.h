#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/native/native.h"

namespace flowmend::connector {

/// A file or folder of a file service. Paths begin with `/`, the root of the connection.
struct FileEntry {
  std::string path;
  bool is_folder = false;
  std::int64_t size = 0;
  Timestamp modified;
  std::string etag;  ///< of the service; empty when it has none
};

/// Why a call ends early, as its answer; nothing = go on.
using Failure = std::optional<http::Reply>;

/// One open connection to a file service. Paths are clean (`clean_path`). For one call and thread.
class FileStore {
 public:
  virtual ~FileStore() = default;
  virtual Failure list(const std::string& folder, std::vector<FileEntry>& entries) = 0;
  virtual Failure find(const std::string& path, FileEntry& entry) = 0;
  virtual Failure read(const std::string& path, std::string& bytes) = 0;
  /// Replaces what is there; makes the folders above that are missing. Nobody sees half a file where the service can.
  virtual Failure write(const std::string& path, std::string_view bytes) = 0;
  virtual Failure remove(const std::string& path) = 0;
};

/// `/a/b` of a path as flows write it (`a/b/`, `/a//b`), or of an id: the path itself, or its base64. Nothing for one
/// that leaves the root (`..`), holds control characters or is longer than 4,096 bytes.
std::optional<std::string> clean_path(std::string_view text);

http::Reply file_not_found(std::string_view path);

/// A connector for files: the operations are the same for all services, with the names that flows bring along.
class FileConnector : public NativeConnector {
 public:
  FileConnector(std::string name, std::string title, std::string description, std::string_view properties);

  std::string_view name() const override { return name_; }
  std::string_view swagger() const override { return swagger_; }
  std::string_view properties() const override { return properties_; }
  http::Reply call(const NativeCall& call) override;
  http::Reply verify(const Value& fields, Duration timeout) override;

 protected:
  struct Opened {
    std::unique_ptr<FileStore> store;
    http::Reply failure;  ///< when there is no store
  };
  virtual Opened open(const Value& fields, Duration timeout, std::function<bool()> cancelled) = 0;

 private:
  std::string name_;
  std::string swagger_;
  std::string_view properties_;
};

}  // namespace flowmend::connector
