#include "connector/native/amqp.h"
#include "connector/native/connectors.h"
#include "connector/native/mqtt.h"
#include "connector/native/native.h"

namespace flowmend::connector {

std::vector<std::unique_ptr<NativeConnector>> native_connectors(const NativeParts& parts) {
  std::vector<std::unique_ptr<NativeConnector>> list;
  list.push_back(make_amqp(parts));
  list.push_back(make_mqtt(parts));
  list.push_back(make_smtp(parts));
  list.push_back(make_imap(parts));
  list.push_back(make_files_local(parts));
  list.push_back(make_sftp(parts));
  list.push_back(make_webdav(parts));
  list.push_back(make_rss(parts));
  list.push_back(make_s3(parts));
  list.push_back(make_chat(parts));
  return list;
}

}  // namespace flowmend::connector
