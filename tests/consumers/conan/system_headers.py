# SPDX-License-Identifier: MIT
"""Packages of the headers that this machine has of eigen and xsimd, so that testing vicinal's recipe needs no network."""
import os

from conan import ConanFile
from conan.errors import ConanException
from conan.tools.files import copy


class SystemHeadersConan(ConanFile):  # its name and version are given on the command line
    package_type = "header-library"

    def package(self):
        root = os.environ[f"VICINAL_{self.name.upper()}_INCLUDE"]
        folder = {"eigen": "Eigen", "xsimd": "xsimd"}[self.name]
        if not copy(self, f"{folder}/*", root, os.path.join(self.package_folder, "include")):
            raise ConanException(f"{root}/{folder} holds nothing")

    def package_info(self):
        file, target = {"eigen": ("Eigen3", "Eigen3::Eigen"), "xsimd": ("xsimd", "xsimd")}[self.name]
        self.cpp_info.set_property("cmake_file_name", file)
        self.cpp_info.set_property("cmake_target_name", target)
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
