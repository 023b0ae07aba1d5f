// SPDX-License-Identifier: MIT
// expect: vicinal: an executor must model vicinal::executor: run\(count, task\) and concurrency\(\)
#include "vicinal/flat.hpp"

struct in_order {
    void run(std::size_t count, vicinal::task_ref task) {
        for (std::size_t i = 0; i < count; ++i) task(i);
    }
#ifndef MISUSE
    std::size_t concurrency() const { return 1; }
#endif
};

vicinal::add_params on(in_order& executor);
vicinal::add_params on(in_order& executor) { return {.executor = executor}; }
