#include <CLI/CLI.hpp>
#include <iostream>

#include "api/identity.h"
#include "expression/eval_command.h"
#include "server/cli/capsule.h"
#include "server/cli/check.h"
#include "server/cli/client.h"
#include "server/cli/connector_check.h"
#include "server/cli/connector_gallery.h"
#include "server/cli/connector_import.h"
#include "server/cli/find.h"
#include "server/cli/key.h"
#include "server/limits.h"
#include "server/serve.h"

namespace {

/// `127.0.0.1:8080`, `[::1]:8080` or a port alone.
bool read_address(const std::string& text, flowmend::server::ServeOptions& options) {
  const auto colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? text : text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoul(port) > 65535)
    return false;
  options.port = static_cast<std::uint16_t>(std::stoul(port));
  if (colon == std::string::npos) return true;
  options.address = text.substr(0, colon);
  if (options.address.size() > 2 && options.address.front() == '[')
    options.address = options.address.substr(1, options.address.size() - 2);
  return !options.address.empty();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Flowmend: runs Power Automate and Logic Apps flows, and mends them when they fail."};
  app.require_subcommand(1);

  flowmend::server::ServeOptions options;
  std::string listen = "127.0.0.1:8080";
  auto* serve = app.add_subcommand("serve", "Run the server");
  serve->add_option("--data", options.data_folder, "Data folder; made when it does not exist")
      ->capture_default_str()
      ->envname("FLOWMEND_DATA");
  serve->add_option("--listen", listen, "Address and port to listen on")
      ->capture_default_str()
      ->envname("FLOWMEND_LISTEN");
  serve->add_option("--public-url", options.public_url, "How callers reach the server, when a proxy stands before it")
      ->envname("FLOWMEND_PUBLIC_URL");
  serve->add_option("--threads", options.threads, "Threads of the listener")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  serve->add_option("--body-bytes-max", options.body_bytes_max, "Largest request body in bytes")
      ->capture_default_str()
      ->check(CLI::Range(1024UL, 1UL << 30));
  serve
      ->add_option("--keep-days", options.keep_days,
                   "Days after its start at which a run that is over is removed with its history; 0 keeps all")
      ->capture_default_str()
      ->check(CLI::Range(0, 3650))
      ->envname("FLOWMEND_KEEP_DAYS");
  serve
      ->add_option("--file-root", options.file_roots,
                   "Folder whose files flows may read and write (File System connector); may be given several times")
      ->delimiter(':')
      ->envname("FLOWMEND_FILE_ROOTS");
  serve
      ->add_option("--refuse-address", options.refuse_addresses,
                   "Flows and connections may not reach addresses of this kind: loopback, private; several times")
      ->delimiter(',')
      ->envname("FLOWMEND_REFUSE_ADDRESSES");
  serve
      ->add_option("--allow-address", options.allow_addresses,
                   "But these: an address, a range 10.1.0.0/16, or link-local; several times")
      ->delimiter(',')
      ->envname("FLOWMEND_ALLOW_ADDRESSES");
  serve
      ->add_option(
          "--proxy", options.proxy,
          "Send requests through it: http://host:port (https, socks5, socks5h); with a password: by environment")
      ->envname("FLOWMEND_PROXY");
  serve
      ->add_option("--no-proxy", options.no_proxy,
                   "But not to these hosts: names, addresses, ranges, separated by commas")
      ->envname("FLOWMEND_NO_PROXY");
  serve->add_option("--limit", options.limits, "NAME=VALUE of a limit, as `flowmend limits` lists them; several times");
  serve->add_flag("--allow-core-dumps", options.allow_core_dumps,
                  "Let a crash write its memory, which holds secrets, to a core file");
  serve->add_flag("--accept-new-master-key", options.accept_new_master_key,
                  "Start although the master key is lost: stored secrets are given up");
  serve->add_flag("--demo", options.demo, "Serve the demo's services too, and make its flows at the first start");
  serve->add_option("--demo-port", options.demo_port, "Port of the demo's services")->capture_default_str();

  std::uint16_t demo_port = 8081;
  auto* demo = app.add_subcommand("demo", "Serve the demo's services alone");
  demo->add_option("--port", demo_port, "Port to listen on")->capture_default_str();

  std::vector<std::string> files;
  bool check_lines = false;
  auto* check = app.add_subcommand("check", "Check flow definitions");
  check->add_option("files", files, "Definitions, flow resources, exported definitions or ARM templates");
  check->add_flag("--jsonl", check_lines, "Read {\"id\",\"definition\"} a line from standard input");

