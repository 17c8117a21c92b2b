# numaslab_version(SOURCE): what SOURCE is, from git in a checkout, else from cmake/version.txt, into
# which `git archive` wrote the commit. Used by the configuration and, at every build, by revision.cmake.
#
#   NUMASLAB_VERSION          1.2.3 at the tag v1.2.3, 1.2.3+4.g1234567 four commits later, and
#                             0.1.0~g1234567 before the first tag; sorts so in packages
#   NUMASLAB_VERSION_NUMBERS  1.2.3
#   NUMASLAB_COMMIT           the full hash, or unknown
#   NUMASLAB_COMMIT_DATE      as mails and change logs have it, or empty
#   NUMASLAB_IS_DIRTY         1 when files differ from the commit, -1 when that is unknown

function(numaslab_git source out)
  execute_process(COMMAND ${NUMASLAB_GIT} -c safe.directory=* -C ${source} ${ARGN}
    OUTPUT_VARIABLE text RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(failed)
    set(text "")
  endif()
  set(${out} "${text}" PARENT_SCOPE)
  set(${out}_failed "${failed}" PARENT_SCOPE)
endfunction()

function(numaslab_version source)
  file(STRINGS ${source}/cmake/version.txt lines)
  list(POP_FRONT lines numbers)
  foreach(line ${lines})
    string(REGEX MATCH "^([a-z]+) ([^$%]*)" line "${line}")
    # empty when not from an archive, or written by a git that does not know the word
    set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
  endforeach()
  set(is_dirty -1)
  find_program(NUMASLAB_GIT git)
  mark_as_advanced(NUMASLAB_GIT)
  if(NUMASLAB_GIT AND EXISTS ${source}/.git)
    numaslab_git(${source} commit rev-parse HEAD)
    numaslab_git(${source} date log -1 --format=%cD)
    numaslab_git(${source} tag describe --tags "--match=v[0-9]*")
    numaslab_git(${source} changes status --porcelain --untracked-files=no)
    if(NOT changes_failed)
      string(COMPARE NOTEQUAL "${changes}" "" is_dirty)
    endif()
  endif()
  set(text ${numbers})
  if(tag MATCHES "^v([0-9]+(\\.[0-9]+)*)(-([0-9]+)-(g[0-9a-f]+))?$")
    set(numbers ${CMAKE_MATCH_1})
    set(text ${numbers})
    if(CMAKE_MATCH_4)
      string(APPEND text +${CMAKE_MATCH_4}.${CMAKE_MATCH_5})
    endif()
  elseif(commit)
    string(SUBSTRING ${commit} 0 7 short)
    string(APPEND text ~g${short})
  endif()
  if(NOT commit)
    set(commit unknown)
  endif()
  set(NUMASLAB_VERSION ${text} PARENT_SCOPE)
  set(NUMASLAB_VERSION_NUMBERS ${numbers} PARENT_SCOPE)
  set(NUMASLAB_COMMIT ${commit} PARENT_SCOPE)
  set(NUMASLAB_COMMIT_DATE "${date}" PARENT_SCOPE)
  set(NUMASLAB_IS_DIRTY ${is_dirty} PARENT_SCOPE)
endfunction()
