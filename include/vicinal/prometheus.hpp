// SPDX-License-Identifier: MIT
// The counters of indexes in Prometheus's text format (version 0.0.4), for an application's own /metrics page.
#pragma once

#include <cstddef>      // for size_t
#include <cstdint>      // for uint64_t
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for pair
#include <vector>       // for vector

#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

/// Collects what indexes count and writes it as one page. Each family of metrics appears once, with a sample for each
/// index, whose name is the value of the label `index`.
///
///     page << vicinal::prometheus_text().add("products", products).add("users", users).text();
class prometheus_text {
  public:
    /// Adds the present numbers of `index`. `name` may be any UTF-8; use each name once.
    /// cost  as index.counters() and index.memory()
    template <class Index>
    prometheus_text& add(std::string_view name, const Index& index) {
        return add(name, index.counters(), index.size(), index.memory());
    }
    prometheus_text& add(std::string_view name, const index_counters& done, std::size_t vectors,
                         const memory_report& memory) {
        const std::string label = "{index=\"" + escaped(name) + "\"}";
        sample("searches_total", "counter", "Queries.", label, done.searches);
        sample("distances_total", "counter", "Rows scored by searches.", label, done.distances);
        sample("hops_total", "counter", "Graph nodes expanded by searches.", label, done.hops);
        sample("lists_total", "counter", "Lists scanned by searches.", label, done.lists);
        sample("reranks_total", "counter", "Rows scored again by a finer codec.", label, done.reranks);
        sample("added_total", "counter", "Vectors added.", label, done.added);
        sample("updated_total", "counter", "Vectors replaced.", label, done.updated);
        sample("removed_total", "counter", "Vectors removed.", label, done.removed);
        sample("vectors", "gauge", "Vectors in the index.", label, vectors);
        sample("memory_bytes", "gauge", "Bytes of memory the index owns.", label, memory.total);
        sample("reserved_bytes", "gauge", "The same with room for rows to come.", label, memory.reserved);
        sample("mapped_bytes", "gauge", "Bytes of files that are viewed.", label, memory.mapped);
        return *this;
    }

    [[nodiscard]] std::string text() const {
        std::string page;
        for (const auto& [head, samples] : families_) page += head + samples;
        return page;
    }

  private:
    void sample(std::string_view name, std::string_view type, std::string_view help, const std::string& label,
                std::uint64_t value) {
        const std::string family = "vicinal_" + std::string(name);
        const std::string head =
            "# HELP " + family + ' ' + std::string(help) + "\n# TYPE " + family + ' ' + std::string(type) + '\n';
        std::size_t at = 0;
        while (at < families_.size() && families_[at].first != head) ++at;
        if (at == families_.size()) families_.emplace_back(head, "");
        families_[at].second += family + label + ' ' + std::to_string(value) + '\n';
    }
    [[nodiscard]] static std::string escaped(std::string_view value) {
        std::string out;
        for (const char c : value) {
            if (c == '\\' || c == '"') out += '\\';
            out += c == '\n' ? "\\n" : std::string(1, c);
        }
        return out;
    }

    std::vector<std::pair<std::string, std::string>> families_;  // what stands above the samples, and these
};

VICINAL_NAMESPACE_END
