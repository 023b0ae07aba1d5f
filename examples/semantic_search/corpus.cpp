// SPDX-License-Identifier: MIT
#include "corpus.hpp"

#include <algorithm>      // for sort
#include <cstdio>         // for fprintf
#include <functional>     // for function
#include <iterator>       // for make_move_iterator
#include <stdexcept>      // for runtime_error
#include <string_view>    // for string_view
#include <unordered_set>  // for unordered_set

#include "debian.hpp"
#include "files.hpp"
#include "json_lines.hpp"

namespace demo {
namespace {

namespace fs = std::filesystem;

using documents = std::vector<document>;

/// Calls `use(line)` for every line that is not blank; an error is rethrown with the line's number.
void for_each_line(std::string_view text, const std::function<void(std::string_view)>& use) {
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
        try {
            use(line);
        } catch (const std::exception& e) {
            throw std::runtime_error("line " + std::to_string(number) + ": " + e.what());
        }
    }
}

document from_tsv(std::string_view line) {
    const std::size_t tab = line.find('\t');
    document out{std::string(line.substr(0, tab)), {}};
    if (tab != std::string_view::npos) out.text = line.substr(tab + 1);
    std::replace(out.text.begin(), out.text.end(), '\t', ' ');
    return out;
}

/// Title and text by the names such fields usually have; if no field is named like a text, all strings are the text.
document from_json(std::string_view line) {
    static const std::unordered_set<std::string> titles = {"title", "name", "headline", "question"};
    static const std::unordered_set<std::string> texts = {"text",     "body",    "content", "description",
                                                          "abstract", "summary", "answer"};
    document out;
    std::string others;
    for (const auto& [key, value] : parse_json_line(line)) {
        if (out.title.empty() && titles.contains(key))
            out.title = value;
        else
            (texts.contains(key) ? out.text : others) += value + " ";
    }
    if (out.text.empty()) out.text = std::move(others);
    return out;
}

bool is_json_lines(const fs::path& path) { return path.extension() == ".jsonl" || path.extension() == ".ndjson"; }

/// The documents of one file; inside a folder a plain text file is one document, alone it is one a line.
documents from_file(const fs::path& path, std::string_view text, bool in_folder) {
    documents out;
    if (path.extension() == ".tsv") {
        for_each_line(text, [&](std::string_view line) { out.push_back(from_tsv(line)); });
    } else if (is_json_lines(path)) {
        for_each_line(text, [&](std::string_view line) { out.push_back(from_json(line)); });
    } else if (in_folder) {
        out.push_back({path.filename().string(), std::string(text)});
    } else {
        for_each_line(text, [&](std::string_view line) { out.push_back({std::string(line), {}}); });
    }
    return out;
}

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

std::vector<fs::path> files_below(const fs::path& folder) {
    std::vector<fs::path> files;
    const auto options = fs::directory_options::skip_permission_denied;
    for (auto it = fs::recursive_directory_iterator(folder, options); it != fs::recursive_directory_iterator(); ++it) {
        if (is_hidden(it->path()) && it->is_directory())
            it.disable_recursion_pending();
        else if (it->is_regular_file() && !is_hidden(it->path()))
            files.push_back(it->path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

/// The text of one file. A package list that cannot be unpacked is skipped: the others still make a corpus.
std::string read_text(const fs::path& file, bool is_package_list) {
    if (!is_package_list) return read_file(file);
    try {
        return read_debian_file(file);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "  skipped: %s\n", e.what());
        return {};
    }
}

bool is_binary(std::string_view text) { return text.substr(0, 4096).find('\0') != std::string_view::npos; }

}  // namespace

source debian_packages() {
    source out{"Debian package descriptions", debian_files(), false, true};
    if (out.files.empty())
        throw std::runtime_error(
            "neither /var/lib/dpkg/status nor /var/lib/apt/lists is here; name a text to search with --corpus PATH");
    return out;
}

source source_at(const fs::path& path) {
    if (!fs::exists(path)) throw std::runtime_error("there is no " + path.string());
    const fs::path full = fs::weakly_canonical(path);
    if (fs::is_directory(full)) return {full.string(), files_below(full), true, false};
    const bool known = full.extension() == ".txt" || full.extension() == ".tsv" || is_json_lines(full);
    if (!known && !package_reader::recognises(read_file(full)))
        throw std::runtime_error(path.string() + " is not a folder, .txt, .tsv, .jsonl, .ndjson or package list");
    return {full.string(), {full}, false, false};
}

std::uint64_t fingerprint(const source& from) {
    std::string seen;
    for (const auto& file : from.files) {
        const auto modified = fs::last_write_time(file).time_since_epoch().count();
        seen += file.string() + '\n' + std::to_string(fs::file_size(file)) + '\n' + std::to_string(modified) + '\n';
    }
    return hash(seen);
}

std::vector<document> read_documents(const source& from, const progress_fn& progress) {
    documents out;
    package_reader packages;
    for (std::size_t i = 0; i < from.files.size(); ++i) {
        progress(i, from.files.size());
        const fs::path& file = from.files[i];
        const std::string text = read_text(file, from.is_default);
        if (is_binary(text)) continue;
        if (package_reader::recognises(text)) {
            packages.read(text);
            continue;
        }
        try {
            auto more = from_file(file, text, from.is_folder);
            out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
        } catch (const std::exception& e) {
            throw std::runtime_error(file.string() + ", " + e.what());
        }
    }
    auto more = packages.documents();
    out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    if (out.empty()) throw std::runtime_error("found no text in " + from.name);
    return out;
}

}  // namespace demo
