// Indexes of other libraries, taken over with their graphs: nothing is built anew.
#pragma once

#include <algorithm>    // for count, find, max
#include <bit>          // for bit_cast
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint8_t, uint16_t, uint32_t, uint64_t
#include <filesystem>   // for path
#include <limits>       // for numeric_limits
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <type_traits>  // for false_type, true_type
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/hnsw.hpp"
#include "vicinal/io/bytes.hpp"
#include "vicinal/io/index_io.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A graph on its way from a foreign file into ours. Levels, links and vectors are as they came, checked; what our
/// format asks for besides, the tree over live rows, is made here.
class imported_graph {
  public:
    imported_graph(std::size_t rows, std::size_t degree)
        : degree_(degree), live_(rows, 1), levels_(rows, 0), parents_(rows, no_slot), links_(rows) {}

    [[nodiscard]] std::size_t rows() const noexcept { return live_.size(); }
    [[nodiscard]] std::size_t degree() const noexcept { return degree_; }
    [[nodiscard]] bool is_live(std::size_t row) const noexcept { return live_[row] != 0; }
    [[nodiscard]] std::size_t live() const noexcept {
        return static_cast<std::size_t>(std::count(live_.begin(), live_.end(), std::uint8_t{1}));
    }
    [[nodiscard]] std::size_t level(std::size_t row) const noexcept { return levels_[row]; }
    [[nodiscard]] slot_t parent(std::size_t row) const noexcept { return parents_[row]; }
    void retire(std::size_t row) noexcept { live_[row] = 0; }
    void set_level(std::size_t row, std::size_t level) {
        levels_[row] = static_cast<std::uint8_t>(level);
        links_[row].resize(level + 1);
    }
    [[nodiscard]] std::vector<slot_t>& links(std::size_t row, std::size_t level) noexcept { return links_[row][level]; }

    /// A live row of the highest level among live rows, or no_slot.
    [[nodiscard]] slot_t entry() const noexcept {
        slot_t best = no_slot;
        for (std::size_t row = 0; row < rows(); ++row)
            if (is_live(row) && (best == no_slot || levels_[row] > levels_[best])) best = static_cast<slot_t>(row);
        return best;
    }

    /// Spans a tree over the live rows: along links where a row has room for children, else below the last row that
    /// has. Then puts each row's links of the tree before its others and cuts what there is no room for. O(links).
    void span_tree() {
        const slot_t root = entry();
        if (root == no_slot) return;
        const std::size_t limit = std::max<std::size_t>(1, degree_ / 2);
        std::vector<std::uint8_t> placed(rows(), 0);
        std::vector<std::vector<slot_t>> children(rows());
        std::vector<slot_t> order{root};  // also the queue of the walk
        placed[root] = 1;
        std::size_t walked = 0;
        std::size_t roomy = 0;  // no row before it in `order` has room
        const auto adopt = [&](slot_t child, slot_t parent) {
            placed[child] = 1;
            parents_[child] = parent;
            children[parent].push_back(child);
            order.push_back(child);
        };
        std::size_t next = 0;  // no row before it is live and unplaced, once the walk stands still
        for (;;) {
            for (; walked < order.size(); ++walked) {
                const slot_t at = order[walked];
                for (const slot_t link : links_[at][0])
                    if (is_live(link) && placed[link] == 0 && children[at].size() < limit) adopt(link, at);
            }
            while (next < rows() && (!is_live(next) || placed[next] != 0)) ++next;
            if (next == rows()) break;
            // A row the walk did not come to. One of its own links leads nearby; if none has room, any row has.
            const auto row = static_cast<slot_t>(next);
            slot_t parent = no_slot;
            for (const slot_t link : links_[row][0])
                if (is_live(link) && placed[link] != 0 && children[link].size() < limit) {
                    parent = link;
                    break;
                }
            if (parent == no_slot) {
                while (children[order[roomy]].size() >= limit) ++roomy;
                parent = order[roomy];
            }
            adopt(row, parent);
        }
        for (std::size_t row = 0; row < rows(); ++row) {
            if (!is_live(row)) continue;
            std::vector<slot_t> kept = children[row];
            if (parents_[row] != no_slot) kept.push_back(parents_[row]);
            const std::size_t tree = kept.size();
            for (const slot_t link : links_[row][0]) {
                if (kept.size() == 2 * degree_) break;
                const auto end = kept.begin() + static_cast<std::ptrdiff_t>(tree);
                if (std::find(kept.begin(), end, link) == end) kept.push_back(link);
            }
            links_[row][0] = std::move(kept);
        }
    }

