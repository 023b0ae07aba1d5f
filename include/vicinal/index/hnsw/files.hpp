// SPDX-License-Identifier: MIT
// An hnsw_index's parts in a file, and what a load requires of them.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint8_t, uint16_t, uint32_t, uint64_t
#include <memory>   // for make_shared, shared_ptr
#include <span>     // for span
#include <string>   // for to_string
#include <utility>  // for move
#include <vector>   // for vector

#include "vicinal/core/number_as.hpp"
#include "vicinal/index/common/files.hpp"
#include "vicinal/index/hnsw/graph/inspector.hpp"
#include "vicinal/index/hnsw/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

// ---- writing -------------------------------------------------------------------------------------------------------

/// The rows of a file: row i is slots[i], and numbers[slot] is i. Links are written as numbers.
struct rows_in_file {
    std::shared_ptr<const std::vector<slot_t>> slots;
    std::shared_ptr<const std::vector<slot_t>> numbers;

    rows_in_file(std::vector<slot_t> in_use, std::size_t stored) {
        std::vector<slot_t> of_slots(stored, no_slot);
        for (std::size_t i = 0; i < in_use.size(); ++i) of_slots[in_use[i]] = static_cast<slot_t>(i);
        slots = std::make_shared<const std::vector<slot_t>>(std::move(in_use));
        numbers = std::make_shared<const std::vector<slot_t>>(std::move(of_slots));
    }
    [[nodiscard]] slot_t number(slot_t slot) const noexcept { return slot == no_slot ? no_slot : (*numbers)[slot]; }
    /// Whether rows keep their numbers, and links are as they are.
    [[nodiscard]] bool all() const noexcept { return slots->size() == numbers->size(); }
};

template <class Sink>
void put_links(const hnsw_graph& graph, const rows_in_file& file, const Sink& sink, slot_t slot, std::size_t level,
               std::vector<slot_t>& row) {
    row.assign(graph.capacity(level), no_slot);
    std::size_t i = 0;
    for (const slot_t link : graph.links(slot, level)) row[i++] = file.number(link);
    sink(std::span<const slot_t>(row));
}
/// LEVL and TREE, of each row.
template <class Parts>
void write_tree(const hnsw_graph& graph, Parts& out, const rows_in_file& file) {
    const std::size_t n = file.slots->size();
    out.template stream<std::uint8_t>("LEVL", n, [&graph, file](const auto& sink) {
        write_each<std::uint8_t>(*file.slots, sink,
                                 [&](slot_t slot) { return static_cast<std::uint8_t>(graph.level(slot)); });
    });
    out.template stream<slot_t>("TREE", n, [&graph, file](const auto& sink) {
        write_each<slot_t>(*file.slots, sink, [&](slot_t slot) { return file.number(graph.parent(slot)); });
    });
}
/// LNK0, the links of each row on the lowest level.
template <class Parts>
void write_lowest(const hnsw_graph& graph, Parts& out, const rows_in_file& file) {
    const std::size_t capacity = graph.capacity(0);
    out.template stream<slot_t>("LNK0", file.slots->size() * capacity, [&graph, file, capacity](const auto& sink) {
        if (file.all())
            return for_each_run(*file.slots, [&](slot_t first, std::size_t count) {
                sink(std::span<const slot_t>(graph.first_link(first, 0), count * capacity));
            });
        std::vector<slot_t> row;
        for (const slot_t slot : *file.slots) put_links(graph, file, sink, slot, 0, row);
    });
}
/// UPPF and LNKU, the links on the levels above.
template <class Parts>
void write_upper(const hnsw_graph& graph, Parts& out, const rows_in_file& file, std::size_t upper) {
    out.template stream<std::uint32_t>("UPPF", file.slots->size(), [&graph, file](const auto& sink) {
        std::uint32_t first = 0;
        write_each<std::uint32_t>(*file.slots, sink, [&](slot_t slot) {
            const auto levels = static_cast<std::uint32_t>(graph.level(slot));
            const std::uint32_t mine = levels == 0 ? 0 : first;
            first += levels;
            return mine;
        });
    });
    out.template stream<slot_t>("LNKU", upper * graph.degree(), [&graph, file](const auto& sink) {
        std::vector<slot_t> row;
        for (const slot_t slot : *file.slots)
            for (std::size_t level = 1; level <= graph.level(slot); ++level)
                put_links(graph, file, sink, slot, level, row);
    });
}
/// COPY, the next duplicate of each row's vector, in the order of rows.
template <class Parts>
void write_duplicates(const row_duplicates& duplicates, Parts& out, const rows_in_file& file) {
    const std::vector<slot_t>& slots = *file.slots;
    const auto nodes = duplicates.find_nodes(file.numbers->size()).nodes;
    const auto next = std::make_shared<std::vector<slot_t>>(slots.size(), no_slot);
    std::vector<slot_t> last(slots.size());
    for (std::size_t i = 0; i < slots.size(); ++i) last[i] = static_cast<slot_t>(i);
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (nodes[slots[i]] == no_slot) continue;
        slot_t& before = last[file.number(nodes[slots[i]])];
        (*next)[before] = static_cast<slot_t>(i);
        before = static_cast<slot_t>(i);
    }
    out.template stream<slot_t>("COPY", next->size(),
                                [next](const auto& sink) { sink(std::span<const slot_t>(*next)); });
}

