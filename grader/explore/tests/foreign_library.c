/* The rest of a small program's library: the same answers in every run.
 * explore: => everything */
#define _GNU_SOURCE
#include <assert.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pid_t main_id;
static jmp_buf back;

static int compare(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static void jump(int depth)
{
    if (depth == 0)
        longjmp(back, 42);
    jump(depth - 1);
}

static void *work(void *argument)
{
    char name[16];
    pthread_attr_t attributes;
    size_t stack_size;
    void *stack;
    assert(getpid() == main_id && gettid() != main_id && syscall(SYS_gettid) == gettid());
    assert(pthread_setname_np(pthread_self(), "worker") == 0);
    assert(pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, "worker") == 0);
    assert(pthread_getattr_np(pthread_self(), &attributes) == 0);
    assert(pthread_attr_getstack(&attributes, &stack, &stack_size) == 0);
    assert((char *)&name > (char *)stack && (char *)&name < (char *)stack + stack_size);
    pthread_attr_destroy(&attributes);
    char *room = alloca(1000);
    int n = *(int *)argument, squares[n];
    for (int i = 0; i < n; i++)
        squares[i] = n - i;
    qsort(squares, (size_t)n, sizeof squares[0], compare);
    assert(squares[0] == 1 && squares[n - 1] == n);
    memset(room, 'x', 1000);
    int jumped = setjmp(back);
    if (!jumped)
        jump(5);
    assert(jumped == 42);
    return argument;
}

static void numbers(void)
{
    int first = rand(), other;
    srand(1);
    assert(rand() == first && rand() != first);
    srand48(3);
    double real = drand48();
    srand48(3);
    assert(drand48() == real && real >= 0 && real < 1);
    other = (int)random();
    assert(other >= 0);
}

static void texts(void)
{
    char *text, copy[20], *state;
    assert(asprintf(&text, "%d-%s", 12, "x") == 4 && strcmp(text, "12-x") == 0);
    snprintf(copy, sizeof copy, "%s,%s", text, text);
    assert(strcmp(strtok_r(copy, ",", &state), "12-x") == 0);
    free(text);
    assert(strtol("12", NULL, 10) == 12 && getenv("NO_SUCH_VARIABLE_HERE") == NULL);
    warnx("not an error: %d", 1);
}

static void options(void)
{
    char *words[] = {"program", "-a", "rest", NULL};
    int letters = 0;
    while (getopt(3, words, "a") == 'a')
        letters++;
    assert(letters == 1 && optind == 2);
}

static void clocks(void)
{
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert(after.tv_sec - before.tv_sec >= 2);
    assert(clock_getres(CLOCK_REALTIME, &before) == 0 && before.tv_sec == 0);
    time_t now = time(NULL);
    assert(localtime(&now) != NULL);
}

int main(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    struct sched_param param;
    int policy, size = 40;
    main_id = getpid();
    assert(sysconf(_SC_NPROCESSORS_ONLN) >= 1 && sysconf(_SC_PAGESIZE) >= 4096);
    assert(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, 1 << 20) == 0);
    assert(pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED) == 0);
    assert(pthread_create(&thread, &attributes, work, &size) == 0);
    assert(pthread_attr_destroy(&attributes) == 0);
    assert(pthread_getschedparam(thread, &policy, &param) == 0 && policy == SCHED_OTHER);
    assert(pthread_setschedparam(thread, SCHED_OTHER, &param) == 0 &&
           pthread_setschedparam(thread, 99, &param) == EINVAL);
    assert(pthread_atfork(NULL, NULL, NULL) == 0);
    numbers();
    texts();
    options();
    clocks();
    assert(pthread_join(thread, NULL) == 0);
    return 0;
}
