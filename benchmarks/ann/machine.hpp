// SPDX-License-Identifier: MIT
// What the machine and the build contribute to a figure: processor, compiler, memory in use, the core we run on.
#pragma once

#include <cstdlib>   // for getloadavg
#include <fstream>   // for ifstream
#include <optional>  // for optional
#include <string>    // for string, getline

#if defined(__linux__)
#include <malloc.h>  // for malloc_trim
#include <sched.h>   // for sched_setaffinity
#include <unistd.h>  // for sysconf
#endif

#ifndef VICINAL_BENCH_FLAGS
#define VICINAL_BENCH_FLAGS "unknown"
#endif

namespace bench {

[[nodiscard]] inline std::string compiler() {
#if defined(__clang__)
    return "clang " __clang_version__;
#elif defined(__GNUC__)
    return "g++ " __VERSION__;
#else
    return "unknown";
#endif
}

[[nodiscard]] inline std::string compiler_flags() { return VICINAL_BENCH_FLAGS; }

[[nodiscard]] inline std::string processor() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    return "unknown";
}

/// How many processes wanted to run during the last minute; above 0 before we begin, others disturb the figures.
[[nodiscard]] inline std::optional<double> load_average() {
#if defined(__unix__) || defined(__APPLE__)
    double minute = 0;
    if (getloadavg(&minute, 1) == 1) return minute;
#endif
    return std::nullopt;
}

/// The memory this process really occupies, after freed memory has been given back.
[[nodiscard]] inline std::optional<std::size_t> resident_bytes() {
#if defined(__linux__)
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
    std::ifstream statm("/proc/self/statm");
    std::size_t total = 0, resident = 0;
    if (statm >> total >> resident) return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
#endif
    return std::nullopt;
}

/// Keeps the calling thread on one CPU until destroyed, where the system can.
class pinned_thread {
  public:
    /// cpu  which; nothing: the one it is on
    explicit pinned_thread(std::optional<int> cpu) {
#if defined(__linux__)
        const int wanted = cpu ? *cpu : sched_getcpu();
        if (wanted < 0 || wanted >= CPU_SETSIZE || sched_getaffinity(0, sizeof before_, &before_) != 0) return;
        cpu_set_t only;
        CPU_ZERO(&only);
        CPU_SET(static_cast<std::size_t>(wanted), &only);
        if (sched_setaffinity(0, sizeof only, &only) == 0) cpu_ = wanted;
#else
        static_cast<void>(cpu);
#endif
    }
    pinned_thread(const pinned_thread&) = delete;
    pinned_thread& operator=(const pinned_thread&) = delete;
    ~pinned_thread() {
#if defined(__linux__)
        if (cpu_) sched_setaffinity(0, sizeof before_, &before_);
#endif
    }

    /// Nothing if it could not be done.
    [[nodiscard]] std::optional<int> cpu() const noexcept { return cpu_; }

  private:
    std::optional<int> cpu_;
#if defined(__linux__)
    cpu_set_t before_{};
#endif
};

}  // namespace bench
