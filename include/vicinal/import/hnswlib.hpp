// SPDX-License-Identifier: MIT
// Reads hnswlib's indexes with their graphs: nothing is built anew.
#pragma once

#include <algorithm>   // for find
#include <cstddef>     // for size_t, byte
#include <cstdint>     // for uint16_t, uint32_t, uint64_t
#include <filesystem>  // for path
#include <span>        // for span
#include <string>      // for string, to_string
#include <utility>     // for move
#include <vector>      // for vector

#include "vicinal/import/parts.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A file of hnswlib's HierarchicalNSW<float>::saveIndex as our own file.
///
/// What is relied on, from hnswlib 0.6.2, hnswlib/hnswalg.h (saveIndex, loadIndex, getListCount, isMarkedDeleted): the
/// fields lie as the machine that wrote them has them in memory, here 64-bit and little-endian. A header of 96 bytes:
/// offset of level 0 (0), room for how many rows, rows, bytes per row, offsets of a row's label and vector (8 bytes
/// each), highest level and entry row (4 each), most links on upper levels, on level 0, M, level multiplier (binary64),
/// ef_construction (8 each). Then for each row: a count of links in 16 bits, a byte whose lowest bit marks a deleted
/// row, a byte, room for the most links on level 0 (4 bytes each), the vector, a label of 8 bytes. Then for each row
/// the bytes of its upper links (4), which are, level after level, a count (4 bytes, 16 bits used) and room for the
/// most links. Neither dimension nor metric is in the file; dimension is only implied by the length of a row.
template <class Metric, class Id>
class hnswlib_reader {
  public:
    hnswlib_reader(std::span<const std::byte> bytes, std::string name, std::size_t dim, const load_limits& limits)
        : bytes_(bytes), name_(std::move(name)), dim_(dim) {
        if (bytes.size() > limits.max_bytes || dim > limits.max_dim)
            fail(errc::limit_exceeded, name_ + ": it has " + std::to_string(bytes.size()) + " bytes of dimension " +
                                           std::to_string(dim) + ", load_limits allows " +
                                           std::to_string(limits.max_bytes) + " and " + std::to_string(limits.max_dim));
        if (is_brute_force())
            fail(errc::wrong_type, name_ +
                                       ": it holds hnswlib's BruteforceSearch, which is not supported; "
                                       "HierarchicalNSW is read");
        if (bytes.size() < header)
            refuse("it ends after " + std::to_string(bytes.size()) + " bytes, expected a header");
        const std::uint64_t rows = u64(16);
        row_bytes_ = u64(24);
        const std::uint64_t label = u64(32);
        const std::uint64_t vector = u64(40);
        upper_links_ = u64(56);
        base_links_ = u64(64);
        const std::uint64_t m = u64(72);
        beam_ = u64(88);
        if (u64(0) != 0 || m < 2 || m > 1024 || upper_links_ != m || base_links_ != 2 * m)
            refuse("its header is none of hnswlib's with M from 2 to 1024: M is " + std::to_string(m) +
                   ", its lists hold " + std::to_string(upper_links_) + " and " + std::to_string(base_links_));
        if (vector != 4 + 4 * base_links_ || label < vector || row_bytes_ != label + 8)
            refuse("its rows are not laid out as hnswlib's: offsets " + std::to_string(vector) + " and " +
                   std::to_string(label) + " in " + std::to_string(row_bytes_) + " bytes");
        if (label - vector != std::uint64_t{dim} * sizeof(float))
            fail(errc::wrong_type, name_ + ": its vectors have " + std::to_string(label - vector) +
                                       " bytes, dimension " + std::to_string(dim) + " of floats was asked for");
        // A row takes row_bytes_ and at least the 4 bytes that say how long its upper links are.
        if (rows > max_slots || rows > (bytes.size() - header) / (row_bytes_ + 4))
            refuse("it cannot hold the " + std::to_string(rows) + " rows it announces in " +
                   std::to_string(bytes.size()) + " bytes");
        if (rows > limits.max_rows)
            fail(errc::limit_exceeded, name_ + ": the number of rows is " + std::to_string(rows) +
                                           ", load_limits::max_rows is " + std::to_string(limits.max_rows));
        rows_ = static_cast<std::size_t>(rows);
        if (beam_ < 1 || beam_ > std::uint64_t{1} << 20) refuse("ef_construction is " + std::to_string(beam_));
    }

    /// The bytes of a vicinal file with the same rows and links.
    [[nodiscard]] std::vector<std::byte> translate() const {
        imported_graph graph(rows_, static_cast<std::size_t>(upper_links_));
        read_levels(graph);
        for (std::size_t row = 0; row < rows_; ++row) {
            if ((std::to_integer<unsigned>(bytes_[at(row) + 2]) & 1U) != 0) graph.retire(row);
            read_links(graph, row, 0, at(row));
        }
        return graph_file<Metric, Id>(
            name_, graph, dim_, beam_,
            [this](std::size_t row) {
                return load_le<std::uint64_t>(&bytes_[at(row) + static_cast<std::size_t>(row_bytes_) - 8]);
            },
            [this](std::size_t row) { return &bytes_[at(row) + 4 + 4 * static_cast<std::size_t>(base_links_)]; });
    }

  private:
    static constexpr std::size_t header = 96;

