// SPDX-License-Identifier: MIT
// What damage does to files of every type: any accident is refused; what a forger signs is refused or a sound index;
// and a view of whatever bytes there are can be asked anything. Set VICINAL_TEST_LONG=1 for every bit of every byte in
// every way (scripts/file_campaign.sh); the short form visits every byte, with one of the nine changes, in one of the
// ways.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>

#include "contract/index_contract.hpp"
#include "support/reduced.hpp"
#include "support/temporary.hpp"
#include "vicinal/io/format.hpp"
#include "vicinal/io/reader.hpp"

namespace {

using namespace vicinal_test;
using vicinal::detail::crc32c;
using vicinal::detail::load_le;
using vicinal::detail::store_le;

bool long_form() { return std::getenv("VICINAL_TEST_LONG") != nullptr; }

/// A small file of the type: at most 4 KiB, in a graph with a row on an upper level.
bytes_t small_file(const subject& s) {
    bytes_t bytes;
    for (std::uint64_t first = 100; first < 200; first += 7) {
        constexpr std::size_t rows = 10;
        const index_ptr index = s.make(3);
        index->train(clustered(130, 3, 3, 3, 9).view());        // three lists
        const auto ids = numbered<std::uint64_t>(rows, first);  // a bit apart, so that a change makes two the same
        dataset vectors = clustered(rows, 3, 3);
        std::copy_n(vectors[0].begin(), 3, vectors[rows - 1].begin());  // graphs keep copies apart
        index->add(ids, vectors.view());
        index->remove(ids[4]);
        bytes = index->save();
        const std::string text(reinterpret_cast<const char*>(bytes.data()), 600);
        const std::size_t upper = text.find("LNKU");
        if (upper == std::string::npos || load_le<std::uint64_t>(&bytes[upper + 16]) != 0) break;
    }
    REQUIRE(bytes.size() <= 4096);
    return bytes;
}

/// Makes every checksum good again, as far as what it covers lies in the file.
void sign(bytes_t& file) {
    const std::size_t count = std::min<std::size_t>(load_le<std::uint32_t>(&file[44]), (file.size() - 128) / 32);
    for (std::size_t at = 128; at < 128 + 32 * count; at += 32) {
        const auto offset = load_le<std::uint64_t>(&file[at + 8]);
        const auto length = load_le<std::uint64_t>(&file[at + 16]);
        if (offset > file.size() || length > file.size() - offset) continue;
        store_le(&file[at + 24], crc32c(0, std::span(file).subspan(static_cast<std::size_t>(offset),
                                                                   static_cast<std::size_t>(length))));
    }
    store_le(&file[120], crc32c(0, std::span(file).subspan(128, 32 * count)));
    store_le(&file[124], crc32c(0, std::span(file).first(124)));
}

/// Where a section of a whole file begins, and its bytes.
std::pair<std::size_t, std::size_t> section_of(const bytes_t& file, const char* type) {
    for (std::size_t at = 128; at < 128 + 32 * load_le<std::uint32_t>(&file[44]); at += 32)
        if (std::equal(type, type + 4, reinterpret_cast<const char*>(&file[at])))
            return {static_cast<std::size_t>(load_le<std::uint64_t>(&file[at + 8])),
                    static_cast<std::size_t>(load_le<std::uint64_t>(&file[at + 16]))};
    FAIL("no section " << type);
    return {};
}

/// The ways into an index, each over the same bytes.
class doors {
  public:
    static constexpr std::size_t count = 4;
    explicit doors(const subject& s) : subject_(s) {
        handle_ = ::open((folder_ / "a.vic").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        REQUIRE(handle_ >= 0);
    }
    doors(const doors&) = delete;
    doors& operator=(const doors&) = delete;
    ~doors() { ::close(handle_); }

    /// Opens `file` by way `door`; a view is not verified.
    index_ptr open(std::size_t door, const bytes_t& file) {
        if (door == 0) return subject_.load(std::span<const std::byte>(file));
        if (door == 1) {
            std::istringstream in(std::string(reinterpret_cast<const char*>(file.data()), file.size()),
                                  std::ios::binary);
            return subject_.load(in);
        }
        if (::ftruncate(handle_, static_cast<off_t>(file.size())) != 0 ||
            ::pwrite(handle_, file.data(), file.size(), 0) != static_cast<ssize_t>(file.size()))
            FAIL("cannot write");
        return door == 2 ? subject_.load(folder_ / "a.vic") : subject_.view(folder_ / "a.vic");
    }
    /// The code of the error by which that way refuses `file`, a view at the latest when it is verified.
    std::string verdict(std::size_t door, const bytes_t& file) {
        try {
            const index_ptr index = open(door, file);
            index->verify();
        } catch (const vicinal::error& e) {
            return std::string(vicinal::to_string(e.code()));
        }
        return "let in";
    }
    /// Requires that `file` is refused as damaged: in every way, or in the short form in one of them.
    void require_refused(const bytes_t& file) {
        if (long_form()) {
            for (std::size_t door = 0; door < count; ++door) REQUIRE(verdict(door, file) == "corrupt_file");
        } else {
            REQUIRE(verdict(turn_++ % count, file) == "corrupt_file");
        }
        ++refused;
    }
    /// Requires that a file that goes on behind its end is refused in all ways but in a stream, which may go on.
    void require_refused_but_in_streams(const bytes_t& file) {
        for (std::size_t door = 0; door < count; ++door)
            if (long_form() || door == turn_ % count)
                REQUIRE(verdict(door, file) == (door == 1 ? "let in" : "corrupt_file"));
        ++turn_;
    }
    /// Requires that loads refuse what is signed: views look at it only when they are asked.
    void require_refused_by_loads(const bytes_t& file) {
        for (std::size_t door = 0; door + 1 < count; ++door) REQUIRE(verdict(door, file) == "corrupt_file");
    }
    std::size_t refused = 0;

  private:
    const subject& subject_;
    temporary_directory folder_;
    int handle_ = -1;
    std::size_t turn_ = 0;
};

/// Calls f(changed file) for each bit of each byte and for each whole byte; in the short form for one of these nine.
template <class F>
void for_each_flip(const bytes_t& file, F&& f) {
    bytes_t changed = file;
    for (std::size_t i = 0; i < file.size(); ++i)
        for (std::size_t flip = 0; flip < 9; ++flip) {
            if (!long_form() && flip != (i + i / 9) % 9) continue;
            const unsigned mask = flip == 8 ? 255U : 1U << flip;
            changed[i] ^= static_cast<std::byte>(mask);
            INFO("byte " << i << " xor " << mask);
            f(changed);
            changed[i] = file[i];
        }
}

/// Asks for this and that, `times` times; what comes back may be anything. Errors of the library are fine.
void ask(const any_index& index, std::size_t times) {
    const dataset queries = gaussian(times, index.dim(), 8);
    for (std::size_t q = 0; q < times; ++q) try {
            asking how;
            how.everything = q % 2 == 1;
            if (q % 5 == 0) how.filter = [](std::uint64_t id) { return id % 2 == 0; };
            static_cast<void>(index.search(queries[q], 1 + q % 12, how));
            if (q % 10 != 0) continue;
            static_cast<void>(index.search_within(queries[q], 3.0F));
            for (const auto& hit : index.nearest(queries[q])) static_cast<void>(hit);
            static_cast<void>(index.contains(103) && index.get(103).empty());
        } catch (const vicinal::error&) {
        }
}

}  // namespace

TEST_CASE("corruption: every change of a bit or a byte is refused") {
    FOR_EVERY_INDEX(s);
    const bytes_t file = small_file(s);
    doors ways(s);
    for (std::size_t door = 0; door < doors::count; ++door) REQUIRE(ways.verdict(door, file) == "let in");
    for_each_flip(file, [&](const bytes_t& changed) { ways.require_refused(changed); });
    REQUIRE(ways.refused == file.size() * (long_form() ? 9 : 1));
}

TEST_CASE("corruption: every truncation, every extension to 64 bytes, every lost or misplaced sector is refused") {
    FOR_EVERY_INDEX(s);
    const bytes_t file = small_file(s);
    doors ways(s);
    for (std::size_t size = 0; size < file.size(); ++size)
        ways.require_refused({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)});
    for (const std::byte fill : {std::byte{0}, std::byte{0xA5}})
        for (std::size_t more = 1; more <= 64; ++more) {
            bytes_t longer = file;
            longer.resize(file.size() + more, fill);
            ways.require_refused_but_in_streams(longer);
        }
    const auto sector = [](bytes_t& of, std::size_t i) {
        return std::span(of).subspan(512 * i, std::min<std::size_t>(512, of.size() - 512 * i));
    };
    for (std::size_t i = 0; 512 * i < file.size(); ++i) {
        bytes_t lost = file;
        std::ranges::fill(sector(lost, i), std::byte{0});
        if (lost != file) ways.require_refused(lost);
        for (std::size_t j = 0; j < i; ++j) {
            bytes_t swapped = file;
            const auto a = sector(swapped, i);
            std::swap_ranges(a.begin(), a.end(), sector(swapped, j).begin());
            if (swapped != file) ways.require_refused(swapped);
        }
    }
}

