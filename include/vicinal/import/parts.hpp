// SPDX-License-Identifier: MIT
// What importers share: bounded reading of foreign bytes, and the translation of rows and graphs into our format.
#pragma once

#include <algorithm>    // for adjacent_find, count, find, max, sort
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint8_t, uint32_t, uint64_t
#include <filesystem>   // for path
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for cmp_greater_equal, in_range, move
#include <vector>       // for vector

#include "vicinal/core/bit_cast.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/io/bytes.hpp"
#include "vicinal/io/index_io.hpp"
#include "vicinal/ivf.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// What an importer asks of an index's type.
template <bool Can, index_kind Kind, class Metric>
struct importable_as {
    static constexpr bool value = Can;
    static constexpr index_kind kind = Kind;
    using metric = Metric;
};
/// The indexes that importers make, those of codec f32.
template <class Index>
struct importable : importable_as<false, index_kind{}, void> {};
template <class Metric, class Id, class Isa>
struct importable<flat_index<Metric, f32, Id, Isa>> : importable_as<true, index_kind::flat, Metric> {};
template <class Metric, class Id, class Isa>
struct importable<ivf_index<Metric, f32, Id, Isa>> : importable_as<true, index_kind::ivf, Metric> {};
template <class Metric, class Id, class Isa>
struct importable<hnsw_index<Metric, f32, Id, Isa>> : importable_as<true, index_kind::hnsw, Metric> {};

/// The whole file at `path`.
/// throws  error{io}, error{limit_exceeded}
[[nodiscard]] inline std::vector<std::byte> foreign_file(const std::filesystem::path& path, const load_limits& limits) {
    input_file file(path, "import");
    if (file.size() > limits.max_bytes)
        fail(errc::limit_exceeded, display(path) + ": it has " + std::to_string(file.size()) +
                                       " bytes, load_limits::max_bytes is " + std::to_string(limits.max_bytes));
    std::vector<std::byte> bytes(to_size(file.size()));
    bytes.resize(file.read(bytes.data(), bytes.size()));
    return bytes;
}

/// Throws `e` again as an error of the file that messages call `name`.
[[noreturn]] VICINAL_COLD inline void fail_within(const std::string& name, const error& e) {
    std::string_view what = e.what();
    for (const std::string_view known : {"vicinal: ", "the bytes: "})
        if (what.starts_with(known)) what.remove_prefix(known.size());
    fail(e.code(), name + ": " + std::string(what));
}

/// The index in `bytes`, a vicinal file made of the foreign one that messages call `name`.
template <class Index>
[[nodiscard]] Index load_imported(std::span<const std::byte> bytes, const std::string& name) {
    try {
        return Index::load(bytes);
    } catch (const error& e) {
        fail_within(name, e);
    }
}

/// Rows of floats in a foreign file on their way into codes of f32.
template <class Metric>
class imported_vectors {
    static_assert(!stateful_metric<Metric>,
                  "vicinal: a foreign file has no state for this Metric: import it under l2 and add its rows to an "
                  "index of the metric");

  public:
    imported_vectors(const std::string& name, std::size_t dim) : name_(name), given_(dim), prepared_(dim) {}
    /// bytes  dim little-endian binary32
    /// throws  as add refuses a vector, naming file and row
    void read(std::size_t row, const std::byte* bytes, std::span<std::uint32_t> code) {
        for (std::size_t i = 0; i < given_.size(); ++i) given_[i] = load_le<float>(bytes + 4 * i);
        try {
            validate_and_prepare<f32>(Metric{}, "vector", given_, prepared_);
        } catch (const error& e) {
            fail_within(name_ + ": row " + std::to_string(row), e);
        }
        for (std::size_t i = 0; i < given_.size(); ++i) code[i] = detail::bit_cast<std::uint32_t>(prepared_[i]);
    }

  private:
    const std::string& name_;
    std::vector<float> given_;
    std::vector<float> prepared_;
};

/// throws  error{wrong_type} if `label` is none of Id's values
template <class Id, class Label>
[[nodiscard]] Id imported_id(const std::string& name, std::size_t row, Label label) {
    const bool fits = [&] {
        if constexpr (is_wide_integer<Id>)
            return is_signed_id<Id> || std::cmp_greater_equal(label, 0);
        else
            return std::in_range<typename integer_of<Id>::type>(label);
    }();
    if (!fits)
        fail(errc::wrong_type, name + ": row " + std::to_string(row) + " has label " + std::to_string(label) +
                                   ", ids of " + std::to_string(8 * sizeof(Id)) + " bits" +
                                   (is_signed_id<Id> ? "" : " without sign") + " were asked for");
    return static_cast<Id>(label);
}

template <class T>
void add_part(part_writer& parts, std::string_view name, const std::vector<T>& values) {
    parts.template stream<T>(name, values.size(), [&values](const auto& sink) { sink(std::span<const T>(values)); });
}

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

/// A graph with its rows as the bytes of a vicinal file.
/// beam       what ef_construction shall be
/// label(i)   of a live row, any integer
/// vector(i)  where the components of any row lie
template <class Metric, class Id, class Label, class Vector>
[[nodiscard]] std::vector<std::byte> graph_file(const std::string& name, imported_graph& graph, std::size_t dim,
                                                std::uint64_t beam, const Label& label, const Vector& vector) {
    graph.span_tree();
    file_header head = header_of<Id>(index_kind::hnsw, Metric::name, f32::name, dim);
    const bool none = graph.live() == 0;  // then nothing is kept for searches to pass through
    const std::size_t n = none ? 0 : graph.rows();
    head.rows = n;
    section_writer out(head);
    part_writer parts(out);

    std::uint64_t upper = 0;
    for (std::size_t row = 0; row < n; ++row) upper += graph.level(row);
    const slot_t entry = graph.entry();
    const std::uint64_t numbers[] = {graph.degree(), beam, 1, entry, none ? 0 : graph.level(entry), upper};
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
    const row_store<f32> shape(dim, row_spacing::lines);
    const std::size_t stride = shape.coarse().rows().stride() / sizeof(float);
    std::vector<std::uint32_t> codes(n * stride);
    imported_vectors<Metric> vectors(name, dim);
    const auto put = [](std::vector<slot_t>& to, const std::vector<slot_t>& links, std::size_t room) {
        to.insert(to.end(), links.begin(), links.end());
        to.insert(to.end(), room - links.size(), no_slot);
    };
    for (std::size_t row = 0; row < n; ++row) {
        states[row] = static_cast<std::uint8_t>(graph.is_live(row) ? row_state::live : row_state::retired);
        if (graph.is_live(row)) ids[row] = imported_id<Id>(name, row, label(row));
        levels[row] = static_cast<std::uint8_t>(graph.level(row));
        parents[row] = graph.parent(row);
        if (graph.level(row) != 0) first[row] = static_cast<std::uint32_t>(above.size() / graph.degree());
        put(base, graph.links(row, 0), 2 * graph.degree());
        for (std::size_t l = 1; l <= graph.level(row); ++l) put(above, graph.links(row, l), graph.degree());
        vectors.read(row, vector(row), std::span(codes).subspan(row * stride, dim));
    }
    add_part(parts, "IDS_", ids);
    add_part(parts, "STAT", states);
    add_part(parts, "COD0", codes);
    add_part(parts, "LEVL", levels);
    add_part(parts, "TREE", parents);
    add_part(parts, "LNK0", base);
    add_part(parts, "UPPF", first);
    add_part(parts, "LNKU", above);
    return out.to_bytes();
}

}  // namespace detail

VICINAL_NAMESPACE_END
