// SPDX-License-Identifier: MIT
// What killed savers leave is taken away by the next save to the same path; what somebody is still writing is not.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "io/support.hpp"
#include "support/catch.hpp"

using namespace io_test;

namespace {

/// A file whose writer calls `meanwhile` when half of it is written.
section_writer interrupted(std::function<void()> meanwhile) {
    section_writer writer(sample_header());
    writer.add_streamed<float>(codes, 200000, [meanwhile = std::move(meanwhile)](const element_writer<float>& sink) {
        const std::vector<float> half(100000, 1.5F);
        sink(half);
        meanwhile();
        sink(half);
    });
    return writer;
}
section_writer plain() {
    section_writer writer(sample_header());
    writer.add_bytes(params, bytes_t(3));
    return writer;
}

/// Saves to `path` in a process that is killed meanwhile.
template <class Calls = file_calls>
void save_and_die(const std::filesystem::path& path) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        try {
            const section_writer writer = interrupted([] { ::raise(SIGKILL); });
            writer.save_with<Calls>(path, {.sync = false});
        } catch (...) {
        }
        ::_exit(1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
}

std::size_t temporaries(const directory& in) {
    const auto all = std::filesystem::directory_iterator(in.path());
    return static_cast<std::size_t>(
        std::count_if(begin(all), end(all), [](const auto& entry) { return entry.path().extension() == ".tmp"; }));
}

std::filesystem::file_time_type long_ago() {
    return std::filesystem::file_time_type::clock::now() - std::chrono::hours(25);
}

/// Another machine, or a container with a name of its own.
struct other_host : file_calls {
    static std::string host() { return "elsewhere"; }
};

/// A file system that does not know locks.
struct no_locks : file_calls {
    static int hold(handle, const std::filesystem::path&, handle&) { return ENOLCK; }
};

/// A sweep comes between the making of a file and its lock.
struct late_lock : file_calls {
    static inline std::function<void()> before;
    static inline int created = 0;
    static int create(const std::filesystem::path& path, mode_t mode, handle& out) {
        ++created;
        return file_calls::create(path, mode, out);
    }
    static int hold(handle file, const std::filesystem::path& path, handle& out) {
        if (before) std::exchange(before, nullptr)();
        return file_calls::hold(file, path, out);
    }
};

/// Somebody else saves just before a new file is put in place.
struct late_rename : file_calls {
    static inline std::function<void()> before;
    static int replace(const std::filesystem::path& from, const std::filesystem::path& to) {
        if (before) std::exchange(before, nullptr)();
        return file_calls::replace(from, to);
    }
};

/// A file system that does not rename what is open.
struct stubborn : file_calls {
    static inline int open = 0;
    static int create(const std::filesystem::path& path, mode_t mode, handle& out) {
        open = 1;
        return file_calls::create(path, mode, out);
    }
    static int hold(handle file, const std::filesystem::path& path, handle& out) {
        ++open;
        return file_calls::hold(file, path, out);
    }
    static int close(handle file) {
        --open;
        return file_calls::close(file);
    }
    static int replace(const std::filesystem::path& from, const std::filesystem::path& to) {
        return open > 0 ? EACCES : file_calls::replace(from, to);
    }
};

}  // namespace

TEST_CASE("save: what killed savers left is taken away by the next save to that path, and by no other") {
    const directory here;
    plain().save(here / "a.vic");
    for (int kill = 0; kill < 3; ++kill) {
        save_and_die(here / "a.vic");
        CHECK(temporaries(here) == 1);  // a saver sweeps, too, before it is killed
    }
    plain().save(here / "b.vic");
    CHECK(temporaries(here) == 1);
    std::filesystem::create_symlink("a.vic", here / "link");
    plain().save(here / "link", {.sync = false});
    CHECK(temporaries(here) == 0);
    CHECK(here.entries() == 3);
    CHECK(slurp(here / "a.vic") == plain().to_bytes());
    for (const mode_t mode : {0600U, 0444U, 0000U}) {  // as the file is that was not replaced
        REQUIRE(::chmod((here / "a.vic").c_str(), mode) == 0);
        save_and_die(here / "a.vic");
        REQUIRE(temporaries(here) == 1);
        plain().save(here / "a.vic");
        if (mode != 0 || ::geteuid() == 0) CHECK(temporaries(here) == 0);
    }
}

TEST_CASE("save: a file that another saver writes is left alone, in this process and in another") {
    const directory here;
    const auto save_twice_meanwhile = [&] {
        plain().save(here / "a.vic");
        plain().save(here / "a.vic", {.sync = false});
        REQUIRE(slurp(here / "a.vic") == plain().to_bytes());
        REQUIRE(temporaries(here) == 1);
    };
    const auto long_one = interrupted(save_twice_meanwhile);
    REQUIRE(refused([&] { long_one.save(here / "a.vic"); }) == std::nullopt);
    CHECK(std::filesystem::file_size(here / "a.vic") == long_one.length());
    CHECK(here.entries() == 1);

    int begun[2];
    int go_on[2];
    REQUIRE(::pipe(begun) == 0);
    REQUIRE(::pipe(go_on) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        char byte = 0;
        const auto wait = [&] {
            if (::write(begun[1], "", 1) != 1 || ::read(go_on[0], &byte, 1) != 1) ::_exit(2);
        };
        ::_exit(refused([&] { interrupted(wait).save(here / "a.vic"); }) == std::nullopt ? 0 : 1);
    }
    char byte = 0;
    REQUIRE(::read(begun[0], &byte, 1) == 1);
    save_twice_meanwhile();
    REQUIRE(::write(go_on[1], "", 1) == 1);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    for (const int end : {begun[0], begun[1], go_on[0], go_on[1]}) ::close(end);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    CHECK(std::filesystem::file_size(here / "a.vic") == long_one.length());
    CHECK(here.entries() == 1);
}

