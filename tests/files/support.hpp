// SPDX-License-Identifier: MIT
// Small index files of every type, changed on purpose and signed again, and what an index that was let in must bear.
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "support/temporary.hpp"
#include "vicinal/io/reader.hpp"
#include "vicinal/vicinal.hpp"

namespace files_test {

using namespace vicinal;
using vicinal_test::clustered;
using vicinal_test::dataset;
using vicinal_test::gaussian;
using vicinal_test::numbered;
using vicinal_test::saved;
using vicinal_test::temporary_directory;
using bytes_t = std::vector<std::byte>;

inline bytes_t slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}
/// In place: truncating first makes some file systems flush each time.
inline void spill(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    std::ofstream(path, std::ios::binary | std::ios::app).close();
    std::filesystem::resize_file(path, bytes.size());
    std::fstream(path, std::ios::binary | std::ios::in | std::ios::out)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// Where a section lies: offset and length.
struct place {
    std::size_t offset = 0;
    std::size_t length = 0;
};
inline place section_of(const bytes_t& file, std::string_view name) {
    const auto count = detail::load_le<std::uint32_t>(&file[44]);
    for (std::size_t at = 128; at < 128 + 32 * std::size_t{count}; at += 32)
        if (std::memcmp(&file[at], name.data(), 4) == 0)
            return {static_cast<std::size_t>(detail::load_le<std::uint64_t>(&file[at + 8])),
                    static_cast<std::size_t>(detail::load_le<std::uint64_t>(&file[at + 16]))};
    FAIL("the file has no section " << name);
    return {};
}

/// Makes all checksums good again, as a forger does: those of the sections as far as they lie in the file, of the table
/// and of the header.
inline void sign(bytes_t& file) {
    if (file.size() < 128) return;
    const std::size_t count =
        std::min<std::size_t>(detail::load_le<std::uint32_t>(&file[44]), (file.size() - 128) / 32);
    for (std::size_t at = 128; at < 128 + 32 * count; at += 32) {
        const auto offset = detail::load_le<std::uint64_t>(&file[at + 8]);
        const auto length = detail::load_le<std::uint64_t>(&file[at + 16]);
        if (offset > file.size() || length > file.size() - offset) continue;
        detail::store_le(&file[at + 24], detail::crc32c(0, std::span(file).subspan(static_cast<std::size_t>(offset),
                                                                                   static_cast<std::size_t>(length))));
    }
    detail::store_le(&file[120], detail::crc32c(0, std::span(file).subspan(128, 32 * count)));
    detail::store_le(&file[124], detail::crc32c(0, std::span(file).first(124)));
}

/// The file with element `at` of a section replaced, signed.
template <class T>
bytes_t forged(bytes_t file, std::string_view section, std::size_t at, T value) {
    const place where = section_of(file, section);
    REQUIRE((at + 1) * sizeof(T) <= where.length);
    detail::store_le(&file[where.offset + at * sizeof(T)], value);
    sign(file);
    return file;
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

template <class Index>
concept has_lists = requires(const Index& index) {
    index.lists();
};

/// Everything that can be asked of an index, `times` times over. Answers are not compared with anything: a damaged view
/// may give any. Errors are let through. Returns how many hits there were.
template <class Index>
std::size_t ask_everything(const Index& index, std::size_t times) {
    const std::size_t dim = index.dim();
    const dataset queries = gaussian(times, dim, 77);
    std::size_t hits = index.size() + index.memory().total;
    const auto ids = numbered<typename Index::id_type>(4, 3);
    const id_set<typename Index::id_type> few(ids);
    const std::size_t k = std::min<std::size_t>(5, index.size());
    std::vector<typename Index::neighbor_type> room(k);
    for (std::size_t q = 0; q < times; ++q) {
        hits += index.search(queries[q], k).size();
        typename Index::search_params params;
        params.rerank = 9;
        if constexpr (has_lists<Index>)
            params.nprobe = 1 + q % 4;
        else if constexpr (requires { params.ef; })
            params.ef = 1 + q % 16;
        hits += index.search(queries[q], std::span(room), params);
        if (q % 4 == 0) params.filter = few;
        if (q % 4 == 1) params.filter = [](auto id) { return id % 2 == 0; };
        hits += index.search(queries[q], k, params).size();
        if (q % 8 == 0) {
            hits += index.search_within(queries[q], 4.0F).size();
            for (const auto& hit : index.nearest(queries[q])) hits += hit.id == 0 ? 1 : 2;
        }
    }
    hits += index.search(queries.view(), k)[0].size();
    for (const auto id : ids)
        if (index.contains(id) && !refused([&] { hits += index.get(id).size(); })) ++hits;
    return hits;
}

/// Changes an index in every way: some rows come, some go.
template <class Index>
void change_everything(Index& index) {
    using id_type = typename Index::id_type;
    const dataset rows = clustered(6, index.dim(), 3, 3, 78);
    const auto ids = numbered<id_type>(4, 90);
    for (const id_type id : numbered<id_type>(6, 89)) index.remove(id);
    index.add(std::span<const id_type>(ids), rows.view(0, 4));
    index.add(id_type{94}, rows[4]);
    index.update(id_type{94}, rows[5]);
    for (const id_type id : numbered<id_type>(12, 1)) index.remove(id);
}

}  // namespace files_test
