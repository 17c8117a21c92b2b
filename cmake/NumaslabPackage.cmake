# The Debian package, by CPack: cmake --preset package && cmake --build --preset package. One package
# holds everything, since a plug-in author needs the program too. What Debian's policy wants beside
# what is installed anyway: the change log and the licences. Libraries are found by dpkg-shlibdeps.
set(package_dir ${PROJECT_BINARY_DIR}/package)
set(package_version ${NUMASLAB_VERSION}-1)
set(package_date ${NUMASLAB_COMMIT_DATE})
if(NOT package_date)
  set(package_date "Thu, 01 Jan 2026 00:00:00 +0000")
endif()
set(package_contact "numaslab developers <dev@numaslab.example>")

file(CONFIGURE OUTPUT ${package_dir}/changelog.Debian @ONLY CONTENT
"numaslab (@package_version@) unstable; urgency=medium

  * Commit @NUMASLAB_COMMIT@.
  * What is new is told in docs/release-notes.md.

 -- @package_contact@  @package_date@
")
if(NUMASLAB_DEBIAN)
  execute_process(COMMAND ${NUMASLAB_GZIP} -9nkf changelog.Debian WORKING_DIRECTORY ${package_dir})
  install(FILES ${package_dir}/changelog.Debian.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
install(FILES ${PROJECT_SOURCE_DIR}/cmake/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME numaslab)
set(CPACK_PACKAGE_VERSION ${NUMASLAB_VERSION})
set(CPACK_PACKAGE_CONTACT ${package_contact})
set(CPACK_PACKAGE_VENDOR numaslab)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gnuplot-nox | gnuplot, fonts-dejavu-core")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
  "valgrind, numactl, libjemalloc2, libmimalloc2.0, libtcmalloc-minimal4")
set(CPACK_PACKAGE_DESCRIPTION
"numaslab detects the caches and NUMA nodes of a machine, pins threads, drives
models of slab allocators through workloads in the patterns of the kernel, in
fresh processes, and says which design and which slab order serves a cache
best there, with the number of trials and the spread. Plug-ins bring further
allocators and workloads; their headers are part of this package.")
include(CPack)
