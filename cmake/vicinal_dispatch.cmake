# SPDX-License-Identifier: MIT
# Run-time dispatch: kernels for each level of instruction sets, built with the program that uses them, of which it
# chooses when it runs. Installed with the package; docs/dispatch.md says what a level is.
#
#   vicinal_enable_dispatch(<target>...)    links the targets to vicinal::dispatch, which is made when first asked for
#
# VICINAL_DISPATCH_SOURCE_DIR is where the sources are.

include(CheckCXXSourceCompiles)

function(vicinal_add_dispatch)
  if(TARGET vicinal_dispatch)
    return()
  endif()
  set(levels "")
  string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" processor)
  if(CMAKE_OSX_ARCHITECTURES)
    string(TOLOWER "${CMAKE_OSX_ARCHITECTURES}" processor)
  endif()
  list(LENGTH processor architectures)
  if(architectures GREATER 1)
    message(FATAL_ERROR "vicinal: run-time dispatch is built for one architecture, not for ${processor}; build each by \
itself and join the programs by lipo.")
  endif()
  if(processor MATCHES "^(x86_64|amd64|x64|i[3-6]86|x86)$")
    set(levels avx2 avx512)
  elseif(processor MATCHES "^(aarch64|arm64)$" AND NOT WIN32)
    set(levels dotprod)
  endif()
  set(sources choose baseline ${levels})
  list(TRANSFORM sources PREPEND "${VICINAL_DISPATCH_SOURCE_DIR}/")
  list(TRANSFORM sources APPEND .cpp)
  add_library(vicinal_dispatch STATIC ${sources})
  add_library(vicinal::dispatch ALIAS vicinal_dispatch)
  target_link_libraries(vicinal_dispatch PUBLIC vicinal::vicinal)
  target_compile_definitions(vicinal_dispatch PUBLIC VICINAL_DISPATCH=1)
  # Each source is compiled for a processor of its own; nothing may be compiled together.
  set_target_properties(vicinal_dispatch PROPERTIES UNITY_BUILD OFF INTERPROCEDURAL_OPTIMIZATION OFF
                        POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF)
  if(CMAKE_CXX_COMPILER_FRONTEND_VARIANT STREQUAL "MSVC" OR MSVC)
    set(avx2 /arch:AVX2)
    set(avx512 /arch:AVX512)
  else()
    # Kernels are optimised in every configuration, so that searches of a debug build are no slower.
    target_compile_options(vicinal_dispatch PRIVATE -O3)
    set(avx2 -mavx2 -mfma -mf16c -mbmi -mbmi2 -mlzcnt -mpopcnt)
    set(avx512 ${avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mprefer-vector-width=256)
    # Of several -march the last counts, so a program that is compiled for dotprod, and maybe for more, keeps its own.
    if("dotprod" IN_LIST levels)
      unset(VICINAL_COMPILED_FOR_DOTPROD CACHE)  # as flags may have changed
      check_cxx_source_compiles("#ifndef __ARM_FEATURE_DOTPROD\n#error\n#endif\nint main() {}"
                                VICINAL_COMPILED_FOR_DOTPROD)
      if(NOT VICINAL_COMPILED_FOR_DOTPROD)
        set(dotprod -march=armv8.2-a+dotprod)
      endif()
    endif()
  endif()
  foreach(level IN LISTS levels)
    set_source_files_properties("${VICINAL_DISPATCH_SOURCE_DIR}/${level}.cpp" PROPERTIES COMPILE_OPTIONS "${${level}}")
  endforeach()
endfunction()

# Links the targets to `component`, those of headers alone on behalf of who uses them.
function(vicinal_link_component component)
  foreach(target IN LISTS ARGN)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "INTERFACE_LIBRARY")
      target_link_libraries(${target} INTERFACE ${component})
    else()
      target_link_libraries(${target} PRIVATE ${component})
    endif()
  endforeach()
endfunction()

function(vicinal_enable_dispatch)
  vicinal_add_dispatch()
  vicinal_link_component(vicinal::dispatch ${ARGN})
endfunction()

# ---- a warning about programs that are compiled for the least of all processors, once for a project and at its end,
# when all is said about them. VICINAL_NO_ISA_WARNING silences it.

# Sets `out` to the first target in `directory` or below that uses vicinal with neither flags nor dispatch.
function(vicinal_find_slow_target directory out)
  get_property(targets DIRECTORY "${directory}" PROPERTY BUILDSYSTEM_TARGETS)
  get_property(directories DIRECTORY "${directory}" PROPERTY SUBDIRECTORIES)
  get_property(everywhere DIRECTORY "${directory}" PROPERTY COMPILE_OPTIONS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(linked ${target} LINK_LIBRARIES)
    get_target_property(options ${target} COMPILE_OPTIONS)
    if(type STREQUAL "INTERFACE_LIBRARY" OR NOT linked MATCHES "(^|;)(vicinal::)?vicinal(;|$)" OR
       linked MATCHES "(^|;)(vicinal::dispatch|vicinal_dispatch)(;|$)" OR target STREQUAL "vicinal_dispatch")
      continue()
    endif()
    if(NOT "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_RELEASE} ${everywhere} ${options}" MATCHES
       "-march=|-mcpu=|-mavx|-mtune=native|[-/]arch:|-x(Host|CORE)")
      set(${out} ${target} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  foreach(below IN LISTS directories)
    vicinal_find_slow_target("${below}" found)
    if(found)
      set(${out} ${found} PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

function(vicinal_warn_of_slow_targets)
  vicinal_find_slow_target("${CMAKE_SOURCE_DIR}" slow)
  if(slow)
    message(WARNING "The target ${slow} uses vicinal and is compiled for the least of all x86 processors, on which \
searches take up to several times as long. Call vicinal_enable_dispatch(${slow}), which chooses by the processor when \
the program runs, or compile for a processor (-march=x86-64-v3, /arch:AVX2). VICINAL_NO_ISA_WARNING=ON silences this.")
  endif()
endfunction()

get_property(vicinal_warning_deferred GLOBAL PROPERTY vicinal_warning_deferred)
if(NOT vicinal_warning_deferred AND NOT VICINAL_NO_ISA_WARNING AND
   CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64|i[3-6]86)$")
  set_property(GLOBAL PROPERTY vicinal_warning_deferred TRUE)
  cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL vicinal_warn_of_slow_targets)
endif()
