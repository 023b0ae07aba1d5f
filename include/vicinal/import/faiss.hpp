// SPDX-License-Identifier: MIT
// Reads faiss's Flat, IVF-Flat and HNSW-Flat indexes with their lists and graphs: nothing is built anew.
#pragma once

#include <algorithm>    // for adjacent_find, sort
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint8_t, uint32_t, uint64_t, int64_t
#include <filesystem>   // for path
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "vicinal/flat.hpp"
#include "vicinal/import/faiss_file.hpp"
#include "vicinal/import/parts.hpp"
#include "vicinal/ivf.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Makes the bytes of a vicinal file from what faiss left.
template <class Metric, class Id>
class faiss_translation {
  public:
    faiss_translation(const faiss_file& from, index_kind asked) : from_(from) {
        if (from.kind() != asked || from.is_l2() != (Metric::name == l2::name))
            fail(errc::wrong_type, from.name() + ": it holds faiss's index of kind " + to_string(from.kind()) +
                                       ", metric " + (from.is_l2() ? "L2" : "inner product") + ", dimension " +
                                       std::to_string(from.dim()) + "; kind " + to_string(asked) + ", metric " +
                                       std::string(std::string_view(Metric::name)) + " was asked for" +
                                       (Metric::name == "cosine" ? " (which is inner product in faiss)" : ""));
    }

    [[nodiscard]] std::vector<std::byte> bytes() const {
        switch (from_.kind()) {
            case index_kind::flat: return flat();
            case index_kind::ivf: return ivf();
            default: return hnsw();
        }
    }

  private:
    [[nodiscard]] Id id(std::size_t row, std::int64_t inner) const {
        return imported_id<Id>(from_.name(), row, from_.label(inner));
    }
    /// faiss lets several rows have one id.
    void require_distinct(std::vector<Id> ids) const {
        std::sort(ids.begin(), ids.end());
        const auto twice = std::adjacent_find(ids.begin(), ids.end());
        if (twice != ids.end())
            fail(errc::duplicate_id, from_.name() + ": several rows have the label " + std::to_string(*twice));
    }
    [[nodiscard]] file_header header() const {
        file_header head = header_of<Id>(from_.kind(), Metric::name, f32::name, from_.dim());
        head.rows = from_.rows();
        return head;
    }
    static void put_ids(part_writer& parts, const std::vector<Id>& ids, const std::vector<std::uint8_t>& states) {
        const std::uint64_t live = ids.size();
        parts.numbers("LIVE", std::span(&live, 1));
        add_part(parts, "IDS_", ids);
        add_part(parts, "STAT", states);
    }

    [[nodiscard]] std::vector<std::byte> flat() const {
        const std::size_t n = from_.rows();
        const std::size_t dim = from_.dim();
        std::vector<Id> ids(n);
        std::vector<std::uint32_t> codes(n * dim);
        imported_vectors<Metric> vectors(from_.name(), dim);
        for (std::size_t row = 0; row < n; ++row) {
            ids[row] = id(row, static_cast<std::int64_t>(row));
            vectors.read(row, from_.vector(row), std::span(codes).subspan(row * dim, dim));
        }
        require_distinct(ids);
        const std::vector<std::uint8_t> states(n, static_cast<std::uint8_t>(row_state::live));
        section_writer out(header());
        part_writer parts(out);
        put_ids(parts, ids, states);
        add_part(parts, "COD0", codes);
        return out.to_bytes();
    }

