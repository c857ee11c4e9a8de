#include "trigger/status_address.h"

#include "trigger/percent.h"
#include "trigger/signature.h"

namespace flowmend::trigger {

namespace {

constexpr std::string_view version = "1.0";

/// What is signed: the path below the workflow, decoded.
std::string signed_path(std::string_view run) { return "/runs/" + std::string(run) + "/operations/response/read"; }

}  // namespace

std::string make_status_address(std::string_view base_url, std::string_view workflow_id, std::string_view run,
                                std::string_view key) {
  const std::string sp = signed_path(run);
  return std::string(base_url) + "/workflows/" + std::string(workflow_id) + "/runs/" + encode_percent(run) +
         "/operations/response?api-version=2016-06-01&sp=" + encode_percent(sp) + "&sv=" + std::string(version) +
         "&sig=" + signature(key, workflow_id, sp, version, {});
}

Result<StatusTarget> read_status_target(std::string_view path, std::string_view query) {
  StatusTarget target;
  const auto take = [&](std::string_view word, std::string& text) {
    if (!path.starts_with(word)) return false;
    path.remove_prefix(word.size());
    const auto part = path.substr(0, path.find('/'));
    path.remove_prefix(part.size());
    auto decoded = decode_percent(part);
    if (!decoded || decoded->empty()) return false;
    text = std::move(*decoded);
    return true;
  };
  if (!take("/workflows/", target.workflow_id) || !take("/runs/", target.run) || path != "/operations/response") {
    return make_error("WorkflowNotFound", "The workflow could not be found at this address.", {},
                      "Use the address of the reply's Location.");
  }
  auto given = read_signed_query(query);
  if (!given) return given.error();
  target.sp = std::move(given->sp);
  target.sv = std::move(given->sv);
  target.sig = std::move(given->sig);
  return target;
}

Result<void> verify(const StatusTarget& target, const Headers& headers, std::string_view primary,
                    std::string_view secondary) {
  if (target.sig.empty() || !header(headers, "authorization").empty()) {
    return make_error("DirectApiAuthorizationRequired",
                      "The request must be authenticated only by Shared Access scheme.", {},
                      "Call the whole address, with sp, sv and sig, and without an Authorization header.");
  }
  const bool is_signed = is_signed_by_either(target.sig, primary, secondary, target.workflow_id, target.sp, target.sv);
  if (is_signed && target.sp == signed_path(target.run) && target.sv == version) return {};
  return make_error("DirectApiInvalidAuthorizationSignature", "The provided authorization signature is not valid.", {},
                    "Use the address of the reply's Location; the flow's key may have been regenerated since.");
}

}  // namespace flowmend::trigger
