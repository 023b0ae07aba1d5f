// SPDX-License-Identifier: MIT
// level NAME: fails unless run-time dispatch chooses this level here.
#include <cstdio>
#include <string>

#include "vicinal/dispatch.hpp"

int main(int argc, char** argv) {
    const std::string chosen(vicinal::cpu_features().level);
    std::printf("level %s\n", chosen.c_str());
    return argc > 1 && chosen == argv[1] ? 0 : 1;
}