TEST_CASE("save: a large directory is looked through now and then") {
    const directory here;
    for (int i = 0; i < 2000; ++i) spill(here / (std::string(100, 'x') + std::to_string(i)), {});
    save_and_die(here / "a.vic");
    for (int i = 0; i < 300 && temporaries(here) != 0; ++i) plain().save(here / "a.vic", {.sync = false});
    CHECK(temporaries(here) == 0);
}

TEST_CASE("save: a file is held until it has its name") {
    const directory here;
    for (const bool sync : {true, false}) {
        late_rename::before = [&] { plain().save(here / "a.vic"); };
        const auto writer = interrupted([] {});
        REQUIRE(refused([&] { writer.save_with<late_rename>(here / "a.vic", {.sync = sync}); }) == std::nullopt);
        CHECK(std::filesystem::file_size(here / "a.vic") == writer.length());
        CHECK(here.entries() == 1);
    }
}

TEST_CASE("save: a file that cannot be renamed while it is held is let go") {
    const directory here;
    CHECK(refused([&] { plain().save_with<stubborn>(here / "a.vic", {.sync = false}); }) == std::nullopt);
    CHECK(here.entries() == 1);
    CHECK(stubborn::open == 0);
}

TEST_CASE("save: a file that is swept away before it is locked is made again") {
    const directory here;
    for (const bool sync : {true, false}) {
        late_lock::created = 0;
        late_lock::before = [&] { plain().save(here / "a.vic"); };
        REQUIRE(refused([&] { plain().save_with<late_lock>(here / "a.vic", {.sync = sync}); }) == std::nullopt);
        CHECK(late_lock::created == 2);
        CHECK(here.entries() == 1);
    }
    // The sweep holds the lock, but has not removed the file yet.
    late_lock::created = 0;
    int swept = -1;
    late_lock::before = [&] {
        for (const auto& entry : std::filesystem::directory_iterator(here.path()))
            if (entry.path().extension() == ".tmp") swept = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
        REQUIRE(::flock(swept, LOCK_EX | LOCK_NB) == 0);
    };
    REQUIRE(refused([&] { plain().save_with<late_lock>(here / "a.vic", {}); }) == std::nullopt);
    ::close(swept);
    CHECK(late_lock::created == 2);
    CHECK(here.entries() == 1);
}

TEST_CASE("save: where there are no locks nothing is swept away") {
    const directory here;
    const auto long_one = interrupted([&] {
        plain().save(here / "a.vic");
        REQUIRE(temporaries(here) == 1);
    });
    REQUIRE(refused([&] { long_one.save_with<no_locks>(here / "a.vic", {}); }) == std::nullopt);
    CHECK(here.entries() == 1);
    save_and_die<no_locks>(here / "a.vic");
    plain().save(here / "a.vic");
    CHECK(temporaries(here) == 1);
}

TEST_CASE("save: what another host's saver left is taken away after a day: its lock might not be seen here") {
    const directory here;
    save_and_die<other_host>(here / "a.vic");
    plain().save(here / "a.vic");
    REQUIRE(temporaries(here) == 1);
    for (const auto& entry : std::filesystem::directory_iterator(here.path()))
        std::filesystem::last_write_time(entry.path(), long_ago());
    plain().save(here / "a.vic");
    CHECK(temporaries(here) == 0);
}

TEST_CASE("save: what only has the name of a temporary file is neither waited for nor followed") {
    const directory here;
    save_and_die(here / "a.vic");
    std::filesystem::path left;
    for (const auto& entry : std::filesystem::directory_iterator(here.path())) left = entry.path();
    spill(here / "precious", bytes_t(5));
    const auto saves = [&] {
        ::alarm(10);
        plain().save(here / "a.vic");
        ::alarm(0);
    };
    std::filesystem::remove(left);
    REQUIRE(::mkfifo(left.c_str(), 0600) == 0);
    saves();
    CHECK(std::filesystem::is_fifo(left));
    std::filesystem::remove(left);
    std::filesystem::create_symlink("precious", left);
    saves();
    CHECK(std::filesystem::is_symlink(left));
    CHECK(slurp(here / "precious") == bytes_t(5));
    std::filesystem::remove(left);
    const std::string name = left.filename().string();
    for (const std::string& similar :
         {name + "x", name.substr(0, name.size() - 4), "x" + name, name.substr(0, 30) + ".tmp"}) {
        spill(here / similar, {});
        std::filesystem::last_write_time(here / similar, long_ago());
        saves();
        CHECK(std::filesystem::exists(here / similar));
    }
}

TEST_CASE("save: savers of one path, side by side and killed, end with one whole file and no other") {
    const directory here;
    std::atomic<int> failed{0};
    for (int round = 0; round < 3; ++round) {
        save_and_die(here / "a.vic");
        std::vector<std::thread> savers;
        for (int t = 0; t < 4; ++t)
            savers.emplace_back([&] {
                for (int i = 0; i < 40; ++i)
                    failed += refused([&] { plain().save(here / "a.vic", {.sync = false}); }) == std::nullopt ? 0 : 1;
            });
        for (auto& saver : savers) saver.join();
        CHECK(here.entries() == 1);
    }
    CHECK(failed == 0);
    CHECK(slurp(here / "a.vic") == plain().to_bytes());
}