  std::vector<std::string> connector_files;
  bool connector_lines = false;
  auto* connector = app.add_subcommand("connector", "Connectors from their documents");
  connector->require_subcommand(1);
  auto* connector_check = connector->add_subcommand("check", "Say what of a connector can run here, and why not");
  connector_check->add_option("files", connector_files,
                              "apiDefinition.swagger.json files, their folders, or OpenAPI 3 documents");
  connector_check->add_flag("--jsonl", connector_lines,
                            "Read {\"id\",\"swagger\",\"properties\"?} a line from standard input");

  flowmend::server::ConnectorImportOptions import_options;
  auto* connector_import = connector->add_subcommand("import", "Hand connectors to a running server");
  connector_import
      ->add_option("paths", import_options.paths,
                   "Connectors' files, their folders, folders of such folders, or packages (.zip)")
      ->required();
  connector_import->add_option("--name", import_options.name, "How flows name it, as shared_orders (of one connector)");
  connector_import->add_option("--server", import_options.server, "The server's address")
      ->capture_default_str()
      ->envname("FLOWMEND_SERVER");
  connector_import->add_option("--token", import_options.token, "A token with the scope admin")
      ->envname("FLOWMEND_TOKEN");

  flowmend::server::ConnectorGalleryOptions gallery_options;
  const auto gallery_command = [&](const char* name, const char* about, bool of_one) {
    auto* command = connector->add_subcommand(name, about);
    if (of_one) command->add_option("name", gallery_options.api, "The connector's name, as shared_orders")->required();
    command->add_option("--server", gallery_options.server, "The server's address")
        ->capture_default_str()
        ->envname("FLOWMEND_SERVER");
    command->add_option("--token", gallery_options.token, "A token with the scope read, for changes admin")
        ->envname("FLOWMEND_TOKEN");
    return command;
  };
  const auto* connector_list = gallery_command("list", "List the connectors of a server", false);
  const auto* connector_show = gallery_command("show", "Who uses a connector, and its versions", true);
  auto* connector_restore = gallery_command("restore", "Make a former version of a connector the newest", true);
  connector_restore->add_option("version", gallery_options.version, "The version's number")->required();
  const auto* connector_remove = gallery_command("remove", "Remove a connector that nothing uses", true);

  std::string expression;
  std::string context;
  bool eval_lines = false;
  auto* eval = app.add_subcommand("eval", "Evaluate an expression");
  eval->add_option("expression", expression, "As it stands in a definition, with or without its @");
  eval->add_option("--context", context, "JSON file with parameters, variables, actions, trigger ...");
  eval->add_flag("--jsonl", eval_lines, "Read {\"id\",\"expr\",\"context\"?} a line from standard input");

  auto* token = app.add_subcommand("token", "Access tokens for scripts");
  token->require_subcommand(1);
  auto* create = token->add_subcommand("create", "Make a token; its secret is printed once");
  std::string token_folder = "data";
  std::string token_name;
  std::vector<std::string> scopes{"read"};
  create->add_option("--data", token_folder, "The server's data folder")
      ->capture_default_str()
      ->envname("FLOWMEND_DATA");
  create->add_option("--name", token_name, "What it is for")->required();
  create->add_option("--scopes", scopes, "read, run, write, admin")->delimiter(',')->capture_default_str();

  auto* key = app.add_subcommand("key", "The master key that seals stored secrets");
  key->require_subcommand(1);
  std::string key_folder = "data";
  auto* new_key = key->add_subcommand("new", "Print a fresh key, for FLOWMEND_MASTER_KEY or a systemd credential");
  auto* rotate_key =
      key->add_subcommand("rotate", "Seal all secrets anew under a fresh key; the server must not run meanwhile");
  rotate_key->add_option("--data", key_folder, "The server's data folder")
      ->capture_default_str()
      ->envname("FLOWMEND_DATA");

  auto* limits = app.add_subcommand("limits", "List the limits that serve --limit sets");
  auto* run = app.add_subcommand("run", "Runs of a server");
  run->require_subcommand(1);
  flowmend::server::FindOptions find_options;
  auto* find = run->add_subcommand("find", "Find runs by any value that they recorded");
  find->add_option("value", find_options.value, "An order number, a name, a part of a message")->required();
  auto* list_runs = run->add_subcommand("list", "The latest runs, and what happened in those that failed");
  // Read here: of two commands with the same variable, the one that was not typed would take it over what was typed.
  if (const char* server = std::getenv("FLOWMEND_SERVER"); server != nullptr && *server != '\0')
    find_options.server = server;
  if (const char* token = std::getenv("FLOWMEND_TOKEN"); token != nullptr) find_options.token = token;
  for (auto* command : {find, list_runs}) {
    command->add_option("--server", find_options.server, "The server's address; else FLOWMEND_SERVER")
        ->capture_default_str();
    command->add_option("--token", find_options.token, "A token with the scope read; else FLOWMEND_TOKEN");
    command->add_option("--flow", find_options.flow, "Of this flow only (its id)");
    command->add_option("--status", find_options.status, "Of this status only");
    command->add_option("--code", find_options.code, "Whose step failed with it: 401, Unauthorized");
    command->add_option("--connection", find_options.connection, "Of flows that use the connection with this name");
    command->add_option("--most", find_options.most, "Runs to print at most")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
  }

