// SPDX-License-Identifier: MIT
// The list of vicinal::compiled, and what open, open_view and make_index do with it.
#include "vicinal/compiled.hpp"

#include "types.hpp"

VICINAL_NAMESPACE_BEGIN

namespace {

std::span<const detail::index_maker<std::uint64_t>> list() {
    static const detail::compiled_list types = [] {
        detail::compiled_list made;
        detail::append_hnsw_types(made);
        detail::append_flat_types(made);
        detail::append_ivf_types(made);
        return made;
    }();
    return types;
}

}  // namespace

std::string compiled_types::names() { return detail::names_of(list()); }
any_index compiled_types::load(const std::filesystem::path& path, const load_limits& limits) {
    return detail::load_listed(list(), detail::read_path(path, limits), limits);
}
any_index compiled_types::load(std::istream& stream, const load_limits& limits) {
    return detail::load_listed(list(), detail::read_stream(stream, limits), limits);
}
any_index compiled_types::load(std::span<const std::byte> bytes, const load_limits& limits) {
    return detail::load_listed(list(), detail::read_span(bytes, limits), limits);
}
any_index compiled_types::view(const std::filesystem::path& path, const load_limits& limits) {
    return detail::view_listed(list(), detail::map_path(path), limits);
}
any_index compiled_types::view(std::span<const std::byte> bytes, const load_limits& limits) {
    return detail::view_listed(list(), detail::borrow_span(bytes, limits), limits);
}
any_index compiled_types::make(std::string_view text, std::size_t dim, const any_params& params) {
    return detail::make_listed(list(), text, dim, params);
}

VICINAL_NAMESPACE_END
