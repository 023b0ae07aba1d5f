// An hnsw_index's parts in a file, their validation, and the structural check.
#pragma once

#include <algorithm>  // for find
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint8_t, uint32_t, uint64_t
#include <memory>     // for make_shared
#include <span>       // for span
#include <string>     // for string, to_string
#include <utility>    // for move
#include <vector>     // for vector

#include "vicinal/index/hnsw/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Counts what is wrong with a graph over rows [0, rows). The loader and check() both ask it.
template <class Directory>
class graph_inspector {
  public:
    graph_inspector(const hnsw_graph& graph, const Directory& directory, const row_duplicates& copies)
        : graph_(graph),
          directory_(directory),
          rows_(directory.high_water()),
          copies_(copies.find_nodes(rows_)),
          stamp_(rows_, no_slot) {}

    /// by_tree  the caller sees to it that the tree is whole, which makes all rows reachable: no need to walk all links
    [[nodiscard]] check_report run(bool by_tree = false) {
        for (std::size_t i = 0; i < rows_; ++i) {
            const auto slot = static_cast<slot_t>(i);
            if (directory_.state(slot) == row_state::free) continue;
            for (std::size_t level = 0; level <= graph_.level(slot); ++level) inspect_links(slot, level);
            if (is_duplicate(slot))
                inspect_copy(slot);
            else
                inspect_tree(slot);
        }
        report_.misplaced += copies_.defects;
        inspect_entry();
        if (report_.dangling == 0 && !by_tree) count_unreachable();
        return report_;
    }

  private:
    void inspect_links(slot_t slot, std::size_t level) {
        if (graph_.first_link(slot, level) == nullptr) ++report_.misplaced;  // only in a damaged file
        const auto links = graph_.links(slot, level);
        const slot_t mark = static_cast<slot_t>(seen_++);
        for (const slot_t link : links) {
            ++report_.links;
            if (link >= rows_ || directory_.state(link) == row_state::free) {
                ++report_.dangling;
                continue;
            }
            if (link == slot || stamp_[link] == mark) ++report_.duplicate;
            stamp_[link] = mark;
            if (is_duplicate(link) || (level > 0 && graph_.level(link) < level)) ++report_.misplaced;
        }
    }

    [[nodiscard]] bool is_duplicate(slot_t slot) const noexcept { return copies_.is_duplicate(slot); }
    /// A copy is not in the graph, and a live row that is stands for it.
    void inspect_copy(slot_t slot) {
        const slot_t node = copies_.nodes[slot];
        if (!directory_.is_live(slot) || !directory_.is_live(node) || graph_.level(slot) != 0 ||
            graph_.parent(slot) != no_slot || !graph_.links(slot, 0).empty())
            ++report_.misplaced;
    }

    [[nodiscard]] bool has_link(slot_t from, slot_t to) const {
        const auto links = graph_.links(from, 0);
        return std::find(links.begin(), links.end(), to) != links.end();
    }
    void inspect_tree(slot_t slot) {
        const slot_t parent = graph_.parent(slot);
        if (!directory_.is_live(slot)) {
            if (parent != no_slot) ++report_.misplaced;
            return;
        }
        if (parent == no_slot) {
            ++roots_;
        } else if (parent >= rows_ || !directory_.is_live(parent) || !has_link(slot, parent) ||
                   !has_link(parent, slot)) {
            ++report_.misplaced;
        }
    }
    void inspect_entry() {
        const slot_t entry = graph_.entry();
        if (directory_.live() == 0) {
            if (entry != no_slot || directory_.retired() != 0) ++report_.misplaced;
            return;
        }
        if (roots_ != 1) ++report_.misplaced;
        if (entry >= rows_ || !directory_.is_live(entry) || is_duplicate(entry) ||
            graph_.level(entry) != graph_.top_level()) {
            ++report_.misplaced;
            return;
        }
        directory_.for_each_live([&](slot_t slot) {
            if (graph_.level(slot) > graph_.top_level()) ++report_.misplaced;
        });
    }

