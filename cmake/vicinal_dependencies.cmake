# SPDX-License-Identifier: MIT
# Finds what vicinal's headers include: xsimd, Eigen and the system's threads. The build tree and the installed
# vicinalConfig.cmake share this file, so that both see the same targets: xsimd, Eigen3::Eigen, Threads::Threads.
#
# Neither package is asked for by version. The version files of both refuse every other major release, so that no
# version and no range would accept all the releases vicinal works with; the lower bound is checked by hand instead.

# Finds one header-only package, by its CMake config or else by its header.
#   target, package, minimum   what its config defines, what find_package calls it, the oldest release that works
#   header, suffix             what to look for when it has no config, and in which subdirectory of the include path
#   hint                       how to install it
# Sets ${result} in the caller to nothing, or to what is wrong and how to mend it.
function(vicinal_find_header_only target package minimum header suffix hint result)
  set(${result} "" PARENT_SCOPE)
  if(TARGET ${target})
    return()  # the consumer brought its own
  endif()
  find_package(${package} QUIET CONFIG)
  if(TARGET ${target})
    if(${package}_VERSION AND ${package}_VERSION VERSION_LESS minimum)
      set(${result} "vicinal needs ${package} ${minimum} or later, and CMake found ${${package}_VERSION} in \
${${package}_DIR}. ${hint}" PARENT_SCOPE)
    endif()
    return()
  endif()
  find_path(VICINAL_${package}_INCLUDE_DIR ${header} PATH_SUFFIXES ${suffix})
  mark_as_advanced(VICINAL_${package}_INCLUDE_DIR)
  if(VICINAL_${package}_INCLUDE_DIR)
    add_library(${target} INTERFACE IMPORTED)
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${VICINAL_${package}_INCLUDE_DIR}")
  else()
    set(${result} "vicinal needs ${package}, a header-only library, and CMake found neither its config nor \
<${header}>. ${hint} If it is somewhere unusual, set ${package}_DIR or VICINAL_${package}_INCLUDE_DIR." PARENT_SCOPE)
  endif()
endfunction()

# xsimd 8.1 as Debian packages it links "xtl", which is another header-only library that its headers do not use, that
# no package brings and that nothing finds: the linker would be asked for -lxtl. An empty target answers to the name.
function(vicinal_mend_xsimd)
  get_target_property(links xsimd INTERFACE_LINK_LIBRARIES)
  if("xtl" IN_LIST links AND NOT TARGET xtl)
    find_package(xtl QUIET CONFIG)
    if(NOT TARGET xtl)
      add_library(xtl INTERFACE IMPORTED)
    endif()
  endif()
endfunction()

# Defines the targets, or sets ${missing} in the caller to a message about the first one that cannot be had.
function(vicinal_find_dependencies missing)
  set(${missing} "" PARENT_SCOPE)

  vicinal_find_header_only(xsimd xsimd 8.1 xsimd/xsimd.hpp "" "Install libxsimd-dev (Debian, Ubuntu), xsimd-devel \
(Fedora) or xsimd (Homebrew, vcpkg, Conan)." problem)
  if(NOT problem)
    vicinal_mend_xsimd()
    vicinal_find_header_only(Eigen3::Eigen Eigen3 3.4 Eigen/Dense eigen3 "Install libeigen3-dev (Debian, Ubuntu), \
eigen3-devel (Fedora), eigen (Homebrew, Conan) or eigen3 (vcpkg)." problem)
  endif()
  if(NOT problem)
    find_package(Threads QUIET)
    if(NOT TARGET Threads::Threads)
      set(problem "vicinal needs a threads library, and CMake found none for this compiler.")
    endif()
  endif()
  if(problem)
    set(${missing} "${problem}" PARENT_SCOPE)
  endif()
endfunction()
