/* bench.h - the timed workload of an exercise where speed is the point.
 *
 *     BENCH = {.name = "sum of 2^22 numbers", .setup = setup, .run = run, .teardown = teardown};
 *
 * bench_main.c calls setup once, then run as often as the grader asks, and writes for each run its wall time and its
 * CPU time. run() does one workload of some 5 to 50 ms and checks its result with bench_require: a fast wrong answer is
 * worth nothing.
 */
#ifndef HARNESS_BENCH_H
#define HARNESS_BENCH_H

struct bench {
    const char *name;
    void (*setup)(void);
    void (*run)(void);
    void (*teardown)(void);
};

#define BENCH const struct bench bench
extern const struct bench bench;

/* Ends the program where `condition` does not hold; the grader calls that a failure, with this sentence. */
#define bench_require(condition, sentence)                                                                             \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            bench_failed(__FILE__, __LINE__, (sentence));                                                              \
    } while (0)

void bench_failed(const char *file, int line, const char *sentence) __attribute__((noreturn));

#endif
