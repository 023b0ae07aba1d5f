// SPDX-License-Identifier: MIT
// semantic_search: reads texts, learns what their words mean from the company they keep, and answers queries by
// meaning.
//
//     texts -> terms (tokenizer) -> weights (tfidf) -> vectors (randomized_svd, embedding) -> vicinal (engine) -> you
//
// Start with engine.cpp: everything about vicinal is there.

#include <algorithm>  // for max
#include <cstdio>     // for printf
#include <exception>  // for exception
#include <iostream>   // for cin, getline
#include <optional>   // for optional
#include <stdexcept>  // for invalid_argument
#include <string>     // for string
#include <vector>     // for vector

#include "corpus.hpp"
#include "engine.hpp"
#include "options.hpp"

namespace {

using namespace demo;

void describe(const source& from) {
    std::fprintf(stderr, "%s: %zu %s\n", from.name.c_str(), from.files.size(),
                 from.files.size() == 1 ? "file" : "files");
    if (!from.is_default) return;
    for (const auto& file : from.files) std::fprintf(stderr, "  %s\n", file.string().c_str());
    if (from.files.size() == 1 && from.files[0].filename() == "status")
        std::fprintf(stderr, "  (only installed packages; after apt-get update all that can be installed)\n");
}

std::uint64_t key_of(const source& from, std::size_t dims) {
    return hash(from.name + std::to_string(dims), fingerprint(from));
}

/// Loads the engine if its corpus has not changed since it was saved, else makes and saves it.
search_engine open_engine(const options& opts) {
    const source from = opts.corpus.empty() ? debian_packages() : source_at(opts.corpus);
    const std::uint64_t key = key_of(from, opts.dims);
    char name[32];
    std::snprintf(name, sizeof name, "semantic-%016llx", static_cast<unsigned long long>(hash(from.name)));
    const auto folder = (opts.cache.empty() ? default_cache() : opts.cache) / name;

    describe(from);
    if (!opts.rebuild) {
        try {
            stage step("loading");
            search_engine engine = search_engine::load(folder, key);
            step.result(folder.string());
            return engine;
        } catch (const std::exception& e) {
            std::fprintf(stderr, "  making the index: %s\n", e.what());
        }
    }
    search_engine engine = search_engine::build(from, opts.dims);
    try {
        engine.save(folder, key);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "  not saved, the next run starts over: %s\n", e.what());
    }
    return engine;
}

void print(const search_engine& engine, const std::string& query, const answer& found) {
    std::printf("\n\"%s\"\n", query.c_str());
    if (!found.understood) {
        std::printf("  none of these words is in the corpus; try others\n");
        return;
    }
    if (!found.unknown_words.empty()) {
        std::printf("  (not in the corpus:");
        for (const auto& word : found.unknown_words) std::printf(" %s", word.c_str());
        std::printf(")\n");
    }
    for (const auto& [id, distance] : found.hits) {
        const document& doc = engine.documents().at(id);
        std::printf("  %.3f  %s\n", static_cast<double>(distance), doc.title.c_str());
        if (!doc.text.empty()) std::printf("         %s\n", doc.text.c_str());
    }
    std::printf("  %.2f ms; exact search %.2f ms; recall %.2f\n", found.milliseconds, found.exact_milliseconds,
                found.recall);
}

/// Answers queries and keeps count.
class session {
  public:
    session(const search_engine& engine, const options& opts) : engine_(engine), opts_(opts) {}

    void ask(const std::string& query) {
        const answer found = engine_.ask(query, opts_.count, std::max(opts_.ef, opts_.count));
        print(engine_, query, found);
        std::fflush(stdout);
        if (!found.understood) return;
        ++answered_;
        milliseconds_ += found.milliseconds;
        recall_ += found.recall;
    }

    void ask_lines(bool prompt) {
        for (std::string line;;) {
            if (prompt) std::printf("\nsearch (empty line ends)> ");
            std::fflush(stdout);
            if (!std::getline(std::cin, line) || (prompt && line.empty())) return;
            if (!line.empty()) ask(line);
        }
    }

    void summary() const {
        if (answered_ < 2) return;
        const auto n = static_cast<double>(answered_);
        std::printf("\n%zu queries: %.2f ms each, recall@%zu against flat_index %.3f\n", answered_, milliseconds_ / n,
                    opts_.count, recall_ / n);
    }

  private:
    const search_engine& engine_;
    const options& opts_;
    std::size_t answered_ = 0;
    double milliseconds_ = 0;
    double recall_ = 0;
};

/// Questions to show what it does: about packages, or in the words of a few of the corpus's own titles.
std::vector<std::string> samples(const search_engine& engine, bool packages) {
    if (packages)
        return {"program that draws graphs", "compress files", "secure remote login",
                "convert photos to another format"};
    const auto& documents = engine.documents();
    std::vector<std::string> out;
    for (const std::size_t part : {1U, 2U, 3U}) {
        const document& doc = documents[documents.size() * part / 4];
        const std::string& words = doc.text.empty() ? doc.title : doc.text;
        out.push_back(words.size() <= 60 ? words : words.substr(0, words.find(' ', 60)));
    }
    return out;
}

int run(const options& opts) {
    const search_engine engine = open_engine(opts);
    std::fprintf(stderr, "%zu documents, %zu terms, %zu dimensions, index %.1f MB\n", engine.documents().size(),
                 engine.terms(), engine.dim(), static_cast<double>(engine.memory()) / 1e6);
    session user(engine, opts);
    for (const auto& query : opts.queries) user.ask(query);
    if (opts.from_stdin) {
        user.ask_lines(false);
    } else if (opts.queries.empty() && stdin_is_terminal()) {
        user.ask_lines(true);
    } else if (opts.queries.empty()) {
        for (const auto& query : samples(engine, opts.corpus.empty())) user.ask(query);
    }
    user.summary();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const options opts = parse_options(argc, argv);
        if (opts.help) {
            std::printf("%s", help_text.data());
            return 0;
        }
        return run(opts);
    } catch (const std::invalid_argument& e) {
        std::fprintf(stderr, "semantic_search: %s\n", e.what());
        return 2;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "semantic_search: %s\n", e.what());
        return 1;
    }
}