    /// Follows all links of level 0 from the entry. Copies are where their rows of the graph are.
    void count_unreachable() {
        std::vector<bool> reached(rows_, false);
        std::vector<slot_t> todo;
        const slot_t entry = graph_.entry();
        if (entry < rows_ && directory_.state(entry) != row_state::free) {  // nobody looked at a free row's links
            reached[entry] = true;
            todo.push_back(entry);
        }
        while (!todo.empty()) {
            const slot_t slot = todo.back();
            todo.pop_back();
            for (const slot_t link : graph_.links(slot, 0))
                if (!reached[link]) {
                    reached[link] = true;
                    todo.push_back(link);
                }
        }
        directory_.for_each_live([&](slot_t slot) {
            if (!reached[is_duplicate(slot) ? copies_.nodes[slot] : slot]) ++report_.unreachable;
        });
    }

    const hnsw_graph& graph_;
    const Directory& directory_;
    std::size_t rows_;
    row_duplicates::nodes_found copies_;
    std::vector<slot_t> stamp_;
    std::size_t seen_ = 0;
    std::size_t roots_ = 0;
    check_report report_;
};

/// The state as files see it.
template <class Metric, class Codec, class Id, class Isa>
struct hnsw_file_state : hnsw_state<Metric, Codec, Id, Isa> {
    using base = hnsw_state<Metric, Codec, Id, Isa>;
    using base::base;
    using base::copies, base::directory, base::locks, base::graph, base::known, base::params, base::retired;
    static constexpr std::uint32_t kind = 3;
    /// Bit 0: there are rows outside the graph, behind those they are copies of.
    [[nodiscard]] std::uint32_t file_features() const noexcept { return copies.any() ? 1 : 0; }

    [[nodiscard]] check_report check() const {
        const auto reading = locks.shared();
        check_report report = graph_inspector(graph, directory, copies).run();
        this->check_directory(report);
        report.misplaced += false_duplicates();
        return report;
    }

    template <class Parts>
    void write_parts(Parts& out) const {
        const auto slots = std::make_shared<const std::vector<slot_t>>(this->slots_in_use());
        auto numbers = std::make_shared<std::vector<slot_t>>(directory.high_water(), no_slot);
        for (std::size_t i = 0; i < slots->size(); ++i) (*numbers)[(*slots)[i]] = static_cast<slot_t>(i);
        const auto number = [numbers](slot_t slot) { return slot == no_slot ? no_slot : (*numbers)[slot]; };
        const bool all = slots->size() == directory.high_water();  // then rows keep their numbers, links as they are
        std::uint64_t upper = 0;
        for (const slot_t slot : *slots) upper += graph.level(slot);
        const std::uint64_t head[] = {params.degree,         params.ef_construction, params.seed,
                                      number(graph.entry()), graph.top_level(), upper};
        out.numbers("HNSW", head);
        this->write_rows(out, slots);
        const std::size_t n = slots->size();
        out.template stream<std::uint8_t>("LEVL", n, [this, slots](const auto& sink) {
            this->template write_each<std::uint8_t>(
                *slots, sink, [this](slot_t slot) { return static_cast<std::uint8_t>(graph.level(slot)); });
        });
        out.template stream<slot_t>("TREE", n, [this, slots, number](const auto& sink) {
            this->template write_each<slot_t>(*slots, sink,
                                              [&](slot_t slot) { return number(graph.parent(slot)); });
        });
        out.template stream<slot_t>("LNK0", n * graph.capacity(0), [this, slots, number, all](const auto& sink) {
            if (all)
                return this->for_each_run(*slots, [&](slot_t first, std::size_t count) {
                    sink(std::span<const slot_t>(graph.first_link(first, 0), count * graph.capacity(0)));
                });
            std::vector<slot_t> row;
            for (const slot_t slot : *slots) put_links(sink, slot, 0, number, row);
        });
        out.template stream<std::uint32_t>("UPPF", n, [this, slots](const auto& sink) {
            std::uint32_t first = 0;
            this->template write_each<std::uint32_t>(*slots, sink, [&](slot_t slot) {
                const auto levels = static_cast<std::uint32_t>(graph.level(slot));
                const std::uint32_t mine = levels == 0 ? 0 : first;
                first += levels;
                return mine;
            });
        });
        const std::size_t upper_links = static_cast<std::size_t>(upper) * graph.degree();
        out.template stream<slot_t>("LNKU", upper_links, [this, slots, number](const auto& sink) {
            std::vector<slot_t> row;
            for (const slot_t slot : *slots)
                for (std::size_t level = 1; level <= graph.level(slot); ++level)
                    put_links(sink, slot, level, number, row);
        });
        if (copies.any()) write_duplicates(out, *slots, *numbers);
    }

