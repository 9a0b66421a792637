// Printing and collecting located errors, and nearest-name hints.
#include "litmus/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

namespace drover::litmus {
namespace {

constexpr std::size_t kMaxDiagnostics = 100;  // a file with more has one cause
constexpr unsigned kLongLine = 160;           // code points of a source line shown whole
constexpr unsigned kContext = 60;             // code points before the error in a longer one

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

unsigned code_points(std::string_view s) {
  return static_cast<unsigned>(
      std::count_if(s.begin(), s.end(), [](char c) { return !is_continuation(c); }));
}

/// The byte offset in `s` of code point number `n` (from 0), or its size.
std::size_t byte_of(std::string_view s, unsigned n) {
  std::size_t i = 0;
  while (i < s.size()) {
    if (!is_continuation(s[i]) && n-- == 0) break;
    ++i;
  }
  return i;
}

std::string_view line_text(std::string_view text, unsigned line) {
  std::size_t start = 0;
  for (unsigned i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string_view::npos) return {};
    start = end + 1;
  }
  std::string_view found = text.substr(start, text.find('\n', start) - start);
  if (!found.empty() && found.back() == '\r') found.remove_suffix(1);
  return found;
}

/// Length of the well-formed UTF-8 sequence at `s[i]`, or 0.
std::size_t sequence_length(std::string_view s, std::size_t i) {
  const auto byte = [&](std::size_t k) {
    return k < s.size() ? static_cast<unsigned char>(s[k]) : 0u;
  };
  const unsigned lead = byte(i);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
  }
  const unsigned second = byte(i + 1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool beyond = (lead == 0xED && second >= 0xA0) || (lead == 0xF4 && second >= 0x90);
  return overlong || beyond ? 0 : length;
}

/// Levenshtein distance in which exchanging two neighbours counts as one edit.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> older, old(b.size() + 1), row(b.size() + 1);
  std::iota(old.begin(), old.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      row[j + 1] = std::min({old[j] + (a[i] == b[j] ? 0u : 1u), old[j + 1] + 1, row[j] + 1});
      const bool exchanged = i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j];
      if (exchanged) row[j + 1] = std::min(row[j + 1], older[j - 1] + 1);
    }
    older = old;
    old = row;
  }
  return old.back();
}

}  // namespace

std::string to_string(const Diagnostic& d, std::string_view text) {
  std::string out = fmt::format("{}:{}:{}: error: {}\n", d.file, d.line, d.column, d.message);
  std::string_view source = line_text(text, d.line);
  unsigned before = d.column - 1;
  if (code_points(source) > kLongLine) {
    const unsigned cut = before > kContext ? before - kContext : 0;
    source.remove_prefix(byte_of(source, cut));
    source = source.substr(0, byte_of(source, kLongLine));
    before -= cut;
  }
  out += fmt::format("    {}\n    ", source);
  const std::string_view prefix = source.substr(0, byte_of(source, before));
  for (char c : prefix) {
    if (!is_continuation(c)) out += c == '\t' ? '\t' : ' ';
  }
  const unsigned rest = code_points(source.substr(prefix.size()));
  const unsigned length = std::max(1u, std::min(d.length, rest));
  out += '^' + std::string(length - 1, '~') + '\n';
  if (!d.expected.empty()) out += fmt::format("expected: {}\n", d.expected);
  if (!d.hint.empty()) out += fmt::format("hint: {}\n", d.hint);
  return out;
}

std::size_t find_bad_byte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool end_of_line = c == '\n' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n');
    if ((c < 0x20 && c != '\t' && !end_of_line) || c == 0x7F) return i;
    const std::size_t length = sequence_length(text, i);
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

DiagnosticSink::DiagnosticSink(std::string_view text, std::string file)
    : text_(text), file_(std::move(file)), line_starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') line_starts_.push_back(i + 1);
  }
}

unsigned DiagnosticSink::line_of(std::size_t offset) const {
  const auto it = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<unsigned>(it - line_starts_.begin());
}

void DiagnosticSink::add(Location at, std::string message, std::string expected, std::string hint) {
  if (found_.size() >= kMaxDiagnostics) return;
  const std::size_t offset = std::min<std::size_t>(at.offset, text_.size());
  Diagnostic d;
  d.file = file_;
  d.line = line_of(offset);
  const std::size_t start = line_starts_[d.line - 1];
  d.column = code_points(text_.substr(start, offset - start)) + 1;
  std::string_view marked = text_.substr(offset, at.length);
  marked = marked.substr(0, marked.find('\n'));
  d.length = std::max(1u, code_points(marked));
  d.message = std::move(message);
  d.expected = std::move(expected);
  d.hint = std::move(hint);
  found_.push_back(std::move(d));
}

std::vector<Diagnostic> DiagnosticSink::take() {
  const auto key = [](const Diagnostic& d) { return std::tie(d.line, d.column, d.message); };
  std::stable_sort(found_.begin(), found_.end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
  found_.erase(std::unique(found_.begin(), found_.end(),
                           [&](const auto& a, const auto& b) { return key(a) == key(b); }),
               found_.end());
  return std::move(found_);
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongWord = 64;
  if (word.size() > kLongWord) return {};
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::string found;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongWord) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best && distance < word.size()) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string found = nearest(word, candidates);
  return found.empty() ? "" : fmt::format("did you mean `{}`?", found);
}

}  // namespace drover::litmus
