#include "core/io/AtomicFile.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "core/Error.hpp"

namespace dempilot {
namespace {

[[noreturn]] void give_up(const std::filesystem::path& target) {
  const std::string reason = std::generic_category().message(errno);
  fail("{} could not be written ({}). Make room or choose another folder", target.string(), reason);
}

/// An open file. What keeps it from the disk is told of `target`.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags, std::filesystem::path target)
      : target_(std::move(target)), number_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
    if (number_ < 0) give_up(target_);
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void write(std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(number_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) give_up(target_);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  /// Waits until the file is on the disk, and closes it.
  void flush() {
    if (::fsync(number_) != 0) give_up(target_);
    const int number = std::exchange(number_, -1);
    if (::close(number) != 0) give_up(target_);
  }

 private:
  std::filesystem::path target_;
  int number_;
};

/// So that the new name, too, outlasts a power cut. Some file systems cannot, and need not.
void flush_folder(const std::filesystem::path& folder) {
  const int descriptor =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

/// The name of a file being written, which is removed unless it is kept.
class PartialFile {
 public:
  explicit PartialFile(const std::filesystem::path& target)
      : target_(target), path_(target.string() + std::string(partial_suffix)) {}
  ~PartialFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void keep() {
    if (::rename(path_.c_str(), target_.c_str()) != 0) give_up(target_);
    path_.clear();
    flush_folder(target_.parent_path());
  }

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
};

}  // namespace

void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  PartialFile file(path);
  Descriptor descriptor(file.path(), O_WRONLY | O_CREAT | O_TRUNC, path);
  descriptor.write(bytes);
  descriptor.flush();
  file.keep();
}

void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& partial)>& fill) {
  PartialFile file(path);
  fill(file.path());
  Descriptor(file.path(), O_RDONLY, path).flush();
  file.keep();
}

}  // namespace dempilot
