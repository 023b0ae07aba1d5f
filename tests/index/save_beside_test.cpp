// SPDX-License-Identifier: MIT
// A save lasts as long as its disk takes. Changes wait for it; searches do not, whether or not a change is waiting.
#include <atomic>
#include <chrono>
#include <future>
#include <ostream>
#include <streambuf>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using namespace std::chrono_literals;

const dataset rows = gaussian(300, 4, 4);

/// A disk that stands still from its first write until it is released.
class stuck_disk : public std::streambuf {
  public:
    void wait_until_stuck() { stuck_.get_future().wait(); }
    void release() { released_.set_value(); }

  private:
    std::streamsize xsputn(const char*, std::streamsize n) override {
        if (!waited_) {
            waited_ = true;
            stuck_.set_value();
            released_.get_future().wait();
        }
        return n;
    }
    int_type overflow(int_type c) override { return c; }

    bool waited_ = false;
    std::promise<void> stuck_;
    std::promise<void> released_;
};

template <class Index>
void search_beside_a_save() {
    Index index(4);
    index.add(numbered<std::uint64_t>(300), rows.view());
    stuck_disk disk;
    std::thread saver([&] {
        std::ostream out(&disk);
        index.save(out);
    });
    disk.wait_until_stuck();
    std::atomic<bool> added{false};
    std::thread writer([&] {
        index.add(1000, rows[0]);
        added = true;
    });
    std::this_thread::sleep_for(50ms);  // for the writer to come and wait
    auto found = std::async(std::launch::async, [&] { return index.search(rows[1], 3).size() + index.size(); });
    const bool answered = found.wait_for(20s) == std::future_status::ready;
    CHECK_FALSE(added);
    disk.release();
    saver.join();
    writer.join();
    CHECK(answered);
    CHECK(found.get() == 303);
    CHECK(index.size() == 301);
}

}  // namespace

TEST_CASE("save: searches go on while it writes, with a change waiting for it, too") {
    search_beside_a_save<vicinal::flat_index<>>();
    search_beside_a_save<vicinal::ivf_index<>>();
    search_beside_a_save<vicinal::hnsw_index<vicinal::l2, vicinal::f32>>();
}
