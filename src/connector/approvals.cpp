#include "connector/approvals.h"

#include <sodium.h>

#include <algorithm>
#include <set>

#include "base/ids.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

constexpr std::string_view approval_kind = "approval";
constexpr std::string_view delivery_kind = "approval_delivery";
constexpr std::string_view key_kind = "approval_key";
constexpr std::size_t assignees_max = 100;
constexpr std::size_t options_max = 20;

Error not_found(std::string_view id) {
  return make_error("ApprovalNotFound", "There is no approval '" + std::string(id) + "'.");
}

std::string random_guid() {
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof(seed));
  Random random(seed);
  return make_guid(random);
}

std::string hash_of(std::string_view secret) {
  unsigned char hash[32];
  crypto_generichash(hash, sizeof(hash), reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), nullptr,
                     0);
  return base64_encode({reinterpret_cast<const char*>(hash), sizeof(hash)});
}

std::vector<std::string> people_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(";,");
    const std::string_view one = trim(text.substr(0, end));
    const bool known =
        std::any_of(out.begin(), out.end(), [&](const std::string& other) { return equals_ignoring_case(other, one); });
    if (!one.empty() && !known) out.emplace_back(one);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

Value texts(const std::vector<std::string>& list) {
  json::ArrayBuilder out;
  for (const std::string& one : list) out.push(Value(one));
  return out.finish();
}

std::vector<std::string> texts_of(const Value& holder, std::string_view name) {
  std::vector<std::string> out;
  if (const Value* list = holder.find(name); list != nullptr && list->is_array()) {
    for (const Value& one : list->as_array()) out.push_back(text_of_value(one));
  }
  return out;
}

Value person(std::string_view id, std::string_view name) {
  return Value::object({{"id", Value(id)},
                        {"displayName", Value(name.empty() ? id : name)},
                        {"email", Value(id)},
                        {"userPrincipalName", Value(id)}});
}

Value with(const Value& approval, std::initializer_list<json::Member> members) {
  json::ObjectBuilder out(approval);
  for (const json::Member& member : members) out.set(member.name(), member.value);
  return out.finish();
}

/// What flows and people see: nothing of links and keys.
Value shown(const Value& stored) {
  json::ObjectBuilder out(stored);
  out.remove("links");
  return out.finish();
}

bool is_pending(const Value& approval) { return approval.text_of("status") == "Pending"; }

/// The outcome that the answers so far lead to; empty while more are needed.
std::string outcome_of(const Value& approval) {
  const Value* responses = approval.find("responses");
  if (responses == nullptr || responses->size() == 0) return {};
  const std::string_view type = approval.text_of("approvalType");
  const auto last = responses->as_array().back().text_of("approverResponse");
  if (!type.ends_with("AwaitAll")) return std::string(last);
  if (type.starts_with("Basic") && last == "Reject") return "Reject";
  if (responses->size() < texts_of(approval, "assignedTo").size()) return {};
  if (type.starts_with("Basic")) return "Approve";
  std::string all;
  std::set<std::string> seen;
  for (const Value& response : responses->as_array()) {
    const std::string given(response.text_of("approverResponse"));
    if (seen.insert(given).second) all += (all.empty() ? "" : ", ") + given;
  }
  return all;
}

std::string summary_of(const Value& approval) {
  std::string out;
  if (const Value* responses = approval.find("responses"); responses != nullptr) {
    for (const Value& response : responses->as_array()) {
      const Value* by = response.find("responder");
      out += "Approver: " + std::string(by == nullptr ? "" : by->text_of("displayName")) +
             "\nResponse: " + std::string(response.text_of("approverResponse")) +
             "\nRequest Date: " + std::string(response.text_of("requestDate")) +
             "\nResponse Date: " + std::string(response.text_of("responseDate")) + "\n";
      if (const std::string_view comments = response.text_of("comments"); !comments.empty())
        out += "Comments: " + std::string(comments) + "\n";
      out += "\n";
    }
  }
  return out;
}

Value decided(const Value& approval, std::string_view outcome, std::string_view status, std::string_view now) {
  Value done = with(approval, {{"status", Value(status)}, {"outcome", Value(outcome)}, {"completionDate", Value(now)}});
  return with(done, {{"responseSummary", Value(summary_of(done))}});
}

