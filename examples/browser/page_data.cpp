// SPDX-License-Identifier: MIT
// Makes the files of the page from texts, and answers queries from those files as the page does.
//
//   page_data make FOLDER [CORPUS]   CORPUS as for semantic_search; without it the machine's package descriptions
//   page_data ask FOLDER             reads queries, one a line; writes the documents' numbers and distances as JSON

#include <algorithm>    // for copy_if
#include <cstddef>      // for size_t
#include <cstdint>      // for uint32_t
#include <cstdio>       // for printf
#include <exception>    // for exception
#include <filesystem>   // for path
#include <iostream>     // for cin, getline
#include <iterator>     // for back_inserter
#include <stdexcept>    // for runtime_error
#include <string>       // for string
#include <string_view>  // for string_view
#include <utility>      // for move
#include <vector>       // for vector

#include "../semantic_search/corpus.hpp"
#include "../semantic_search/embedding.hpp"
#include "page_search.hpp"

namespace {

namespace fs = std::filesystem;
using namespace demo;

constexpr std::size_t dims = 128;
constexpr std::size_t most_documents = 5000;
constexpr std::size_t shown = 8;  // results the page shows

/// Every n-th document, so that at most `most_documents` are left. Where some have keywords only those count: Debian
/// gives them to packages that people look for, rather than other packages.
std::vector<document> choose(std::vector<document> all) {
    std::vector<document> some;
    std::copy_if(all.begin(), all.end(), std::back_inserter(some), [](const auto& d) { return !d.keywords.empty(); });
    if (some.empty()) some = std::move(all);
    const std::size_t every = (some.size() + most_documents - 1) / most_documents;
    std::vector<document> out;
    for (std::size_t i = 0; i < some.size(); i += every) out.push_back(std::move(some[i]));
    return out;
}

embedding learn(const std::vector<document>& documents) {
    stage step("learning words");
    const auto quiet = [](std::size_t, std::size_t) {};
    vocabulary words = vocabulary::learn(documents, quiet);
    if (words.size() == 0) throw std::runtime_error("found no words in the corpus");
    row_matrix projection = learn_projection(weigh_all(words, documents, quiet), dims, step.callback());
    step.result(std::to_string(words.size()) + " terms, " + std::to_string(projection.cols()) + " dimensions");
    return {std::move(words), std::move(projection)};
}

void save_documents(const embedding& how, const std::vector<document>& documents, const fs::path& path) {
    std::vector<std::uint32_t> ids;
    std::vector<float> values;
    std::vector<float> vector(how.dim());
    for (std::size_t i = 0; i < documents.size(); ++i) {
        if (!how.embed(documents[i], vector)) continue;  // no word that others have, too
        ids.push_back(static_cast<std::uint32_t>(i));
        values.insert(values.end(), vector.begin(), vector.end());
    }
    page::document_index index(how.dim(), {.degree = 16, .ef_construction = 200, .seed = 7});
    index.add(ids, vicinal::matrix_view(values, how.dim()));
    index.save(path);
}

void save_terms(const embedding& how, const fs::path& path) {
    std::vector<std::uint32_t> ids(how.words().size());
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::uint32_t>(i);
    page::term_table table(how.dim());
    table.add(ids, how.projection());
    table.save(path);
}

std::string json_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c >= 0 && c < ' ' ? ' ' : c;
    }
    return out + '"';
}

/// [[title, text], ...]
std::string to_json(const std::vector<document>& documents) {
    std::string out = "[";
    for (const document& doc : documents) {
        out += out.size() == 1 ? "\n" : ",\n";
        out += "[" + json_string(snippet(doc.title)) + "," + json_string(snippet(doc.text)) + "]";
    }
    return out + "\n]\n";
}

void make(const fs::path& folder, const source& from) {
    std::vector<document> documents;
    {
        stage step("reading");
        documents = read_documents(from, step.callback());
        step.result(std::to_string(documents.size()) + " documents");
    }
    // Words are learned from all of them, and from the more the better.
    const embedding how = learn(documents);
    documents = choose(std::move(documents));

    stage step("writing the page's files");
    fs::create_directories(folder);
    save_documents(how, documents, folder / "documents.vic");
    save_terms(how, folder / "terms.vic");
    write_file(folder / "vocabulary.bin", page::save_vocabulary(how.words()));
    write_file(folder / "texts.json", to_json(documents));
    step.result(std::to_string(documents.size()) + " documents");
}

void ask(const fs::path& folder) {
    const page::page_search search(page::document_index::view(folder / "documents.vic"),
                                   page::term_table::view(folder / "terms.vic"), read_file(folder / "vocabulary.bin"));
    for (std::string query; std::getline(std::cin, query);) {
        std::printf("[");
        const char* separator = "";
        for (const auto& [id, distance] : search.ask(query, shown).hits) {
            std::printf("%s[%u,%.7g]", separator, static_cast<unsigned>(id), static_cast<double>(distance));
            separator = ",";
        }
        std::printf("]\n");
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    try {
        if (arguments.size() == 2 && arguments[0] == "ask")
            ask(arguments[1]);
        else if (arguments.size() == 2 && arguments[0] == "make")
            make(arguments[1], debian_packages());
        else if (arguments.size() == 3 && arguments[0] == "make")
            make(arguments[1], source_at(arguments[2]));
        else {
            std::fprintf(stderr, "usage: page_data make FOLDER [CORPUS] | page_data ask FOLDER\n");
            return 2;
        }
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "page_data: %s\n", e.what());
        return 1;
    }
}
