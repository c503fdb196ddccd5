/* hello_grade.h - a greeting, made to order: the first exercise, to see the grader at work.
 *
 * In Python this is one expression, f"Hello, {name}!", and the interpreter looks after the memory. Here it is a
 * function that makes a new string and hands it to the caller.
 */
#ifndef HELLO_GRADE_H
#define HELLO_GRADE_H

/* Makes the greeting "Hello, NAME!" and stores it in `*greeting`, whatever stood there before.
 *
 * The name may have any characters, and as many as there is memory for and snprintf can count (INT_MAX, greeting and
 * all); they stand in the greeting as they are. An empty name gives "Hello, !". The greeting is a string of its own: it
 * stays as it is whatever becomes of `name` and of other greetings. It belongs to the caller, who releases it with
 * free(). The function keeps nothing else.
 *
 * Returns 0, or a positive errno value with `*greeting` left as it was:
 *   EINVAL  `name` or `greeting` is NULL (Python: NameError, there is nothing to greet)
 *   ENOMEM  there is no memory for the greeting (Python: MemoryError)
 *
 * Does not block. May be called from any number of threads at the same time. */
int hello_grade(const char *name, char **greeting);

#endif
