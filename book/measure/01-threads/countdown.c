/* countdown.c - the countdown program, calc(n): once, twice in turn, in two threads, in two processes; in C and in
 * Python.
 *
 * calc(n) counts from n down to 0 and does nothing else: work for a processor and for nothing but a processor. Each
 * language counts as far as suits its speed, so its four numbers are to be compared with each other. Printed are
 * medians of several rounds, in milliseconds; "-" in the column of Python where there is no python3.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, WAYS = 4, COUNT = 300 * 1000 * 1000 };

static const char *const ways[WAYS] = {"once", "twice in turn", "two threads", "two processes"};

/* The same in Python: it prints its four medians, a line each. */
static const char script[] = "import time, threading, os, statistics\n"
                             "N = 10_000_000\n"
                             "def calc(n):\n"
                             "    while n > 0:\n"
                             "        n -= 1\n"
                             "def once():\n"
                             "    calc(N)\n"
                             "def twice():\n"
                             "    calc(N)\n"
                             "    calc(N)\n"
                             "def threads():\n"
                             "    both = [threading.Thread(target=calc, args=(N,)) for _ in range(2)]\n"
                             "    for t in both: t.start()\n"
                             "    for t in both: t.join()\n"
                             "def processes():\n"
                             "    children = []\n"
                             "    for _ in range(2):\n"
                             "        child = os.fork()\n"
                             "        if child == 0:\n"
                             "            calc(N)\n"
                             "            os._exit(0)\n"
                             "        children.append(child)\n"
                             "    for child in children: os.waitpid(child, 0)\n"
                             "def timed(way):\n"
                             "    begin = time.perf_counter()\n"
                             "    way()\n"
                             "    return (time.perf_counter() - begin) * 1000\n"
                             "for way in (once, twice, threads, processes):\n"
                             "    print(statistics.median(timed(way) for _ in range(3)))\n";

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void calc(long count)
{
    volatile long n = count; /* volatile: or the compiler would see that nothing comes of it, and leave it out */

    while (n > 0)
        n = n - 1;
}

static void *calc_in_thread(void *unused)
{
    calc(COUNT);
    return unused;
}

static void once(void)
{
    calc(COUNT);
}

static void twice_in_turn(void)
{
    calc(COUNT);
    calc(COUNT);
}

static void two_threads(void)
{
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, calc_in_thread, NULL) != 0)
            exit(1);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static void two_processes(void)
{
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child < 0)
            exit(1);
        if (child == 0) {
            calc(COUNT);
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++)
        wait(NULL);
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median_ms(void (*way)(void))
{
    double times_ms[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        double begin_ms = now_ms();
        way();
        times_ms[i] = now_ms() - begin_ms;
    }
    qsort(times_ms, ROUNDS, sizeof times_ms[0], by_size);
    return times_ms[ROUNDS / 2];
}

/* Runs the script. Returns 0, or -1 where there is no python3 or it did not print what it should. */
static int python(char cells[WAYS][32])
{
    int ends[2];

    fflush(stdout);
    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("python3", "python3", "-c", script, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *lines = fdopen(ends[0], "r");
    char line[64];
    int count = 0;
    while (lines != NULL && count < WAYS && fgets(line, sizeof line, lines) != NULL)
        snprintf(cells[count++], sizeof cells[0], "%.1f", strtod(line, NULL));
    if (lines != NULL)
        fclose(lines);
    int status;
    waitpid(child, &status, 0);
    return count == WAYS && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

int main(void)
{
    static void (*const runs[WAYS])(void) = {once, twice_in_turn, two_threads, two_processes};
    char cells[WAYS][32];

    if (python(cells) != 0)
        for (int i = 0; i < WAYS; i++)
            strcpy(cells[i], "-");
    printf("calc_n\tc_ms\tpython_ms\n");
    for (int i = 0; i < WAYS; i++)
        printf("%s\t%.1f\t%s\n", ways[i], median_ms(runs[i]), cells[i]);
    return 0;
}
