// SPDX-License-Identifier: MIT
// Search among the articles that are in German and cost less than 50, while another thread adds articles, changes
// prices and removes what is sold. Each property has a set of ids.
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>
#include <vicinal/hnsw.hpp>

#include "support.hpp"

namespace {

using ids = vicinal::id_set<std::uint64_t>;

/// Which articles have which property. A set changes in place, so who reads it shares a lock with who changes it; what
/// a search filters by is made under the lock and used without it.
class properties {
  public:
    void set(std::uint64_t id, bool german, double price) {
        const std::lock_guard lock(mutex_);
        german ? german_.insert(id) : german_.erase(id);
        price < 50 ? below_50_.insert(id) : below_50_.erase(id);
    }
    void erase(std::uint64_t id) { set(id, false, 50); }
    [[nodiscard]] ids german_below_50() const {
        const std::lock_guard lock(mutex_);
        return german_ & below_50_;
    }

  private:
    mutable std::mutex mutex_;
    ids german_, below_50_;
};

}  // namespace

int main() {
    constexpr std::size_t count = 4000, dim = 16;
    const auto values = some_vectors(2 * count, dim);
    const vicinal::matrix_view rows(values, dim);
    vicinal::hnsw_index<vicinal::l2> index(dim);
    properties about;
    for (std::uint64_t id = 0; id < count; ++id) {
        about.set(id, id % 3 == 0, static_cast<double>(id % 100));
        index.add(id, rows[id]);
    }

    // The writer: an article is described before it can be found, and forgotten once it cannot.
    std::thread writer([&] {
        for (std::uint64_t id = 0; id < 300; ++id) {
            about.set(count + id, true, 20);
            index.add(count + id, rows[count + id]);
            about.set(id, id % 3 == 0, 99);  // dearer now
            index.remove(1000 + id);
            about.erase(1000 + id);
        }
    });
    // Readers go on meanwhile: the set says how many articles it admits, so each search knows how to go about it.
    std::size_t found = 0;
    for (std::size_t query = 0; query < 200; ++query) {
        const ids wanted = about.german_below_50();
        for (const auto& hit : index.search(rows[query], 10, {.filter = wanted})) {
            expect(wanted.contains(hit.id), "nothing else");
            ++found;
        }
    }
    writer.join();
    expect(found == 2000, "ten of each, whatever changed");

    const ids wanted = about.german_below_50();
    const auto hits = index.search(rows[count], 10, {.filter = wanted});
    std::printf("%zu of %zu articles are in German below 50; closest: %d\n", wanted.size(), index.size(),
                static_cast<int>(hits[0].id));
    expect(hits[0].id == count, "what the writer added is found");
    expect(!wanted.contains(3) && !wanted.contains(1002), "what is dearer, or sold, is not");
}
