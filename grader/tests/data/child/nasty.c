/* nasty.c - programs that do not want to end. Compiled by test_child.c; argv[1] says which, argv[2] is a mark that the
 * test looks for among the machine's processes afterwards. All have a bound of their own. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A fork bomb with a bound: should the grader fail to end it, the machine must live. */
static void bomb(void)
{
    int *forks = mmap(NULL, sizeof *forks, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    while (__atomic_add_fetch(forks, 1, __ATOMIC_RELAXED) < 500)
        if (fork() < 0)
            usleep(1000);
    for (;;)
        pause();
}

/* Two forks and a session of its own; then it ignores what can be ignored and stays. */
static void daemonise(void)
{
    if (fork() > 0) {
        usleep(20 * 1000);
        _exit(0);
    }
    setsid();
    if (fork() > 0)
        _exit(0);
    for (int i = 1; i < 32; i++)
        signal(i, SIG_IGN);
    sleep(600);
    _exit(0);
}

/* Never the same process for long: each forks the next and ends. */
static void run_away(int new_session)
{
    if (fork() > 0) {
        usleep(20 * 1000);
        _exit(0);
    }
    for (int i = 0; i < 1000 * 1000; i++) {
        if (new_session)
            setsid();
        if (fork() > 0)
            _exit(0);
    }
}

static void spin(void)
{
    for (volatile long i = 0; i < 100L * 1000 * 1000 * 1000; i++)
        continue;
}

static int grab(void)
{
    size_t size = (size_t)512 << 20;
    char *memory = malloc(size);

    if (memory == NULL)
        return 3;
    memset(memory, 1, size);
    return memory[size / 2];
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "bomb") == 0)
        bomb();
    else if (strcmp(what, "daemon") == 0)
        daemonise();
    else if (strcmp(what, "chain") == 0)
        run_away(0);
    else if (strcmp(what, "sessions") == 0)
        run_away(1);
    else if (strcmp(what, "spin") == 0)
        spin();
    else if (strcmp(what, "stop") == 0)
        raise(SIGSTOP);
    else if (strcmp(what, "grab") == 0)
        return grab();
    return 0;
}