    template <class Parts>
    void read_parts(const Parts& in) {
        const auto head = in.template elements<std::uint64_t>("HNSW", 6);
        if (head[0] < 2 || head[0] > 1024 || head[1] < 1 || head[1] > std::size_t{1} << 20)
            in.fail("degree " + std::to_string(head[0]) + " or ef_construction " + std::to_string(head[1]) +
                    " is out of range");
        params = {static_cast<std::size_t>(head[0]), static_cast<std::size_t>(head[1]), head[2]};
        graph = hnsw_graph(params.degree);
        this->read_rows(in);
        const std::size_t n = directory.high_water();
        const links_in_file links{in.template elements<std::uint8_t>("LEVL", n),
                                  in.template elements<slot_t>("TREE", n),
                                  in.template elements<slot_t>("LNK0", std::uint64_t{n} * graph.capacity(0)),
                                  in.template elements<std::uint32_t>("UPPF", n), in.template elements<slot_t>("LNKU")};
        if (links.upper.size() % params.degree != 0 || links.upper.size() / params.degree != head[5])
            in.fail("it has " + std::to_string(links.upper.size()) + " upper links, expected " +
                    std::to_string(head[5]) + " rows of " + std::to_string(params.degree));
        const bool empty = directory.live() == 0;
        if (empty ? head[3] != no_slot || head[4] != 0 : head[3] >= n || head[4] > hnsw_graph::max_level)
            in.fail("the entry " + std::to_string(head[3]) + " on level " + std::to_string(head[4]) +
                    " does not exist");
        graph.borrow(links.levels, links.parents, links.base, links.upper_first, links.upper);
        if (in.has("COPY")) copies.borrow(in.template elements<slot_t>("COPY", n));
        graph.set_entry(empty ? no_slot : static_cast<slot_t>(head[3]), static_cast<std::size_t>(head[4]));
        if (!in.thorough()) return;
        require_links(in, links);
        require_sound(in);
        if (copies.any()) require_duplicates(in, n);
        this->detach_from_file = [this] { copy_all(); };
    }

  private:
    struct links_in_file {
        std::span<const std::uint8_t> levels;
        std::span<const slot_t> parents;
        std::span<const slot_t> base;
        std::span<const std::uint32_t> upper_first;
        std::span<const slot_t> upper;
    };

    template <class Sink, class Number>
    void put_links(const Sink& sink, slot_t slot, std::size_t level, const Number& number,
                   std::vector<slot_t>& row) const {
        row.assign(graph.capacity(level), no_slot);
        std::size_t i = 0;
        for (const slot_t link : graph.links(slot, level)) row[i++] = number(link);
        sink(std::span<const slot_t>(row));
    }

    /// The next copy of each row's vector, in the order of rows.
    template <class Parts>
    void write_duplicates(Parts& out, std::span<const slot_t> slots, std::span<const slot_t> numbers) const {
        const auto nodes = copies.find_nodes(directory.high_water()).nodes;
        const auto next = std::make_shared<std::vector<slot_t>>(slots.size(), no_slot);
        std::vector<slot_t> last(slots.size());
        for (std::size_t i = 0; i < slots.size(); ++i) last[i] = static_cast<slot_t>(i);
        for (std::size_t i = 0; i < slots.size(); ++i) {
            if (nodes[slots[i]] == no_slot) continue;
            slot_t& before = last[numbers[nodes[slots[i]]]];
            (*next)[before] = static_cast<slot_t>(i);
            before = static_cast<slot_t>(i);
        }
        out.template stream<slot_t>("COPY", next->size(),
                                    [next](const auto& sink) { sink(std::span<const slot_t>(*next)); });
    }
    /// Rows in lists behind rows of other codes.
    [[nodiscard]] std::size_t false_duplicates() const {
        const auto nodes = copies.find_nodes(directory.high_water()).nodes;
        std::size_t count = 0;
        for (std::size_t i = 0; i < nodes.size(); ++i)
            if (nodes[i] != no_slot && !known.same_codes(static_cast<slot_t>(i), nodes[i])) ++count;
        return count;
    }
    /// Lists are sound already. Their rows are copies, in order, and there are some.
    template <class Parts>
    void require_duplicates(const Parts& in, std::size_t n) const {
        const auto found = copies.find_nodes(n);
        if (found.count == 0) in.fail("it has lists of copies, but no copies");
        for (std::size_t i = 0; i < n; ++i) {
            const auto slot = static_cast<slot_t>(i);
            if (found.nodes[i] == no_slot) continue;
            if (copies.next(slot) <= slot) in.fail("the copies behind row " + std::to_string(i) + " are not in order");
        }
        if (false_duplicates() != 0) in.fail("rows that it calls copies have other vectors");
    }

