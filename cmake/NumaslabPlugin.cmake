# SPDX-License-Identifier: MIT
# numaslab_add_plugin(NAME SOURCE...): NAME.so, a shared object that `numaslab --plugin` loads. It
# links nothing of numaslab; only the symbol nslab_plugin is visible.
function(numaslab_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE numaslab::headers)
  set_target_properties(${name} PROPERTIES
    PREFIX "" C_STANDARD 11 C_STANDARD_REQUIRED ON C_VISIBILITY_PRESET hidden)
endfunction()
