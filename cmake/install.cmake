# The program, and for a user's own module: find_package(convscope) gives convscope::trace (cost,
# memory, receptive field), which needs LibTorch and fmt alone; COMPONENTS timing gives
# convscope::timing, too, which needs all that the suite is built with but Boost and gnuplot.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

install(TARGETS convscope)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/convscope)

set(archives ${CMAKE_INSTALL_LIBDIR}/convscope)  # apart, for their names are everybody's
install(TARGETS names architectures graph trace EXPORT convscopeTargets
        ARCHIVE DESTINATION ${archives})
set(timing_targets catalogue weights data memory_plan inference statistics workload timing)
if(ONEDNN)
  list(APPEND timing_targets onednn_program)
endif()
install(TARGETS ${timing_targets} EXPORT convscopeTimingTargets ARCHIVE DESTINATION ${archives})
# The same names where a project adds this folder.
add_library(convscope::trace ALIAS trace)
add_library(convscope::timing ALIAS timing)
foreach(export convscopeTargets convscopeTimingTargets)
  install(EXPORT ${export} NAMESPACE convscope:: DESTINATION ${package})
endforeach()

foreach(folder architectures suite/analysis suite/data suite/inference suite/timing suite/weights)
  file(GLOB headers CONFIGURE_DEPENDS ${folder}/*.h)
  install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/convscope/${folder})
endforeach()

write_basic_package_version_file(${PROJECT_BINARY_DIR}/convscopeConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES cmake/convscopeConfig.cmake ${PROJECT_BINARY_DIR}/convscopeConfigVersion.cmake
        DESTINATION ${package})