    /// Rows are numbered list after list.
    [[nodiscard]] std::vector<std::byte> ivf() const {
        const std::size_t n = from_.rows();
        const std::size_t dim = from_.dim();
        const std::size_t lists = from_.trained() ? from_.lists() : 0;
        std::vector<Id> ids;
        ids.reserve(n);
        std::vector<std::uint32_t> rows(n);
        std::vector<std::uint32_t> codes(n * dim);
        std::vector<std::uint64_t> offsets(lists + 1, 0);
        imported_vectors<Metric> vectors(from_.name(), dim);
        for (const faiss_file::list& list : from_.filled()) {
            for (std::size_t i = 0; i < list.rows; ++i) {
                const std::size_t row = ids.size();
                ids.push_back(id(row, load_le<std::int64_t>(&list.ids[8 * i])));
                rows[row] = static_cast<std::uint32_t>(row);
                vectors.read(row, &list.codes[4 * dim * i], std::span(codes).subspan(row * dim, dim));
            }
            offsets[list.number + 1] = list.rows;
        }
        for (std::size_t l = 0; l < lists; ++l) offsets[l + 1] += offsets[l];
        require_distinct(ids);
        std::vector<std::uint32_t> centroids(from_.centroids().size() / 4);
        for (std::size_t i = 0; i < centroids.size(); ++i)
            centroids[i] = load_le<std::uint32_t>(&from_.centroids()[4 * i]);
        const std::vector<std::uint8_t> states(n, static_cast<std::uint8_t>(row_state::live));
        section_writer out(header());
        part_writer parts(out);
        const std::uint64_t numbers[] = {from_.lists(), 1, lists};
        parts.numbers("IVF_", numbers);
        add_part(parts, "CENT", centroids);
        put_ids(parts, ids, states);
        add_part(parts, "LOFF", offsets);
        add_part(parts, "LSLT", rows);
        add_part(parts, "COD0", codes);
        return out.to_bytes();
    }

    [[nodiscard]] std::vector<std::byte> hnsw() const {
        imported_graph graph = from_.graph();
        std::vector<Id> ids(from_.rows());
        for (std::size_t row = 0; row < ids.size(); ++row) ids[row] = id(row, static_cast<std::int64_t>(row));
        require_distinct(ids);
        return graph_file<Metric, Id>(
            from_.name(), graph, from_.dim(), from_.beam(), [&](std::size_t row) { return ids[row]; },
            [this](std::size_t row) { return from_.vector(row); });
    }

    const faiss_file& from_;
};

/// name  what messages call the file
template <class Index>
[[nodiscard]] Index take_over_faiss(std::span<const std::byte> file, const std::string& name,
                                    const load_limits& limits) {
    using traits = importable<Index>;
    static_assert(traits::value, "vicinal: import_faiss makes a flat_index, ivf_index or hnsw_index of codec f32");
    const faiss_file from(file, name, limits);
    const faiss_translation<typename traits::metric, typename Index::id_type> translation(from, traits::kind);
    return load_imported<Index>(translation.bytes(), name);
}

}  // namespace detail

/// Makes an index of ours, with codec f32, from a faiss index that faiss::write_index wrote on a 64-bit little-endian
/// machine. Labels, vectors and lists or graph are the same; nothing is built anew. IndexFlat becomes a flat_index,
/// IndexIVFFlat over an IndexFlat an ivf_index, IndexHNSWFlat an hnsw_index. Ids are those of an IndexIDMap around the
/// index, or those that an IndexIVFFlat holds, or else row numbers. METRIC_L2 is l2. METRIC_INNER_PRODUCT is
/// inner_product, whose distance is the negated product, or cosine, which brings rows to length 1. Our ivf_index
/// chooses lists by l2 under every metric, so under inner product it may scan other lists than faiss does. On level 0
/// of a graph, links of the tree that keeps every row reachable replace some others.
///
/// throws  error: corrupt_file; wrong_type if it is of another kind or metric, a kind that is not read (binary indexes
///         are none), or has labels that do not fit the index's ids; duplicate_id; limit_exceeded; as add refuses a
///         vector
/// cost    O(bytes); takes about four times the memory of the file meanwhile
template <class Index>
[[nodiscard]] Index import_faiss(std::span<const std::byte> file, const load_limits& limits = {}) {
    return detail::take_over_faiss<Index>(file, "the bytes", limits);
}
/// The same for the file at `path`.  throws  error{io}, and as above
template <class Index>
[[nodiscard]] Index import_faiss(const std::filesystem::path& path, const load_limits& limits = {}) {
    const std::vector<std::byte> bytes = detail::foreign_file(path, limits);
    return detail::take_over_faiss<Index>(bytes, detail::display(path), limits);
}

VICINAL_NAMESPACE_END
