// The four expressions of cases.json (path: first argument), compiled once and evaluated often: nanoseconds and heap
// allocations per evaluation. The filter and join is what Query, Select and join() do: `where` and `select` for each of
// ten items, then the join of what is left.

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "expression/context.h"
#include "expression/template.h"
#include "json/parse.h"
#include "json/write.h"

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

// Every allocation counts, also those that do not come from operator new; glibc lets a program define these.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_realloc(void*, std::size_t);
void* malloc(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* realloc(void* memory, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, size);
}
}

namespace {

using namespace flowmend;
using namespace flowmend::expression;

/// What a run answers: the trigger's outputs and the item of a data operation, both shared values.
class BenchContext final : public Context {
 public:
  const Value* borrow(Subject subject, const Reference&) override {
    if (subject == Subject::trigger_outputs) return &outputs_;
    return subject == Subject::item ? item_ : nullptr;
  }
  std::optional<Value> parameter(const Reference&) override { return std::nullopt; }
  std::optional<Value> variable(const Reference&) override { return std::nullopt; }
  std::optional<Value> outputs(const Reference&) override { return std::nullopt; }
  std::optional<Value> action_record(const Reference&) override { return std::nullopt; }
  std::optional<Value> current_action() override { return std::nullopt; }
  std::optional<Value> result(const Reference&) override { return std::nullopt; }
  std::optional<Value> trigger() override { return std::nullopt; }
  std::optional<Value> trigger_outputs() override { return outputs_; }
  std::optional<Value> item() override { return *item_; }
  std::optional<Value> items(const Reference&) override { return std::nullopt; }
  std::optional<std::int64_t> iteration_index(const Reference&) override { return std::nullopt; }
  std::optional<Value> workflow() override { return std::nullopt; }
  std::optional<std::string> callback_url() override { return std::nullopt; }
  Timestamp now() override { return {}; }
  std::uint64_t random() override { return 0; }

  void set_outputs(Value outputs) { outputs_ = std::move(outputs); }
  void set_item(const Value& item) { item_ = &item; }  ///< lent: stays where it is

 private:
  Value outputs_;
  const Value* item_ = nullptr;
};

class NoNames final : public Names {
 public:
  std::int32_t action(std::string_view) const override { return -1; }
  std::int32_t variable(std::string_view) const override { return -1; }
  std::int32_t parameter(std::string_view) const override { return -1; }
};

Template compiled(const Value& test, std::string_view name) {
  const Value* text = test.find(name);
  Diagnostics diagnostics;
  return text == nullptr ? Template() : Template::compile(*text, NoNames(), "", diagnostics);
}

struct Case {
  Template from;
  Template where;
  Template select;
  Template expression;

  Outcome<Value> evaluate(BenchContext& context) const {
    if (from.is_constant()) return expression.evaluate(context);
    const auto items = from.evaluate(context);
    if (items.has_error()) return items.error();
    json::ArrayBuilder selected;
    selected.reserve(items->size());
    for (const Value& item : items->as_array()) {
      context.set_item(item);
      const auto keep = where.evaluate(context);
      if (keep.has_error()) return keep.error();
      if (!keep->as_boolean()) continue;
      auto part = select.evaluate(context);
      if (part.has_error()) return part.error();
      selected.push(std::move(*part));
    }
    const Value kept = selected.finish();
    context.set_item(kept);
    return expression.evaluate(context);
  }
};

void run(benchmark::State& state, const Value& body, const Value& test) {
  const Case bench_case{compiled(test, "from"), compiled(test, "where"), compiled(test, "select"),
                        compiled(test, "wdl")};
  BenchContext context;
  context.set_outputs(Value::object({{"body", body}}));
  const auto first = bench_case.evaluate(context);
  if (first.has_error() || *first != *test.find("gives")) {
    const std::string what = first.has_error() ? first.error().message : "gives " + json::write(*first);
    state.SkipWithError(what.c_str());
    return;
  }
  const std::uint64_t before = allocations.load();
  for (auto _ : state) {
    auto value = bench_case.evaluate(context);
    benchmark::DoNotOptimize(value);
  }
  state.counters["allocations"] =
      static_cast<double>(allocations.load() - before) / static_cast<double>(state.iterations());
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 2) {
    std::cerr << "usage: bench_expression [--benchmark options] cases.json\n";
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto cases = json::parse(text);
  if (cases.has_error()) {
    std::cerr << argv[1] << ": " << cases.error().message << '\n';
    return 2;
  }
  const Value body = *cases->find("body");
  for (const Value& test : cases->find("cases")->as_array()) {
    std::string name(test.text_of("name"));
    for (char& c : name) c = c == ' ' ? '_' : c;
    benchmark::RegisterBenchmark(name.c_str(), [body, test](benchmark::State& state) { run(state, body, test); });
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
