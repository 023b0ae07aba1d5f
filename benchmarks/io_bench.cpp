// SPDX-License-Identifier: MIT
// How fast an hnsw index goes to the disk and comes back, beside the same bytes written and read plainly.
//
//     io_bench BASE.npy QUERY.npy DIRECTORY [ROUNDS]
//
// BASE and QUERY as ann_bench takes them; the index (l2, f32, degree 16, ef_construction 200) is kept in DIRECTORY as
// io_bench.vic and built only if it is not there. Each round measures all in turn; medians and ratios are printed.
// Cold: the file's pages were dropped from the page cache before. Run it on a quiet machine, on the disk that matters.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "dataset/dataset.hpp"
#include "stopwatch.hpp"
#include "vicinal/hnsw.hpp"

namespace {

using index_type = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;
using path = std::filesystem::path;
using bench::stopwatch;

[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "io_bench: %s\n", what.c_str());
    std::exit(1);
}

/// A file with one write after the other, as little as durability asks: write, sync, rename.
void write_plainly(const path& to, const std::vector<std::byte>& bytes, bool sync) {
    const path temporary = to.string() + ".tmp";
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) give_up("cannot write " + temporary.string());
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t n = ::write(file, bytes.data() + done, std::min<std::size_t>(bytes.size() - done, 1 << 20));
        if (n <= 0) give_up("cannot write " + temporary.string());
        done += static_cast<std::size_t>(n);
    }
    if (sync && ::fsync(file) != 0) give_up("cannot sync");
    ::close(file);
    std::filesystem::rename(temporary, to);
    if (!sync) return;
    const int directory = ::open(to.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::fsync(directory);
    ::close(directory);
}

/// Lets the disk finish what it has of a file: whoever replaces the file next would wait for that, too.
void settle(const path& file) {
    const int handle = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (handle < 0) return;
    ::fsync(handle);
    ::close(handle);
}

/// A file into fresh memory of its size.
std::size_t read_plainly(const path& from) {
    const int file = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) give_up("cannot read " + from.string());
    const auto size = static_cast<std::size_t>(std::filesystem::file_size(from));
    auto* const bytes = static_cast<char*>(std::malloc(size));
    std::size_t done = 0;
    while (done < size) {
        const ssize_t n = ::read(file, bytes + done, size - done);
        if (n <= 0) give_up("cannot read " + from.string());
        done += static_cast<std::size_t>(n);
    }
    ::close(file);
    const std::size_t seen = static_cast<std::size_t>(bytes[size / 2]) + done;
    std::free(bytes);
    return seen;
}

void drop_from_cache(const path& file) {
    const int handle = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    ::fsync(handle);
    ::posix_fadvise(handle, 0, 0, POSIX_FADV_DONTNEED);
    ::close(handle);
}

std::map<std::string, std::vector<double>> taken;

template <class Call>
void measure(const char* what, Call&& call) {
    const stopwatch watch;
    call();
    taken[what].push_back(watch.seconds());
}
double median(const char* what) {
    auto& all = taken.at(what);
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
}

void compare(const char* ours, const char* plain, double mebibytes) {
    std::printf("%-20s %9.2f ms  %7.0f MiB/s   %-20s %9.2f ms  %7.0f MiB/s   speed %5.1f %%\n", ours,
                1e3 * median(ours), mebibytes / median(ours), plain, 1e3 * median(plain), mebibytes / median(plain),
                100 * median(plain) / median(ours));
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 4) give_up("usage: io_bench BASE.npy QUERY.npy DIRECTORY [ROUNDS]");
    const path folder = argv[3];
    const path file = folder / "io_bench.vic";
    const path copy = folder / "io_bench.copy";
    const int rounds = argc > 4 ? std::atoi(argv[4]) : 7;
    const auto queries = bench::read_vectors(argv[2]);
    if (!std::filesystem::exists(file)) {
        const auto base = bench::read_vectors(argv[1]);
        index_type built(base.dim);
        std::vector<std::uint64_t> ids(base.rows);
        for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i;
        built.add(ids, vicinal::matrix_view<const float>(base.values.data(), base.rows, base.dim));
        built.save(file);
    }
    const index_type index = index_type::load(file);
    std::vector<std::byte> bytes;
    index.save(bytes);
    const double mebibytes = static_cast<double>(bytes.size()) / (1 << 20);
    std::vector<vicinal::neighbor<>> room(10);
    double sum = 0;
    const auto ask = [&](const index_type& from) {
        for (std::size_t q = 0; q < std::min<std::size_t>(1000, queries.rows); ++q) {
            from.search(queries[q], std::span(room), {.ef = 64});
            sum += double{room[0].distance};
        }
    };
    write_plainly(copy, bytes, true);
    for (int round = 0; round < rounds; ++round) {
        measure("plain write, sync", [&] { write_plainly(copy, bytes, true); });
        measure("save, sync", [&] { index.save(copy); });
        measure("plain write", [&] { write_plainly(copy, bytes, false); });
        settle(copy);
        measure("save", [&] { index.save(copy, {.sync = false}); });
        settle(copy);
        drop_from_cache(file);
        measure("plain read, cold", [&] { sum += static_cast<double>(read_plainly(file)); });
        drop_from_cache(file);
        measure("load, cold", [&] { sum += static_cast<double>(index_type::load(file).size()); });
        measure("plain read, warm", [&] { sum += static_cast<double>(read_plainly(file)); });
        measure("load, warm", [&] { sum += static_cast<double>(index_type::load(file).size()); });
        const index_type loaded = index_type::load(file);
        measure("view", [&] { sum += static_cast<double>(index_type::view(file).size()); });
        const index_type view = index_type::view(file);
        // First the one that comes first, then the other.
        if (round % 2 == 0) measure("1000 queries, view", [&] { ask(view); });
        measure("1000 queries, loaded", [&] { ask(loaded); });
        if (round % 2 != 0) measure("1000 queries, view", [&] { ask(view); });
    }
    std::printf("%s: %zu rows of dimension %zu, %zu bytes; medians of %d rounds\n", argv[1], index.size(), index.dim(),
                bytes.size(), rounds);
    compare("save, sync", "plain write, sync", mebibytes);
    compare("save", "plain write", mebibytes);
    compare("load, cold", "plain read, cold", mebibytes);
    compare("load, warm", "plain read, warm", mebibytes);
    compare("1000 queries, view", "1000 queries, loaded", 0);
    std::printf("view opens in %.3f ms\n", 1e3 * median("view"));
    std::filesystem::remove(copy);
    return sum == 0 ? 1 : 0;
} catch (const std::exception& e) {
    give_up(e.what());
}
