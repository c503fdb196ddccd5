#include "stage.h"

const struct stage stages[STAGE_COUNT] = {
    {STAGE_BUILD, "build", stage_build},    {STAGE_RULES, "rules", stage_rules},
    {STAGE_TESTS, "tests", stage_tests},    {STAGE_MEMORY, "memory", stage_memory},
    {STAGE_RACES, "races", stage_races},    {STAGE_INTERLEAVINGS, "interleavings", stage_interleavings},
    {STAGE_TIMING, "timing", stage_timing},
};
