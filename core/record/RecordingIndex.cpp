#include "core/record/RecordingIndex.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/Error.hpp"
#include "core/io/AtomicFile.hpp"

namespace dempilot::record {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view index_name = "index.json";
constexpr std::string_view index_format = "dempilot-recording";
constexpr std::int64_t index_version = 1;
constexpr std::string_view segment_prefix = "segment-";

bool is_partial(std::string_view name) {
  return name.ends_with(partial_suffix) &&
         (name.starts_with(segment_prefix) || name.starts_with(index_name));
}

/// Number of the launch that wrote a segment; 0 for other files.
std::int64_t launch_of(std::string_view name) {
  if (!name.starts_with(segment_prefix)) return 0;
  name.remove_prefix(segment_prefix.size());
  std::int64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

void make_folder(const fs::path& folder) {
  std::error_code status;
  fs::create_directories(folder, status);
  if (status) {
    fail("the folder {} could not be made ({}). Choose another place", folder.string(),
         status.message());
  }
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::error_code status;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, status), end; !status && entry != end;
       entry.increment(status)) {
    names.push_back(entry->path().filename().string());
  }
  if (status) {
    fail("the folder {} could not be read ({}). Choose another place", folder.string(),
         status.message());
  }
  return names;
}

Json shape_entry(const Launch& launch) {
  const Shape& shape = launch.shape;
  return {{"source", launch.source},
          {"observation_size", shape.observation},
          {"action_size", shape.action},
          {"carry_size", shape.carry},
          {"columns", columns_of(shape)}};
}

std::string text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  return fmt::format("{}", fmt::join(value.get<std::vector<std::string>>(), " "));
}

std::int64_t rows_of(const Json& flush) {
  std::int64_t rows = 0;
  for (const Json& count : flush.at("rows"))
    rows += count.get<std::int64_t>();
  return rows;
}

bool has_rows(const Json& launch) {
  const Json& flushes = launch.at("flushes");
  return std::any_of(flushes.begin(), flushes.end(),
                     [](const Json& flush) { return rows_of(flush) > 0; });
}

}  // namespace

struct RecordingIndex::Impl {
  fs::path folder;
  Launch launch;
  Json content;
  std::string written;  ///< what the file holds, as far as this object knows

  fs::path path() const { return folder / index_name; }

  Json read() const {
    std::ifstream stream(path(), std::ios::binary);
    if (!stream) {
      fail("{} could not be read (no permission). Choose another folder", path().string());
    }
    try {
      return Json::parse(stream);
    } catch (const Json::exception& problem) {
      refuse_damaged(problem.what());
    }
  }

  [[noreturn]] void refuse_damaged(const std::string& why) const {
    fail("{} is damaged ({}). Move the folder away or record to another one", path().string(),
         excerpt(why));
  }

  /// What must be the same for all launches.
  void require_fitting() const {
    if (content.at("format").get<std::string>() != index_format) {
      fail("{} is no index of a recording (its format is '{}'). Record to another folder",
           path().string(), excerpt(content.at("format").get<std::string>()));
    }
    if (content.at("version").get<std::int64_t>() != index_version) {
      fail("{} has format version {} (this DEMPilot writes version {}). Record to another folder",
           path().string(), content.at("version").get<std::int64_t>(), index_version);
    }
    const Json wanted = shape_entry(launch);
    for (const auto& [key, value] : wanted.items()) {
      const Json& found = content.at(key);
      if (found == value) continue;
      fail(
          "{} holds a recording of another kind (its {} is {}, here it is {}). Record to another "
          "folder, or as it was recorded before",
          folder.string(), key, excerpt(text(found)), text(value));
    }
    require_launches();
  }

  /// A list of objects, to which this launch can be added.
  void require_launches() const {
    const Json& launches = content.at("launches");
    if (!launches.is_array()) refuse_damaged("its launches are no list");
    for (const Json& entry : launches)
      if (!entry.is_object()) refuse_damaged("one of its launches is no object");
  }

  std::int64_t last_launch(const std::vector<std::string>& names) const {
    std::int64_t last = 0;
    for (const Json& entry : content.at("launches")) {
      last = std::max(last, entry.at("launch").get<std::int64_t>());
    }
    for (const std::string& name : names)
      last = std::max(last, launch_of(name));
    return last;
  }