template <class State, class Parts>
void write_parts(const State& index, Parts& out) {
    if (index.directory.arriving() != 0)
        fail(errc::reentrant_call, "save: a progress callable of upsert may search the index, not save or clone it");
    const hnsw_graph& graph = index.graph;
    const rows_in_file file(slots_in_use(index), index.directory.high_water());
    std::uint64_t upper = 0;
    for (const slot_t slot : *file.slots) upper += graph.level(slot);
    const std::uint64_t head[] = {index.params.degree, index.params.ef_construction,
                                  index.params.seed,   file.number(graph.entry()),
                                  graph.top_level(),   upper};
    out.numbers("HNSW", head);
    write_rows(index, out, file.slots);
    write_tree(graph, out, file);
    write_lowest(graph, out, file);
    write_upper(graph, out, file, number_as<std::size_t>(upper));
    if (index.duplicates.any()) write_duplicates(index.duplicates, out, file);
}

// ---- what a load requires ------------------------------------------------------------------------------------------

struct links_in_file {
    std::span<const std::uint8_t> levels;
    std::span<const slot_t> parents;
    std::span<const slot_t> base;
    std::span<const std::uint32_t> upper_first;
    std::span<const slot_t> upper;
};

template <class Parts>
void require_row(const Parts& in, std::size_t i, std::span<const slot_t> row, std::size_t n) {
    bool ended = false;
    for (const slot_t link : row) {
        if (link == no_slot)
            ended = true;
        else if (ended || link >= n)
            in.fail("row " + std::to_string(i) + " links to row " + std::to_string(link) + " of " + std::to_string(n) +
                    (ended ? ", after its last link" : ""));
    }
}
template <class Parts>
void require_parents(const hnsw_graph& graph, const Parts& in, std::span<const slot_t> parents) {
    const std::size_t n = parents.size();
    std::vector<std::uint16_t> children(n);
    for (std::size_t i = 0; i < n; ++i) {
        const slot_t parent = parents[i];
        if (parent == no_slot) continue;
        if (parent >= n || parent == i || children[parent]++ >= graph.child_limit_in_files())
            in.fail("row " + std::to_string(i) + " has parent " + std::to_string(parent) + ", which cannot be");
    }
}
/// Requires what holds for each row by itself: links that lead to rows, ended in one way, and upper links nobody else
/// has.
template <class Parts>
void require_links(const hnsw_graph& graph, const Parts& in, const links_in_file& from) {
    const std::size_t n = from.levels.size();
    const std::size_t degree = graph.degree();
    const std::size_t upper_rows = from.upper.size() / degree;
    std::size_t upper = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t level = from.levels[i];
        if (level > hnsw_graph::max_level || from.upper_first[i] != (level == 0 ? 0 : upper) ||
            level > upper_rows - upper)
            in.fail("row " + std::to_string(i) + " has level " + std::to_string(level) + " and upper links from " +
                    std::to_string(from.upper_first[i]) + ", expected " + std::to_string(upper));
        require_row(in, i, from.base.subspan(i * graph.capacity(0), graph.capacity(0)), n);
        for (std::size_t l = 1; l <= level; ++l, ++upper)
            require_row(in, i, from.upper.subspan(upper * degree, degree), n);
    }
    if (upper != upper_rows) in.fail("it has upper links that belong to no row");
    require_parents(graph, in, from.parents);
}
/// Requires links, levels and a tree that a build could have left.
template <class State, class Parts>
void require_sound(const State& index, const Parts& in) {
    const check_report found = graph_inspector(index.graph, index.directory, index.duplicates).run(true);
    if (!found.ok())
        in.fail("its graph is not sound: " + std::to_string(found.dangling) + " links lead nowhere, " +
                std::to_string(found.duplicate) + " are repeated, " + std::to_string(found.misplaced) +
                " rows or links are out of place");
    if (!tree_is_whole(index.graph, index.directory.high_water())) in.fail("the tree over its rows has a cycle");
}
/// Requires that rows in lists, which are sound already, are duplicates, in order, and that there are some.
template <class State, class Parts>
void require_duplicates(const State& index, const Parts& in, std::size_t n) {
    const auto found = index.duplicates.find_nodes(n);
    if (found.count == 0) in.fail("it has lists of copies, but no copies");
    for (std::size_t i = 0; i < n; ++i) {
        const auto slot = static_cast<slot_t>(i);
        if (found.nodes[i] == no_slot) continue;
        if (index.duplicates.next(slot) <= slot)
            in.fail("the copies behind row " + std::to_string(i) + " are not in order");
    }
    if (false_duplicates(index.duplicates, index.known, n) != 0)
        in.fail("rows that it calls copies have other vectors");
}

