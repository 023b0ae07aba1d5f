// SPDX-License-Identifier: MIT
// A file of known size, read front to back, that refuses instead of returning less than was asked for.
#pragma once

#include <cstddef>       // for byte, size_t
#include <cstdint>       // for uint64_t
#include <filesystem>    // for path, file_size, is_regular_file
#include <fstream>       // for ifstream
#include <limits>        // for numeric_limits
#include <span>          // for span
#include <stdexcept>     // for runtime_error
#include <string>        // for string, to_string
#include <system_error>  // for error_code

namespace bench {

/// An input the harness cannot use; the message names the file, what it holds and what it should hold.
class input_error : public std::runtime_error {
  public:
    input_error(const std::filesystem::path& path, const std::string& message)
        : std::runtime_error(path.string() + ": " + message) {}
};

class input_file {
  public:
    /// throws  input_error if `path` is not a readable regular file
    explicit input_file(std::filesystem::path path) : path_(std::move(path)) {
        std::error_code ignored;
        if (!std::filesystem::exists(path_, ignored)) refuse("no such file");
        if (!std::filesystem::is_regular_file(path_, ignored)) refuse("not a regular file");
        std::error_code failed;
        size_ = std::filesystem::file_size(path_, failed);
        if (failed) refuse(failed.message());
        stream_.open(path_, std::ios::binary);
        if (!stream_) refuse("cannot be opened for reading");
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint64_t remaining() const noexcept { return size_ - position_; }

    /// Fills `out` with the next bytes of the file.
    /// throws  input_error if fewer are left
    void read(std::span<std::byte> out) {
        if (out.size() > remaining())
            refuse("ends after " + std::to_string(size_) + " bytes, " + std::to_string(position_ + out.size()) +
                   " are needed");
        stream_.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
        if (!stream_) refuse("reading failed at byte " + std::to_string(position_));
        position_ += out.size();
    }

    [[noreturn]] void refuse(const std::string& message) const { throw input_error(path_, message); }

    /// Refuses unless exactly rows * row_bytes bytes are left; a product that overflows is no size of any file.
    void require_rows(std::uint64_t rows, std::uint64_t row_bytes) const {
        const bool overflows = rows != 0 && row_bytes > std::numeric_limits<std::uint64_t>::max() / rows;
        if (overflows || rows * row_bytes != remaining())
            refuse("announces " + std::to_string(rows) + " rows of " + std::to_string(row_bytes) + " bytes, but " +
                   std::to_string(remaining()) + " bytes follow its header");
    }

  private:
    std::filesystem::path path_;
    std::ifstream stream_;
    std::uint64_t size_ = 0;
    std::uint64_t position_ = 0;
};

}  // namespace bench
