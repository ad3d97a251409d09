#include <CLI/CLI.hpp>
#include <cstdio>

#include <Kokkos_Core.hpp>

#include "core/Error.hpp"
#include "core/Pilot.hpp"
#include "core/cli/Commands.hpp"

namespace {

int run(int argc, char** argv) {
  CLI::App app{"DEMPilot: trained policies at the controls of particles in DEM engines"};
  app.name("dempilot");
  app.require_subcommand(1);
  int threads = 2;
  app.add_option("--threads", threads, "threads of the OpenMP back end")->capture_default_str();

  std::vector<std::string> files;
  std::vector<std::string> parts;
  CLI::App* verify = app.add_subcommand(
      "verify", "recompute golden files in float and double on every back end and compare");
  verify->add_option("FILE", files, "golden files")->required();
  verify->add_option("--parts", parts, "comma-separated parts to recompute (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember(dempilot::cli::all_parts));

  std::string policy;
  CLI::App* info = app.add_subcommand("info", "describe a policy file and replay its golden rows");
  info->add_option("FILE", policy, "policy file")->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  dempilot::initialize_runtime(threads);
  int status = 0;
  try {
    status = *verify ? dempilot::cli::verify(files, {parts.begin(), parts.end()})
                     : dempilot::cli::info(policy);
  } catch (const dempilot::Error& error) {
    std::fprintf(stderr, "ERROR: %s\n", error.what());
    status = 1;
  }
  Kokkos::finalize();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ERROR: %s\n", error.what());
    return 1;
  }
}
