// SPDX-License-Identifier: MIT
#include "console.hpp"

#include <cstdio>     // for fprintf
#include <exception>  // for uncaught_exceptions

#ifdef _WIN32
#include <io.h>  // for _isatty
#else
#include <unistd.h>  // for isatty
#endif

namespace demo {
namespace {

bool is_terminal(int descriptor) {
#ifdef _WIN32
    return _isatty(descriptor) != 0;
#else
    return isatty(descriptor) != 0;
#endif
}

}  // namespace

bool stdin_is_terminal() { return is_terminal(0); }
bool stderr_is_terminal() { return is_terminal(2); }

stage::stage(std::string_view name) : name_(name) {
    if (stderr_is_terminal()) std::fprintf(stderr, "  %-28s", name_.c_str());
}

void stage::update(std::size_t done, std::size_t total) {
    const auto now = clock::now();
    if (!stderr_is_terminal() || total == 0 || now - shown_ < std::chrono::milliseconds(50)) return;
    shown_ = now;
    const double share = static_cast<double>(done) / static_cast<double>(total);
    std::string bar(static_cast<std::size_t>(share * 30), '#');
    bar.resize(30, '.');
    std::fprintf(stderr, "\r  %-28s [%s] %3.0f %%", name_.c_str(), bar.c_str(), 100 * share);
}

stage::~stage() {
    const char* start = stderr_is_terminal() ? "\r\033[K" : "";
    if (std::uncaught_exceptions() > 0)
        std::fprintf(stderr, "%s", start);
    else
        std::fprintf(stderr, "%s  %-28s %6.2f s  %s\n", start, name_.c_str(), milliseconds_since(begin_) / 1000,
                     result_.c_str());
}

double milliseconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace demo
