#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "connector/connections.h"
#include "connector/service_message.h"
#include "repair/failure.h"
#include "repair/families.h"
#include "repair/origin.h"

namespace flowmend::repair {

/// A button that the portal offers beside a piece of advice.
struct Button {
  enum class Kind { none, verify_connection, open_connections, edit_action, resubmit, ask_for_help };
  Kind kind = Kind::none;
  std::string label;
  std::string pointer;  ///< of edit_action
};

struct Advice {
  std::string text;
  Button button;
};

/// An expression that failed, with what its parts were.
struct ExpressionFinding {
  std::string pointer;  ///< in the definition, of the text that holds it
  std::string source;
  std::size_t begin = 0;  ///< of the culprit, bytes in `source`
  std::size_t end = 0;
  std::string subexpression;
  std::string message;
  struct Part {
    std::string text;
    std::optional<Value> value;
    std::string error;
    bool culprit = false;
  };
  std::vector<Part> values;
};

/// The input that the service's answer speaks of.
struct BlamedInput {
  std::string pointer;     ///< in the definition
  std::string field;       ///< `currency`, `uri`
  Value value;             ///< as it was sent
  std::string expression;  ///< what the definition says there when it is no literal; empty otherwise
};

/// Everything that a rule may look at. Gathered once; rules only read it.
struct Facts {
  const definition::Flow* flow = nullptr;
  const Failure* failure = nullptr;
  const definition::Action* action = nullptr;  ///< null when no step can be named
  Family family = Family::unknown;
  int status = 0;
  connector::ServiceMessage said;
  std::optional<connector::ConnectionKey> connection_key;
  std::optional<connector::ConnectionView> connection;  ///< nothing when it was deleted
  std::optional<ExpressionFinding> expression;
  std::optional<BlamedInput> blamed;
  std::optional<Origin> origin;  ///< of the value that was missing in the expression or in what was sent, or refused
  std::string origin_field;      ///< the input that was sent without it; empty for another origin

  std::string step() const;             ///< the step's name as people write it: `Get order`
  std::string connection_name() const;  ///< its display name, or its name
  std::string host() const;             ///< of the request; may be empty
};

/// What a person is told. `explain` fills the rest from the facts.
struct Story {
  std::string title;
  std::string what_happened;
  std::vector<Advice> how_to_fix;
  bool temporary = false;
  std::string pointer;  ///< the place to look at; empty = the step itself
};

/// One rule: when it applies it tells the whole story; the first one that applies wins.
struct Rule {
  const char* name;
  bool (*applies)(const Facts&);
  Story (*tell)(const Facts&);
};

/// All rules in the order in which they are tried; the last one always applies.
const std::vector<Rule>& rules();

/// Looks up what the explanation needs beside the failure. `connections` may be null (tests, a flow without any).
Facts gather_facts(const definition::Flow& flow, const Failure& failure, const connector::Connections* connections);

/// The Explanation of the API (docs/reference/portal-api.md). Holds no secret: what was recorded is masked already, and
/// what a step keeps secure is left out.
Value explain(const Facts& facts);

/// All in one: `RunHasNotFailed` (409) when the run goes on or ended well.
Result<Value> explain_run(const definition::Flow& flow, const engine::Events& events,
                          const connector::Connections* connections);

}  // namespace flowmend::repair