    /// What holds for each row by itself: links that lead to rows, ended in one way, and upper links nobody else has.
    template <class Parts>
    void require_links(const Parts& in, const links_in_file& from) const {
        const std::size_t n = from.levels.size();
        const std::size_t upper_rows = from.upper.size() / params.degree;
        std::size_t upper = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t level = from.levels[i];
            if (level > hnsw_graph::max_level || from.upper_first[i] != (level == 0 ? 0 : upper) ||
                level > upper_rows - upper)
                in.fail("row " + std::to_string(i) + " has level " + std::to_string(level) + " and upper links from " +
                        std::to_string(from.upper_first[i]) + ", expected " + std::to_string(upper));
            require_row(in, i, from.base.subspan(i * graph.capacity(0), graph.capacity(0)), n);
            for (std::size_t l = 1; l <= level; ++l, ++upper)
                require_row(in, i, from.upper.subspan(upper * params.degree, params.degree), n);
        }
        if (upper != upper_rows) in.fail("it has upper links that belong to no row");
        std::vector<std::uint16_t> children(n);
        for (std::size_t i = 0; i < n; ++i) {
            const slot_t parent = from.parents[i];
            if (parent == no_slot) continue;
            if (parent >= n || parent == i || children[parent]++ >= graph.child_limit_in_files())
                in.fail("row " + std::to_string(i) + " has parent " + std::to_string(parent) + ", which cannot be");
        }
    }
    template <class Parts>
    void require_row(const Parts& in, std::size_t i, std::span<const slot_t> row, std::size_t n) const {
        bool ended = false;
        for (const slot_t link : row) {
            if (link == no_slot)
                ended = true;
            else if (ended || link >= n)
                in.fail("row " + std::to_string(i) + " links to row " + std::to_string(link) + " of " +
                        std::to_string(n) + (ended ? ", after its last link" : ""));
        }
    }

    /// Links, levels and tree must be what a build could have left.
    template <class Parts>
    void require_sound(const Parts& in) const {
        const check_report found = graph_inspector(graph, directory, copies).run(true);
        if (!found.ok())
            in.fail("its graph is not sound: " + std::to_string(found.dangling) + " links lead nowhere, " +
                    std::to_string(found.duplicate) + " are repeated, " + std::to_string(found.misplaced) +
                    " rows or links are out of place");
        if (!tree_is_whole()) in.fail("the tree over its rows has a cycle");
    }
    /// Before the first change after a load. Retired rows wait for repair as before saving.
    void copy_all() {
        auto children = graph.count_children();
        graph.reserve_destroy_all();
        retired_rows waiting;
        waiting.reserve(directory.retired());
        directory.reserve_free(directory.high_water());
        row_duplicates lists = copies.owned(directory.high_water());
        typename base::known_type table(this->rows);
        auto room = table.enlarged(directory.live());
        table.take(room);
        for (std::size_t i = 0; i < directory.high_water(); ++i) {
            const auto slot = static_cast<slot_t>(i);
            if (directory.state(slot) == row_state::retired)
                waiting.add(slot);
            else if (!lists.is_duplicate(slot))
                table.find_or_enter(slot);  // files of before have copies in the graph
        }
        this->copy_from_file(
            [this](const auto& copy) {
                this->rows.for_each_store([&](auto& store) { copy(store.rows(), directory.high_water()); });
                graph.for_each_array(copy);
            },
            [&] {
                graph.set_children(std::move(children));
                copies = std::move(lists);
                known = std::move(table);
                retired = std::move(waiting);
            });
    }
    /// Whether every live row's chain of parents ends at the root: each chain is walked once.
    [[nodiscard]] bool tree_is_whole() const {
        std::vector<slot_t> done(directory.high_water(), no_slot);
        for (std::size_t i = 0; i < done.size(); ++i) {
            auto slot = static_cast<slot_t>(i);
            for (; slot != no_slot && done[slot] == no_slot; slot = graph.parent(slot))
                done[slot] = static_cast<slot_t>(i);
            if (slot != no_slot && done[slot] == static_cast<slot_t>(i)) return false;
        }
        return true;
    }
};

}  // namespace detail

VICINAL_NAMESPACE_END