    [[noreturn]] void refuse(const std::string& why) const { fail_corrupt(name_, why); }
    [[nodiscard]] std::uint64_t u64(std::size_t offset) const noexcept {
        return load_le<std::uint64_t>(&bytes_[offset]);
    }
    [[nodiscard]] std::size_t at(std::size_t row) const noexcept {
        return header + row * static_cast<std::size_t>(row_bytes_);
    }

    /// Whether these are the bytes of hnswlib's BruteforceSearch: room for how many rows, bytes per row, rows (8 bytes
    /// each), and then all that room.
    [[nodiscard]] bool is_brute_force() const noexcept {
        if (bytes_.size() < 24 || u64(0) == 0 || u64(8) <= 8 || u64(16) > u64(0)) return false;
        return checked_mul(u64(0), u64(8)) == bytes_.size() - 24;
    }

    void read_levels(imported_graph& graph) const {
        std::size_t offset = at(rows_);
        const std::size_t per_level = 4 + 4 * static_cast<std::size_t>(upper_links_);
        std::vector<std::size_t> first(rows_);
        for (std::size_t row = 0; row < rows_; ++row) {
            if (bytes_.size() - offset < 4) refuse("it ends before the upper links of row " + std::to_string(row));
            const std::size_t length = load_le<std::uint32_t>(&bytes_[offset]);
            offset += 4;
            if (length > bytes_.size() - offset || length % per_level != 0 ||
                length / per_level > hnsw_graph::max_level)
                refuse("row " + std::to_string(row) + " has " + std::to_string(length) + " bytes of upper links, " +
                       std::to_string(bytes_.size() - offset) + " are left, a level has " + std::to_string(per_level));
            first[row] = offset;
            graph.set_level(row, length / per_level);
            offset += length;
        }
        if (offset != bytes_.size()) refuse(std::to_string(bytes_.size() - offset) + " bytes follow its last row");
        for (std::size_t row = 0; row < rows_; ++row)
            for (std::size_t level = 1; level <= graph.level(row); ++level)
                read_links(graph, row, level, first[row] + (level - 1) * per_level);
    }

    void read_links(imported_graph& graph, std::size_t row, std::size_t level, std::size_t offset) const {
        const std::size_t count = load_le<std::uint16_t>(&bytes_[offset]);
        if (count > (level == 0 ? base_links_ : upper_links_))
            refuse("row " + std::to_string(row) + " has " + std::to_string(count) + " links on level " +
                   std::to_string(level));
        std::vector<slot_t>& links = graph.links(row, level);
        for (std::size_t i = 0; i < count; ++i) {
            const auto link = load_le<std::uint32_t>(&bytes_[offset + 4 + 4 * i]);
            if (link >= rows_ || link == row || graph.level(link) < level ||
                std::find(links.begin(), links.end(), link) != links.end())
                refuse("row " + std::to_string(row) + " links on level " + std::to_string(level) + " to row " +
                       std::to_string(link) + ", which does not exist there, is itself, or was linked to before");
            links.push_back(link);
        }
    }

    std::span<const std::byte> bytes_;
    std::string name_;
    std::size_t dim_;
    std::size_t rows_ = 0;
    std::uint64_t row_bytes_ = 0;
    std::uint64_t upper_links_ = 0;
    std::uint64_t base_links_ = 0;
    std::uint64_t beam_ = 0;
};

/// name  what messages call the file
template <class Index>
[[nodiscard]] Index take_over_hnswlib(std::span<const std::byte> file, const std::string& name, std::size_t dim,
                                      const load_limits& limits) {
    static_assert(importable<Index>::kind == index_kind::hnsw,
                  "vicinal: import_hnswlib makes an hnsw_index of codec f32");
    const hnswlib_reader<typename importable<Index>::metric, typename Index::id_type> reader(file, name,
                                                                                             checked_dim(dim), limits);
    return load_imported<Index>(reader.translate(), name);
}

}  // namespace detail

/// Makes an hnsw_index, with codec f32, from an hnswlib index (HierarchicalNSW<float>) that saveIndex wrote on a 64-bit
/// little-endian machine. Labels, vectors and graph are the same; nothing is built anew. The file names neither metric
/// nor dimension, so the caller does: l2 for hnswlib's L2Space, inner_product for InnerProductSpace (our distance is
/// theirs minus 1), cosine for an InnerProductSpace of vectors of any length. Searches pass through rows that are
/// marked as deleted and do not return them. On level 0, links of the tree that keeps every row reachable replace some
/// others.
///
/// throws  error: corrupt_file; wrong_type if rows are not of dimension `dim`, labels do not fit the index's ids, or it
///         is a BruteforceSearch; limit_exceeded; as add refuses a vector
/// cost    O(bytes); takes about four times the memory of the file meanwhile
template <class Index>
[[nodiscard]] Index import_hnswlib(std::span<const std::byte> file, std::size_t dim, const load_limits& limits = {}) {
    return detail::take_over_hnswlib<Index>(file, "the bytes", dim, limits);
}
/// The same for the file at `path`.  throws  error{io}, and as above
template <class Index>
[[nodiscard]] Index import_hnswlib(const std::filesystem::path& path, std::size_t dim, const load_limits& limits = {}) {
    const std::vector<std::byte> bytes = detail::foreign_file(path, limits);
    return detail::take_over_hnswlib<Index>(bytes, detail::display(path), dim, limits);
}

VICINAL_NAMESPACE_END
