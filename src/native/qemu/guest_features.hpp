// What the guest's kernel can do, as the tests need it. Part of the guest's first process, not of
// the library; nothing is changed that a test would see.
#pragma once

namespace drover::guest {

/// Reports one line "feature NAME VALUE" per feature; a value is "yes", "no" or a number.
void report_features(void (*report)(const char* format, ...));

}  // namespace drover::guest
