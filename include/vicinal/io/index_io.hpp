// SPDX-License-Identifier: MIT
// An index meets a file here. The index names its parts to a writer by write_parts(index, out) and takes them back from
// a reader by read_parts(index, in), functions of its own namespace, without knowing what a file is; everything about
// headers, sections and sources is here and below.
#pragma once

#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint32_t, uint64_t
#include <filesystem>   // for path
#include <istream>      // for istream
#include <memory>       // for unique_ptr, make_unique
#include <optional>     // for optional
#include <ostream>      // for ostream
#include <span>         // for span
#include <string>       // for string
#include <string_view>  // for string_view
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/core/stop_token.hpp"
#include "vicinal/io/reader.hpp"
#include "vicinal/io/source.hpp"
#include "vicinal/io/writer.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

[[nodiscard]] inline std::uint32_t part_type(std::string_view name) noexcept {
    std::uint32_t type = 0;
    for (std::size_t i = 4; i-- > 0;) type = type << 8U | static_cast<std::uint32_t>(name[i]);
    return type;
}

/// Takes the parts of an index from its `write_parts`: names of four characters, and typed elements.
class part_writer {
  public:
    explicit part_writer(section_writer& out) noexcept : out_(out) {}
    /// Adds a few numbers, by value.
    void numbers(std::string_view name, std::span<const std::uint64_t> values) {
        std::vector<std::uint64_t> copy(values.begin(), values.end());
        stream<std::uint64_t>(name, values.size(), [kept = std::move(copy)](const auto& sink) {
            sink(std::span<const std::uint64_t>(kept));
        });
    }
    void bytes(std::string_view name, std::vector<std::byte> values) {
        out_.add_bytes(part_type(name), std::move(values));
    }
    /// Adds `count` elements that produce(sink) hands over in spans; it may be called twice.
    template <class T, class Produce>
    void stream(std::string_view name, std::size_t count, Produce produce) {
        out_.template add_streamed<T>(part_type(name), count, std::move(produce));
    }

  private:
    section_writer& out_;
};

/// Gives the parts in a file to an index's `read_parts`.
class part_reader {
  public:
    part_reader(const file_image& image, bool validate, const stop_token& stop = {})
        : image_(image), validate_(validate), stop_(stop) {}
    /// Says whether every row is to be checked (a load), or nothing whose cost grows with them (a view). The parts stay
    /// where they are as long as the state's backing keeps the file.
    [[nodiscard]] bool validate() const noexcept { return validate_; }
    [[nodiscard]] std::uint64_t rows() const noexcept { return image_.header().rows; }
    /// Returns the bytes of the whole file.
    [[nodiscard]] std::size_t bytes() const noexcept { return image_.bytes().size(); }
    /// Returns a part of `count` elements.
    /// throws  error{corrupt_file}, and error{cancelled}: a load looks at its stop token between parts
    template <class T>
    [[nodiscard]] std::span<const T> elements(std::string_view name, std::uint64_t count) const {
        throw_if_stopped(stop_);
        return image_.array<T>(part_type(name), count);
    }
    template <class T>
    [[nodiscard]] std::span<const T> elements(std::string_view name) const {
        throw_if_stopped(stop_);
        return image_.array<T>(part_type(name));
    }
    [[nodiscard]] bool has(std::string_view name) const noexcept { return image_.has(part_type(name)); }
    [[noreturn]] void fail(const std::string& what) const { fail_corrupt(image_.name(), what); }

  private:
    const file_image& image_;
    bool validate_;
    stop_token stop_;
};

template <class State>
[[nodiscard]] file_header state_header(std::uint64_t dim) {
    return header_of<typename State::id_type>(static_cast<index_kind>(State::kind), State::metric_name(),
                                              State::codec_name(), dim);
}

// ---- the application's note ----------------------------------------------------------------------------------------

inline constexpr std::string_view note_section = "NOTE";
inline constexpr std::size_t max_note = std::size_t{1} << 16;

/// throws  error{invalid_argument} if the note is too long
inline void write_note(std::span<const std::byte> note, section_writer& to) {
    if (note.size() > max_note)
        fail(errc::invalid_argument, "save: the note has " + std::to_string(note.size()) + " bytes, at most " +
                                         std::to_string(max_note) + " can travel in a file");
    if (!note.empty()) to.add_bytes(part_type(note_section), {note.begin(), note.end()});
}
[[nodiscard]] inline std::vector<std::byte> read_note(const file_image& image) {
    if (!image.has(part_type(note_section))) return {};
    const auto note = image.array<std::byte>(part_type(note_section));
    if (note.empty() || note.size() > max_note)
        fail_corrupt(image.name(), "its note has " + std::to_string(note.size()) + " bytes, 1 to " +
                                       std::to_string(max_note) + " are possible");
    return {note.begin(), note.end()};
}

// ---- the metric's state ---------------------------------------------------------------------------------------------

inline constexpr std::string_view metric_section = "METR";

template <class State>
void write_metric([[maybe_unused]] const State& state, [[maybe_unused]] section_writer& to) {
    if constexpr (stateful_metric<typename State::metric_type>)
        to.add_bytes(part_type(metric_section), state.metric.state());
}
/// throws  error{wrong_type} if just one of the file's metric and the index's has a state; error{corrupt_file}
template <class State>
void read_metric([[maybe_unused]] State& state, const file_image& image) {
    constexpr bool stateful = stateful_metric<typename State::metric_type>;
    const bool has = (image.header().incompat & metric_state) != 0;
    if (has != image.has(part_type(metric_section)))
        fail_corrupt(image.name(), "its features are " + hex(image.header().incompat) + ", it has " +
                                       (has ? "no" : "a") + " section '" + std::string(metric_section) + "'");
    if (has != stateful)
        fail(errc::wrong_type, std::string(image.name()) + ": the file's metric " + State::metric_name() + " has " +
                                   (has ? "a" : "no") + " state, the metric asked for has " + (has ? "none" : "one"));
    if constexpr (stateful) {
        if (!state.metric.restore(image.array<std::byte>(part_type(metric_section))))
            fail_corrupt(image.name(),
                         "section '" + std::string(metric_section) + "' is no state of metric " + State::metric_name());
        try {
            state.metric.check(state.dim);
        } catch (const error& e) {
            fail_corrupt(image.name(), e.what());
        }
    }
}