// ---- reading -------------------------------------------------------------------------------------------------------

/// Takes the links where they lie.
template <class State, class Parts>
[[nodiscard]] links_in_file read_links(State& index, const Parts& in, std::uint64_t upper_rows) {
    const std::size_t n = index.directory.high_water();
    const std::size_t degree = index.params.degree;
    const links_in_file links{in.template elements<std::uint8_t>("LEVL", n), in.template elements<slot_t>("TREE", n),
                              in.template elements<slot_t>("LNK0", std::uint64_t{n} * index.graph.capacity(0)),
                              in.template elements<std::uint32_t>("UPPF", n), in.template elements<slot_t>("LNKU")};
    if (links.upper.size() % degree != 0 || links.upper.size() / degree != upper_rows)
        in.fail("it has " + std::to_string(links.upper.size()) + " upper links, expected " +
                std::to_string(upper_rows) + " rows of " + std::to_string(degree));
    index.graph.borrow(links.levels, links.parents, links.base, links.upper_first, links.upper);
    return links;
}

template <class State, class Parts>
void read_parts(State& index, const Parts& in) {
    const auto head = in.template elements<std::uint64_t>("HNSW", 6);
    if (head[0] < 2 || head[0] > 1024 || head[1] < 1 || head[1] > std::size_t{1} << 20)
        in.fail("degree " + std::to_string(head[0]) + " or ef_construction " + std::to_string(head[1]) +
                " is out of range");
    index.params = {.degree = static_cast<std::size_t>(head[0]),
                    .ef_construction = static_cast<std::size_t>(head[1]),
                    .seed = head[2]};
    index.graph = hnsw_graph(index.params.degree);
    read_rows(index, in);
    const std::size_t n = index.directory.high_water();
    const links_in_file links = read_links(index, in, head[5]);
    const bool empty = index.directory.live() == 0;
    if (empty ? head[3] != no_slot || head[4] != 0 : head[3] >= n || head[4] > hnsw_graph::max_level)
        in.fail("the entry " + std::to_string(head[3]) + " on level " + std::to_string(head[4]) + " does not exist");
    if (in.has("COPY")) index.duplicates.borrow(in.template elements<slot_t>("COPY", n));
    index.graph.set_entry(empty ? no_slot : static_cast<slot_t>(head[3]), static_cast<std::size_t>(head[4]));
    if (!in.validate()) return;
    require_links(index.graph, in, links);
    require_sound(index, in);
    if (index.duplicates.any()) require_duplicates(index, in, n);
}

/// Copies what lies in the file, before the first change after a load, and makes what is not in it: retired rows wait
/// for consolidation as before saving. Strong guarantee.
template <class State>
void detach_from_file(State& index) {
    const std::size_t rows = index.directory.high_water();
    auto children = index.graph.count_children();
    index.graph.reserve_destroy_all();
    retired_rows waiting;
    waiting.reserve(index.directory.retired());
    index.directory.reserve_free(rows);
    row_duplicates lists = index.duplicates.owned(rows);
    typename State::known_type table(index.rows);
    auto room = table.enlarged(index.directory.live());
    table.take(room);
    for (std::size_t i = 0; i < rows; ++i) {
        const auto slot = static_cast<slot_t>(i);
        if (index.directory.state(slot) == row_state::retired)
            waiting.add(slot);
        else if (!lists.is_duplicate(slot))
            table.find_or_enter(slot);  // files of before have duplicates in the graph
    }
    copy_from_file(
        index,
        [&](const auto& copy) {
            index.rows.for_each_store([&](auto& store) { copy(store.rows(), rows); });
            index.graph.for_each_array(copy);
        },
        [&] {
            index.graph.set_children(std::move(children));
            index.duplicates = std::move(lists);
            index.known = std::move(table);
            index.retired = std::move(waiting);
        });
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
