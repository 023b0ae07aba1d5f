# SPDX-License-Identifier: MIT
"""vicinal for Conan 2: `conan create .` in this directory makes the package and tries it on test_package/."""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir

required_conan_version = ">=2.0"


class VicinalConan(ConanFile):
    name = "vicinal"
    description = "Similarity search for any C++ program: exact, inverted-file and graph indexes, header-only"
    license = "MIT"
    topics = ("similarity-search", "nearest-neighbors", "vector-search", "hnsw", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    exports_sources = ("CMakeLists.txt", "LICENSE", "README.md", "CHANGELOG.md", "cmake/*", "include/*", "src/*", "docs/*",
                       "examples/*")
    no_copy_source = True

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "include/vicinal/version.hpp"))
        self.version = ".".join(re.findall(r"^#define VICINAL_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$", text, re.M))

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires("eigen/[>=3.4 <6]", transitive_headers=True)
        self.requires("xsimd/[>=8.1 <15]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            toolchain.cache_variables[f"VICINAL_BUILD_{part}"] = False
        toolchain.cache_variables["VICINAL_REPLAY_CORPORA"] = False
        toolchain.generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()
        rmdir(self, os.path.join(self.package_folder, "share/doc"))
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # find_package(vicinal) finds vicinal's own config, as it does without Conan; none is generated.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.set_property("pkg_config_name", "vicinal")
        self.cpp_info.builddirs = ["share/cmake/vicinal"]
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        if self.settings.get_safe("os") in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]
