#include "tests/fuzz/Mutator.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <vector>

#include "tests/fuzz/BasePolicies.hpp"
#include "tests/fuzz/Vocabulary.hpp"

namespace dempilot::fuzz {
namespace {

const std::map<std::string_view, std::span<const std::string_view>>& lists() {
  static const std::map<std::string_view, std::span<const std::string_view>> map{
      {"$METADATA", words::metadata},    {"$COMPONENT", words::components},
      {"$NAME", words::names},           {"$VALUE", words::values},
      {"$OBJECT", words::objects},       {"$LINK", words::links},
      {"$ATTRIBUTE", words::attributes}, {"$TEXT", words::texts},
      {"$TYPE", words::types},           {"$NUMBER", words::numbers},
      {"$SHAPE", words::shapes},         {"$STORAGE", words::storages},
      {"$DATASET", words::datasets}};
  return map;
}

std::size_t below(std::size_t count, std::minstd_rand& random) {
  return count == 0 ? 0 : random() % count;
}

template <class List>
const auto& any_of(const List& list, std::minstd_rand& random) {
  return list[below(list.size(), random)];
}

/// Where words begin: after spaces and ends of lines.
std::vector<std::size_t> word_starts(const std::string& text) {
  std::vector<std::size_t> starts{0};
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == ' ' || text[i] == '\n') starts.push_back(i + 1);
  }
  return starts;
}

std::string any_word(std::minstd_rand& random) {
  const auto list = std::next(lists().begin(), static_cast<long>(below(lists().size(), random)));
  return std::string(any_of(list->second, random));
}

std::string with_another_word(std::string text, std::minstd_rand& random) {
  const std::vector<std::size_t> starts = word_starts(text);
  const std::size_t begin = any_of(starts, random);
  const std::size_t end = std::min(text.find_first_of(" \n", begin), text.size());
  return text.replace(begin, end - begin, any_word(random));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines)
    text += line + '\n';
  return text;
}

}  // namespace

std::string new_line(std::minstd_rand& random) {
  std::string line(any_of(words::lines, random));
  for (std::size_t hole = line.find('$'); hole != std::string::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \n", hole), line.size());
    const auto list = lists().find(line.substr(hole, end - hole));
    if (list == lists().end()) break;
    const std::string_view word = any_of(list->second, random);
    line.replace(hole, end - hole, word);
    hole = line.find('$', hole + word.size());
  }
  return line;
}

std::string mutated(const std::string& text, std::minstd_rand& random) {
  std::vector<std::string> lines = lines_of(text);
  // One fault hides the next, so texts begin anew often.
  const std::string& base = any_of(base_policies(), random).name;
  if (lines.empty() || random() % 3 == 0) lines = {base};
  const std::size_t at = below(lines.size(), random);
  const auto place = lines.begin() + static_cast<long>(at);
  switch (random() % 10) {
    case 0:
      lines.front() = base;
      break;
    case 1:
      if (at > 0) lines.erase(place);
      break;
    case 2:
      if (at > 0) std::iter_swap(place, lines.end() - 1);
      break;
    case 3:
    case 4:
    case 5:
      return with_another_word(joined(lines), random);
    default:
      lines.insert(at > 0 ? place : lines.end(), new_line(random));
  }
  return joined(lines);
}

}  // namespace dempilot::fuzz
