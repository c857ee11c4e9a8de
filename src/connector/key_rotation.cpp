#include "connector/key_rotation.h"

#include <future>
#include <utility>
#include <vector>

#include "connector/master_key.h"
#include "connector/text.h"

namespace flowmend::connector {
namespace {

using Under = MasterKeySealer::Under;
constexpr std::size_t page = 500;
constexpr std::size_t batch_bytes = 16u << 20;

/// Notes whether anything that was opened lies under an older key.
class WatchingSealer final : public engine::Sealer {
 public:
  explicit WatchingSealer(const MasterKeySealer& sealer) : sealer_(sealer) {}
  std::string seal(std::string_view plain) const override { return sealer_.seal(plain); }
  Result<std::string> open(std::string_view sealed) const override {
    older_ = older_ || sealer_.sealed_under(sealed) == Under::older;
    return sealer_.open(sealed);
  }
  bool saw_older() const { return older_; }

 private:
  const MasterKeySealer& sealer_;
  mutable bool older_ = false;
};

/// The value with every sealed text in it under the newest key; nothing when none was under an older. Whatever is
/// sealed is found by trying: the tag of a sealed text can't be right by chance.
std::optional<Value> anew(const Value& value, const MasterKeySealer& sealer) {
  if (value.is_string()) {
    const std::string_view text = value.as_string();
    // 0x01 and a random byte: "AQ" or its neighbours, and never shorter than a sealed nothing.
    if (text.size() < MasterKeySealer::sealed_bytes_min || text.front() != 'A') return std::nullopt;
    const auto sealed = base64_decode(text);
    if (!sealed || sealer.sealed_under(*sealed) != Under::older) return std::nullopt;
    const auto plain = sealer.open(*sealed);
    return Value(base64_encode(sealer.seal(*plain)));
  }
  if (value.is_array()) {
    std::vector<Value> items(value.as_array().begin(), value.as_array().end());
    bool changed = false;
    for (Value& item : items) {
      if (auto next = anew(item, sealer)) {
        item = std::move(*next);
        changed = true;
      }
    }
    if (!changed) return std::nullopt;
    return Value::array(std::move(items));
  }
  if (value.is_object()) {
    std::optional<json::ObjectBuilder> next;
    for (const json::Member& member : value.as_object()) {
      if (auto inner = anew(member.value, sealer)) {
        if (!next) next.emplace(value);
        next->set(member.name(), std::move(*inner));
      }
    }
    if (next) return next->finish();
  }
  return std::nullopt;
}

Result<void> documents_anew(store::Store& store, const MasterKeySealer& sealer, Rotation& done) {
  const auto kinds = store.document_kinds();
  if (!kinds) return kinds.error();
  for (const std::string& kind : *kinds) {
    store::DocumentQuery query;
    query.kind = kind;
    query.limit = page;
    while (true) {
      const auto documents = store.documents(query);
      if (!documents) return documents.error();
      std::vector<std::pair<std::string, Value>> changed;
      for (const store::Document& document : *documents) {
        if (auto next = anew(document.value, sealer)) changed.emplace_back(document.key, std::move(*next));
      }
      if (!changed.empty()) {
        const auto written = store.write([&](store::Transaction& transaction) -> Result<void> {
          for (const auto& [key, value] : changed) {
            if (const auto put = transaction.put_document(kind, key, value); !put) return put.error();
          }
          return {};
        });
        if (!written) return written.error();
        done.documents += changed.size();
      }
      if (documents->size() < query.limit) break;
      query.after = documents->back().key;
    }
  }
  return {};
}

Result<void> flows_anew(store::Store& store, const MasterKeySealer& sealer, Rotation& done) {
  auto flows = store.flows();
  if (!flows) return flows.error();
  std::vector<store::FlowRow> changed;
  for (store::FlowRow& flow : *flows) {
    bool older = false;
    bool lost = false;
    for (std::string* key : {&flow.primary_key, &flow.secondary_key}) {
      const Under under = sealer.sealed_under(*key);
      lost = lost || (under == Under::none && !key->empty());
      if (under != Under::older) continue;
      *key = sealer.seal(*sealer.open(*key));
      older = true;
    }
    if (lost) ++done.unreadable;
    if (older) changed.push_back(std::move(flow));
  }
  if (changed.empty()) return {};
  const auto written = store.write([&](store::Transaction& transaction) -> Result<void> {
    for (const store::FlowRow& flow : changed) transaction.put_flow(flow);
    return {};
  });
  if (!written) return written.error();
  done.flows += changed.size();
  return {};
}

Result<void> runs_anew(store::Store& store, const MasterKeySealer& sealer, Rotation& done) {
  store::RunQuery query;
  query.limit = page;
  while (true) {
    const auto runs = store.runs(query);
    if (!runs) return runs.error();
    store::Batch batch;
    std::size_t bytes = 0;
    const auto flush = [&] {
      if (batch.journal.empty()) return;
      done.records += batch.journal.size();
      std::promise<void> durable;
      store.commit(std::exchange(batch, {}), [&] { durable.set_value(); });
      durable.get_future().wait();
      bytes = 0;
    };
    for (const store::RunRow& run : *runs) {
      const auto records = store.journal(run.number);
      if (!records) return records.error();
      bool lost = false;
      for (std::size_t i = 0; i < records->size(); ++i) {
        const WatchingSealer watching(sealer);
        const auto events = engine::decode((*records)[i], watching);
        lost = lost || !events;
        if (!events || !watching.saw_older()) continue;
        batch.journal.push_back({run.number, static_cast<std::uint32_t>(i), engine::encode(*events, sealer)});
        bytes += batch.journal.back().record.size();
        if (bytes > batch_bytes) flush();
      }
      if (lost) ++done.unreadable;
    }
    flush();
    if (runs->size() < query.limit) return {};
    query.after = runs->back().name;
  }
}

}  // namespace

Result<Rotation> seal_anew(store::Store& store, const MasterKeySealer& sealer) {
  Rotation done;
  if (const auto sealed = documents_anew(store, sealer, done); !sealed) return sealed.error();
  if (const auto sealed = flows_anew(store, sealer, done); !sealed) return sealed.error();
  if (const auto sealed = runs_anew(store, sealer, done); !sealed) return sealed.error();
  return done;
}

Result<Rotation> rotate_master_key(store::Store& store, const std::string& key_file) {
  const auto before = open_master_key(key_file, IfKeyIsMissing::refuse);
  if (!before) return before.error();
  // With a wrong key nothing could be opened, and the right one would be thought to be used no more.
  if (const auto right = check_master_key(store, **before, false); !right) return right.error();
  if (const auto added = add_master_key(key_file); !added) return added.error();
  const auto sealer = open_master_key(key_file, IfKeyIsMissing::refuse);
  if (!sealer) return sealer.error();
  const auto done = seal_anew(store, **sealer);
  if (!done) return done.error();
  if (const auto dropped = drop_older_master_keys(key_file); !dropped) return dropped.error();
  return done;
}

}  // namespace flowmend::connector
