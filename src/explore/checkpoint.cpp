// The format of checkpoints; see checkpoint.hpp. All numbers are 64 bits in the machine's order: a
// checkpoint is read where it was written.
#include "explore/checkpoint.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "explore/handle_hash.hpp"

namespace drover::explore {
namespace {

constexpr std::array<char, 24> kMagic = {"drover checkpoint 2\n\0\0\0"};
constexpr std::uint64_t kMostText = std::uint64_t{1} << 30;

std::string old_name(const std::string& file) {
  return file + ".old";
}
std::string new_name(const std::string& file) {
  return file + ".new";
}

/// A checksum that depends on every byte and its place.
class Checksum {
 public:
  void add(const void* data, std::size_t bytes) {
    const auto* at = static_cast<const unsigned char*>(data);
    for (; bytes >= sizeof(std::uint64_t); bytes -= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, sizeof(word));
      add(word);
      at += sizeof(word);
    }
    if (bytes == 0) return;
    std::uint64_t rest = bytes;
    std::memcpy(&rest, at, bytes);
    add(rest);
  }
  [[nodiscard]] std::uint64_t value() const { return sum_; }

 private:
  void add(std::uint64_t word) { sum_ = detail::mixed(sum_ + word + 0x9e3779b97f4a7c15U); }
  std::uint64_t sum_ = 0;
};

/// A file being written or read; after a failure nothing more happens.
class File {
 public:
  File(const std::string& name, int flags) : fd_(::open(name.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail(std::strerror(errno));
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] bool good() const { return error_.empty(); }
  void fail(const std::string& why) {
    if (error_.empty()) error_ = why;
  }

  bool write(const void* data, std::size_t bytes) {
    sum_.add(data, bytes);
    const auto* at = static_cast<const char*>(data);
    while (good() && bytes > 0) {
      if (buffer_.size() + bytes < kBuffer) {
        buffer_.insert(buffer_.end(), at, at + bytes);
        return true;
      }
      const std::size_t part = kBuffer - buffer_.size();
      buffer_.insert(buffer_.end(), at, at + part);
      at += part;
      bytes -= part;
      flush();
    }
    return good();
  }
  /// Writes out everything, down to the disk.
  void finish() {
    const std::uint64_t sum = sum_.value();
    write(&sum, sizeof(sum));
    flush();
    if (good() && ::fsync(fd_) != 0) fail(std::strerror(errno));
  }

  bool read(void* data, std::size_t bytes) {
    auto* at = static_cast<char*>(data);
    for (std::size_t left = bytes; good() && left > 0;) {
      if (begin_ == buffer_.size()) fill();
      const std::size_t part = std::min(left, buffer_.size() - begin_);
      std::copy_n(buffer_.data() + begin_, part, at);
      begin_ += part;
      at += part;
      left -= part;
    }
    if (good()) sum_.add(data, bytes);
    return good();
  }
  /// Whether the checksum at the end is that of what was read.
  void check_sum() {
    const std::uint64_t ours = sum_.value();
    std::uint64_t theirs = 0;
    if (read(&theirs, sizeof(theirs)) && ours != theirs) fail("its checksum is wrong");
  }

  void put(std::uint64_t number) { write(&number, sizeof(number)); }
  std::uint64_t get() {
    std::uint64_t number = 0;
    read(&number, sizeof(number));
    return number;
  }
  void put(const std::string& text) {
    put(text.size());
    write(text.data(), text.size());
  }
  std::string text() {
    const std::uint64_t size = get();
    if (size > kMostText) fail("a length makes no sense");
    std::string text(good() ? size : 0, '\0');
    read(text.data(), text.size());
    return text;
  }
  template <class T>
  void put(const std::vector<T>& numbers) {
    put(numbers.size());
    write(numbers.data(), numbers.size() * sizeof(T));
  }
  template <class T>
  std::vector<T> numbers() {
    std::vector<T> numbers;
    for (std::uint64_t left = get(); good() && left > 0;) {  // a wrong length ends with the file
      const std::size_t part = std::min<std::uint64_t>(left, kBuffer / sizeof(T));
      numbers.resize(numbers.size() + part);
      read(numbers.data() + numbers.size() - part, part * sizeof(T));
      left -= part;
    }
    return numbers;
  }

 private:
  static constexpr std::size_t kBuffer = std::size_t{1} << 20;

  void flush() {
    const char* at = buffer_.data();
    std::size_t left = buffer_.size();
    while (good() && left > 0) {
      const ssize_t written = ::write(fd_, at, left);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return fail(std::strerror(errno));
      at += written;
      left -= static_cast<std::size_t>(written);
    }
    buffer_.clear();
  }

  void fill() {
    buffer_.resize(kBuffer);
    begin_ = 0;
    ssize_t got = 0;
    do {
      got = ::read(fd_, buffer_.data(), kBuffer);
    } while (got < 0 && errno == EINTR);
    buffer_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (got < 0) fail(std::strerror(errno));
    if (got == 0) fail("it is truncated");
  }

  int fd_;
  std::string error_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  Checksum sum_;
};

void put_point(File& file, const SearchPoint& point) {
  const SearchResult& so_far = point.so_far;
  file.put(point.next);
  file.put(so_far.transitions);
  file.put(so_far.terminals);
  file.put(std::uint64_t{so_far.backward ? 1U : 0U});
  std::uint64_t seconds = 0;
  std::memcpy(&seconds, &so_far.seconds, sizeof(seconds));
  file.put(seconds);
  file.put(so_far.turning);
  file.put(so_far.levels);
  for (const Sighting& sighting : so_far.marks) {
    file.put(sighting.steps);
    file.put(sighting.terminals);
    file.put(sighting.transitions.size());
    for (const TransitionRef& t : sighting.transitions) {
      file.put(t.source);
      file.put(std::uint64_t{t.action.actor} << 16 | t.action.choice);
    }
  }
}

SearchPoint get_point(File& file) {
  SearchPoint point;
  SearchResult& so_far = point.so_far;
  point.next = file.get();
  so_far.transitions = file.get();
  so_far.terminals = file.get();
  so_far.backward = file.get() != 0;
  const std::uint64_t seconds = file.get();
  std::memcpy(&so_far.seconds, &seconds, sizeof(seconds));
  so_far.turning = file.numbers<StateIndex>();
  so_far.levels = file.numbers<StateIndex>();
  for (Sighting& sighting : so_far.marks) {
    sighting.steps = static_cast<std::uint32_t>(file.get());
    sighting.terminals = file.numbers<StateIndex>();
    for (std::uint64_t left = file.get(); file.good() && left > 0; --left) {
      TransitionRef t;
      t.source = file.get();
      const std::uint64_t action = file.get();
      t.action = {static_cast<std::uint16_t>(action >> 16), static_cast<std::uint16_t>(action)};
      sighting.transitions.push_back(t);
    }
  }
  return point;
}

void put_store(File& file, const StateStore& store) {
  file.put(store.state_bytes());
  file.put(store.layout().saved());
  for (StateLayout::Node node = 0; node < store.layout().nodes(); ++node) {
    const ValueTable& table = store.table(node);
    file.put(table.spares());
    file.put(table.size());
    table.save(
        [&](const std::uint64_t* words, std::uint64_t n) { return file.write(words, n * 8); });
  }
  file.put(store.list().size());
  store.list().save([&](const Handle* list, std::uint64_t n) { return file.write(list, n * 8); });
}

void get_store(File& file, StateStore& store, Crew& crew) {
  constexpr const char* kNoRoom = "there is no room for its states";
  if (file.get() != store.state_bytes()) return file.fail("its states are of another size");
  const auto layout = file.numbers<std::uint64_t>();
  if (!file.good()) return;
  if (!store.restore_layout(layout)) return file.fail("its layout makes no sense");
  for (StateLayout::Node node = 0; node < store.layout().nodes(); ++node) {
    auto spares = file.numbers<NodeId>();
    const std::uint64_t values = file.get();
    const auto read = [&](std::uint64_t* into, std::uint64_t n) {
      return file.read(into, n * sizeof(std::uint64_t));
    };
    if (!file.good()) return;
    if (!store.restore_table(node, values, std::move(spares), crew, read)) {
      return file.fail(kNoRoom);
    }
  }
  std::array<Handle, 4096> handles{};
  for (std::uint64_t left = file.get(); file.good() && left > 0;) {
    const std::uint64_t part = std::min<std::uint64_t>(left, handles.size());
    if (!file.read(handles.data(), part * sizeof(Handle))) return;
    if (!store.restore_handles(handles.data(), part, crew)) return file.fail(kNoRoom);
    left -= part;
  }
}

bool get_magic(File& file) {
  std::array<char, kMagic.size()> magic{};
  if (file.read(magic.data(), magic.size()) && magic != kMagic) file.fail("it is no checkpoint");
  return file.good();
}

/// Reads one file; "" or what is wrong with it.
std::string read_one(const std::string& name, StateStore& store, Crew& crew, Checkpoint& into) {
  File file(name, O_RDONLY);
  if (get_magic(file)) into.manifest = file.text();
  if (file.good()) into.extra = file.text();
  if (file.good()) into.point = get_point(file);
  if (file.good()) get_store(file, store, crew);
  if (file.good()) file.check_sum();
  if (file.good() && into.point.so_far.levels.size() < 2) file.fail("it makes no sense");
  return file.error();
}

bool exists(const std::string& file) {
  return ::access(file.c_str(), F_OK) == 0;
}

}  // namespace

std::string save_checkpoint(const std::string& name, const Checkpoint& checkpoint,
                            const StateStore& store) {
  const std::string fresh = new_name(name);
  std::string error;
  {
    File file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    file.write(kMagic.data(), kMagic.size());
    file.put(checkpoint.manifest);
    file.put(checkpoint.extra);
    put_point(file, checkpoint.point);
    put_store(file, store);
    file.finish();
    error = file.error();
  }
  if (error.empty() && exists(name) && std::rename(name.c_str(), old_name(name).c_str()) != 0) {
    error = std::strerror(errno);
  }
  if (error.empty() && std::rename(fresh.c_str(), name.c_str()) != 0) error = std::strerror(errno);
  if (!error.empty()) ::unlink(fresh.c_str());
  return error;
}

Restored load_checkpoint(const std::string& file, StateStore& store, Crew& crew) {
  Restored restored;
  for (const std::string& name : {file, old_name(file)}) {
    if (!exists(name)) continue;
    Checkpoint checkpoint;
    const std::string error = read_one(name, store, crew, checkpoint);
    if (error.empty()) {
      restored.checkpoint = std::move(checkpoint);
      restored.file = name;
      return restored;
    }
    if (!restored.damage.empty()) restored.damage += "; ";
    restored.damage += name;
    restored.damage += ": ";
    restored.damage += error;
    store.forget();
  }
  return restored;
}

std::optional<std::string> manifest_of(const std::string& file) {
  for (const std::string& name : {file, old_name(file)}) {
    if (!exists(name)) continue;
    File in(name, O_RDONLY);
    std::string manifest;
    if (get_magic(in)) manifest = in.text();
    if (in.good()) return manifest;
  }
  return std::nullopt;
}

std::string difference(const std::string& theirs, const std::string& ours) {
  std::size_t begin = 0;
  const auto line = [](const std::string& text, std::size_t at) {
    return at < text.size() ? text.substr(at, text.find('\n', at) - at) : std::string("nothing");
  };
  if (theirs == ours) return "";
  while (line(theirs, begin) == line(ours, begin) && begin < ours.size()) {
    begin = ours.find('\n', begin) + 1;
  }
  return "it says `" + line(theirs, begin) + "`, this check is `" + line(ours, begin) + "`";
}

void remove_checkpoint(const std::string& file) {
  for (const std::string& name : {file, old_name(file), new_name(file)}) ::unlink(name.c_str());
}

}  // namespace drover::explore
