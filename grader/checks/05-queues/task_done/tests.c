/* tests.c - a queue that knows when all its work is done: what every queue must do (queue_tests.h), and what it adds to
 * that, the count, task_done and join (task_tests.h). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* syscall */
#endif
#include "queue_tests.h"
#include "task_done.h"
#include "task_tests.h"