/// What a mail with options answers.
Value selected_option(const Value& approval) {
  const Value* responses = approval.find("responses");
  const bool answered = responses != nullptr && responses->is_array() && responses->size() > 0;
  const Value* by = answered ? responses->as_array().back().find("responder") : nullptr;
  return Value::object({{"SelectedOption", Value(approval.text_of("outcome"))},
                        {"UserEmailAddress", Value(by == nullptr ? std::string_view() : by->text_of("email"))}});
}

}  // namespace

bool is_assignee(std::string_view assignee, std::string_view user_name) {
  if (equals_ignoring_case(assignee, user_name)) return true;
  const auto before = [](std::string_view text) { return text.substr(0, text.find('@')); };
  const bool one_has_host =
      (assignee.find('@') == std::string_view::npos) != (user_name.find('@') == std::string_view::npos);
  return one_has_host && equals_ignoring_case(before(assignee), before(user_name));
}

Result<Value> Approvals::create(const NewApproval& wanted, std::string_view key) {
  const auto invalid = [](std::string what, std::string cure = {}) {
    return make_error("InvalidApproval", std::move(what), {}, std::move(cure));
  };
  const std::vector<std::string> people = people_of(wanted.assigned_to);
  if (trim(wanted.title).empty()) return invalid("An approval needs a title.");
  if (people.empty())
    return invalid("Nobody is asked: 'Assigned to' is empty.",
                   "Name at least one person; several are separated by ';'.");
  if (people.size() > assignees_max) return invalid("More than 100 people are asked.");
  std::string type;
  for (const char* known : {"Basic", "BasicAwaitAll", "CustomResponse", "CustomResponseAwaitAll"}) {
    if (equals_ignoring_case(known, wanted.type)) type = known;
  }
  if (type.empty())
    return invalid("'" + wanted.type + "' is no type of approval.",
                   "Use Basic, BasicAwaitAll, CustomResponse or CustomResponseAwaitAll.");
  std::vector<std::string> options{"Approve", "Reject"};
  if (type.starts_with("Custom")) {
    options.clear();
    for (const std::string& option : wanted.options) {
      if (!trim(option).empty() && std::find(options.begin(), options.end(), option) == options.end())
        options.push_back(option);
    }
    if (options.empty() || options.size() > options_max)
      return invalid("An approval with custom responses has 1 to 20 of them.");
  }
  const std::string id = random_guid();
  const std::string now = to_string(now_from_system_clock());
  Value stored = Value::object({{"name", Value(id)},
                                {"id", Value(id)},
                                {"approvalType", Value(type)},
                                {"title", Value(wanted.title)},
                                {"details", Value(wanted.details)},
                                {"itemLink", Value(wanted.item_link)},
                                {"itemLinkDescription", Value(wanted.item_link_description)},
                                {"requestor", person(wanted.requestor, {})},
                                {"assignedTo", texts(people)},
                                {"options", texts(options)},
                                {"status", Value("Pending")},
                                {"outcome", Value()},
                                {"requestDate", Value(now)},
                                {"completionDate", Value()},
                                {"responses", Value::empty_array()},
                                {"flow", Value(wanted.flow)},
                                {"run", Value(wanted.run)}});
  std::optional<Value> out;
  const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
    if (!key.empty()) {
      if (const auto known = transaction.document(key_kind, key)) {
        if (const auto before = transaction.document(approval_kind, known->value.text_of("id"))) {
          out = before->value;
          return {};
        }
      }
      if (auto put = transaction.put_document(key_kind, key, Value::object({{"id", Value(id)}})); !put)
        return put.error();
    }
    if (auto put = transaction.put_document(approval_kind, id, stored); !put) return put.error();
    out = stored;
    return {};
  });
  if (!written) return written.error();
  return shown(*out);
}

