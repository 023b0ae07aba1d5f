# SPDX-License-Identifier: MIT
"""Metrics with a state."""
GROUPS = {
    "states": ["metric/weighted_l2_test.cpp"],
}
BUGS = [
    ("all components have the first weights", "states", "simd/row_loops.hpp", "return load<V>(metric.weights() + i);",
     "return load<V>(metric.weights() + 0 * i);"),
    ("odd vectors have the weights of even ones", "states", "simd/row_loops.hpp", "weights_from<V>(metric, i + Width)",
     "weights_from<V>(metric, i)"),
    ("lists are learned without weights", "states", "index/ivf/lists/clustering.hpp",
     "scale_by_weights(metric, scaled, prepared.dim(), false);", "",
     ("scale_by_weights(metric, found.centroids, prepared.dim(), true);", "")),
    ("an index forgets the metric it was given", "states", "index/common/metric_state.hpp",
     "state->metric = std::move(metric);", ""),
    ("weights need not be as many as components", "states", "metric/weighted_l2.hpp", "if (dim_ != dim)", "if (dim_ > dim)"),
    ("an index needs no metric that fits", "states", "index/common/metric_state.hpp", "state.metric.check(state.dim);", "static_cast<void>(state.dim);"),
    ("a file does not say that its metric has a state", "states", "io/index_io.hpp", "header.incompat |= metric_state;",
     "header.incompat |= 0;", ("if (has != image.has(part_type(metric_section)))", "if (false)")),
    ("a file's state is taken as it is", "states", "metric/weighted_l2.hpp", "if (!is_weight(read[i])) return false;", ""),
    ("a given metric is not compared", "states", "index/common/calls.hpp",
     "require_same_state(index.metric(), metric, index.dim(), errc::wrong_type, call, \"in the file\", \"was given\");", ""),
    ("indexes of other weights merge", "states", "index/common/calls.hpp",
     "require_same_state(state().metric, from.metric, from.dim, errc::invalid_argument, \"merge\", \"in this index\",", "if (false) require_same_state(state().metric, from.metric, from.dim, errc::invalid_argument, \"merge\", \"in this index\","),
    ("distances beyond a float are infinite", "states", "metric/weighted_l2.hpp", "return sum < most ? sum : most;", "return sum;"),
    ("only weights are compared", "states", "index/common/metric_state.hpp",
     "if (i == one.size() && i == other.size()) return {};", "return {};"),
]
