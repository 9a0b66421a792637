// A scenario as litmus text; see scenario.hpp.
#include "native/random/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "litmus/litmus.hpp"
#include "native/emit/emit.hpp"

namespace drover::native {
namespace {

constexpr std::size_t kAtoms = 30;  // below the language's limit

// Whether the statements themselves order two steps that follow each other: a child runs after its
// fork, a wait returns after the exit.
bool ordered_by_itself(const Step& before, const Step& after) {
  if (before.process == after.process) return true;
  return !before.defines.empty() &&
         (before.defines == after.process || before.defines == "exit " + before.process);
}

std::vector<std::string> processes_of(const Scenario& scenario) {
  std::vector<std::string> found = {"p"};
  for (const Step& s : scenario.steps) {
    if (s.text.find("fork(") != std::string::npos && s.text.find("vfork(") != 0) {
      found.push_back(s.defines);
    }
  }
  return found;
}

bool is_handle(const Step& s) {
  return s.defines.starts_with("h");
}

// A handle that nothing drops: its frame is not used for something else by the end.
bool lasts(const Scenario& scenario, const Step& taker) {
  const auto ends = [&](const Step& s) {
    const bool drops = s.text.find("unpin(") == 0 || s.text.find("close(") == 0 ||
                       s.text.find("complete(") != std::string::npos;
    return s.defines == "exit " + taker.process ||
           (drops && std::count(s.names.begin(), s.names.end(), taker.defines) != 0);
  };
  return std::none_of(scenario.steps.begin(), scenario.steps.end(), ends);
}

// The address space of a child of vfork is its parent's, which is looked at.
std::vector<std::string> all_processes_of(const Scenario& scenario) {
  std::vector<std::string> found = processes_of(scenario);
  for (const Step& s : scenario.steps) {
    if (s.text.find("vfork(") == 0) found.push_back(s.defines);
  }
  return found;
}

std::string condition_of(const Scenario& scenario) {
  std::vector<std::string> atoms;
  const auto add = [&](std::string atom) {
    const bool there = std::find(atoms.begin(), atoms.end(), atom) != atoms.end();
    if (atoms.size() < kAtoms && !there) atoms.push_back(std::move(atom));
  };
  for (const Step& s : scenario.steps) {
    if (!s.result.empty()) add(fmt::format("{}:{} = 0", s.process, s.result));
    if (is_handle(s) && lasts(scenario, s)) {
      add(fmt::format("same_frame({}, {}:{})", s.defines, s.process, s.names.front()));
    }
  }
  const auto processes = processes_of(scenario);
  for (const Memory& m : scenario.memory) {
    for (unsigned page = 0; page < m.pages; ++page) {
      for (const std::string& process : processes) {
        for (unsigned w = 0; w < m.words; ++w) {
          add(fmt::format("{}:{}[{}].w{} = 0", process, m.name, page, w));
        }
        if (process != "p")
          add(fmt::format("same_frame(p:{0}[{1}], {2}:{0}[{1}])", m.name, page, process));
      }
    }
  }
  return fmt::format("exists ({})\n", fmt::join(atoms, " /\\\n        "));
}

}  // namespace

std::string text_of(const Scenario& scenario) {
  std::string out = fmt::format("litmus {}\n", scenario.name);
  for (const Memory& m : scenario.memory) {
    std::string words;
    for (unsigned w = 0; w < m.words; ++w) words += fmt::format("{}w{}", w == 0 ? "" : ", ", w);
    out += fmt::format("{} {}{} {{ {} }}{}\n", m.kind, m.name, m.pages > 1 ? "[2]" : "", words,
                       m.attribute.empty() ? "" : " : " + m.attribute);
  }
  std::map<std::string, std::string> body;
  unsigned event = 0;
  for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
    const Step& step = scenario.steps[i];
    if (i > 0 && !ordered_by_itself(scenario.steps[i - 1], step)) {
      body[scenario.steps[i - 1].process] += fmt::format("    signal e{};\n", event);
      body[step.process] += fmt::format("    await e{};\n", event++);
    }
    body[step.process] += "    " + step.text + "\n";
  }
  for (const std::string& process : all_processes_of(scenario)) {
    out += fmt::format("process {} {{\n{}}}\n", process, body[process]);
  }
  return out + condition_of(scenario);
}

bool is_usable(const Scenario& scenario, litmus::Program* program) {
  auto parsed = litmus::parse(text_of(scenario), scenario.name);
  if (!parsed.program) return false;
  const Runnable how = runnable(*parsed.program);
  if (!how.ok || !how.ordered) return false;
  if (program != nullptr) *program = std::move(*parsed.program);
  return true;
}

}  // namespace drover::native
