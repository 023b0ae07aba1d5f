// SPDX-License-Identifier: MIT
// Whole files in, whole files out.
#pragma once

#include <cstddef>      // for size_t
#include <cstdint>      // for uint64_t
#include <filesystem>   // for path
#include <string>       // for string
#include <string_view>  // for string_view
#include <type_traits>  // for is_trivially_copyable_v
#include <vector>       // for vector

namespace demo {

/// All bytes of a file.          throws  std::runtime_error naming the path and the cause
std::string read_file(const std::filesystem::path& path);

/// Replaces `path` by `bytes`: writes a temporary file beside it, then renames, so a crash leaves the old file or the
/// new one.                      throws  std::runtime_error naming the path and the cause
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// FNV-1a: a short name for a text, and a check that bytes came back as they were written. No defence against malice.
std::uint64_t hash(std::string_view bytes, std::uint64_t seed = 0xCBF29CE484222325U);

/// Appends values to a buffer, for `byte_reader` to take back in the same order on the same kind of machine.
class byte_writer {
  public:
    template <class T>
    void value(const T& v) {
        static_assert(std::is_trivially_copyable_v<T>);
        bytes_.append(reinterpret_cast<const char*>(&v), sizeof v);
    }
    template <class T>
    void array(const T* first, std::size_t count) {
        static_assert(std::is_trivially_copyable_v<T>);
        value<std::uint64_t>(count);
        bytes_.append(reinterpret_cast<const char*>(first), count * sizeof(T));
    }
    void text(std::string_view s) { array(s.data(), s.size()); }
    [[nodiscard]] const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_;
};

/// Takes values from a buffer; every size is checked before anything is allocated.
class byte_reader {
  public:
    explicit byte_reader(std::string_view bytes) : bytes_(bytes) {}

    template <class T>
    T value() {
        T v;
        take(&v, sizeof v);
        return v;
    }
    template <class T>
    std::vector<T> array() {
        std::vector<T> out(count(sizeof(T)));
        take(out.data(), out.size() * sizeof(T));
        return out;
    }
    std::string text() {
        std::string out(count(1), '\0');
        take(out.data(), out.size());
        return out;
    }
    /// A count of things that take at least `size` bytes each.
    /// throws  std::runtime_error if so many cannot follow
    std::size_t count(std::size_t size);
    [[nodiscard]] bool at_end() const { return bytes_.empty(); }

  private:
    void take(void* out, std::size_t size);
    std::string_view bytes_;
};

}  // namespace demo
