// SPDX-License-Identifier: MIT
// A collection keeps an index and the attributes of its rows in step: a change changes both, or neither.
#pragma once

#include <cstddef>  // for size_t
#include <utility>  // for move
#include <vector>   // for vector

#include "vicinal/attributes.hpp"
#include "vicinal/core/error.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/filter.hpp"

VICINAL_NAMESPACE_BEGIN

/// An index, and what is known of its rows.
///
///     collection shop(flat_index<l2, f32>(64), {{"price", column_type::float64}, {"lang", column_type::string}});
///     shop.add(7, vector, {{"price", 12.5}, {"lang", "de"}});
///     shop.update(7, {{"price", 11.0}});
///     const auto hits = shop.search(query, 10, ".price < 50 and .lang == 'de'");
///
/// Every change has the strong guarantee over both parts. Any number of threads may search while others change; changes
/// wait for each other. A search evaluates its condition once, when it begins: it returns rows that met it then. A row
/// that is added is met by a condition only when it is whole. While `update` or `upsert` replaces both, a search may
/// meet the new vector and still the former attributes. An object that was moved from may only be destroyed or assigned
/// to.
///
/// Many rows are built faster by the batch calls of the index alone: make a collection of the index and the attributes.
template <class Index>
class collection {
  public:
    using index_type = Index;
    using id_type = typename Index::id_type;
    using search_params = typename Index::search_params;
    using attributes_type = vicinal::attributes<id_type>;

    /// Takes an index and attributes, or their columns in braces. Both are taken as they are: rows may lack attributes,
    /// which then are null; attributes of ids that the index lacks are kept, and are those of a row that is added under
    /// the id.
    collection(Index index, attributes_type about) : index_(std::move(index)), about_(std::move(about)) {}

    /// The index, for all that changes nothing: searches without condition, `get`, `save`, statistics.
    [[nodiscard]] const Index& index() const noexcept { return index_; }
    /// The attributes, for all that changes nothing: `column`, `where`, `get`.
    [[nodiscard]] const attributes_type& attributes() const noexcept { return about_; }
    [[nodiscard]] std::size_t size() const { return index_.size(); }
    [[nodiscard]] bool contains(id_type id) const { return index_.contains(id); }

    /// Adds a row: a vector of dim() components, and attributes.
    /// throws  error as the index's `add` and attributes::set; nothing has changed then
    void add(id_type id, vector_view vector, const attribute_row& values = {}) {
        auto planned = about_.plan(id, values);
        index_.add(id, vector);
        planned.commit();
    }
    /// Replaces the vector of a row. Its attributes stay.
    /// throws  error as the index's `update`
    void update(id_type id, vector_view vector) { index_.update(id, vector); }
    /// Replaces the vector of a row, and the attributes that are named.
    /// throws  error as the index's `update` and attributes::set; nothing has changed then
    void update(id_type id, vector_view vector, const attribute_row& values) {
        auto planned = about_.plan(id, values);
        index_.update(id, vector);
        planned.commit();
    }
    /// Replaces the attributes that are named. The vector stays.
    /// throws  error: not_found if the index does not hold the id; as attributes::set; nothing has changed then
    void update(id_type id, const attribute_row& values) {
        auto planned = about_.plan(id, values);
        if (!index_.contains(id)) detail::fail(errc::not_found, "collection: update of an id that is not there");
        planned.commit();
    }
    /// Adds the row, or updates it if there is one of this id; then attributes that are not named stay. Returns whether
    /// it was added.
    /// throws  error as add and update; nothing has changed then
    bool upsert(id_type id, vector_view vector, const attribute_row& values = {}) {
        auto planned = about_.plan(id, values);
        const bool added = index_.upsert(id, vector);
        planned.commit();
        return added;
    }
    /// Removes a row with its attributes and returns whether it was there.
    /// throws  error as the index's `remove`; nothing has changed then
    bool remove(id_type id) {
        auto planned = about_.plan_erase(id);
        const bool was_there = index_.remove(id);
        planned.commit();
        return was_there;
    }

    /// Finds the k closest rows for which a condition holds: a text or an expression, as attributes::where takes them.
    /// params  as of the index's search. If it has a filter, rows must pass that too
    /// cost    of attributes::where, and of a search by the set that it returns. For many searches by one condition,
    ///         keep the set, and give it to those of the index
    /// throws  error as attributes::where and the index's search
    template <class Condition>
    [[nodiscard]] std::vector<neighbor<id_type>> search(vector_view query, std::size_t k, const Condition& where,
                                                        const search_params& params = {}) const {
        return filtered(where, params, [&](const search_params& both) { return index_.search(query, k, both); });
    }
    /// The same for every row of `queries`; the condition is evaluated once.
    template <class Condition>
    [[nodiscard]] auto search(rows_view queries, std::size_t k, const Condition& where,
                              const search_params& params = {}) const {
        return filtered(where, params, [&](const search_params& both) { return index_.search(queries, k, both); });
    }

  private:
    /// Calls use(params) with those of the caller, and a filter that also asks for the condition.
    template <class Condition, class Use>
    auto filtered(const Condition& where, const search_params& params, const Use& use) const {
        const auto met = about_.where(where);
        const auto met_and_admitted = [&](id_type id) { return met.contains(id) && params.filter(id); };
        search_params both = params;
        if (params.filter)
            both.filter = met_and_admitted;
        else
            both.filter = met;
        return use(both);
    }

    Index index_;
    attributes_type about_;
};

VICINAL_NAMESPACE_END
