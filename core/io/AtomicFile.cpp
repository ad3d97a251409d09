#include "core/io/AtomicFile.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "core/Error.hpp"

namespace dempilot {
namespace {

/// A file being written, removed unless it is kept.
class PartialFile {
 public:
  explicit PartialFile(const std::filesystem::path& target)
      : target_(target), path_(target.string() + std::string(partial_suffix)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor_ < 0) give_up();
  }
  ~PartialFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  void write(std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) give_up();
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void keep() {
    if (::fsync(descriptor_) != 0) give_up();
    const int descriptor = descriptor_;
    descriptor_ = -1;
    if (::close(descriptor) != 0) give_up();
    if (::rename(path_.c_str(), target_.c_str()) != 0) give_up();
    path_.clear();
  }

 private:
  [[noreturn]] void give_up() const {
    const std::string reason = std::generic_category().message(errno);
    fail("{} could not be written ({}). Make room or choose another folder", target_.string(),
         reason);
  }

  std::filesystem::path target_;
  std::string path_;
  int descriptor_ = -1;
};

/// So that the new name, too, outlasts a power cut. Some file systems cannot, and need not.
void flush_folder(const std::filesystem::path& folder) {
  const int descriptor =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  PartialFile file(path);
  file.write(bytes);
  file.keep();
  flush_folder(path.parent_path());
}

}  // namespace dempilot
