// SPDX-License-Identifier: MIT
// A small file of every element width, a directory that cleans up after itself, and how a call failed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "vicinal/io/inspect.hpp"
#include "vicinal/io/reader.hpp"
#include "vicinal/io/writer.hpp"

namespace io_test {

using namespace vicinal;
using namespace vicinal::detail;
using bytes_t = std::vector<std::byte>;

inline constexpr auto codes = section_type("CODE");
inline constexpr auto links = section_type("LINK");
inline constexpr auto ids = section_type("IDS ");
inline constexpr auto halves = section_type("HALF");
inline constexpr auto params = section_type("PARM");
inline constexpr auto none = section_type("NONE");

/// What the sample holds; it must outlive the writer that sample() returns.
struct contents {
    std::vector<float> values = {1.5F, -2.0F, 3.25F, 0.0F, 1e-30F};
    std::vector<std::uint32_t> first = {1, 2, 0xFFFFFFFFU};
    std::vector<std::uint32_t> second = {0x01020304U};
    std::vector<std::uint64_t> names = {42, 0x0102030405060708U, 7};
    std::vector<std::uint16_t> small = {0x1234, 0xABCD};
};

inline file_header sample_header() {
    auto header = header_of<std::uint64_t>(index_kind::hnsw, "cosine", "sq8+f32", 5);
    header.rows = 3;
    return header;
}

inline section_writer sample(const contents& from) {
    section_writer writer(sample_header());
    writer.add<float>(codes, from.values);
    writer.add_parts<std::uint32_t>(links, {from.first, from.second});
    writer.add_streamed<std::uint64_t>(ids, 3, [&](const element_writer<std::uint64_t>& sink) {
        for (const auto& name : from.names) sink({&name, 1});
    });
    writer.add<std::uint16_t>(halves, from.small);
    writer.add<std::uint32_t>(none, {});
    writer.add_bytes(params, byte_writer{}.put(std::uint32_t{16}).put(0.5F).put(std::uint8_t{9}).take());
    return writer;
}

/// Whether `image` is the sample, read through every accessor.
inline bool is_sample(const file_image& image, const contents& want) {
    const auto equal = [](const auto& got, const auto& expected) {
        return std::equal(got.begin(), got.end(), expected.begin(), expected.end());
    };
    auto all = want.first;
    all.insert(all.end(), want.second.begin(), want.second.end());
    auto fields = image.fields(params);
    const bool fields_match =
        fields.take<std::uint32_t>() == 16 && fields.take<float>() == 0.5F && fields.take<std::uint8_t>() == 9;
    fields.finish();
    return image.header().kind == index_kind::hnsw && image.header().metric == "cosine" &&
           image.header().codec == "sq8+f32" && image.header().dim == 5 && image.header().rows == 3 &&
           image.header().id_bits == 64 && !image.header().id_signed &&
           equal(image.array<float>(codes, 5), want.values) && equal(image.array<std::uint32_t>(links, 4), all) &&
           equal(image.array<std::uint64_t>(ids, 3), want.names) &&
           equal(image.array<std::uint16_t>(halves, 2), want.small) && image.array<std::uint32_t>(none, 0).empty() &&
           fields_match;
}

/// The code of the error that `call` throws; nothing if it returns.
template <class Call>
std::optional<errc> refused(Call&& call, std::string* message = nullptr) {
    try {
        call();
    } catch (const error& failure) {
        if (message != nullptr) *message = failure.what();
        return failure.code();
    }
    return std::nullopt;
}

class directory {
  public:
    directory() {
        static std::atomic<unsigned> made{0};
        const auto stem = "vicinal-io-" + std::to_string(file_calls::process()) + "-";
        do path_ = std::filesystem::temp_directory_path() / (stem + std::to_string(made++));
        while (!std::filesystem::create_directory(path_));
    }
    directory(const directory&) = delete;
    directory& operator=(const directory&) = delete;
    ~directory() {
        std::error_code ignored;
        std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
        std::filesystem::remove_all(path_, ignored);
    }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }
    std::size_t entries() const {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator()));
    }

  private:
    std::filesystem::path path_;
};

inline bytes_t slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

/// Makes `bytes` the contents of the file at `path`. In place: truncating first makes some file systems flush each
/// time.
inline void spill(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    std::ofstream(path, std::ios::binary | std::ios::app).close();
    std::filesystem::resize_file(path, bytes.size());
    std::fstream(path, std::ios::binary | std::ios::in | std::ios::out)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

inline std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Recomputes the checksums of header and table: what a forger does. The sections' own stay as they are.
inline void sign(bytes_t& file) {
    const auto count = load_le<std::uint32_t>(&file[44]);
    if (header_size + std::size_t{count} * section_entry_size <= file.size())
        store_le(&file[120], crc32c(0, std::span(file).subspan(header_size, count * section_entry_size)));
    store_le(&file[124], crc32c(0, std::span(file).first(124)));
}

}  // namespace io_test
