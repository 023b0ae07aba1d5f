// SPDX-License-Identifier: MIT
// Reverse links among rows with a mean: which of its links a row keeps when another wants to join them, against a naive
// choice in double precision. All components are small whole numbers, so products are exact in single precision, too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/codec/f32.hpp"
#include "vicinal/index/hnsw/graph/build.hpp"
#include "vicinal/metrics.hpp"
#include "vicinal/simd/kernels.hpp"

namespace {

using namespace vicinal_test;
using vicinal::detail::slot_t;
using links_t = std::vector<slot_t>;

constexpr std::size_t dim = 5;
const std::vector<float> mean{9, -4, 6, 0, 3};

dataset rows_around_mean(std::size_t count, std::uint64_t seed) {
    numbers random(seed);
    return make_rows(count, dim, [&](std::size_t, std::size_t d) {
        return static_cast<double>(mean[d]) + static_cast<double>(random.below(17)) - 8;
    });
}

/// The distances of the definition: of row a as the query, less the mean or as it is, to row b.
struct products {
    const dataset& rows;
    bool centered;
    double operator()(slot_t a, slot_t b) const {
        double sum = 0;
        for (std::size_t d = 0; d < dim; ++d)
            sum += (double{rows[a][d]} - (centered ? double{mean[d]} : 0)) * double{rows[b][d]};
        return -sum;
    }
};

/// A row's candidates for links, and which of them it keeps.
class naive_choice {
  public:
    naive_choice(const dataset& rows, slot_t row, std::size_t capacity)
        : row_(row), capacity_(capacity), centered_{rows, true}, plain_{rows, false} {}

    /// from_there  measure it from the link's side, which is wrong
    void add(slot_t link, bool in_tree, bool from_there) {
        all_.push_back({link, in_tree, from_there ? centered_(link, row_) : centered_(row_, link)});
    }

    /// Links of the tree, then the closest first: seven eighths of the places are for those chosen by products as they
    /// are, the rest for those that centred ones choose.
    [[nodiscard]] links_t kept() {
        std::sort(all_.begin(), all_.end(), [](const one& a, const one& b) {
            return std::tuple(!a.in_tree, a.distance, a.link) < std::tuple(!b.in_tree, b.distance, b.link);
        });
        links_t links;
        for (const one& c : all_)
            if (c.in_tree) links.push_back(c.link);
        const links_t reserved = chosen_as_they_are(links);
        std::size_t left = reserved.size();
        for (const one& c : all_) {
            if (c.in_tree) continue;
            if (std::find(reserved.begin(), reserved.end(), c.link) != reserved.end())
                --left;
            else if (links.size() + left >= capacity_ || !is_good(c.link, links, centered_))
                continue;
            links.push_back(c.link);
        }
        return links;
    }

  private:
    struct one {
        slot_t link;
        bool in_tree;
        double distance;
    };
    [[nodiscard]] links_t chosen_as_they_are(links_t chosen) const {
        const std::size_t in_tree = chosen.size();
        std::vector<std::pair<double, slot_t>> order;
        for (const one& c : all_)
            if (!c.in_tree) order.push_back({plain_(row_, c.link), c.link});
        std::sort(order.begin(), order.end());
        for (const auto& [distance, link] : order)
            if (8 * (chosen.size() - in_tree + 1) <= 7 * (capacity_ - in_tree) && is_good(link, chosen, plain_))
                chosen.push_back(link);
        chosen.erase(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(in_tree));
        return chosen;
    }
    /// Whether the row itself is closer to the link than all others are.
    [[nodiscard]] bool is_good(slot_t link, const links_t& others, const products& distance) const {
        return std::all_of(others.begin(), others.end(),
                           [&](slot_t other) { return distance(link, other) > distance(link, row_); });
    }

    slot_t row_;
    std::size_t capacity_;
    products centered_;
    products plain_;
    std::vector<one> all_;
};

/// A graph to which rows are added one by one.
class growing_graph {
  public:
    growing_graph(const dataset& rows, std::size_t degree)
        : graph(degree), store_(dim, vicinal::detail::row_spacing::lines) {
        store_.reserve(rows.rows());
        graph.reserve(rows.rows(), 0);
        for (std::size_t r = 0; r < rows.rows(); ++r) store_.write(static_cast<slot_t>(r), rows[r]);
    }
    void add(slot_t row) {
        graph.create(row, 0);
        vicinal::detail::hnsw_builder<vicinal::inner_product, vicinal::f32, vicinal::simd::native_kernels> builder(
            metric_, store_, graph, 40, scratch_, mean);
        builder.plan(std::span(&row, 1), store_, row, false, [](slot_t) { return true; }, {});
        builder.publish();
        graph.publish(row);
    }
    [[nodiscard]] links_t links(slot_t row) const {
        const auto now = graph.links(row, 0);
        return {now.begin(), now.end()};
    }

    vicinal::detail::hnsw_graph graph;

  private:
    vicinal::inner_product metric_;
    vicinal::detail::code_store<vicinal::f32> store_;
    vicinal::detail::scratch_pool<vicinal::detail::walk_scratch> scratch_;
};

}  // namespace

TEST_CASE("reverse links: what a row keeps is chosen by its own distances, as by a naive choice") {
    std::size_t pruned = 0;
    std::size_t others = 0;   // where the distances from the other side would choose other links,
    std::size_t ordered = 0;  // or these in another order
    for (const std::size_t degree : {4U, 8U, 12U}) {
        const dataset rows = rows_around_mean(300, degree);
        growing_graph grown(rows, degree);
        const std::size_t capacity = grown.graph.capacity(0);
        for (slot_t row = 0; row < rows.rows(); ++row) {
            std::vector<links_t> before(row);
            for (slot_t r = 0; r < row; ++r) before[r] = grown.links(r);
            grown.add(row);
            for (const slot_t target : grown.links(row)) {
                links_t all = before[target];
                all.push_back(row);
                if (all.size() <= capacity) {
                    REQUIRE(grown.links(target) == all);
                    continue;
                }
                const auto kept = [&](bool from_there) {
                    naive_choice choice(rows, target, capacity);
                    for (const slot_t link : all)
                        choice.add(link, grown.graph.is_tree_link(target, link), from_there && link == row);
                    return choice.kept();
                };
                const links_t want = kept(false);
                if (4 * want.size() < capacity) continue;  // others are added, by other distances
                INFO("degree " << degree << ", row " << row << " joins row " << target);
                REQUIRE(grown.links(target) == want);
                ++pruned;
                const links_t wrong = kept(true);
                ordered += want != wrong ? 1 : 0;
                others += std::is_permutation(want.begin(), want.end(), wrong.begin(), wrong.end()) ? 0 : 1;
            }
        }
    }
    REQUIRE(pruned > 100);
    CAPTURE(ordered, others);
    REQUIRE(ordered > 100);
    REQUIRE(others > 10);
}
