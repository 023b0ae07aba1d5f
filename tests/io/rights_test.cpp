// SPDX-License-Identifier: MIT
// Who may read what is saved: nobody whom the old file shut out, at no moment; and all who could, as far as the saver
// may allow it.
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#if defined(__linux__)
#include <sys/xattr.h>
#endif

#include "io/support.hpp"
#include "support/catch.hpp"

using namespace io_test;

namespace {

struct ::stat status_of(const std::filesystem::path& path) {
    struct ::stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status;
}
mode_t mode_of(const std::filesystem::path& path) { return status_of(path).st_mode & 07777U; }

/// file_calls that keep what the new file may be used for, after each call that was made for it.
struct watching_calls : file_calls {
    static inline std::vector<mode_t> modes;
    static inline std::function<void()> meanwhile;  // at the first write

    static int note(handle file, int result) {
        struct ::stat status {};
        REQUIRE(::fstat(file, &status) == 0);
        modes.push_back(status.st_mode & 07777U);
        return result;
    }
    static int create(const std::filesystem::path& path, mode_t mode, handle& out) {
        const int failed = file_calls::create(path, mode, out);
        return failed != 0 ? failed : note(out, 0);
    }
    static int write(handle file, const std::byte* data, std::size_t size, std::size_t& written) {
        if (meanwhile) std::exchange(meanwhile, nullptr)();
        return note(file, file_calls::write(file, data, size, written));
    }
    static int give(handle file, const file_rights& old) { return note(file, file_calls::give(file, old)); }
};

/// The umask while it lives.
class umask_of {
  public:
    explicit umask_of(mode_t mask) : saved_(::umask(mask)) {}
    umask_of(const umask_of&) = delete;
    umask_of& operator=(const umask_of&) = delete;
    ~umask_of() { ::umask(saved_); }

