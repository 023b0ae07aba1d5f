// SPDX-License-Identifier: MIT
// Files replaced while somebody has them, under any name, on every system: this file runs on Windows, too.
#include "io/support.hpp"
#include "support/catch.hpp"

using namespace io_test;

namespace {

contents other_contents() {
    contents other;
    other.values[0] = 99.0F;
    return other;
}

/// Saves over a file that somebody has. Where the system replaces no such file it must say why, and leave the old one.
void replace(const std::filesystem::path& path, const contents& old) {
    const contents other = other_contents();
    std::string message;
    const auto failed = refused([&] { sample(other).save(path); }, &message);
    if (!failed.has_value()) {
        CHECK(is_sample(file_image(read_path(path)), other));
        return;
    }
#if !defined(_WIN32)
    FAIL("save failed: " << message);
#endif
    CHECK(*failed == errc::io);
    CHECK_THAT(message, vicinal_test::contains("it is open, mapped or a mount point"));
    CHECK(is_sample(file_image(read_path(path)), old));
}

std::vector<std::filesystem::path> temporaries(const directory& in) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(in.path()))
        if (entry.path().extension() == ".tmp") found.push_back(entry.path());
    return found;
}

}  // namespace

TEST_CASE("save: a file that is mapped or open is replaced or said to be in use, and the map stays whole") {
    const contents from;
    const directory here;
    const auto path = here / "a.vic";
    sample(from).save(path);
    {
        const file_image view(map_path(path), checksums::later);
        replace(path, from);
        CHECK(is_sample(view, from));
        CHECK(here.entries() == 1);
    }
    sample(from).save(path);
    {
        const input_file open(path);
        replace(path, from);
        CHECK(here.entries() == 1);
    }
    sample(other_contents()).save(path);  // nobody has it any more
    CHECK(is_sample(file_image(map_path(path), checksums::later), other_contents()));
}

TEST_CASE("save: names and directories may be in any language") {
    const contents from;
    const directory here;
    const auto folder = here.path() / std::filesystem::path(u8"\u00D6rter \u4F4D\u7F6E");
    std::filesystem::create_directory(folder);
    const auto path = folder / std::filesystem::path(u8"n\u00E4chste \u8FD1.vic");
    sample(from).save(path);
    sample(from).save(path);
    CHECK(is_sample(file_image(read_path(path)), from));
    CHECK(is_sample(file_image(map_path(path), checksums::later), from));
    std::string message;
    CHECK(refused([&] { static_cast<void>(map_path(folder / std::filesystem::path(u8"\u8FDC"))); }, &message) ==
          errc::io);
    CHECK_THAT(message, vicinal_test::contains("\xE8\xBF\x9C"));
}

TEST_CASE("save: what a killed saver left goes with the next save, what a saver has open stays") {
    const contents from;
    const directory here;
    const auto path = here / "a.vic";
    std::filesystem::path left;
    {
        const atomic_file saver(path, {});
        REQUIRE(temporaries(here).size() == 1);
        left = temporaries(here).front();
        sample(from).save(path);
        CHECK(temporaries(here) == std::vector{left});
    }
    CHECK(temporaries(here).empty());
    std::ofstream(left, std::ios::binary) << "half a file";
    sample(from).save(here / "b.vic");
    CHECK(temporaries(here) == std::vector{left});  // it is another path's
    sample(from).save(path);
    CHECK(temporaries(here).empty());
}
