// A line longer than kLongestLine is cut there: a test must not fill the host's memory.
#include "native/qemu/stream.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace drover::qemu {
namespace {

constexpr std::size_t kLongestLine = 16384;

std::string_view take_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

std::optional<int> take_int(std::string_view& text) {
  const std::string_view word = take_word(text);
  int value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

struct Word {
  std::string_view text;
  GuestEvent::Kind kind;
};
constexpr std::array<Word, 9> kWords = {{{"kernel", GuestEvent::Kind::kernel},
                                         {"module", GuestEvent::Kind::module},
                                         {"feature", GuestEvent::Kind::feature},
                                         {"ready", GuestEvent::Kind::ready},
                                         {"begin", GuestEvent::Kind::begin},
                                         {"log", GuestEvent::Kind::log},
                                         {"end", GuestEvent::Kind::end},
                                         {"stuck", GuestEvent::Kind::stuck},
                                         {"done", GuestEvent::Kind::done}}};

// "exit 3", "signal 11" or "timeout".
bool read_ending(std::string_view rest, GuestEvent& event) {
  const std::string_view how = take_word(rest);
  if (how == "timeout") {
    event.ended = GuestEvent::Ended::timeout;
    return true;
  }
  event.ended = how == "exit" ? GuestEvent::Ended::exit : GuestEvent::Ended::signal;
  const auto value = take_int(rest);
  event.value = value.value_or(0);
  return value && (how == "exit" || how == "signal");
}

}  // namespace

StreamParser::StreamParser(std::string_view nonce, std::function<void(GuestEvent)> sink)
    : mark_("@"), sink_(std::move(sink)) {
  mark_ += nonce;
  mark_ += ' ';
}

void StreamParser::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (pending_.size() < kLongestLine) {
      pending_.append(part.substr(0, kLongestLine - pending_.size()));
    }
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    const std::string line = std::exchange(pending_, {});
    take_line(line);
  }
}

void StreamParser::finish() {
  if (!pending_.empty()) take_line(std::exchange(pending_, {}));
  held_.reset();
}

void StreamParser::take_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with(mark_)) {
    held_.reset();
    take_own_line(line.substr(mark_.size()));
    return;
  }
  if (test_ < 0) return;  // nobody's: the console, on a machine with one port
  if (held_) sink_({.kind = GuestEvent::Kind::line, .test = test_, .text = std::move(*held_)});
  held_.reset();
  if (line.empty()) {
    held_ = "";
  } else {
    sink_({.kind = GuestEvent::Kind::line, .test = test_, .text = std::string(line)});
  }
}

void StreamParser::take_own_line(std::string_view line) {
  const std::string_view word = take_word(line);
  for (const Word& known : kWords) {
    if (word != known.text) continue;
    GuestEvent event{.kind = known.kind};
    using Kind = GuestEvent::Kind;
    if (event.kind == Kind::begin || event.kind == Kind::end || event.kind == Kind::log) {
      const auto test = take_int(line);
      if (!test) return;
      event.test = *test;
    }
    if (event.kind == Kind::end && !read_ending(line, event)) return;
    if (event.kind != Kind::end) event.text = line;
    if (event.kind == Kind::begin) test_ = event.test;
    if (event.kind == Kind::end) test_ = -1;
    sink_(std::move(event));
    return;
  }
}

}  // namespace drover::qemu