  private:
    mode_t saved_;
};

/// Whether `work` returned true, done by user 65534 of group 65534 and `others`.
bool done_by_a_user(std::vector<gid_t> others, const std::function<bool()>& work) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        bool done = ::setgroups(others.size(), others.data()) == 0 && ::setgid(65534) == 0 && ::setuid(65534) == 0;
        try {
            done = done && work();
        } catch (...) {
            done = false;
        }
        ::_exit(done ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool saves(const std::filesystem::path& path) {
    const contents from;
    return refused([&] { sample(from).save(path, {.sync = false}); }) == std::nullopt;
}

#if defined(__linux__)
constexpr const char* acl = "system.posix_acl_access";
constexpr const char* inherited_acl = "system.posix_acl_default";

/// An access list as Linux keeps it: version 2; then tag, permissions and id of each entry: the owner's, that of user
/// 4321, the group's, the mask, others'.
bytes_t made_list(unsigned user_may, unsigned group_may, unsigned mask, unsigned others_may) {
    byte_writer out;
    const auto entry = [&](unsigned tag, unsigned may, std::uint32_t id) {
        out.put(static_cast<std::uint16_t>(tag)).put(static_cast<std::uint16_t>(may)).put(id);
    };
    out.put(std::uint32_t{2});
    entry(0x01, 6, ~0U);
    entry(0x02, user_may, 4321);
    entry(0x04, group_may, ~0U);
    entry(0x10, mask, ~0U);
    entry(0x20, others_may, ~0U);
    return out.take();
}
bytes_t list_of(const std::filesystem::path& path) {
    bytes_t list(1000);
    const ssize_t size = ::getxattr(path.c_str(), acl, list.data(), list.size());
    list.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return list;
}
/// False where the file system has no access lists.
bool set_list(const std::filesystem::path& path, const char* name, const bytes_t& list) {
    return ::setxattr(path.c_str(), name, list.data(), list.size(), 0) == 0;
}
#endif

}  // namespace

TEST_CASE("save: the new file is never open to more than the old one, and in the end to as many") {
    const contents from;
    const directory here;
    const umask_of no_mask(0);
    for (const mode_t mode : {0600U, 0640U, 0644U, 0400U, 0604U, 0666U, 0777U, 0060U}) {
        spill(here / "a.vic", {});
        REQUIRE(::chmod((here / "a.vic").c_str(), mode) == 0);
        watching_calls::modes.clear();
        sample(from).save_with<watching_calls>(here / "a.vic", {.sync = false});
        const auto& seen = watching_calls::modes;
        INFO("mode " << std::oct << mode);
        REQUIRE(seen.size() > 3);
        for (std::size_t i = 0; i + 1 < seen.size(); ++i) CHECK((seen[i] & ~(mode & 0600U)) == 0);
        CHECK(seen.back() == mode);
        CHECK(mode_of(here / "a.vic") == mode);
        std::filesystem::remove(here / "a.vic");
    }
    const umask_of some(026);
    sample(from).save(here / "a.vic");
    CHECK(mode_of(here / "a.vic") == 0640);
}

TEST_CASE("save: rights that change while a save goes on are those of the new file") {
    const contents from;
    const directory here;
    spill(here / "a.vic", {});
    REQUIRE(::chmod((here / "a.vic").c_str(), 0644) == 0);
    watching_calls::meanwhile = [&] { REQUIRE(::chmod((here / "a.vic").c_str(), 0600) == 0); };
    sample(from).save_with<watching_calls>(here / "a.vic", {.sync = false});
    CHECK(mode_of(here / "a.vic") == 0600);
    watching_calls::meanwhile = [&] { std::filesystem::remove(here / "a.vic"); };
    sample(from).save_with<watching_calls>(here / "a.vic", {.sync = false});
    CHECK(mode_of(here / "a.vic") == 0600);  // as it was when it was there

    watching_calls::meanwhile = [&] {
        std::filesystem::remove(here / "a.vic");
        REQUIRE(::mkfifo((here / "a.vic").c_str(), 0600) == 0);
    };
    CHECK(refused([&] { sample(from).save_with<watching_calls>(here / "a.vic", {}); }) == errc::io);
    CHECK(S_ISFIFO(status_of(here / "a.vic").st_mode));
    CHECK(here.entries() == 1);
}

TEST_CASE("save: owner and group stay where the saver may keep them, and set-id bits do not") {
    if (::geteuid() != 0) return;  // who is not root cannot make such files
    const directory here;
    for (const mode_t mode : {0640U, 0600U, 06755U}) {
        spill(here / "a.vic", {});
        REQUIRE(::chown((here / "a.vic").c_str(), 1234, 5678) == 0);
        REQUIRE(::chmod((here / "a.vic").c_str(), mode) == 0);
        REQUIRE(saves(here / "a.vic"));
        CHECK(status_of(here / "a.vic").st_uid == 1234);
        CHECK(status_of(here / "a.vic").st_gid == 5678);
        CHECK(mode_of(here / "a.vic") == (mode & 0777U));
    }
}

TEST_CASE("save: a group that cannot be kept takes its rights along, and gets none as others") {
    if (::geteuid() != 0) return;
    const directory here;
    REQUIRE(::chmod(here.path().c_str(), 0777) == 0);
    const umask_of no_mask(0);
    const auto save_over = [&](mode_t mode, std::vector<gid_t> groups) {
        std::filesystem::remove(here / "a.vic");
        spill(here / "a.vic", {});
        REQUIRE(::chown((here / "a.vic").c_str(), 1234, 5678) == 0);
        REQUIRE(::chmod((here / "a.vic").c_str(), mode) == 0);
        REQUIRE(done_by_a_user(std::move(groups), [&] { return saves(here / "a.vic"); }));
        CHECK(status_of(here / "a.vic").st_uid == 65534);  // who saves owns what is new
        return status_of(here / "a.vic").st_gid;
    };
    const std::pair<mode_t, mode_t> stranger[] = {{0640, 0600}, {0664, 0644}, {0604, 0600}, {0644, 0644}, {0652, 0600}};
    for (const auto& [mode, becomes] : stranger) {
        INFO("mode " << std::oct << mode);
        CHECK(save_over(mode, {}) == 65534);
        CHECK(mode_of(here / "a.vic") == becomes);
        CHECK(save_over(mode, {5678}) == 5678);
        CHECK(mode_of(here / "a.vic") == mode);
    }
}

#if defined(__linux__)
TEST_CASE("save: an access list is kept, or else only the owner has access") {
    const directory here;
    spill(here / "a.vic", {});
    const bytes_t list = made_list(6, 0, 6, 0);
    if (!set_list(here / "a.vic", acl, list)) return;  // the file system has none
    CHECK(mode_of(here / "a.vic") == 0660);            // the group's bits are the mask: the group itself may do nothing
    REQUIRE(saves(here / "a.vic"));
    CHECK(list_of(here / "a.vic") == list);
    CHECK(mode_of(here / "a.vic") == 0660);

    if (::geteuid() != 0) return;
    REQUIRE(::chmod(here.path().c_str(), 0777) == 0);
    REQUIRE(::chown((here / "a.vic").c_str(), 1234, 5678) == 0);
    REQUIRE(set_list(here / "a.vic", acl, made_list(0, 4, 4, 4)));  // all may read it but user 4321
    REQUIRE(done_by_a_user({}, [&] { return saves(here / "a.vic"); }));
    CHECK(list_of(here / "a.vic").empty());
    CHECK(mode_of(here / "a.vic") == 0600);
}

TEST_CASE("save: a directory's access list for new files opens no old one") {
    const directory here;
    if (!set_list(here.path(), inherited_acl, made_list(6, 6, 6, 0))) return;
    spill(here / "a.vic", {});
    CHECK_FALSE(list_of(here / "a.vic").empty());
    REQUIRE(::removexattr((here / "a.vic").c_str(), acl) == 0);
    REQUIRE(::chmod((here / "a.vic").c_str(), 0640) == 0);
    REQUIRE(saves(here / "a.vic"));
    CHECK(list_of(here / "a.vic").empty());
    CHECK(mode_of(here / "a.vic") == 0640);
    REQUIRE(saves(here / "new.vic"));
    CHECK_FALSE(list_of(here / "new.vic").empty());  // as any new file's
}
#endif