  private:
    std::size_t degree_;
    std::vector<std::uint8_t> live_;
    std::vector<std::uint8_t> levels_;
    std::vector<slot_t> parents_;
    std::vector<std::vector<std::vector<slot_t>>> links_;
};

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
        graph.span_tree();
        return write(graph);
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

    [[nodiscard]] std::vector<std::byte> write(imported_graph& graph) const {
        file_header head = header_of<Id>(index_kind::hnsw, Metric::name, f32::name, dim_);
        const bool none = graph.live() == 0;  // then nothing is kept for searches to pass through
        const std::size_t n = none ? 0 : rows_;
        head.rows = n;
        section_writer out(head);
        part_writer parts(out);

        std::uint64_t upper = 0;
        for (std::size_t row = 0; row < n; ++row) upper += graph.level(row);
        const slot_t entry = graph.entry();
        const std::uint64_t numbers[] = {upper_links_, beam_, 1, entry, none ? 0 : graph.level(entry), upper};
        parts.numbers("HNSW", numbers);
        const std::uint64_t live = graph.live();
        parts.numbers("LIVE", std::span(&live, 1));

        std::vector<Id> ids(n);
        std::vector<std::uint8_t> states(n);
        std::vector<std::uint8_t> levels(n);
        std::vector<slot_t> parents(n);
        std::vector<std::uint32_t> first(n, 0);
        std::vector<slot_t> base;
        std::vector<slot_t> above;
        const row_store<f32> shape(dim_, row_spacing::lines);
        const std::size_t stride = shape.coarse().rows().stride() / sizeof(float);
        std::vector<std::uint32_t> codes(n * stride);
        for (std::size_t row = 0; row < n; ++row) {
            const std::size_t label_at = at(row) + static_cast<std::size_t>(row_bytes_) - 8;
            states[row] = static_cast<std::uint8_t>(graph.is_live(row) ? row_state::live : row_state::retired);
            if (graph.is_live(row)) ids[row] = id_of(row, load_le<std::uint64_t>(&bytes_[label_at]));
            levels[row] = static_cast<std::uint8_t>(graph.level(row));
            parents[row] = graph.parent(row);
            if (graph.level(row) != 0) first[row] = static_cast<std::uint32_t>(above.size() / graph.degree());
            put(base, graph.links(row, 0), 2 * graph.degree());
            for (std::size_t l = 1; l <= graph.level(row); ++l) put(above, graph.links(row, l), graph.degree());
            read_vector(row, std::span(codes).subspan(row * stride, dim_));
        }
        add(parts, "IDS_", ids);
        add(parts, "STAT", states);
        add(parts, "COD0", codes);
        add(parts, "LEVL", levels);
        add(parts, "TREE", parents);
        add(parts, "LNK0", base);
        add(parts, "UPPF", first);
        add(parts, "LNKU", above);
        return out.to_bytes();
    }

    [[nodiscard]] Id id_of(std::size_t row, std::uint64_t label) const {
        if (label > static_cast<std::uint64_t>(std::numeric_limits<Id>::max()))
            fail(errc::wrong_type, name_ + ": row " + std::to_string(row) + " has label " + std::to_string(label) +
                                       ", ids of " + std::to_string(8 * sizeof(Id)) + " bits were asked for");
        return static_cast<Id>(label);
    }
    void read_vector(std::size_t row, std::span<std::uint32_t> code) const {
        std::vector<float> given(dim_);
        std::vector<float> prepared(dim_);
        const std::size_t from = at(row) + 4 + 4 * static_cast<std::size_t>(base_links_);
        for (std::size_t i = 0; i < dim_; ++i) given[i] = load_le<float>(&bytes_[from + 4 * i]);
        try {
            admit<f32>(Metric{}, "vector", given, prepared);
        } catch (const error& e) {
            fail(e.code(), name_ + ": row " + std::to_string(row) + ": " + e.what());
        }
        for (std::size_t i = 0; i < dim_; ++i) code[i] = std::bit_cast<std::uint32_t>(prepared[i]);
    }
    static void put(std::vector<slot_t>& to, const std::vector<slot_t>& links, std::size_t room) {
        to.insert(to.end(), links.begin(), links.end());
        to.insert(to.end(), room - links.size(), no_slot);
    }
    template <class T>
    static void add(part_writer& parts, std::string_view name, const std::vector<T>& values) {
        parts.template stream<T>(name, values.size(),
                                 [&values](const auto& sink) { sink(std::span<const T>(values)); });
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

template <class Index>
struct importable : std::false_type {};
template <class Metric, class Id, class Kernels>
struct importable<hnsw_index<Metric, f32, Id, Kernels>> : std::true_type {
    using metric = Metric;
};

}  // namespace detail

/// An hnswlib index (HierarchicalNSW<float>, written by saveIndex on a 64-bit little-endian machine) as an hnsw_index
/// of codec f32, with the same labels, vectors and graph: nothing is built anew. The file says neither metric nor
/// dimension, so the caller does: l2 for hnswlib's L2Space, inner_product for InnerProductSpace (our distance is that
/// minus 1), cosine for the same filled with vectors of any length. Rows marked as deleted are passed through by
/// searches and not returned. On level 0 some links are exchanged for those of the tree that keeps every row reachable.
///
/// throws  error: corrupt_file; wrong_type if rows are not of dimension `dim` or labels do not fit the index's ids;
///         limit_exceeded; as add refuses a vector
/// cost    O(bytes); takes about four times the memory of the file meanwhile
template <class Index>
[[nodiscard]] Index import_hnswlib(std::span<const std::byte> file, std::size_t dim, const load_limits& limits = {}) {
    static_assert(detail::importable<Index>::value, "vicinal: import_hnswlib makes an hnsw_index of codec f32");
    const detail::hnswlib_reader<typename detail::importable<Index>::metric, typename Index::id_type> reader(
        file, "the hnswlib file", detail::checked_dim(dim), limits);
    return Index::load(std::span<const std::byte>(reader.translate()));
}
/// The same for the file at `path`.  throws  error{io}, and as above
template <class Index>
[[nodiscard]] Index import_hnswlib(const std::filesystem::path& path, std::size_t dim, const load_limits& limits = {}) {
    detail::input_file file(path);
    if (!file.regular()) detail::fail_io("import", path, "it is not a regular file");
    if (file.size() > limits.max_bytes)
        detail::fail(errc::limit_exceeded, detail::display(path) + ": it has " + std::to_string(file.size()) +
                                               " bytes, load_limits::max_bytes is " + std::to_string(limits.max_bytes));
    std::vector<std::byte> bytes(detail::to_size(file.size()));
    bytes.resize(file.read(bytes.data(), bytes.size()));
    return import_hnswlib<Index>(std::span<const std::byte>(bytes), dim, limits);
}

VICINAL_NAMESPACE_END
