// apt-get, apt-cache and dpkg-deb with a configuration of our own.
#include "native/kernels/apt.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <system_error>
#include <unordered_set>

#include "native/kernels/kernel.hpp"

namespace drover::kernels {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::minutes kPatience{20};
constexpr const char* kHelper = "/usr/lib/apt/apt-helper";  // part of the package apt
constexpr const char* kKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// What apt complained of, at most two lines: first the lists it could not fetch, then its errors.
std::string complaints(std::string_view text) {
  std::vector<std::string_view> reasons;
  for (const std::string_view prefix : {"W: Failed to fetch ", "W: GPG error: ", "E: "}) {
    for (const std::string_view line : lines_of(text)) {
      if (!line.starts_with(prefix)) continue;
      const std::string_view reason = trimmed(line.substr(3));
      const bool known = std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
      if (!known && reasons.size() < 2) reasons.push_back(reason);
    }
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

Finished checked_run(Command command, StopFlag stop) {
  const std::string program = command.argv[0];
  command.environment.emplace_back("LC_ALL=C");
  try {
    Finished done = run(std::move(command), stop, kPatience);
    if (done.stopped) throw KernelError("stopped", "");
    if (done.timed_out) {
      throw KernelError(fmt::format("{} took more than {} minutes", program, kPatience.count()),
                        "is the mirror reachable? what was downloaded is kept, try again");
    }
    return done;
  } catch (const std::system_error& error) {
    throw KernelError(fmt::format("cannot run {}: {}", program, error.code().message()),
                      "Debian's kernels need apt and dpkg; elsewhere give a bzImage instead");
  }
}

bool is_debian_suite(std::string_view suite) {
  constexpr std::array<std::string_view, 10> kNames = {
      "bullseye", "bookworm", "trixie",   "forky",     "sid",
      "stable",   "testing",  "unstable", "oldstable", "oldoldstable"};
  const std::string_view base = suite.substr(0, suite.find_first_of("-/"));
  return std::find(kNames.begin(), kNames.end(), base) != kNames.end();
}

// The order of one character of a version's non-digit part: "~", end, letters, the rest.
int weight(std::string_view text, std::size_t i) {
  if (i >= text.size() || std::isdigit(static_cast<unsigned char>(text[i])) != 0) return 0;
  if (text[i] == '~') return -1;
  if (std::isalpha(static_cast<unsigned char>(text[i])) != 0) return text[i];
  return text[i] + 256;
}

bool at_digit(std::string_view text, std::size_t i) {
  return i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0;
}

// deb-version(7): non-digits and digits in turn.
std::strong_ordering compare_part(std::string_view a, std::string_view b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    while ((i < a.size() && !at_digit(a, i)) || (j < b.size() && !at_digit(b, j))) {
      if (const auto order = weight(a, i) <=> weight(b, j); order != 0) return order;
      ++i;
      ++j;
    }
    while (i < a.size() && a[i] == '0') ++i;
    while (j < b.size() && b[j] == '0') ++j;
    std::strong_ordering first_difference = std::strong_ordering::equal;
    while (at_digit(a, i) && at_digit(b, j)) {
      if (first_difference == 0) first_difference = a[i] <=> b[j];
      ++i;
      ++j;
    }
    if (at_digit(a, i)) return std::strong_ordering::greater;
    if (at_digit(b, j)) return std::strong_ordering::less;
    if (first_difference != 0) return first_difference;
  }
  return std::strong_ordering::equal;
}

struct Parts {
  std::string_view epoch = "0", upstream, revision;
};
Parts parts_of(std::string_view version) {
  Parts parts;
  if (const std::size_t colon = version.find(':'); colon != std::string_view::npos) {
    parts.epoch = version.substr(0, colon);
    version.remove_prefix(colon + 1);
  }
  const std::size_t dash = version.rfind('-');
  parts.upstream = version.substr(0, dash);
  if (dash != std::string_view::npos) parts.revision = version.substr(dash + 1);
  return parts;
}

}  // namespace

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  const Parts x = parts_of(a), y = parts_of(b);
  if (const auto order = compare_part(x.epoch, y.epoch); order != 0) return order;
  if (const auto order = compare_part(x.upstream, y.upstream); order != 0) return order;
  return compare_part(x.revision, y.revision);
}

