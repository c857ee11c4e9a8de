#pragma once

#include <memory>
#include <string>

#include "connector/native/native.h"

namespace flowmend::connector {

/// Where the files of a stand-in lie is said by its connection's `filesAddress`, whose scheme chooses the connector
/// that does the work: `file:///srv/files` (below a folder that the server allows), `sftp://host:22/folder`, or the
/// `https://` address of a WebDAV folder. Threads: as for connectors.
class StandinFiles {
 public:
  explicit StandinFiles(const NativeParts& parts);

  /// Does `operation` of the file connectors (native/files.h) with the arguments of `call`. 400 naming the field when
  /// the connection's address is missing or none.
  http::Reply call(const NativeCall& call, const std::string& operation) const;
  http::Reply verify(const Value& fields, Duration timeout) const;
  /// For records: never a secret.
  std::string address(const Value& fields) const;

 private:
  struct Way {
    NativeConnector* to = nullptr;  ///< null: the address is none
    Value fields;
  };
  Way way_of(const Value& fields) const;

  std::unique_ptr<NativeConnector> local_, sftp_, webdav_;
  std::shared_ptr<const Connector> document_;  ///< the same for all three
};

/// Connection parameters of a stand-in with files, to be put behind others.
inline constexpr std::string_view standin_file_parameters =
    R"json("filesAddress":{"type":"string","uiDefinition":{"displayName":"Files are at","tooltip":"file:///srv/files, sftp://files.example.org/folder, or the https:// address of a WebDAV folder","constraints":{"required":"false","tabIndex":2}}},
  "userName":{"type":"string","uiDefinition":{"displayName":"User name there","constraints":{"required":"false","tabIndex":3}}},
  "password":{"type":"securestring","uiDefinition":{"displayName":"Password there","constraints":{"required":"false","tabIndex":4}}},
  "sshHostKeyFingerprint":{"type":"string","uiDefinition":{"displayName":"SSH host key fingerprint (SFTP)","tooltip":"SHA256:... as ssh-keygen -l shows it","constraints":{"required":"false","tabIndex":5}}})json";

}  // namespace flowmend::connector
