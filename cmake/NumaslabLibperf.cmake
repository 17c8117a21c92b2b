# Finds libperf, for the hardware counters: the distribution's by pkg-config, else the static one
# that cmake/fetch-libperf.sh builds. Sets NUMASLAB_HAVE_LIBPERF and makes the target
# numaslab_libperf. A library that lacks a function the code calls counts as not found, because
# libperf promises no stable interface.
set(NUMASLAB_LIBPERF_ROOT "" CACHE PATH
  "Folder with libperf's include and lib; empty: build-deps/libperf here or beside the build tree")
set(NUMASLAB_HAVE_LIBPERF OFF)
set(_libperf_why "no pkg-config file and no libperf under NUMASLAB_LIBPERF_ROOT")

# Every function that perf_libperf.c calls, so that a rename shows here and not in the middle of a
# build.
function(numaslab_libperf_works target result)
  include(CheckCSourceCompiles)
  set(CMAKE_REQUIRED_LIBRARIES ${target})
  set(CMAKE_REQUIRED_QUIET ON)
  set(CMAKE_REQUIRED_FLAGS -Werror=implicit-function-declaration)
  # asked again at each configure: the library may have been replaced
  unset(${result} CACHE)
  check_c_source_compiles("
#include <perf/core.h>
#include <perf/evlist.h>
#include <perf/evsel.h>
#include <perf/threadmap.h>
static int quiet(enum libperf_print_level l, const char *f, va_list a)
{ (void)l; (void)f; (void)a; return 0; }
int main(void)
{
  struct perf_counts_values v = {.val = 0};
  struct perf_thread_map *t = perf_thread_map__new_dummy();
  struct perf_evlist *l = perf_evlist__new();
  struct perf_evsel *e = perf_evsel__new(0);
  libperf_init(quiet);
  perf_thread_map__set_pid(t, 0, 0);
  perf_evlist__add(l, e);
  perf_evlist__set_leader(l);
  e = perf_evlist__next(l, 0);
  perf_evsel__open(e, 0, t);
  perf_evsel__enable(e);
  perf_evsel__disable(e);
  perf_evsel__read(e, 0, 0, &v);
  perf_evsel__close(e);
  perf_evlist__remove(l, e);
  perf_evsel__delete(e);
  perf_evlist__delete(l);
  perf_thread_map__put(t);
  return (int)(v.ena + v.run);
}" ${result})
  set(${result} ${${result}} PARENT_SCOPE)
endfunction()

function(numaslab_libperf_find)
  pkg_check_modules(LIBPERF QUIET IMPORTED_TARGET libperf)
  if(LIBPERF_FOUND)
    numaslab_libperf_works(PkgConfig::LIBPERF NUMASLAB_LIBPERF_SHARED_WORKS)
    if(NUMASLAB_LIBPERF_SHARED_WORKS)
      add_library(numaslab_libperf INTERFACE IMPORTED GLOBAL)
      target_link_libraries(numaslab_libperf INTERFACE PkgConfig::LIBPERF)
      set(NUMASLAB_HAVE_LIBPERF ON PARENT_SCOPE)
      message(STATUS "libperf: the distribution's, version ${LIBPERF_VERSION}")
      return()
    endif()
    set(_libperf_why "the libperf of pkg-config lacks a function that numaslab calls" PARENT_SCOPE)
  endif()
  foreach(root "${NUMASLAB_LIBPERF_ROOT}" "${PROJECT_SOURCE_DIR}/build-deps/libperf"
      "${CMAKE_BINARY_DIR}/../build-deps/libperf")
    if(NOT root OR NOT EXISTS "${root}/lib/libperf.a")
      continue()
    endif()
    get_filename_component(root "${root}" ABSOLUTE)
    add_library(numaslab_libperf INTERFACE IMPORTED GLOBAL)
    # SYSTEM: its headers are not held to our warnings
    target_include_directories(numaslab_libperf SYSTEM INTERFACE ${root}/include)
    # libperf.a needs libapi.a, which its own makefile does not install
    target_link_libraries(numaslab_libperf INTERFACE ${root}/lib/libperf.a ${root}/lib/libapi.a)
    numaslab_libperf_works(numaslab_libperf NUMASLAB_LIBPERF_STATIC_WORKS)
    if(NUMASLAB_LIBPERF_STATIC_WORKS)
      set(NUMASLAB_HAVE_LIBPERF ON PARENT_SCOPE)
      message(STATUS "libperf: ${root}")
    else()
      set(_libperf_why "the libperf in ${root} lacks a function that numaslab calls" PARENT_SCOPE)
    endif()
    return()
  endforeach()
endfunction()

if(NOT NUMASLAB_LIBPERF MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "NUMASLAB_LIBPERF is '${NUMASLAB_LIBPERF}': AUTO, ON or OFF")
endif()
if(NOT NUMASLAB_LIBPERF STREQUAL "OFF")
  numaslab_libperf_find()
  if(NOT NUMASLAB_HAVE_LIBPERF AND NUMASLAB_LIBPERF STREQUAL "ON")
    message(FATAL_ERROR "libperf was not found: ${_libperf_why}\n"
      "Install the distribution's libperf-devel, or run\n"
      "  cmake/fetch-libperf.sh build-deps\n"
      "(needs apt-get, dpkg-deb, make, a C compiler; no root), or configure with "
      "-DNUMASLAB_LIBPERF=OFF for a build without hardware counters")
  endif()
endif()
if(NOT NUMASLAB_HAVE_LIBPERF)
  message(STATUS "libperf: none, hardware counters will read null (cmake/fetch-libperf.sh build-deps "
    "gets it)")
endif()