Mirror mirror_from_uris(std::string_view uris) {
  // 'http://…/debian/dists/bookworm-updates/InRelease' name 0
  constexpr std::string_view kDists = "/dists/", kRelease = "/InRelease";
  Mirror mirror;
  for (std::string_view line : lines_of(uris)) {
    if (!line.starts_with('\'')) continue;
    line.remove_prefix(1);
    line = line.substr(0, line.find('\''));
    const std::size_t dists = line.rfind(kDists);
    if (dists == std::string_view::npos || !line.ends_with(kRelease)) continue;
    std::string_view suite = line.substr(dists + kDists.size());
    suite.remove_suffix(kRelease.size());
    if (!is_debian_suite(suite)) continue;
    std::string& site =
        suite.find("-security") == std::string_view::npos ? mirror.main : mirror.security;
    if (site.empty()) site = line.substr(0, dists);
  }
  return mirror;
}

std::vector<PackageVersion> parse_madison(std::string_view text) {
  std::vector<PackageVersion> found;
  for (const std::string_view line : lines_of(text)) {
    const std::size_t first = line.find('|');
    const std::size_t second = line.find('|', first + 1);
    if (second == std::string_view::npos) continue;
    found.push_back({.name = std::string(trimmed(line.substr(0, first))),
                     .version = std::string(trimmed(line.substr(first + 1, second - first - 1)))});
  }
  return found;
}

ArchiveFile parse_print_uris(std::string_view text) {
  // 'http://…/linux-image-….deb' linux-image-….deb 26565380 SHA256:…
  for (const std::string_view line : lines_of(text)) {
    const std::size_t end = line.find("' ");
    if (!line.starts_with('\'') || end == std::string_view::npos) continue;
    const std::string_view rest = line.substr(end + 2);
    const std::size_t space = rest.find(' ');
    const std::size_t hash = rest.rfind(' ');
    if (hash <= space || hash == std::string_view::npos) continue;
    ArchiveFile file{.uri = std::string(line.substr(1, end - 1)),
                     .name = std::string(rest.substr(0, space)),
                     .hash = std::string(trimmed(rest.substr(hash)))};
    const bool plain = file.name.find('/') == std::string::npos && file.name.ends_with(".deb");
    if (plain && file.hash.find(':') != std::string::npos) return file;
  }
  return {};
}

PrivateApt::PrivateApt(const fs::path& folder, const std::vector<std::string>& suites,
                       StopFlag stop)
    : folder_(fs::absolute(folder)), stop_(stop) {
  fs::create_directories(folder_ / "lists/partial");
  fs::create_directories(folder_ / "archives/partial");
  const Finished uris = checked_run({.argv = {"apt-get", "update", "--print-uris"}}, stop_);
  const Mirror mirror = mirror_from_uris(uris.out);
  if (mirror.main.empty()) {
    throw KernelError("this machine's apt is not configured with a Debian mirror",
                      "give a bzImage instead of a Debian kernel");
  }
  write_configuration(suites, mirror);
}