Result<void> Approvals::wait(std::string_view id, std::string_view callback_url, ApprovalAnswer answer) {
  const std::size_t path = callback_url.find("/workflows/");
  const std::size_t question = callback_url.find('?');
  if (path == std::string_view::npos || question == std::string_view::npos || question < path)
    return make_error("InvalidApproval", "Only a step of this server can wait for an approval.");
  const auto target =
      trigger::read_action_target(callback_url.substr(path, question - path), callback_url.substr(question + 1));
  if (!target) return make_error("InvalidApproval", "Only a step that waits can wait for an approval, not a trigger.");
  json::ArrayBuilder queries;
  for (const auto& [name, value] : target->queries) queries.push(Value::array({Value(name), Value(value)}));
  const Value delivery = Value::object({{"approval", Value(id)},
                                        {"workflow", Value(target->workflow_id)},
                                        {"run", Value(target->run)},
                                        {"action", Value(target->action)},
                                        {"frame", Value(static_cast<std::int64_t>(target->frame))},
                                        {"selectedOption", answer == ApprovalAnswer::selected_option},
                                        {"queries", queries.finish()}});
  return store_.write([&](store::Transaction& transaction) -> Result<void> {
    if (!transaction.document(approval_kind, id)) return not_found(id);
    // The same step asks again after a crash; it waits once.
    const std::string key =
        std::string(id) + "/" + target->run + "/" + target->action + "/" + std::to_string(target->frame);
    if (auto put = transaction.put_document(delivery_kind, key, delivery); !put) return put.error();
    return {};
  });
}

Result<Value> Approvals::find(std::string_view id) const {
  const auto document = store_.document(approval_kind, id);
  if (!document) return document.error();
  if (!document->has_value()) return not_found(id);
  return shown((*document)->value);
}

Result<std::vector<Value>> Approvals::list() const {
  std::vector<Value> out;
  store::DocumentQuery query;
  query.kind = approval_kind;
  while (true) {
    const auto page = store_.documents(query);
    if (!page) return page.error();
    for (const store::Document& document : *page) out.push_back(shown(document.value));
    if (page->size() < query.limit) break;
    query.after = page->back().key;
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Value& a, const Value& b) { return a.text_of("requestDate") > b.text_of("requestDate"); });
  return out;
}

Result<Value> Approvals::respond(std::string_view id, const Response& given) {
  std::optional<Value> out;
  const std::string now = to_string(now_from_system_clock());
  const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
    const auto document = transaction.document(approval_kind, id);
    if (!document) return not_found(id);
    const Value& approval = document->value;
    if (!is_pending(approval))
      return make_error("ApprovalCompleted",
                        "This approval is decided already: " + std::string(approval.text_of("outcome")) + ".");
    const std::vector<std::string> people = texts_of(approval, "assignedTo");
    const auto asked =
        std::find_if(people.begin(), people.end(), [&](const std::string& one) { return is_assignee(one, given.by); });
    if (asked == people.end() && !given.administrator)
      return make_error("ApprovalNotYours", "This approval asks " + (people.size() == 1 ? people[0] : "other people") +
                                                ", not " + given.by + ".");
    const std::vector<std::string> options = texts_of(approval, "options");
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const std::string& one) { return equals_ignoring_case(one, given.response); });
    if (option == options.end()) {
      std::string all;
      for (const std::string& one : options) all += (all.empty() ? "'" : ", '") + one + "'";
      return make_error("InvalidResponse",
                        "'" + given.response.substr(0, 60) + "' is no answer to this approval: choose " + all + ".");
    }
    const std::string responder = asked == people.end() ? given.by : *asked;
    json::ArrayBuilder responses;
    for (const Value& before : approval.find("responses")->as_array()) {
      if (const Value* by = before.find("responder");
          by != nullptr && equals_ignoring_case(by->text_of("id"), responder))
        return make_error("ApprovalCompleted", responder + " has answered already.");
      responses.push(before);
    }
    responses.push(Value::object({{"responder", person(responder, given.by_name)},
                                  {"requestDate", Value(approval.text_of("requestDate"))},
                                  {"responseDate", Value(now)},
                                  {"approverResponse", Value(*option)},
                                  {"comments", Value(given.comments)}}));
    Value changed = with(approval, {{"responses", responses.finish()}});
    // An administrator who answers in others' stead decides for all.
    std::string outcome = asked == people.end() ? *option : outcome_of(changed);
    if (!outcome.empty()) changed = decided(changed, outcome, "Completed", now);
    if (auto put = transaction.put_document(approval_kind, id, changed); !put) return put.error();
    out = shown(changed);
    return {};
  });
  if (!written) return written.error();
  return std::move(*out);
}