TEST_CASE("corruption: what a forger signs is refused, or a sound index that bears a hundred searches and changes") {
    FOR_EVERY_INDEX(s);
    const bytes_t file = small_file(s);
    doors ways(s);
    std::size_t let_in = 0;
    std::size_t turn = 0;
    for_each_flip(file, [&](const bytes_t& changed) {
        bytes_t forged = changed;
        sign(forged);
        index_ptr index;
        try {
            index = ways.open(turn++ % 3, forged);
        } catch (const vicinal::error&) {
            return;
        }
        ++let_in;
        REQUIRE(index->check().ok());
        std::copy_n(&file[10], 2, &forged[10]);  // but for a later minor version and what it may add: we write our own
        std::copy_n(&file[48], 4, &forged[48]);
        sign(forged);
        REQUIRE(difference(index->save(), forged) == "none");
        const dataset query = gaussian(1, index->dim(), 8);
        REQUIRE(index->search_within(query[0], std::numeric_limits<float>::infinity()).size() == index->size());
        ask(*index, 100);
        // What was let in must be as good as any: it can be changed, saved and loaded.
        if (let_in % 8 == 0) {
            const dataset more = clustered(3, index->dim(), 3, 3, 5);
            for (std::size_t i = 0; i < 3; ++i) try {
                    index->add(1000 + i, more[i]);
                } catch (const vicinal::error&) {  // too long for a forged range
                }
            for (std::uint64_t id = 100; id < 140; id += 6) index->remove(id);
            REQUIRE(index->check().ok());
            const bytes_t again = index->save();
            REQUIRE(difference(s.load(std::span<const std::byte>(again))->save(), again) == "none");
        }
    });
    REQUIRE(let_in > 20);  // ids, seeds and most of the vectors may be anything
}