void PrivateApt::write_configuration(const std::vector<std::string>& suites, const Mirror& mirror) {
  std::ofstream sources(folder_ / "sources.list");
  const std::string signed_by =
      fs::exists(kKeyring) ? fmt::format("[signed-by={}] ", kKeyring) : std::string();
  for (const std::string& suite : suites) {
    const bool security = suite.ends_with("-security");
    const std::string& site = security ? mirror.security : mirror.main;
    if (!site.empty()) sources << fmt::format("deb {}{} {} main\n", signed_by, site, suite);
  }
  const std::ofstream status(folder_ /
                             "status");  // nothing is installed: no dependency plays a part
  std::ofstream configuration(folder_ / "apt.conf");
  const std::string at = folder_.string();
  configuration << fmt::format(
      "Dir::State \"{0}\";\nDir::State::lists \"{0}/lists\";\nDir::State::status \"{0}/status\";\n"
      "Dir::Cache \"{0}\";\nDir::Cache::archives \"{0}/archives\";\nDir::Log \"{0}\";\n"
      "Dir::Etc::sourcelist \"{0}/sources.list\";\nDir::Etc::sourceparts \"/dev/null\";\n"
      "Dir::Etc::preferences \"/dev/null\";\nDir::Etc::preferencesparts \"/dev/null\";\n",
      at);
  configuration << "APT::Architecture \"amd64\";\n"
                   "#clear APT::Architectures;\nAPT::Architectures { \"amd64\"; };\n"
                   "#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n"
                   "#clear APT::Update::Pre-Invoke;\n#clear Acquire::IndexTargets::deb::DEP-11;\n"
                   "Acquire::Languages \"none\";\nAcquire::GzipIndexes \"true\";\n"
                   "Acquire::Retries \"3\";\nAcquire::http::Timeout \"30\";\n"
                   "APT::Default-Release \"\";\n";
  sources.close();
  configuration.close();
  if (!sources || !configuration) {
    throw KernelError(fmt::format("cannot write to {}", at), "is the disk full?");
  }
}

Finished PrivateApt::run_apt(const char* program, const std::vector<std::string>& arguments) {
  Command command{.argv = {program, "-c", (folder_ / "apt.conf").string()}};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return checked_run(std::move(command), stop_);
}

std::string PrivateApt::update() {
  const Finished done = run_apt("apt-get", {"-q", "update"});
  std::string reasons = complaints(done.out + done.err);
  if (done.err.find("NO_PUBKEY") != std::string::npos) {
    return reasons + "; this machine's package debian-archive-keyring is too old for that suite";
  }
  return reasons;
}

std::vector<std::string> PrivateApt::names(std::string_view prefix) {
  const Finished done = run_apt("apt-cache", {"pkgnames", std::string(prefix)});
  std::vector<std::string> all;
  for (const std::string_view line : lines_of(done.out)) all.emplace_back(trimmed(line));
  return all;
}

std::vector<PackageVersion> PrivateApt::versions(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::vector<std::string> arguments = {"madison"};
  arguments.insert(arguments.end(), names.begin(), names.end());
  return parse_madison(run_apt("apt-cache", arguments).out);
}

fs::path PrivateApt::download(const PackageVersion& package, const fs::path& into) {
  const std::string wanted = fmt::format("{}={}", package.name, package.version);
  const Finished found = run_apt("apt-get", {"-q", "download", "--print-uris", wanted});
  const ArchiveFile file = parse_print_uris(found.out);
  if (file.name.empty()) {
    const std::string reasons = complaints(found.out + found.err);
    throw KernelError(fmt::format("apt does not say where {} is: {}", wanted, reasons), "");
  }
  fs::path place = into / file.name;
  if (fs::exists(place)) return place;  // moved there only once it was whole
  // apt-get download starts again from nothing. This goes on with what there is if the mirror tells
  // when a file was modified, and checks the hash.
  const fs::path partial = into / "partial" / file.name;
  fs::create_directories(partial.parent_path());
  const Finished done = run_apt(kHelper, {"download-file", file.uri, partial.string(), file.hash});
  if (done.status.success() && fs::exists(partial)) {
    fs::rename(partial, place);
    return place;
  }
  std::string reasons = complaints(done.out + done.err);
  if (reasons.find("Hash Sum mismatch") != std::string::npos) fs::remove(partial);
  if (reasons.empty()) reasons = fmt::format("apt cannot download {}", wanted);
  throw KernelError(reasons,
                    "what was downloaded is kept: try again, later if the mirror is being updated");
}

void unpack(const fs::path& package, const fs::path& to, StopFlag stop) {
  const Finished done =
      checked_run({.argv = {"dpkg-deb", "-x", package.string(), to.string()}}, stop);
  if (done.status.success()) return;
  const auto lines = lines_of(done.err);
  throw KernelError(fmt::format("cannot unpack {}: {}", package.filename().string(),
                                lines.empty() ? "no reason given" : lines.front()),
                    "is the disk full?");
}

}  // namespace drover::kernels
