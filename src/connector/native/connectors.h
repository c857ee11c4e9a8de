#pragma once

#include "connector/native/native.h"

namespace flowmend::connector {

// One line for each connector; native/list.cpp puts them into the list.
std::unique_ptr<NativeConnector> make_smtp(const NativeParts& parts);
std::unique_ptr<NativeConnector> make_imap(const NativeParts& parts);
std::unique_ptr<NativeConnector> make_files_local(const NativeParts& parts);
std::unique_ptr<NativeConnector> make_sftp(const NativeParts& parts);
std::unique_ptr<NativeConnector> make_webdav(const NativeParts& parts);
std::unique_ptr<NativeConnector> make_rss(const NativeParts& parts);
std::unique_ptr<NativeConnector> make_s3(const NativeParts& parts);
std::unique_ptr<NativeConnector> make_chat(const NativeParts& parts);

}  // namespace flowmend::connector