  auto* capsule = app.add_subcommand("capsule", "A failed run in one file, without secrets and personal values");
  capsule->require_subcommand(1);
  flowmend::server::CapsuleOptions capsule_options;
  auto* export_capsule = capsule->add_subcommand("export", "Write the capsule of a failed run");
  export_capsule->add_option("run", capsule_options.run, "The run's name")->required();
  export_capsule->add_option("--out", capsule_options.file, "File to write; standard output when left out");
  export_capsule->add_option("--server", capsule_options.server, "The server's address")
      ->capture_default_str()
      ->envname("FLOWMEND_SERVER");
  export_capsule->add_option("--token", capsule_options.token, "A token with the scope read")
      ->envname("FLOWMEND_TOKEN");
  auto* open_capsule = capsule->add_subcommand("open", "Replay a capsule and show how it fails; sends nothing");
  open_capsule->add_option("file", capsule_options.file, "The capsule")->required();
  const flowmend::server::ClientCommands client(app, *run);

  auto* version = app.add_subcommand("version", "Print the version");

  CLI11_PARSE(app, argc, argv);

  if (*serve) {
    if (!read_address(listen, options)) {
      std::cerr << "flowmend: '" << listen << "' is no address to listen on.\n    Give it as 127.0.0.1:8080."
                << std::endl;
      return 2;
    }
    return flowmend::server::serve(options);
  }
  if (*demo) return flowmend::server::serve_demo(demo_port);
  if (*check) {
    if (check_lines) return flowmend::server::run_check_jsonl(std::cin, std::cout);
    if (files.empty()) {
      std::cerr << "flowmend: name the files to check, or give --jsonl." << std::endl;
      return 2;
    }
    return flowmend::server::run_check(files, std::cout);
  }
  if (*connector_check) {
    if (connector_lines) return flowmend::server::run_connector_check_jsonl(std::cin, std::cout);
    if (connector_files.empty()) {
      std::cerr << "flowmend: name the files to check, or give --jsonl." << std::endl;
      return 2;
    }
    return flowmend::server::run_connector_check(connector_files, std::cout);
  }
  if (*connector_import) return flowmend::server::import_connectors(import_options, std::cout, std::cerr);
  if (*connector_list) return flowmend::server::list_connectors(gallery_options, std::cout, std::cerr);
  if (*connector_show) return flowmend::server::show_connector(gallery_options, std::cout, std::cerr);
  if (*connector_restore) return flowmend::server::restore_connector(gallery_options, std::cout, std::cerr);
  if (*connector_remove) return flowmend::server::remove_connector(gallery_options, std::cout, std::cerr);
  if (*eval) {
    if (eval_lines) return flowmend::expression::run_eval_jsonl(std::cin, std::cout);
    return flowmend::expression::run_eval(expression, context);
  }
  if (*create) {
    const auto secret = flowmend::api::leave_token(token_folder, token_name, scopes);
    if (!secret) {
      std::cerr << "flowmend: " << secret.error().message << "\n    " << secret.error().cure << std::endl;
      return 1;
    }
    std::cout << *secret << std::endl;
    return 0;
  }
  if (*new_key) return flowmend::server::print_new_key(std::cout);
  if (*rotate_key) return flowmend::server::rotate_key(key_folder, std::cout, std::cerr);
  if (*limits) std::cout << flowmend::server::describe_limits();
  if (*find || *list_runs) return flowmend::server::run_find(find_options, std::cout, std::cerr);
  if (*export_capsule) return flowmend::server::export_capsule(capsule_options, std::cout, std::cerr);
  if (*open_capsule) return flowmend::server::open_capsule(capsule_options.file, std::cout, std::cerr);
  if (client.chosen()) return client.run(std::cout, std::cerr);
  if (*version) std::cout << "flowmend " << flowmend::server::version << std::endl;
  return 0;
}
