// Display width, padding and wrapping of UTF-8 text; see text.hpp.
#include "report/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace drover::report {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Bytes of the first `columns` code points of `text`.
std::size_t bytes_of(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  while (at < text.size() && (columns > 0 || continues(text[at]))) {
    if (!continues(text[at])) --columns;
    ++at;
  }
  return at;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
    if (end > at) words.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}  // namespace

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string pad(std::string_view text, std::size_t width) {
  const std::size_t have = width_of(text);
  return std::string(text) + std::string(width > have ? width - have : 0, ' ');
}

std::vector<std::string> fill(const std::vector<std::string>& words, std::size_t width,
                              std::size_t indent) {
  width = std::max<std::size_t>(width, 1);
  indent = std::min(indent, width - 1);
  std::vector<std::string> lines(1);
  std::size_t used = 0;  // columns of the last line
  bool begun = false;    // the last line has a word
  const auto next_line = [&] {
    lines.emplace_back(indent, ' ');
    used = indent;
    begun = false;
  };
  for (const std::string& whole : words) {
    std::string_view word = whole;
    if (word.empty()) continue;
    if (begun && used + 1 + width_of(word) > width) next_line();
    if (begun) {
      lines.back() += ' ';
      ++used;
    }
    for (;;) {
      const std::size_t piece = bytes_of(word, width - used);
      lines.back() += word.substr(0, piece);
      used += width_of(word.substr(0, piece));
      begun = true;
      word.remove_prefix(piece);
      if (word.empty()) break;
      next_line();
    }
  }
  return lines;
}

std::vector<std::string> wrap(std::string_view text, std::size_t width, std::size_t indent) {
  return fill(words_of(text), width, indent);
}

std::string hang(std::string_view head, const std::vector<std::string>& words, std::size_t more) {
  constexpr std::size_t kLeast = 20;  // columns: behind a long head rather beyond the width
  const std::size_t margin = width_of(head);
  const std::size_t room = margin + kLeast < kWidth ? kWidth - margin : kLeast;
  std::string out;
  for (const std::string& line : fill(words, room, more)) {
    out += out.empty() ? std::string(head) : std::string(margin, ' ');
    out += line;
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

std::string hang(std::string_view head, std::string_view text, std::size_t more) {
  return hang(head, words_of(text), more);
}

std::string shorten(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return std::string(text);
  return std::string(text.substr(0, bytes_of(text, width - std::min<std::size_t>(width, 3)))) +
         "...";
}

std::string count(std::size_t n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

}  // namespace drover::report