TEST_CASE("corruption: a row is live, or retired without an id, whoever signs otherwise") {
    FOR_EVERY_INDEX(s);
    filled f(s, clustered(50, 3, 2), 100);
    f.index->remove(f.ids[1]);  // among so many, a graph keeps its row for a while
    const bytes_t file = f.index->save();
    doors ways(s);
    const auto [first, rows] = section_of(file, "STAT");
    const std::size_t ids = section_of(file, "IDS_").first;
    const std::size_t live = section_of(file, "LIVE").first;
    std::size_t retired = 0;
    for (std::size_t row = 0; row < rows; ++row) {
        const bool was_live = file[first + row] == std::byte{1};
        retired += was_live ? 0 : 1;
        for (unsigned state = 2; state < 256; state += 46) {
            bytes_t forged = file;
            forged[first + row] = static_cast<std::byte>(state);
            store_le(&forged[live], load_le<std::uint64_t>(&file[live]) - (was_live ? 1 : 0));
            store_le(&forged[ids + 8 * row], std::uint64_t{state == 2 ? 42U : 0U});
            sign(forged);
            ways.require_refused_by_loads(forged);
        }
    }
    // The row of a vector that others have, too, is one of theirs from then on.
    const vicinal::detail::file_image image(vicinal::detail::read_span(file));
    if (!image.has(vicinal::detail::section_type("COPY"))) REQUIRE(retired == (s.kind == "hnsw" ? 1 : 0));
    REQUIRE(retired <= 1);
}

TEST_CASE("corruption: a view of any bytes can be searched, checked, saved and verified") {
    FOR_EVERY_INDEX(s);
    const bytes_t file = small_file(s);
    doors ways(s);
    std::size_t opened = 0;
    std::size_t turn = 0;
    for_each_flip(file, [&](const bytes_t& changed) {
        ++turn;
        for (const bool signed_again : {false, true}) {
#if defined(VICINAL_TEST_REDUCED)
            if (!long_form() && signed_again != (turn % 2 == 0)) continue;
#endif
            bytes_t forged = changed;
            if (signed_again) sign(forged);
            index_ptr view;
            try {
                view = ways.open(3, forged);
            } catch (const vicinal::error&) {
                continue;
            }
            ++opened;
            static_cast<void>(view->check());
            static_cast<void>(view->memory());
            ask(*view, 11);
            try {
                view->verify();
                REQUIRE(signed_again);
                REQUIRE(view->save().size() == forged.size());
            } catch (const vicinal::error& e) {
                REQUIRE(e.code() == vicinal::errc::corrupt_file);
            }
        }
    });
    REQUIRE(opened > 200);
}
