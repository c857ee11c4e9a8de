#include "json/lines.h"

#include <exception>
#include <string>

#include "json/write.h"

namespace flowmend::json {

void answer_lines(std::istream& in, std::ostream& out, const std::function<Value(std::string_view line)>& answer,
                  const std::function<Value(std::string_view what)>& failed) {
  std::string line;
  while (std::getline(in, line)) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Value reply;
    try {
      reply = answer(line);
    } catch (const std::exception& failure) {
      reply = failed(failure.what());
    }
    line = write(reply);
    line += '\n';
    out << line << std::flush;
  }
}

}  // namespace flowmend::json