  void open(const std::vector<std::string>& names) {
    if (std::find(names.begin(), names.end(), index_name) != names.end()) {
      content = read();
    } else if (std::any_of(names.begin(), names.end(),
                           [](const std::string& name) { return !is_partial(name); })) {
      fail(
          "the folder {} is no recording (it holds files, but no {}). Record to a new or empty "
          "folder",
          folder.string(), index_name);
    } else {
      content = {{"format", index_format}, {"version", index_version}};
      content.update(shape_entry(launch));
      content["launches"] = Json::array();
    }
    try {
      require_fitting();
      launch.number = last_launch(names) + 1;
    } catch (const Json::exception& problem) {
      refuse_damaged(problem.what());
    }
  }

  void enter_launch() {
    content["launches"].push_back({{"launch", launch.number},
                                   {"policy", launch.policy},
                                   {"every", launch.every},
                                   {"ranks", launch.ranks},
                                   {"from_decision", launch.from_decision},
                                   {"from_step", launch.from_step},
                                   {"flushes", Json::array()}});
    write();
  }

  /// Decision from which on launches between `earlier` and this one have made its rows anew. As
  /// for readers, those count that have rows.
  std::int64_t superseded_from(const Json& earlier) const {
    std::int64_t end = std::numeric_limits<std::int64_t>::max();
    for (const Json& later : content.at("launches")) {
      const auto number = later.at("launch").get<std::int64_t>();
      if (number > earlier.at("launch").get<std::int64_t>() && number != launch.number &&
          has_rows(later)) {
        end = std::min(end, later.at("from_decision").get<std::int64_t>());
      }
    }
    return end;
  }

  /// Two simulations that record to one folder would each drop what the other has written.
  void require_alone() const {
    std::ostringstream found;
    found << std::ifstream(path(), std::ios::binary).rdbuf();
    if (found.str() == written) return;
    fail(
        "{} was changed while this simulation recorded (another one records to the same folder). "
        "Give each a folder of its own",
        path().string());
  }

  void write() {
    if (!written.empty()) require_alone();
    std::string bytes = content.dump() + "\n";
    write_atomically(path(), std::as_bytes(std::span(bytes)));
    written = std::move(bytes);
  }
};

RecordingIndex::RecordingIndex(std::filesystem::path folder, Launch launch)
    : impl_(new Impl{std::move(folder), std::move(launch), {}, {}}) {
  make_folder(impl_->folder);
  const std::vector<std::string> names = names_in(impl_->folder);
  impl_->open(names);
  for (const std::string& name : names) {
    std::error_code ignored;
    if (is_partial(name)) fs::remove(impl_->folder / name, ignored);
  }
  impl_->enter_launch();
}

RecordingIndex::~RecordingIndex() = default;

const Launch& RecordingIndex::launch() const {
  return impl_->launch;
}

std::int64_t RecordingIndex::superseded() const {
  std::int64_t rows = 0;
  try {
    for (const Json& launch : impl_->content.at("launches")) {
      if (launch.at("launch").get<std::int64_t>() == impl_->launch.number) continue;
      const std::int64_t end = impl_->superseded_from(launch);
      for (const Json& flush : launch.at("flushes")) {
        const auto first = flush.at("first_decision").get<std::int64_t>();
        if (first >= impl_->launch.from_decision && first < end) rows += rows_of(flush);
      }
    }
  } catch (const Json::exception& problem) {
    impl_->refuse_damaged(problem.what());
  }
  return rows;
}

void RecordingIndex::commit(const Flush& flush) {
  Json& flushes = impl_->content["launches"].back()["flushes"];
  flushes.push_back({{"flush", flush.number},
                     {"first_decision", flush.first_decision},
                     {"last_decision", flush.last_decision},
                     {"first_step", flush.first_step},
                     {"last_step", flush.last_step},
                     {"rows", flush.rows}});
  try {
    impl_->write();
  } catch (const Error&) {
    flushes.erase(flushes.size() - 1);
    throw;
  }
}

}  // namespace dempilot::record
