/* toolchain.h - compilers, flags and linking, in one place; what is trusted is made once and kept by content.
 *
 * A kept file's name is the SHA-256 of everything it is made from: the command, the compiler's identity, the bytes of
 * each input. It is written under another name and renamed, so a kept file is whole or absent.
 */
#ifndef GRADE_TOOLCHAIN_H
#define GRADE_TOOLCHAIN_H

#include "child.h"
#include "course.h"
#include "lanes.h"

/* Which compiler and flags. Every object of one program is of one flavour. */
enum flavour {
    FLAVOUR_PLAIN,    /* gcc -O1 -g: tests, helgrind */
    FLAVOUR_CLANG,    /* clang, warnings only */
    FLAVOUR_ASAN,     /* gcc, AddressSanitizer, LeakSanitizer, UndefinedBehaviorSanitizer */
    FLAVOUR_MSAN,     /* clang, MemorySanitizer */
    FLAVOUR_TSAN,     /* gcc, ThreadSanitizer */
    FLAVOUR_FAST,     /* gcc -O2: timing */
    FLAVOUR_EXPLORED, /* gcc, every access and atomic operation a call: build/interleave, the explorer */
    FLAVOUR_COUNT
};

/* What FLAVOUR_MSAN's scenario program finds the student's code in. */
#define TOOLCHAIN_LIBRARY "msan-code.so"

/* The programs an exercise's code is linked into. */
enum program {
    PROGRAM_TESTS,    /* tests.c with Criterion and the harness's criterion_main.c */
    PROGRAM_SCENARIO, /* scenario.c with scenario_main.c */
    PROGRAM_BENCH,    /* bench.c with bench_main.c */
    PROGRAM_EXPLORED, /* scenario.c with scenario_explore.c, for build/interleave; of FLAVOUR_EXPLORED only */
};

/* One grading's place to work: made by grade.c, removed afterwards. */
struct workshop {
    const struct course *course;
    const struct exercise *exercise;
    const char *dir;              /* absolute, empty at first, this grading's own */
    const char *cache_dir;        /* absolute, shared by all gradings */
    const char *source;           /* dir/NAME.c: the copy of the student's file that is graded */
    const char *shown;            /* what to call that file on the screen */
    int explore_runs;             /* as in struct request; 0: the exercise's own budget */
    const char *replay;           /* …; or NULL */
    const char *const *tests_env; /* as in struct request; or NULL */
    bool first_failure;           /* as in struct request */
    void (*test_failed)(void *context, const char *test); /* …; or NULL */
    void *stage_context;                                  /* … */
    struct lane_share lanes;                              /* what it may use beside its own process */
    struct workshop **own; /* the student's own files of the exercises this one is built on, each in a workshop of its
                              own, NULL-terminated; NULL: the references serve */
};

/* Compiles the student's file with this flavour, once a grading (a second call finds the object and its warnings). On
 * return 0, `*object` is its path, or NULL where it does not compile; `*log` says how the compiler ended, and log->err
 * has its words (diagnostics.h reads them): errors, or the warnings of what did compile. The compiler runs under limits
 * of time, memory and disk; a file that takes it over them is one that does not compile. FLAVOUR_CLANG makes no object:
 * `*object` is then shop->source. */
int toolchain_compile(void *context, struct workshop *shop, enum flavour flavour, const char **object,
                      struct child_result *log, struct fault *fault);

/* Whether gcc makes this flavour (else clang). */
bool toolchain_by_gcc(enum flavour flavour);

/* The student's file after the preprocessor (gcc's, with line markers), under the same limits. NULL in `*text` where it
 * cannot be preprocessed, or is more than 16 MiB. */
int toolchain_preprocess(void *context, struct workshop *shop, const char **text, struct fault *fault);

/* Compiles (or finds) the reference, or another trusted source file below the course's root, with this flavour. What
 * does not compile is a fault: it is ours. Files of grader/harness are compiled with _GNU_SOURCE and are the same for
 * every exercise; all others get the exercise's header and those it needs, and checks the headers in their own folder
 * and in the chapter's, which its exercises share. */
int toolchain_trusted(void *context, struct workshop *shop, enum flavour flavour, const char *source,
                      const char **object, struct fault *fault);

/* The global symbols that the exercise's reference defines: the contract's own names. NULL-terminated. */
int toolchain_contract(void *context, struct workshop *shop, const char ***names, struct fault *fault);

/* The global symbols of the references that the exercise is built on, which the student may call. NULL-terminated. */
int toolchain_needed_names(void *context, struct workshop *shop, const char ***names, struct fault *fault);

/* The headers that the student's file may include beside the system's: the exercise's own and those of the exercises it
 * is built on. Absolute paths, NULL-terminated. */
const char **toolchain_headers(void *context, const struct workshop *shop);

/* The exercises that the workshop's is built on, each once, directly and through others. NULL-terminated. */
const struct exercise **toolchain_needed(void *context, const struct workshop *shop);

/* Where build/interleave is: beside this program, else in the course's own build folder. A fault where it is nowhere.
 */
int toolchain_interleave(void *context, const struct workshop *shop, const char **path, struct fault *fault);

/* Links `program` from an object of the student's (or, with `student_object` NULL, from the reference: kept by
 * content), the exercise's checks, the harness, and the references it needs
 * (with shop->own the student's own files in their place, except beside the reference). Every symbol of the student's
 * object becomes local except the contract's own; where `program` is PROGRAM_TESTS the calls in exercise->wraps go to
 * wrap_NAME. The student's is linked once a grading and program; a second call finds it. In the scenario program of
 * FLAVOUR_ASAN the harness's thread_watch.c stands between the program and pthread_create, pthread_join and
 * pthread_detach. The scenario program of FLAVOUR_MSAN is a kept one, for any student, and runs with what is in the
 * library TOOLCHAIN_LIBRARY in the workshop: that folder must be in its LD_LIBRARY_PATH. PROGRAM_EXPLORED is no
 * executable but a shared object that build/interleave has prepared. On return 0
 * `*path` is the program, or NULL where it does not link and `*log` has the linker's
 * words. */
int toolchain_link(void *context, struct workshop *shop, enum flavour flavour, enum program program,
                   const char *student_object, const char **path, char **log, struct fault *fault);

/* Compiles and links one trusted source file below the course's root into a program of its own (the detectors' own
 * checks), with gate.c and scenario's includes at hand, and `library` ("-lcriterion"; NULL: none); kept by content. */
int toolchain_trusted_program(void *context, struct workshop *shop, enum flavour flavour, const char *source,
                              const char *library, const char **path, struct fault *fault);

#endif
