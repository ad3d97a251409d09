#include "core/io/Hdf5Objects.hpp"

#include <algorithm>
#include <array>

#include "core/Error.hpp"
#include "core/io/Hdf5Handle.hpp"

namespace dempilot::hdf5 {

std::string place(const File& file, const std::string& object) {
  return fmt::format("'{}': '/{}'", file.name(), object);
}

bool reachable(hid_t file, const std::string& object) {
  for (std::size_t end = 0; end != std::string::npos && !object.empty();) {
    end = object.find('/', end + 1);
    const std::string prefix = object.substr(0, end);
    H5L_info_t info;
    if (H5Lexists(file, prefix.c_str(), H5P_DEFAULT) <= 0) return false;
    if (H5Lget_info(file, prefix.c_str(), &info, H5P_DEFAULT) < 0) return false;
    if (info.type != H5L_TYPE_HARD) return false;
  }
  return true;
}

hid_t open_object(hid_t file, const std::string& object) {
  return H5Oopen(file, object.empty() ? "/" : object.c_str(), H5P_DEFAULT);
}

bool is_machine_number(hid_t type) {
  if (H5Tget_class(type) == H5T_ENUM) return is_machine_number(Handle(H5Tget_super(type)));
  const std::array known{
      H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_STD_I8LE,  H5T_STD_U8LE,  H5T_STD_I16LE,  H5T_STD_U16LE,
      H5T_STD_I32LE,  H5T_STD_U32LE,  H5T_STD_I64LE, H5T_STD_U64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE,
      H5T_STD_I16BE,  H5T_STD_U16BE,  H5T_STD_I32BE, H5T_STD_U32BE, H5T_STD_I64BE,  H5T_STD_U64BE};
  return std::any_of(known.begin(), known.end(),
                     [&](hid_t candidate) { return H5Tequal(type, candidate) > 0; });
}

}  // namespace dempilot::hdf5
