#include "connector/native/amqp.h"
#include "connector/native/approvals_connector.h"
#include "connector/native/connectors.h"
#include "connector/native/mqtt.h"
#include "connector/native/native.h"
#include "connector/native/sql.h"
#include "connector/native/standin/standin.h"
#include "connector/native/tables_connector.h"

namespace flowmend::connector {

std::vector<std::unique_ptr<NativeConnector>> native_connectors(const NativeParts& parts) {
  std::vector<std::unique_ptr<NativeConnector>> list;
  list.push_back(make_amqp(parts));
  list.push_back(make_approvals_connector(parts));
  list.push_back(make_files_local(parts));
  list.push_back(make_imap(parts));
  list.push_back(make_mariadb_connector(parts));
  list.push_back(make_mqtt(parts));
  list.push_back(make_postgresql_connector(parts));
  list.push_back(make_sftp(parts));
  list.push_back(make_smtp(parts));
  list.push_back(make_sqlite_connector(parts));
  list.push_back(make_tables_connector(parts));
  list.push_back(make_webdav(parts));
  list.push_back(make_rss(parts));
  list.push_back(make_s3(parts));
  list.push_back(make_chat(parts));
  // In the stead of services that are not open (docs/stand-ins.md).
  list.push_back(make_dataverse_standin(parts));
  list.push_back(make_dataverse_legacy_standin(parts));
  list.push_back(make_sharepoint_standin(parts));
  list.push_back(make_onedrive_standin(parts));
  list.push_back(make_users_standin(parts));
  list.push_back(make_outlook_standin(parts));
  list.push_back(make_teams_standin(parts));
  list.push_back(make_log_collector_standin(parts));
  return list;
}

}  // namespace flowmend::connector
