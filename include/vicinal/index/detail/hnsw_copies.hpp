// Copies of one vector in a graph: telling them, and walking past them.
#pragma once

#include <algorithm>  // for equal
#include <cstddef>    // for size_t
#include <vector>     // for vector

#include "vicinal/core/types.hpp"
#include "vicinal/storage/code_store.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

template <class Codec>
[[nodiscard]] bool same_code(const code_store<Codec>& store, slot_t a, slot_t b) noexcept {
    return std::equal(store.rows()[a], store.rows()[a] + store.rows().row_bytes(), store.rows()[b]);
}

/// A graph without the copies that stand below another copy in the tree: of each vector one row is left. Many copies
/// fill the beam of whatever is added near them, and a beam full of copies knows one direction only.
/// Gives links in a buffer of its own, good until the next call. Not for two threads at once.
template <class Graph, class Codec>
class distinct_links {
  public:
    distinct_links(const Graph& graph, const code_store<Codec>& store) : graph_(graph), store_(store) {}

    [[nodiscard]] std::size_t capacity(std::size_t level) const noexcept { return graph_.capacity(level); }
    [[nodiscard]] const slot_t* first_link(slot_t slot, std::size_t level) const {
        links_.assign(graph_.capacity(level), no_slot);
        std::size_t count = 0;
        for (const slot_t link : graph_.links(slot, level))
            if (!below_copy(link)) links_[count++] = link;
        return links_.data();
    }
    void prefetch_links(slot_t slot, std::size_t level) const noexcept { graph_.prefetch_links(slot, level); }

  private:
    [[nodiscard]] bool below_copy(slot_t slot) const noexcept {
        const slot_t parent = graph_.parent(slot);
        return parent != no_slot && same_code(store_, slot, parent);
    }

    const Graph& graph_;
    const code_store<Codec>& store_;
    mutable std::vector<slot_t> links_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