Result<Value> Approvals::cancel(std::string_view id) {
  std::optional<Value> out;
  const std::string now = to_string(now_from_system_clock());
  const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
    const auto document = transaction.document(approval_kind, id);
    if (!document) return not_found(id);
    if (!is_pending(document->value)) return make_error("ApprovalCompleted", "This approval is decided already.");
    Value changed = decided(document->value, "Canceled", "Canceled", now);
    if (auto put = transaction.put_document(approval_kind, id, changed); !put) return put.error();
    out = shown(changed);
    return {};
  });
  if (!written) return written.error();
  return std::move(*out);
}

Result<std::string> Approvals::make_link_secret(std::string_view id, std::string_view name) {
  unsigned char bytes[32];
  randombytes_buf(bytes, sizeof(bytes));
  std::string secret(sizeof(bytes) * 2, '0');
  sodium_bin2hex(secret.data(), secret.size() + 1, bytes, sizeof(bytes));
  const auto written = store_.write([&](store::Transaction& transaction) -> Result<void> {
    const auto document = transaction.document(approval_kind, id);
    if (!document) return not_found(id);
    if (!is_pending(document->value)) return make_error("ApprovalCompleted", "This approval is decided already.");
    const std::vector<std::string> people = texts_of(document->value, "assignedTo");
    const auto asked =
        std::find_if(people.begin(), people.end(), [&](const std::string& one) { return is_assignee(one, name); });
    if (asked == people.end())
      return make_error("ApprovalNotYours", "This approval does not ask " + std::string(name) + ".");
    const Value* before = document->value.find("links");
    json::ObjectBuilder links(before == nullptr ? Value::empty_object() : *before);
    links.set(hash_of(secret), Value(*asked));
    auto put = transaction.put_document(approval_kind, id, with(document->value, {{"links", links.finish()}}));
    if (!put) return put.error();
    return {};
  });
  if (!written) return written.error();
  return Result<std::string>(boost::system::in_place_value, std::move(secret));
}

Result<std::string> Approvals::person_of_link(std::string_view id, std::string_view secret) const {
  const auto document = store_.document(approval_kind, id);
  if (!document) return document.error();
  const Value* links = document->has_value() ? (*document)->value.find("links") : nullptr;
  const Value* found = links == nullptr ? nullptr : links->find(hash_of(secret));
  if (found == nullptr || !found->is_string())
    return make_error("ApprovalNotFound", "This link is not valid. It may have been cut off on its way.");
  return Result<std::string>(boost::system::in_place_value, std::string(found->as_string()));
}

Result<std::vector<ApprovalDelivery>> Approvals::due() const {
  std::vector<ApprovalDelivery> out;
  store::DocumentQuery query;
  query.kind = delivery_kind;
  while (true) {
    const auto page = store_.documents(query);
    if (!page) return page.error();
    for (const store::Document& document : *page) {
      const auto approval = find(document.value.text_of("approval"));
      if (!approval || is_pending(*approval)) continue;
      ApprovalDelivery one;
      one.key = document.key;
      one.target.workflow_id = std::string(document.value.text_of("workflow"));
      one.target.run = std::string(document.value.text_of("run"));
      one.target.action = std::string(document.value.text_of("action"));
      if (const Value* frame = document.value.find("frame"); frame != nullptr && frame->is_integer())
        one.target.frame = static_cast<std::uint32_t>(frame->as_integer());
      if (const Value* queries = document.value.find("queries"); queries != nullptr && queries->is_array()) {
        for (const Value& pair : queries->as_array()) {
          if (pair.size() == 2)
            one.target.queries.emplace_back(text_of_value(pair.as_array()[0]), text_of_value(pair.as_array()[1]));
        }
      }
      const Value* option = document.value.find("selectedOption");
      one.body = option != nullptr && *option == Value(true) ? selected_option(*approval) : *approval;
      out.push_back(std::move(one));
    }
    if (page->size() < query.limit) return out;
    query.after = page->back().key;
  }
}

Result<void> Approvals::delivered(std::string_view key) {
  const auto erased = store_.erase_document(delivery_kind, key);
  if (!erased) return erased.error();
  return {};
}

}  // namespace flowmend::connector
