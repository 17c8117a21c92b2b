# What is installed besides the program, its headers and the files that it reads: manual pages and
# completions, which the built program prints from its own tables, and the documents.

find_program(NUMASLAB_GZIP gzip)
mark_as_advanced(NUMASLAB_GZIP)

# numaslab_install_help(PROGRAM COMMAND...): pages of the commands and of what they take. A program
# for another machine cannot print them, and one with ThreadSanitizer starts only where addresses are
# little randomised, so these go without.
function(numaslab_install_help program)
  if(CMAKE_CROSSCOMPILING OR NUMASLAB_SANITIZE MATCHES thread)
    return()
  endif()
  set(dir ${PROJECT_BINARY_DIR}/help)
  set(pages numaslab.1 numaslab-keys.5 numaslab-allocators.7 numaslab-workloads.7 numaslab-pages.7)
  list(TRANSFORM ARGN REPLACE "(.+)" "numaslab-\\1.1" OUTPUT_VARIABLE commands)
  set(script "set -e\nrm -f *.[157] *.[157].gz\n")
  foreach(page ${pages} ${commands})
    string(REGEX REPLACE "^numaslab-|\\.[157]$" "" name ${page})
    string(APPEND script "\"$1\" help --man ${name} >${page}\n")
  endforeach()
  if(NUMASLAB_GZIP)
    string(APPEND script "${NUMASLAB_GZIP} -9nf *.[157]\n")
  endif()
  foreach(shell bash zsh fish)
    string(APPEND script "\"$1\" help --completion ${shell} >completion.${shell}\n")
  endforeach()
  file(GENERATE OUTPUT ${dir}/make.sh CONTENT "${script}")
  # plans are looked for in the working directory; a user's own variables must not be in the answer
  add_custom_command(OUTPUT ${dir}/completion.fish
    COMMAND ${CMAKE_COMMAND} -E env --unset=NUMASLAB_PLUGIN_PATH
      NUMASLAB_PLANS=${PROJECT_SOURCE_DIR}/examples/plans
      sh make.sh $<TARGET_FILE:${program}>
    WORKING_DIRECTORY ${dir} DEPENDS ${program} ${dir}/make.sh
    COMMENT "Printing manual pages and completions" VERBATIM)
  add_custom_target(numaslab_help ALL DEPENDS ${dir}/completion.fish)
  foreach(section 1 5 7)
    install(DIRECTORY ${dir}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
      FILES_MATCHING PATTERN "*.${section}" PATTERN "*.${section}.gz")
  endforeach()
  install(FILES ${dir}/completion.bash
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME numaslab)
  install(FILES ${dir}/completion.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME numaslab.fish)
  set(zsh site-functions)
  if(NUMASLAB_DEBIAN) # whose folder of packages is another than that of local files
    set(zsh vendor-completions)
  endif()
  install(FILES ${dir}/completion.zsh
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/${zsh} RENAME _numaslab)
endfunction()

install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR}
  FILES_MATCHING PATTERN "*.md" PATTERN "*.png" PATTERN "*.svg")
install(DIRECTORY examples/plugin-bump DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
