// SPDX-License-Identifier: MIT
// What the tests of durable indexes share: small indexes, a model, and a disk that fails.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "support/temporary.hpp"
#include "vicinal/durable.hpp"
#include "vicinal/flat.hpp"

namespace vicinal_test {

/// A directory of a test's own, in memory where there is such a place: these tests sync thousands of times, and what
/// a disk makes of that they simulate.
class quick_directory {
  public:
    quick_directory() {
        std::error_code code;
        const std::filesystem::path memory = "/dev/shm";
        std::string name = memory / "vicinal_test_XXXXXX";
        if (!std::filesystem::is_directory(memory, code) || mkdtemp(name.data()) == nullptr) return;
        path_ = name;
    }
    quick_directory(const quick_directory&) = delete;
    quick_directory& operator=(const quick_directory&) = delete;
    ~quick_directory() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::filesystem::path operator/(const char* name) const {
        return path_.empty() ? ordinary_ / name : path_ / name;
    }

  private:
    temporary_directory ordinary_;
    std::filesystem::path path_;
};

using flat = vicinal::flat_index<>;
using id = std::uint64_t;
inline constexpr std::size_t dim = 4;

inline flat empty_flat() { return flat(dim); }
inline std::vector<float> vector_of(std::uint64_t seed, std::size_t components = dim) {
    return gaussian(1, components, seed + 1).values;
}
inline std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }
inline std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What an index must hold.
using model = std::map<id, std::vector<float>>;

/// Whether an index holds just that.
template <class Index>
bool equals(const Index& index, const model& wanted) {
    if (index.size() != wanted.size()) return false;
    for (const auto& [key, vector] : wanted)
        if (!index.contains(key) || index.get(key) != vector) return false;
    return true;
}

inline std::vector<std::byte> read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const auto view = std::as_bytes(std::span(bytes));
    return {view.begin(), view.end()};
}
inline void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}
inline std::vector<std::string> names_in(const std::filesystem::path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}
/// The newest segment of a directory.
inline std::filesystem::path last_segment(const std::filesystem::path& directory) {
    return vicinal::detail::list_directory(directory).segments.back().path;
}
inline void copy_directory(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::filesystem::remove_all(to);
    std::filesystem::copy(from, to);
}

/// A disk on which one call fails: the `fail_at`-th of those that write or make durable, counted from arm(), and, if
/// it is to stay broken, all behind it.
struct failing_calls : vicinal::detail::log_calls {
    static inline std::size_t made = 0;
    static inline std::size_t fail_at = 0;  // 0: never
    static inline bool stays_broken = false;
    static inline int code = EIO;
    static inline bool half_writes = false;  // a write that fails has written half before
    static inline std::string failed{};      // which call it was

    static void arm(std::size_t at, bool broken, int with) {
        made = 0;
        fail_at = at;
        stays_broken = broken;
        code = with;
        failed.clear();
    }
    static int fails(const char* name) {
        ++made;
        if (fail_at == 0 || (stays_broken ? made < fail_at : made != fail_at)) return 0;
        if (failed.empty()) failed = name;
        return code;
    }
    using base = vicinal::detail::log_calls;
    static int create(const std::filesystem::path& path, ::mode_t mode, handle& out) {
        const int failure = fails("create");
        return failure != 0 ? failure : base::create(path, mode, out);
    }
    static int write(handle file, const std::byte* data, std::size_t size, std::size_t& written) {
        written = 0;
        if (const int failure = fails("write"); failure != 0) {
            if (half_writes && size > 1) static_cast<void>(base::write(file, data, size / 2, written));
            written = 0;
            return failure;
        }
        return base::write(file, data, size > 7 ? size - 3 : size, written);  // never all at once
    }
    static int sync(handle file) {
        const int failure = fails("sync");
        return failure != 0 ? failure : base::sync(file);
    }
    static int sync_data(handle file) {
        const int failure = fails("sync_data");
        return failure != 0 ? failure : base::sync_data(file);
    }
    static int sync_directory(handle file) {
        const int failure = fails("sync_directory");
        return failure != 0 ? failure : base::sync_directory(file);
    }
    static int replace(const std::filesystem::path& from, const std::filesystem::path& to) {
        const int failure = fails("replace");
        return failure != 0 ? failure : base::replace(from, to);
    }
    static int open_to_append(const std::filesystem::path& path, handle& out) {
        const int failure = fails("open_to_append");
        return failure != 0 ? failure : base::open_to_append(path, out);
    }
    static int truncate(handle file, std::uint64_t bytes) {
        const int failure = fails("truncate");
        return failure != 0 ? failure : base::truncate(file, bytes);
    }
    static int remove(const std::filesystem::path& path) {
        const int failure = fails("remove");
        return failure != 0 ? failure : base::remove(path);
    }
};

}  // namespace vicinal_test
