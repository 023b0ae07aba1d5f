// SPDX-License-Identifier: MIT
// What a run tells: the tables, the JSON file and the plot.
#pragma once

#include <iosfwd>  // for ostream

#include "measure.hpp"
#include "options.hpp"

namespace bench {

/// A finished run. `systems` are in the order asked for.
struct report {
    std::string data_name;
    std::size_t rows = 0;
    std::size_t dim = 0;
    std::size_t queries = 0;
    std::optional<int> cpu;      ///< pinned to
    std::optional<double> load;  ///< before the run
    options asked;
    std::vector<measured_system> systems;
};

/// Processor, compiler, versions and data: what must be known to repeat the run.
void print_setting(std::ostream& out, const report& r);
void print_tables(std::ostream& out, const report& r);
void write_json(std::ostream& out, const report& r);
void write_plot(std::ostream& out, const report& r);

}  // namespace bench
