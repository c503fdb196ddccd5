/* sanitizer_run.h - a scenario program under a sanitizer: one run, and what its log says.
 */
#ifndef GRADE_SANITIZER_RUN_H
#define GRADE_SANITIZER_RUN_H

#include "sanitizer_log.h"
#include "scenario_run.h"

#include <stdbool.h>

/* One way to look at a program. */
struct sanitizer_method {
    enum flavour flavour;
    const char *log_name;         /* of the log in the workshop; the runtime adds ".PID" */
    const char *const *detectors; /* names for doctor_require, NULL-terminated */
    const char *const *options;   /* "NAME_OPTIONS=a=1:b=2", NULL-terminated; the log's path is added to each */
    bool offsets;                 /* the log has addresses only, and their lines are looked up here */
    bool undefined_on_err; /* what UndefinedBehaviorSanitizer finds goes to standard error, whatever the options say */
};

/* gcc's AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer in one program; clang's MemorySanitizer; gcc's
 * ThreadSanitizer. */
extern const struct sanitizer_method sanitizer_gcc, sanitizer_clang, sanitizer_threads;

/* The environment of a program under a sanitizer, NULL-terminated: its logs go to LOG_NAME.PID in `shop`. */
const char **sanitizer_environment(void *context, const struct workshop *shop, const struct sanitizer_method *method);

/* Reads the logs of all processes of a program that has ended, and removes them; `err` is what it wrote to standard
 * error. `program` is looked into for lines where the method asks for that. */
int sanitizer_logs_take(void *context, const struct workshop *shop, const struct sanitizer_method *method,
                        const char *program, const char *err, struct sanitizer_log *log, struct fault *fault);

struct sanitizer_sight {
    struct scenario_run run;
    struct sanitizer_log log;
};

/* Runs `program` and reads what it and the sanitizer wrote. Blocks until it has ended. What the program did is a
 * result; a sanitizer that cannot do its work is a fault. */
int sanitizer_run(void *context, struct workshop *shop, const struct sanitizer_method *method, const char *program,
                  struct sanitizer_sight *sight, struct fault *fault);

/* Nothing was found, nothing was left, and it came to its end. */
bool sanitizer_run_is_clean(const struct sanitizer_sight *sight);

/* Runs the exercise's reference the same way: 0 where it is clean. Where it is not, the mistake is the exercise's or
 * the machine's, and that is a fault. */
int sanitizer_run_reference(void *context, struct workshop *shop, const struct sanitizer_method *method,
                            struct fault *fault);

#endif
