# cmake --install: the program, the libraries with their headers and package configuration, the
# designs, the suite, the man page and the shell completions.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(drover_public_folders "")
foreach(folder litmus design mm device explore machine verdict report)
  if(TARGET drover_${folder})
    list(APPEND drover_public_folders ${folder})
  endif()
endforeach()

# drover::drover, what a user of the library links to: all of it.
add_library(drover_everything INTERFACE)
add_library(drover::drover ALIAS drover_everything)
set_target_properties(drover_everything PROPERTIES EXPORT_NAME drover)
target_include_directories(drover_everything INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

set(drover_exported drover_everything)
foreach(folder ${drover_public_folders})
  target_link_libraries(drover_everything INTERFACE drover_${folder})
  # The installed headers include each other as they do in src/: "litmus/program.hpp".
  target_include_directories(drover_${folder} PUBLIC
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/drover>)
  target_compile_features(drover_${folder} PUBLIC cxx_std_20)
  set_target_properties(drover_${folder} PROPERTIES EXPORT_NAME ${folder})
  list(APPEND drover_exported drover_${folder})
  install(DIRECTORY src/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/drover
          FILES_MATCHING PATTERN "*.hpp" PATTERN "*.def")
endforeach()
install(FILES include/drover/drover.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/drover)
install(TARGETS ${drover_exported} EXPORT drover_targets)

# What the libraries link to outside of drover is what find_package(drover) has to find again.
set(DROVER_DEPENDENCIES "")
foreach(folder ${drover_public_folders})
  drover_link_closure(drover_${folder} links)
  foreach(link IN LISTS links)
    if(link MATCHES "^([A-Za-z0-9_+-]+)::")
      list(APPEND DROVER_DEPENDENCIES ${CMAKE_MATCH_1})
    endif()
  endforeach()
endforeach()
list(REMOVE_DUPLICATES DROVER_DEPENDENCIES)

set(drover_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/drover)
install(EXPORT drover_targets NAMESPACE drover:: DESTINATION ${drover_package_folder}
        FILE droverTargets.cmake)
configure_package_config_file(cmake/droverConfig.cmake.in
  ${PROJECT_BINARY_DIR}/droverConfig.cmake INSTALL_DESTINATION ${drover_package_folder}
  PATH_VARS CMAKE_INSTALL_DATADIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/droverConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/droverConfig.cmake
              ${PROJECT_BINARY_DIR}/droverConfigVersion.cmake
        DESTINATION ${drover_package_folder})

if(TARGET drover)
  install(TARGETS drover RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY designs litmus DESTINATION ${CMAKE_INSTALL_DATADIR}/drover
        FILES_MATCHING PATTERN "*.toml" PATTERN "*.litmus")
install(FILES claims.json DESTINATION ${CMAKE_INSTALL_DATADIR}/drover)
install(FILES docs/drover.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES completions/drover.bash RENAME drover
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES completions/_drover DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES completions/drover.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
