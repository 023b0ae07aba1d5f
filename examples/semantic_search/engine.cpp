// SPDX-License-Identifier: MIT
#include "engine.hpp"

#include <algorithm>  // for any_of, count_if
#include <chrono>     // for steady_clock
#include <stdexcept>  // for runtime_error
#include <utility>    // for exchange

namespace demo {
namespace {

constexpr std::string_view magic = "vicinal demo vocabulary";
constexpr std::uint32_t version = 1;  // raise it when the bytes change, or what makes the vectors

/// Vectors of the documents that have any, and whose they are.
struct embedded {
    std::vector<std::uint64_t> ids;
    std::vector<float> values;
};

embedded embed_all(const embedding& how, const std::vector<document>& documents, const progress_fn& progress) {
    embedded out;
    std::vector<float> vector(how.dim());
    for (std::size_t i = 0; i < documents.size(); ++i) {
        if (how.embed(documents[i], vector)) {
            out.ids.push_back(i);
            out.values.insert(out.values.end(), vector.begin(), vector.end());
        }
        if (i % 256 == 0) progress(i, documents.size());
    }
    if (out.ids.empty()) throw std::runtime_error("found no words in the corpus");
    return out;
}

embedding learn(const std::vector<document>& documents, std::size_t dims) {
    vocabulary words;
    sparse_matrix weights;
    {
        stage step("learning words");
        words = vocabulary::learn(documents, step.callback());
        if (words.size() == 0) throw std::runtime_error("found no words in the corpus");
        step.result(std::to_string(words.size()) + " terms");
    }
    {
        stage step("weighing words");
        weights = weigh_all(words, documents, step.callback());
        step.result(std::to_string(weights.nonZeros()) + " weights");
    }
    stage step("finding topics (SVD)");
    row_matrix projection = learn_projection(weights, dims, step.callback());
    step.result(std::to_string(projection.cols()) + " dimensions");
    return {std::move(words), std::move(projection)};
}

}  // namespace

search_engine::search_engine(std::vector<document> documents, embedding how, graph_index graph, exact_index exact)
    : documents_(std::move(documents)),
      embedding_(std::move(how)),
      graph_(std::move(graph)),
      exact_(std::move(exact)) {}

search_engine search_engine::build(const source& from, std::size_t dims) {
    std::vector<document> documents;
    {
        stage step("reading");
        documents = read_documents(from, step.callback());
        step.result(std::to_string(documents.size()) + " documents");
    }
    embedding how = learn(documents, dims);
    embedded vectors;
    {
        stage step("embedding documents");
        vectors = embed_all(how, documents, step.callback());
        step.result(std::to_string(vectors.ids.size()) + " vectors");
    }

    const vicinal::matrix_view rows(vectors.values, how.dim());
    graph_index graph(how.dim(), {.degree = 16, .ef_construction = 200, .seed = 7});
    {
        stage step("building the index");
        graph.add(vectors.ids, rows, {.threads = 0, .progress = step.callback()});  // 0: all of the machine's
        step.result(std::to_string(graph.memory().total / 1000000) + " MB");
    }
    exact_index exact(how.dim());
    exact.add(vectors.ids, rows);

    for (document& doc : documents) {
        doc.text = snippet(doc.text);
        doc.keywords.clear();
        doc.title = doc.title.empty() ? std::exchange(doc.text, {}) : snippet(doc.title);
    }
    return {std::move(documents), std::move(how), std::move(graph), std::move(exact)};
}

void search_engine::save(const std::filesystem::path& folder, std::uint64_t key) const {
    stage step("saving");
    std::filesystem::create_directories(folder);
    // The vocabulary is removed first and written last: as long as it is there, the indexes beside it are its own.
    std::filesystem::remove(folder / "vocabulary.bin");
    graph_.save((folder / "graph.vic").string());
    exact_.save((folder / "exact.vic").string());

    byte_writer out;
    out.text(magic);
    out.value(version);
    out.value(key);
    embedding_.save(out);
    out.value<std::uint64_t>(documents_.size());
    for (const document& doc : documents_) {
        out.text(doc.title);
        out.text(doc.text);
    }
    out.value(hash(out.bytes()));
    write_file(folder / "vocabulary.bin", out.bytes());
    step.result(folder.string());
}

search_engine search_engine::load(const std::filesystem::path& folder, std::uint64_t key) {
    if (!std::filesystem::exists(folder / "vocabulary.bin")) throw std::runtime_error("nothing is saved yet");
    const std::string bytes = read_file(folder / "vocabulary.bin");
    byte_reader in(bytes);
    if (in.text() != magic) throw std::runtime_error("the saved vocabulary is not one");
    if (in.value<std::uint32_t>() != version) throw std::runtime_error("the saved vocabulary is of another version");
    if (in.value<std::uint64_t>() != key) throw std::runtime_error("the corpus or the options have changed");
    const std::string_view checked = std::string_view(bytes).substr(0, bytes.size() - sizeof(std::uint64_t));
    if (byte_reader(std::string_view(bytes).substr(checked.size())).value<std::uint64_t>() != hash(checked))
        throw std::runtime_error("the saved vocabulary is damaged");

    embedding how = embedding::load(in);
    std::vector<document> documents(in.count(2 * sizeof(std::uint64_t)));
    for (document& doc : documents) {
        doc.title = in.text();
        doc.text = in.text();
    }
    auto graph = graph_index::load((folder / "graph.vic").string());
    auto exact = exact_index::view((folder / "exact.vic").string());  // stays in the file, paged in when asked
    if (graph.dim() != how.dim() || exact.dim() != how.dim() || graph.size() != exact.size() ||
        graph.size() > documents.size())
        throw std::runtime_error("the saved index belongs to another vocabulary");
    return {std::move(documents), std::move(how), std::move(graph), std::move(exact)};
}

answer search_engine::ask(std::string_view query, std::size_t count, std::size_t ef) const {
    using clock = std::chrono::steady_clock;
    answer out;
    out.unknown_words = embedding_.unknown_words(query);
    std::vector<float> vector(embedding_.dim());

    const auto begin = clock::now();
    out.understood = embedding_.embed({{}, std::string(query)}, vector);
    if (!out.understood) return out;
    out.hits = graph_.search(vector, count, {.ef = ef});
    out.milliseconds = milliseconds_since(begin);

    const auto exact_begin = clock::now();
    const auto truth = exact_.search(vector, count);
    out.exact_milliseconds = milliseconds_since(exact_begin);
    const auto found = std::count_if(truth.begin(), truth.end(), [&](const auto& wanted) {
        return std::any_of(out.hits.begin(), out.hits.end(), [&](const auto& hit) { return hit.id == wanted.id; });
    });
    out.recall = truth.empty() ? 1 : static_cast<double>(found) / static_cast<double>(truth.size());
    return out;
}

}  // namespace demo
