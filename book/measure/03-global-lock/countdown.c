/* countdown.c - the countdown on the small machine, with the global lock, with a lock for each thread, in processes;
 * and the same program in Python, where there is one.
 *
 * Each language counts as far as suits its speed, so only the numbers below each other are to be compared. Medians, in
 * milliseconds; "-" where there is no python3, and for what Python cannot do.
 */
#include "03-global-lock/gil.c"     /* NOLINT(bugprone-suspicious-include): the reference itself is measured */
#include "03-global-lock/tiny_vm.c" /* NOLINT(bugprone-suspicious-include) */

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 5, WAYS = 5, COUNT = 2 * 1000 * 1000, VERSION_MAX = 32 };

static const char *const ways[WAYS] = {"once", "in turn", "two threads", "own locks", "processes"};

/* It prints its version, and then the time of each way, a line each. */
static const char script[] = "import os, statistics, sys, threading, time\n"
                             "N = 3_000_000\n"
                             "def calc(n):\n"
                             "    while n > 0:\n"
                             "        n -= 1\n"
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
                             "print('CPython %d.%d.%d' % sys.version_info[:3])\n"
                             "ways = (lambda: calc(N), twice, threads, None, processes)\n"
                             "times = [[] for _ in ways]\n"
                             "calc(N)\n" /* the first time is slower: a core at rest, code not yet adapted */
                             "for _ in range(5):\n"
                             "    for way, of_it in zip(ways, times):\n"
                             "        if way is not None: of_it.append(timed(way))\n"
                             "for of_it in times:\n"
                             "    print('%.1f' % statistics.median(of_it) if of_it else '-')\n";

struct work {
    struct gil *gil;
    struct tiny_vm *vm;
};

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void *calc(void *argument)
{
    struct work *work = argument;
    int64_t result;

    if (tiny_vm_run(work->vm, tiny_vm_countdown(), COUNT, &result) != 0)
        exit(1);
    return NULL;
}

static void two_threads(struct work *one, struct work *two)
{
    pthread_t threads[2];

    if (pthread_create(&threads[0], NULL, calc, one) != 0 || pthread_create(&threads[1], NULL, calc, two) != 0)
        exit(1);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

static void two_processes(struct work *work)
{
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child < 0)
            exit(1);
        if (child == 0) {
            calc(work);
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++)
        wait(NULL);
}

static void make(struct work *work)
{
    if (gil_create(&work->gil) != 0 || tiny_vm_create(work->gil, &work->vm) != 0)
        exit(1);
}

static void end(struct work *work)
{
    tiny_vm_destroy(work->vm);
    gil_destroy(work->gil);
}

static void run_way(int way)
{
    struct work one, two;

    make(&one);
    make(&two);
    if (way <= 1)
        calc(&one);
    if (way == 1)
        calc(&one);
    if (way == 2)
        two_threads(&one, &one);
    if (way == 3)
        two_threads(&one, &two);
    if (way == 4)
        two_processes(&one);
    end(&one);
    end(&two);
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median_ms(int way)
{
    double times_ms[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        double begin_ms = now_ms();
        run_way(way);
        times_ms[i] = now_ms() - begin_ms;
    }
    qsort(times_ms, ROUNDS, sizeof times_ms[0], by_size);
    return times_ms[ROUNDS / 2];
}

/* Runs the script. Returns 0, or -1 where there is no python3 or it did not print what it should. */
static int python(char version[VERSION_MAX], char cells[WAYS][VERSION_MAX])
{
    int ends[2], count = -1, status = -1;
    char line[VERSION_MAX];

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
    while (lines != NULL && count < WAYS && fgets(line, sizeof line, lines) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(count < 0 ? version : cells[count], VERSION_MAX, "%s", line);
        count++;
    }
    if (lines != NULL)
        fclose(lines);
    waitpid(child, &status, 0);
    return count == WAYS && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

int main(void)
{
    char version[VERSION_MAX] = "-", cells[WAYS][VERSION_MAX];

    if (python(version, cells) != 0) {
        strcpy(version, "-");
        for (int i = 0; i < WAYS; i++)
            strcpy(cells[i], "-");
    }
    printf("calc_n\tvm_ms\tpython_ms\tpython\n");
    for (int i = 0; i < WAYS; i++)
        printf("%s\t%.1f\t%s\t%s\n", ways[i], median_ms(i), cells[i], version);
    return 0;
}
