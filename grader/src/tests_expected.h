/* tests_expected.h - which tests there are and how many assertions each makes: what the reference's own run says.
 *
 * Kept in the cache beside the reference's program, under the same hash, so that the reference is run once for each
 * change of anything that it is made from.
 */
#ifndef GRADE_TESTS_EXPECTED_H
#define GRADE_TESTS_EXPECTED_H

#include "fault.h"
#include "toolchain.h"

#include <stddef.h>

struct expected_test {
    const char *name;
    const char *promise;
    const char *file; /* where its TEST stands: tests.c, or a header that it includes */
    int line;
    int assertions; /* that the reference passes */
};

struct expected_tests {
    struct expected_test *tests; /* in the order of tests.c, then of each header it includes */
    size_t count;
};

/* `program` is the reference's tests program, in the cache. A reference that fails its own tests is a fault. All
 * belongs to `context`. Blocks while the reference runs, where it must. */
int tests_expected(void *context, const struct workshop *shop, const char *program, struct expected_tests *expected,
                   struct fault *fault);

#endif
