// SPDX-License-Identifier: MIT
// Which ids a search may return: those that a predicate of the caller admits, those of a set, or all but those.
#pragma once

#include "vicinal/filter/id_filter.hpp"      // for id_filter
#include "vicinal/filter/id_set.hpp"         // for except, id_complement, id_set
#include "vicinal/filter/query_filters.hpp"  // for query_filters
