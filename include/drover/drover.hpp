// The public face of the drover library: from the text of a litmus test to a verdict and a witness.
// A program that only needs one part may include that part's header instead.
//
//   litmus::parse              text to Program, or located errors         litmus/litmus.hpp
//   design::Registry           folders of *.toml to Designs               design/design.hpp
//   verdict::check             Program and Design to CheckResult          verdict/check.hpp
//   verdict::expected          what the test's author expected of it      verdict/expectation.hpp
//   verdict::find_witness      the shortest run that shows something      verdict/witness.hpp
//
// Below them: machine/machine.hpp steps the model by hand, explore/model.hpp is the interface of
// the search. Their interfaces may change between minor versions.
#pragma once

#include "design/design.hpp"
#include "litmus/litmus.hpp"
#include "litmus/program.hpp"
#include "verdict/check.hpp"
#include "verdict/expectation.hpp"
#include "verdict/witness.hpp"
