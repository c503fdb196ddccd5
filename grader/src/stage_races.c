/* stage_races.c - do threads use the same memory, or the same locks, in a way that cannot be right?
 *
 * helgrind judges, ThreadSanitizer where the exercise uses atomics; exercise.ini says which.
 */
#include "race_detectors.h"
#include "stage.h"

int stage_races(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    result->outcome = OUTCOME_PASSED;
    if (shop->exercise->helgrind && helgrind_look(context, shop, result, fault) != 0)
        return -1;
    if (shop->exercise->tsan && result->outcome == OUTCOME_PASSED)
        return tsan_look(context, shop, result, fault);
    return 0;
}
