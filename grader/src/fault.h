/* fault.h - what the grader could not do, in one line.
 *
 * A fault is never the student's: bad usage, a broken exercise.ini, a full disk, a detector that does not work.
 * Functions that can fail this way take a `struct fault *` last and return 0, or -1 with the line filled in.
 * main() prints it as "grade: LINE" and exits with status 2.
 */
#ifndef GRADE_FAULT_H
#define GRADE_FAULT_H

struct fault {
    char text[1024]; /* one line, without a newline; says what, where and what to do; "" where there is none */
};

/* Fills the line (printf's format; cut at the end where too long) and returns -1, so that a caller can
 * `return fault_set(fault, …);`. Any thread; does not block; keeps errno. */
int fault_set(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, with ": " and the text of errno behind it. */
int fault_errno(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
