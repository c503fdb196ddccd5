/* scenario.c - a few threads at a queue that knows when its work is done: those at any queue (queue_scenarios.h), and
 * those that join (task_scenarios.h). */
#include "task_scenarios.h"

SCENARIOS = {
    QUEUE_SCENARIOS,
    TASK_SCENARIOS,
    SCENARIOS_END,
};
