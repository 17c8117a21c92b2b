# cmake -DSOURCE=DIR -DHEADER=FILE -P revision.cmake: writes what version and commit SOURCE is, and
# whether its files differ from it. The header is only touched when it changes.
include(${CMAKE_CURRENT_LIST_DIR}/NumaslabVersion.cmake)
numaslab_version(${SOURCE})
set(text "#define NSLAB_VERSION \"${NUMASLAB_VERSION}\"\n")
string(APPEND text "#define NSLAB_GIT_SHA \"${NUMASLAB_COMMIT}\"\n")
string(APPEND text "#define NSLAB_GIT_DIRTY ${NUMASLAB_IS_DIRTY}\n")
set(old "")
if(EXISTS ${HEADER})
  file(READ ${HEADER} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${HEADER} "${text}")
endif()