// ---- writing -------------------------------------------------------------------------------------------------------

/// Adds the sections of a file as they are, but with `note`, if that is not empty, as the note.
inline void copy_sections(const file_image& from, section_writer& to, std::span<const std::byte> note) {
    for (const section_entry& entry : from.sections()) {
        if (!note.empty() && entry.type == part_type(note_section)) continue;
        switch (entry.width) {
            case 1: to.add(entry.type, from.array<std::uint8_t>(entry.type)); break;
            case 2: to.add(entry.type, from.array<std::uint16_t>(entry.type)); break;
            case 4: to.add(entry.type, from.array<std::uint32_t>(entry.type)); break;
#if defined(VICINAL_HAS_INT128)
            case 16: to.add(entry.type, from.array<uint128>(entry.type)); break;
#endif
            default: to.add(entry.type, from.array<std::uint64_t>(entry.type)); break;
        }
    }
    write_note(note, to);
}

/// Returns the file of a view.
template <class State>
[[nodiscard]] const file_image& viewed_file(const State& state) noexcept {
    return *static_cast<const file_image*>(state.backing.file());
}
/// Compares the file of a view with its checksums; an index that is no view has none.
/// throws  error{corrupt_file}
template <class State>
void verify_view(const State& state) {
    if (state.backing.viewed()) viewed_file(state).verify();
}

/// Calls use(section_writer) while no writer can change the index. A view is written as its file is, after a comparison
/// with its checksums: nobody has looked at its contents, and damage must not get good checksums.
/// note  of the application; a view that is given none keeps that of its file
template <class State, class Use>
void with_writer(const State& state, std::span<const std::byte> note, Use&& use) {
    if (state.backing.viewed()) {
        const auto& image = viewed_file(state);
        image.verify();
        section_writer out(image.header());
        copy_sections(image, out, note);
        return use(static_cast<const section_writer&>(out));
    }
    const auto frozen =
        state.locks.frozen();  // not reading(): a writer that waits for readers would hold back searches
    file_header header = state_header<State>(state.dim);
    header.rows = stored_rows(state);
    header.incompat |= state.file_features();
    if constexpr (stateful_metric<typename State::metric_type>) header.incompat |= metric_state;
    section_writer out(std::move(header));
    part_writer parts(out);
    write_parts(state, parts);
    write_metric(state, out);
    write_note(note, out);
    use(static_cast<const section_writer&>(out));
}

/// Makes a new index from a file: complete and, if `validate`, valid; or throws. The index works on the arrays in the
/// file.
template <class State>
[[nodiscard]] std::unique_ptr<State> read_state(const file_image& image, bool validate, const stop_token& stop) {
    require_type(image.header(), state_header<State>(0), image.name());
    if (image.header().dim > State::max_dimension)
        fail_corrupt(image.name(), "the dimension is " + std::to_string(image.header().dim) + ", at most " +
                                       std::to_string(State::max_dimension) + " are possible");
    if (image.header().dim < State::min_dimension)
        fail_corrupt(image.name(), "the dimension is " + std::to_string(image.header().dim) + ", codec " +
                                       State::codec_name() + " needs at least " + std::to_string(State::min_dimension));
    auto state = std::make_unique<State>(static_cast<std::size_t>(image.header().dim));
    read_metric(*state, image);
    const part_reader parts(image, validate, stop);
    read_parts(*state, parts);
    state->note = read_note(image);
    if ((image.header().incompat & duplicates_apart) != state->file_features())
        fail_corrupt(image.name(), "its features are " + hex(image.header().incompat) + ", its sections need " +
                                       hex(state->file_features()));
    return state;
}

template <class State>
[[nodiscard]] std::unique_ptr<State> load_state(file_bytes bytes, const load_limits& limits) {
    static_cast<void>(bytes.own());
    const auto image = std::make_shared<const file_image>(std::move(bytes), checksums::now, limits);
    auto state = read_state<State>(*image, true, limits.stop);
    state->backing.load(image, image->bytes().size());
    return state;
}

/// Makes a view, which keeps the file open and mapped for as long as the state lives.
template <class State>
[[nodiscard]] std::unique_ptr<State> view_state(file_bytes bytes, const load_limits& limits) {
    const auto image = std::make_shared<const file_image>(std::move(bytes), checksums::later, limits);
    auto state = read_state<State>(*image, false, limits.stop);
    state->backing.view(image, image->bytes().size());
    return state;
}

/// Makes an index of its own with the same rows: the one that a load of a save would make, which also knows what codecs
/// learned from and goes on learning as `from` does.
template <class State>
[[nodiscard]] std::unique_ptr<State> copy_state(const State& from) {
    std::vector<std::byte> bytes;
    std::optional<typename State::learner_type> learner;
    with_writer(from, {}, [&](const section_writer& out) {
        bytes = out.to_bytes();
        learner = from.learner;
    });
    auto copy = load_state<State>(read_span(bytes), {});
    copy->learner = *std::move(learner);
    copy->note = from.note;
    return copy;
}

}  // namespace detail

VICINAL_NAMESPACE_END
