#include "trigger/action_address.h"

#include <charconv>

#include "trigger/percent.h"
#include "trigger/signature.h"

namespace flowmend::trigger {

namespace {

constexpr std::string_view version = "1.0";

/// What is signed: the path below the workflow, decoded.
std::string signed_path(const ActionTarget& target) {
  return "/runs/" + target.run + "/actions/" + target.action + "/repetitions/" + std::to_string(target.frame) + "/run";
}

}  // namespace

std::string make_action_address(std::string_view base_url, const ActionTarget& target, std::string_view key) {
  const std::string sp = signed_path(target);
  return std::string(base_url) + "/workflows/" + target.workflow_id + "/runs/" + target.run + "/actions/" +
         encode_percent(target.action) + "/repetitions/" + std::to_string(target.frame) +
         "/run?api-version=2016-06-01&sp=" + encode_percent(sp) + "&sv=" + std::string(version) +
         "&sig=" + signature(key, target.workflow_id, sp, version, {});
}

Result<ActionTarget> read_action_target(std::string_view path, std::string_view query) {
  const auto unknown = [] {
    return make_error("WorkflowNotFound", "The workflow could not be found at this address.", {},
                      "Use the address as the flow gave it.");
  };
  ActionTarget target;
  std::string frame;
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
  if (!take("/workflows/", target.workflow_id) || !take("/runs/", target.run) || !take("/actions/", target.action) ||
      !take("/repetitions/", frame) || path != "/run")
    return unknown();
  const auto read = std::from_chars(frame.data(), frame.data() + frame.size(), target.frame);
  if (read.ec != std::errc() || read.ptr != frame.data() + frame.size()) return unknown();
  auto given = read_signed_query(query);
  if (!given) return given.error();
  target.sp = std::move(given->sp);
  target.sv = std::move(given->sv);
  target.sig = std::move(given->sig);
  target.queries = std::move(given->others);
  return target;
}

Result<void> verify(const ActionTarget& target, const Headers& headers, std::string_view primary,
                    std::string_view secondary) {
  if (target.sig.empty() || !header(headers, "authorization").empty()) {
    return make_error("DirectApiAuthorizationRequired",
                      "The request must be authenticated only by Shared Access scheme.", {},
                      "Call the whole address, with sp, sv and sig, and without an Authorization header.");
  }
  const bool is_signed = is_signed_by_either(target.sig, primary, secondary, target.workflow_id, target.sp, target.sv);
  if (is_signed && target.sp == signed_path(target) && target.sv == version) return {};
  return make_error("DirectApiInvalidAuthorizationSignature", "The provided authorization signature is not valid.", {},
                    "The address is not the one that the flow gave, or its key was regenerated.");
}

}  // namespace flowmend::trigger
